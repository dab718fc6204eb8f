"""`pantel send`: the sender daemon."""

from __future__ import annotations

import argparse
import logging
import time
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from pantel_device.atomic_file import remove_leftovers
from pantel_device.cameras import Geometry, open_camera
from pantel_device.capture_file import check_capture, open_capture
from pantel_device.class_names import check_class_names
from pantel_device.command import Command, UsageError, used_wrongly
from pantel_device.commands.options import add_config_options, read_config
from pantel_device.config import SenderConfig
from pantel_device.daemon import run_daemon
from pantel_device.errors import CameraNameError, DetectorError, EdgeModelError
from pantel_device.line_port import open_line_port
from pantel_device.line_profile import check_line_rate, line_profile
from pantel_device.observer import (
    WEAK_SCORE,
    DetectorPace,
    MotionDetector,
    Observer,
    PrivacyMask,
    RegionRules,
    open_contour_finder,
    open_detector,
)
from pantel_device.outbox import LINES, Outbox, attending
from pantel_device.receiving.sink import SenderName
from pantel_device.recordings import Ring
from pantel_device.scene_encoding.contours.sketch_encoder import SKETCH_BELOW_BPS, SketchEncoder
from pantel_device.scene_encoding.payload_encoder import PayloadEncoder
from pantel_device.scene_encoding.scene_encoder import SceneEncoder, SceneEncoderSettings
from pantel_device.sending.alarms_out import AlarmSender
from pantel_device.sending.boot_epoch import next_epoch
from pantel_device.sending.messages_out import Messages
from pantel_device.sending.remote_control import RemoteControl
from pantel_device.sending.sender import Sender
from pantel_device.sending.still_sender import StillSender
from pantel_device.sending.stream import stream_context
from pantel_device.sending.telemetry import TelemetryReader
from pantel_device.service import ServiceSession, service_session
from pantel_device.service.health import SenderHealth
from pantel_device.wall_clock import known_utc_s, utc_offset_ns
from pantel_link import (
    CallsignError,
    Clock,
    KeyFileError,
    LengthClass,
    LinkSender,
    MonotonicClock,
    Port,
    Security,
    SenderKey,
    StreamContext,
    check_callsign,
    read_key,
)
from pantel_link.back_channel import CommandListener
from pantel_link.captures import CaptureHeader
from pantel_models import SceneCodec, StillCodec, UnknownModelError, find_artefact, load_scene_codec

__all__ = ["COMMAND", "send"]

log = logging.getLogger(__name__)

_NS_PER_S = 1_000_000_000
_UTC_INTERVAL_NS = 10_000_000_000  # a little more often than IDENT packets go out


def send(config: SenderConfig, session: ServiceSession, *, seconds: float | None = None) -> None:
    """Send what the camera sees until a signal comes, the time is over or the camera ends.

    Args:
        config: What to send, and how.
        session: Tells the service manager, and waits for a port or camera that is missing if it is patient.
        seconds: Time after which to end [s]; None for never.

    Raises:
        UsageError: The default callsign would go on the air, or the name of camera or port, the model, the detector,
            the edge model, the key or the place of the capture cannot be used, or a class is named that the detector
            does not tell.
        CameraError: The camera gives no pictures, and nobody is patient.
        CommandError: The boot epoch cannot be kept.
        KeyFileError: Encryption is not installed.
        ManifestError: The model is damaged.
        PluginError: A plug-in cannot be loaded, or fails.
        PortError: The port cannot be opened, and nobody is patient.
    """
    with used_wrongly(UnknownModelError):
        artefact = find_artefact(name=config.model or None)
    codec = load_scene_codec(artefact)
    codec.artefact.check()
    check_capture(config)
    key, security = _security(config)
    check_line_rate(config.port, bitrate_bps=config.bitrate_bps, baud_rate=config.baud_rate)
    remove_leftovers(config.state_dir, config.state_dir / LINES)
    clock = MonotonicClock()
    with ExitStack() as stack:
        geometry = Geometry(config.rotation, config.crop, full_width_px=config.ring_width_px if config.ring else 0)
        with used_wrongly(CameraNameError):
            camera = open_camera(config.camera, config.size_px, config.fps, geometry, patient=session.patient)
        stack.enter_context(closing(camera))
        observer = _observer(config)
        encoder = _encoder(config, codec)
        port = open_line_port(
            config.port, baud_rate=config.baud_rate, callsign=config.callsign, session=session, clock=clock
        )
        stack.enter_context(port)
        _check_callsign(config, port)
        context = stream_context(
            codec.artefact,
            callsign=config.callsign,
            epoch=next_epoch(config.state_dir, key),
            size_px=config.size_px,
            sender=config.sender,
            security=security,
        )
        link = LinkSender(
            context,
            now_ns=clock.now_ns(),
            profile=line_profile(port, config.preset),
            bitrate_bps=config.bitrate_bps,
            duty_cycle=config.duty_cycle,
            key=key,
            listener=open_capture(
                config, port, clock, CaptureHeader(config.bitrate_bps), stack, callsign=config.callsign
            ),
        )
        stills = _stills(config, link, codec)
        listener = _listener(config, key, context)
        control = None
        if listener is not None:
            control = RemoteControl(
                listener, link, stills, encoder, preset=config.preset, profile=partial(line_profile, port)
            )
        sender = Sender(
            camera=camera,
            observer=observer,
            encoder=encoder,
            link=link,
            port=port,
            messages=[_messages(config, link)],
            stills=stills,
            still_share=config.still_share,
            control=control,
            privacy=PrivacyMask(config.zones),
            idle_fps=config.idle_fps,
            alarms=AlarmSender(link, config.size_px),
            ring=_ring(config, clock, stack, patient=session.patient),
        )
        stack.enter_context(attending(config.state_dir / LINES))
        log.info(
            "sending port=%s camera=%s callsign=%s epoch=%d model=%s",
            port.name,
            config.camera,
            config.callsign,
            context.epoch,
            codec.artefact.name,
        )
        health = SenderHealth(
            sender, camera=camera, camera_name=config.camera, port=port, link=link, duty_cycle=config.duty_cycle
        )
        run_daemon(
            _DatedSender(sender, link, clock),
            clock,
            seconds=seconds,
            finished=lambda: sender.finished,
            overseer=session.supervisor(health),
        )
        log.info("sent packets=%d wire_octets=%d", sender.statistics.packets, sender.statistics.wire_octets)


class _DatedSender:
    """A sender whose link is told the UTC again and again: the system's clock may be set long after the start."""

    def __init__(self, sender: Sender, link: LinkSender, clock: Clock) -> None:
        self._sender = sender
        self._link = link
        self._clock = clock
        self._next_utc_ns = 0

    def advance(self, now_ns: int) -> int:
        """Do all that is due; see `Sender.advance`."""
        if now_ns >= self._next_utc_ns:
            self._link.utc_offset_ns = utc_offset_ns(self._clock)
            self._next_utc_ns = now_ns + _UTC_INTERVAL_NS
        return self._sender.advance(now_ns)


def _security(config: SenderConfig) -> tuple[SenderKey | None, Security]:
    """Return the sender's key and what it is for."""
    if not config.key_file:
        if config.encrypt:
            raise UsageError("--encrypt needs a key: make one with pantel key, and name it with --key-file")
        return None, Security.CHECKED
    with used_wrongly(KeyFileError):
        key = read_key(Path(config.key_file)).sender_key(config.sender, config.callsign)
    if key is None:
        raise UsageError(
            f"{config.key_file} is the key of another sender than {config.sender}, {config.callsign}; "
            "make one with pantel key derive"
        )
    return key, Security.ENCRYPTED if config.encrypt else Security.AUTHENTICATED


def _listener(config: SenderConfig, key: SenderKey | None, context: StreamContext) -> CommandListener | None:
    """Return who hears what comes back, if somebody shall."""
    if not config.back_channel:
        return None
    if key is None:
        raise UsageError("--back-channel needs a key: make one with pantel key, and name it with --key-file")
    return CommandListener(context, key)


def _ring(config: SenderConfig, clock: Clock, stack: ExitStack, *, patient: bool) -> Ring | None:
    """Return what keeps full pictures, to be closed with the stack, if somebody shall."""
    if not config.ring:
        return None
    try:
        ring = Ring(
            Path(config.ring),
            clock=clock,
            sender=SenderName(config.callsign, config.sender),
            quota_bytes=config.ring_quota_bytes,
            fps=config.ring_fps,
            patient=patient,
        )
    except OSError as error:
        raise UsageError(f"cannot use the folder {config.ring}: {error.strerror}; name another with --ring") from error
    stack.callback(ring.close)
    return ring


def _messages(config: SenderConfig, link: LinkSender) -> Messages:
    file = Path(config.telemetry_file) if config.telemetry_file else None
    return Messages(
        lambda: link.payload_capacity_bytes,
        outbox=Outbox(config.state_dir / LINES),
        telemetry=TelemetryReader(config.state_dir, file) if config.telemetry_interval_s else None,
        telemetry_interval_ns=round(config.telemetry_interval_s * _NS_PER_S),
    )


def _stills(config: SenderConfig, link: LinkSender, codec: SceneCodec) -> StillSender:
    return StillSender(
        StillCodec(codec),
        lambda: link.capacity_bytes(LengthClass.STILL),
        still_bytes=config.still_bytes,
        interval_ns=round(config.still_interval_s * _NS_PER_S) or None,
        loss=config.assumed_loss,
        utc_s=known_utc_s,
    )


def _observer(config: SenderConfig) -> Observer:
    with used_wrongly(DetectorError):
        detector = open_detector(config.detector, min_score=WEAK_SCORE, picture_px=config.size_px)
    check_class_names(config, detector.wanted if detector is not None else ())
    return Observer(
        MotionDetector(),
        detector,
        detect_every=config.detector_interval_frames or DetectorPace(1 / config.fps, time.perf_counter),
        region_of_interest=config.mask,
        rules=RegionRules(
            class_weights=config.class_weights,
            zones=config.zones,
            min_height=config.min_object_height,
            dwell_s=config.object_dwell_s,
            max_objects=config.max_objects,
        ),
    )


def _encoder(config: SenderConfig, codec: SceneCodec) -> PayloadEncoder:
    settings = _encoder_settings(config)
    if config.mode == "picture" or (config.mode == "auto" and config.bitrate_bps >= SKETCH_BELOW_BPS):
        return SceneEncoder(codec, config.size_px, settings)
    with used_wrongly(EdgeModelError):
        find_contours = open_contour_finder(config.edge_model)
    return SketchEncoder(codec, config.size_px, settings, find_contours)


def _encoder_settings(config: SenderConfig) -> SceneEncoderSettings:
    return SceneEncoderSettings(
        roi_weight=config.roi_weight if config.mask else 1.0,
        assumed_loss=config.assumed_loss,
        refresh_s=config.refresh_s,
        zones=config.zones,
        acknowledged=config.back_channel,
    )


def _check_callsign(config: SenderConfig, port: Port) -> None:
    try:
        check_callsign(config.callsign, on_air=port.on_air)
    except CallsignError as error:
        raise UsageError(f"{error} (--callsign, {port.name})") from error


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_options(parser, SenderConfig)


def _run(arguments: argparse.Namespace) -> int:
    with service_session(patient=arguments.wait) as session:
        send(read_config(arguments, SenderConfig), session, seconds=arguments.seconds)
    return 0


COMMAND = Command("send", "send what a camera sees over a line", _add_arguments, _run)

"""`pantel send`: the sender daemon."""

from __future__ import annotations

import argparse
import logging
from contextlib import ExitStack

from pantel_device.boot_epoch import next_boot_epoch
from pantel_device.cameras import open_camera
from pantel_device.command import Command, UsageError
from pantel_device.commands.options import add_config_options, read_config
from pantel_device.config import SenderConfig
from pantel_device.daemon import run_daemon
from pantel_device.observer import MotionDetector, Observer, open_detector
from pantel_device.scene_encoder import SceneEncoder, SceneEncoderSettings
from pantel_device.sender import Sender
from pantel_link import (
    CallsignError,
    LengthClass,
    LinkSender,
    MonotonicClock,
    Port,
    ReconnectingPort,
    StreamContext,
    check_callsign,
    open_port,
    wire_format,
)
from pantel_link.context import MODEL_HASH_OCTETS
from pantel_models import find_artefact, load_scene_codec

__all__ = ["COMMAND", "send"]

log = logging.getLogger(__name__)


def send(config: SenderConfig, *, seconds: float | None = None) -> None:
    """Send what the camera sees until a signal comes, the time is over or the camera ends.

    Raises:
        UsageError: The placeholder callsign would go on the air.
        CameraError: The camera gives no pictures.
        CommandError: The boot epoch cannot be kept.
        DetectorError: The detector cannot be used.
        ManifestError: The model is missing or damaged.
        PortError: The port cannot be opened.
    """
    codec = load_scene_codec(find_artefact(name=config.model or None))
    clock = MonotonicClock()

    def open_again() -> Port:
        return open_port(config.port, baud_rate=config.baud_rate)

    with ExitStack() as stack:
        camera = open_camera(config.camera, config.size_px, config.fps)
        stack.callback(camera.close)
        observer = Observer(
            MotionDetector(), open_detector(config.detector), detect_every=config.detector_interval_frames
        )
        port = stack.enter_context(ReconnectingPort(open_again(), open_again, clock))
        try:
            check_callsign(config.callsign, on_air=port.on_air)
        except CallsignError as error:
            raise UsageError(f"{error} (--callsign, {port.name})") from error
        context = StreamContext(
            sender=config.sender,
            callsign=config.callsign,
            epoch=next_boot_epoch(config.state_dir),
            model_hash=bytes.fromhex(codec.artefact.hash)[:MODEL_HASH_OCTETS],
            width_px=config.size_px[0],
            height_px=config.size_px[1],
        )
        sender = Sender(
            camera=camera,
            observer=observer,
            encoder=SceneEncoder(codec, config.size_px, _encoder_settings(config)),
            link=LinkSender(context, now_ns=clock.now_ns(), preset=config.preset, bitrate_bps=config.bitrate_bps),
            port=port,
        )
        log.info(
            "sending port=%s camera=%s callsign=%s epoch=%d model=%s",
            port.name,
            config.camera,
            config.callsign,
            context.epoch,
            codec.artefact.name,
        )
        run_daemon(sender, clock, seconds=seconds, finished=lambda: sender.finished)
        if sender.finished:  # what is in flight still leaves
            live = wire_format(config.preset, LengthClass.LIVE)
            run_daemon(sender, clock, seconds=8 * live.wire_octets / config.bitrate_bps)
        log.info("sent packets=%d wire_octets=%d", sender.statistics.packets, sender.statistics.wire_octets)


def _encoder_settings(config: SenderConfig) -> SceneEncoderSettings:
    return SceneEncoderSettings(
        roi_weight=config.roi_weight if config.mask else 1.0,
        assumed_loss=config.assumed_loss,
        refresh_s=config.refresh_s,
    )


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_options(parser, SenderConfig)


def _run(arguments: argparse.Namespace) -> int:
    send(read_config(arguments, SenderConfig), seconds=arguments.seconds)
    return 0


COMMAND = Command("send", "send what a camera sees over a line", _add_arguments, _run)

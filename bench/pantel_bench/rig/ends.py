"""The two ends of the line: the product's own sender and receiver, with measuring instruments attached."""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory

from pantel_bench.rig.memory import max_rss_mib
from pantel_bench.rig.meter import LinkMeter, MeteredPort
from pantel_bench.rig.settings import RigSettings
from pantel_device.cameras import Camera, Outage, open_camera
from pantel_device.frame import Frame, Observation
from pantel_device.line_profile import line_profile
from pantel_device.observer import WEAK_SCORE, MotionDetector, Observer, open_contour_finder, open_detector
from pantel_device.receiving.ground import Ground
from pantel_device.receiving.receiver import Receiver
from pantel_device.receiving.sink import Event, Picture, Sink
from pantel_device.scene_encoding.contours.sketch_encoder import SketchEncoder
from pantel_device.scene_encoding.payload_encoder import PayloadEncoder
from pantel_device.scene_encoding.scene_encoder import SceneEncoder, SceneEncoderSettings
from pantel_device.sending.remote_control import RemoteControl
from pantel_device.sending.sender import Sender
from pantel_device.sending.stream import stream_context
from pantel_link import (
    Clock,
    CodewordListener,
    LinkReceiver,
    LinkSender,
    MasterKey,
    Port,
    ReceiverStatistics,
    SenderStatistics,
    StreamContext,
    StreamProfile,
    check_callsign,
)
from pantel_link.back_channel import Acknowledge, CommandListener, Region
from pantel_models import SceneCodec, find_artefact, load_scene_codec

__all__ = ["PayloadNote", "ReceiverEnd", "ReceiverFigures", "SenderEnd", "SenderFigures"]

_KEY = MasterKey(bytes(32))  # of the back-channel; what goes forward is only checked, which takes as many octets


@dataclass(frozen=True, slots=True)
class PayloadNote:
    """What went into one payload.

    Attributes:
        time_ns: Time stamp of its packet.
        objects: Objects that the sender followed.
        element_bits: Its bits by the kind of its elements.
    """

    time_ns: int
    objects: int
    element_bits: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class SenderFigures:
    """What the sender's end knows after a run.

    Attributes:
        start_ns: Capture time of frame 0 on the sender's clock.
        meter: The octets written to the port.
        statistics: Counters of the link.
        encoder_ms: Median time to make a payload of an observation, None if none was made [ms].
        frame_ms: Mean time of all work on a frame (observing it, making and framing payloads), reading it from its
            file left out [ms]; None if there was none.
        frame_p95_ms: The time that 95 % of the frames keep to [ms]; None if there was none.
        element_bits: Bits of the payloads by the kind of their elements.
        payloads: What went into each of them, in the order of time.
    """

    start_ns: int
    meter: LinkMeter
    statistics: SenderStatistics
    encoder_ms: float | None
    frame_ms: float | None
    frame_p95_ms: float | None
    element_bits: Mapping[str, float]
    payloads: Sequence[PayloadNote]


@dataclass(frozen=True, slots=True)
class ReceiverFigures:
    """What the receiver's end knows after a run.

    Attributes:
        meter: The octets written to the port, back to the sender.
        statistics: Counters of the link.
        pictures: Pictures drawn.
        generator_ms: Median time to draw a picture, None if none was drawn [ms].
        picture_ms: Mean of the same [ms].
        picture_p95_ms: The time that 95 % of the pictures keep to [ms].
        max_rss_mib: Most memory that the receiver's process held; None where it has no process of its own.
    """

    meter: LinkMeter
    statistics: ReceiverStatistics
    pictures: int
    generator_ms: float | None
    picture_ms: float | None
    picture_p95_ms: float | None
    max_rss_mib: float | None


class SenderEnd:
    """A sender, its meter and its stopwatch.

    Args:
        settings: Of the run.
        port: Where to send; closed with the end.
        clock: Dates the octets.
        epoch: Boot epoch.
        computing_ns: How long a frame is held back, for the time that a real machine would work on it.

    Attributes:
        context: What it announces of its stream.

    Raises:
        CameraError: The camera cannot be opened.
        CallsignError: The callsign must not go out on this port.
        DetectorError: The detector cannot be used.
        EdgeModelError: The edge model cannot be used.
        ManifestError: The model is damaged.
    """

    def __init__(
        self, settings: RigSettings, port: Port, clock: Clock, *, epoch: int = 0, computing_ns: int = 0
    ) -> None:
        check_callsign(settings.callsign, on_air=port.on_air)
        artefact = find_artefact()
        self.context = stream_context(artefact, callsign=settings.callsign, epoch=epoch, size_px=settings.size_px)
        self._meter = LinkMeter()
        self._encoder = _TimedEncoder(_encoder(settings, load_scene_codec(artefact)))
        self._camera = _DelayedCamera(open_camera(settings.camera, settings.size_px, settings.fps), computing_ns)
        self._port = MeteredPort(port, clock, self._meter)
        self._frame_times_ms: list[float] = []
        link = LinkSender(
            self.context,
            now_ns=clock.now_ns(),
            profile=line_profile(port, settings.preset),
            bitrate_bps=settings.bitrate_bps,
        )
        self._sender = Sender(
            camera=self._camera,
            observer=Observer(
                MotionDetector(),
                open_detector(settings.detector, min_score=WEAK_SCORE, picture_px=settings.size_px),
                detect_every=settings.detect_every,
                region_of_interest=settings.masked,
            ),
            encoder=self._encoder,
            link=link,
            port=self._port,
            control=_control(settings, self.context, link, self._encoder),
        )

    def advance(self, now_ns: int) -> int:
        """Do all that is due; see `Sender.advance`."""
        frames, reading_ms = self._camera.frames, self._camera.reading_ms
        started_ns = time.perf_counter_ns()
        due_ns = self._sender.advance(now_ns)
        took_ms = (time.perf_counter_ns() - started_ns) / 1e6 - (self._camera.reading_ms - reading_ms)
        if self._camera.frames > frames:
            self._frame_times_ms.append(0.0)
        if self._frame_times_ms:
            self._frame_times_ms[-1] += took_ms
        return due_ns

    def figures(self) -> SenderFigures:
        """Return what has been measured so far."""
        return SenderFigures(
            start_ns=self._camera.start_ns,
            meter=self._meter,
            statistics=self._sender.statistics,
            encoder_ms=_median(self._encoder.times_ms),
            frame_ms=_mean(self._frame_times_ms),
            frame_p95_ms=_p95(self._frame_times_ms),
            element_bits=dict(self._encoder.element_bits),
            payloads=tuple(self._encoder.payloads),
        )

    def close(self) -> None:
        """Close camera and port."""
        self._camera.close()
        self._port.close()


def _control(
    settings: RigSettings, context: StreamContext, link: LinkSender, encoder: PayloadEncoder
) -> RemoteControl | None:
    """Return who hears what comes back, if anything does."""
    if not settings.acknowledge_s:
        return None
    listener = CommandListener(context, _KEY.sender_key(context.sender, context.callsign))
    return RemoteControl(listener, link, None, encoder, preset=settings.preset, profile=StreamProfile)


def _encoder(settings: RigSettings, codec: SceneCodec) -> PayloadEncoder:
    encoder_settings = SceneEncoderSettings(assumed_loss=settings.assumed_loss, acknowledged=settings.acknowledge_s > 0)
    if not settings.masked:
        encoder_settings = replace(encoder_settings, roi_weight=1.0)
    if settings.sketch:
        return SketchEncoder(codec, settings.size_px, encoder_settings, open_contour_finder(settings.edge_model))
    return SceneEncoder(codec, settings.size_px, encoder_settings)


class ReceiverEnd:
    """A receiver and its stopwatch.

    Args:
        settings: Of the run.
        port: Where to listen; closed with the end.
        clock: Dates the octets that go back.
        sinks: Take pictures and events; closed with the end.
        listener: Hears every codeword.
    """

    def __init__(
        self,
        settings: RigSettings,
        port: Port,
        clock: Clock,
        sinks: Sequence[Sink],
        *,
        listener: CodewordListener | None = None,
    ) -> None:
        self._meter = LinkMeter()
        # Whoever writes nothing needs no meter, and packets that arrive whole do not get through one.
        self._port = MeteredPort(port, clock, self._meter) if settings.acknowledge_s else port
        self._sinks = sinks
        self._drawn = _DrawingTimes()
        self._state_dir = TemporaryDirectory(prefix="pantel-rig-")
        link = LinkReceiver(bitrate_bps=settings.bitrate_bps, listener=listener)
        self._receiver = Receiver(
            port=self._port,
            link=link,
            sinks=[self._drawn, *sinks],
            playout_delay_ns=settings.receiver_delay_ns,
            ground=_ground(settings, self._port, link, Path(self._state_dir.name)),
        )

    def advance(self, now_ns: int) -> int:
        """Do all that is due; see `Receiver.advance`."""
        self._drawn.start()
        return self._receiver.advance(now_ns)

    def figures(self, *, own_process: bool = False) -> ReceiverFigures:
        """Return what has been measured so far.

        Args:
            own_process: Whether the process does nothing else, so that its memory is the receiver's.
        """
        return ReceiverFigures(
            meter=self._meter,
            statistics=self._receiver.link.statistics,
            pictures=len(self._drawn.times_ms),
            generator_ms=_median(self._drawn.times_ms),
            picture_ms=_mean(self._drawn.times_ms),
            picture_p95_ms=_p95(self._drawn.times_ms),
            max_rss_mib=max_rss_mib() if own_process else None,
        )

    def close(self) -> None:
        """Close sinks and port."""
        for sink in self._sinks:
            sink.close()
        self._port.close()
        self._state_dir.cleanup()


def _ground(settings: RigSettings, port: Port, link: LinkReceiver, state_dir: Path) -> Ground | None:
    """Return who acknowledges what is heard, if anybody does."""
    if not settings.acknowledge_s:
        return None
    return Ground(
        key=_KEY,
        state_dir=state_dir,
        port=port,
        profile=StreamProfile(settings.preset),
        bitrate_bps=settings.bitrate_bps,
        link=link,
        acknowledge_ns=round(settings.acknowledge_s * 1e9),
    )


class _DelayedCamera:
    """A camera that hands on each frame a constant time after its capture, only the newest; counts and times them."""

    def __init__(self, camera: Camera, delay_ns: int) -> None:
        self.size_px = camera.size_px
        self.fps = camera.fps
        self.start_ns = 0
        self.frames = 0
        self.reading_ms = 0.0
        self._camera = camera
        self._delay_ns = delay_ns
        self._held: deque[Frame] = deque()

    @property
    def finished(self) -> bool:
        return self._camera.finished and not self._held

    @property
    def outage(self) -> Outage | None:
        return self._camera.outage

    def capture(self, now_ns: int) -> Frame | None:
        started_ns = time.perf_counter_ns()
        frame = self._camera.capture(now_ns)
        self.reading_ms += (time.perf_counter_ns() - started_ns) / 1e6
        if frame is not None:
            if frame.index == 0:
                self.start_ns = frame.time_ns
            self._held.append(frame)
        newest = None
        while self._held and self._held[0].time_ns + self._delay_ns <= now_ns:
            newest = self._held.popleft()
            self.frames += 1
        return newest

    def close(self) -> None:
        self._camera.close()


class _TimedEncoder:
    """An encoder that notes how long each payload takes, and what went into it."""

    def __init__(self, encoder: PayloadEncoder) -> None:
        self._encoder = encoder
        self.times_ms: list[float] = []
        self.payloads: list[PayloadNote] = []

    @property
    def element_bits(self) -> Mapping[str, float]:
        return self._encoder.element_bits

    def unhurried(self, *, calm: bool) -> bool:
        return self._encoder.unhurried(calm=calm)

    def payload(self, observation: Observation, capacity_bytes: int, stamp_ns: int) -> bytes:
        before = dict(self.element_bits)
        started_ns = time.perf_counter_ns()
        payload = self._encoder.payload(observation, capacity_bytes, stamp_ns)
        self.times_ms.append((time.perf_counter_ns() - started_ns) / 1e6)
        bits = {kind: bits - before.get(kind, 0.0) for kind, bits in self.element_bits.items()}
        taken = {kind: added for kind, added in bits.items() if added}
        self.payloads.append(PayloadNote(stamp_ns, len(observation.tracks), taken))
        return payload

    def submitted(self, counter: int) -> None:
        self._encoder.submitted(counter)

    def acknowledged(self, acknowledge: Acknowledge) -> None:
        self._encoder.acknowledged(acknowledge)

    def watch(self, region: Region, until_ns: int) -> bool:
        return self._encoder.watch(region, until_ns)


class _DrawingTimes:
    """A sink that notes how long drawing a picture takes: it comes first in a turn. It must be the first sink."""

    def __init__(self) -> None:
        self.times_ms: list[float] = []
        self._started_ns = 0

    def start(self) -> None:
        self._started_ns = time.perf_counter_ns()

    def on_picture(self, picture: Picture) -> None:  # noqa: ARG002 - only its time matters
        self.times_ms.append((time.perf_counter_ns() - self._started_ns) / 1e6)

    def on_event(self, event: Event) -> None:
        """Ignore events."""

    def close(self) -> None:
        """Hold nothing."""


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def _mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if values else None


def _p95(values: Sequence[float]) -> float | None:
    return sorted(values)[ceil(0.95 * len(values)) - 1] if values else None

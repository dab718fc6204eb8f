"""The two ends of the demo's line: the product's own sender and receiver, with measuring instruments attached."""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pantel_bench.demo.meter import LinkMeter, MeteredPort
from pantel_bench.demo.settings import DemoSettings
from pantel_device.cameras import Camera, open_camera
from pantel_device.frame import Frame, Observation
from pantel_device.observer import MotionDetector, Observer
from pantel_device.receiver import Receiver
from pantel_device.scene_encoder import SceneEncoder
from pantel_device.sender import Sender
from pantel_device.sink import Event, Picture, Sink
from pantel_device.stream import stream_context
from pantel_link import (
    Clock,
    LinkReceiver,
    LinkSender,
    Port,
    ReceiverStatistics,
    SenderStatistics,
    check_callsign,
)
from pantel_models import SceneCodec, find_artefact, load_scene_codec

__all__ = ["ReceiverEnd", "ReceiverFigures", "SenderEnd", "SenderFigures"]


@dataclass(frozen=True, slots=True, eq=False)
class SenderFigures:
    """What the sender's end knows after a run.

    Attributes:
        start_ns: Capture time of frame 0 on the sender's clock.
        meter: The octets written to the port.
        statistics: Counters of the link.
        encoder_ms: Median time to make a payload of an observation, None if none was made [ms].
    """

    start_ns: int
    meter: LinkMeter
    statistics: SenderStatistics
    encoder_ms: float | None


@dataclass(frozen=True, slots=True)
class ReceiverFigures:
    """What the receiver's end knows after a run.

    Attributes:
        statistics: Counters of the link.
        pictures: Pictures drawn.
        generator_ms: Median time of a turn in which a picture was drawn, None if none was [ms].
        max_rss_mib: Most memory that the receiver's process held; None where it has no process of its own.
    """

    statistics: ReceiverStatistics
    pictures: int
    generator_ms: float | None
    max_rss_mib: float | None


class SenderEnd:
    """A sender, its meter and its stopwatch.

    Args:
        settings: Of the demo.
        port: Where to send; closed with the end.
        clock: Dates the octets.
        epoch: Boot epoch.
        computing_ns: How long a frame is held back, for the time that a real machine would work on it.

    Raises:
        CameraError: The camera cannot be opened.
        CallsignError: The callsign must not go out on this port.
        ManifestError: The model is damaged.
    """

    def __init__(
        self, settings: DemoSettings, port: Port, clock: Clock, *, epoch: int = 0, computing_ns: int = 0
    ) -> None:
        check_callsign(settings.callsign, on_air=port.on_air)
        artefact = find_artefact()
        context = stream_context(artefact, callsign=settings.callsign, epoch=epoch, size_px=settings.size_px)
        self._meter = LinkMeter()
        self._encoder = _TimedEncoder(load_scene_codec(artefact), settings.size_px)
        self._camera = _DelayedCamera(open_camera(settings.camera, settings.size_px, settings.fps), computing_ns)
        self._port = MeteredPort(port, clock, self._meter)
        self._sender = Sender(
            camera=self._camera,
            observer=Observer(MotionDetector(), region_of_interest=settings.masked),
            encoder=self._encoder,
            link=LinkSender(context, now_ns=clock.now_ns(), preset=settings.preset, bitrate_bps=settings.bitrate_bps),
            port=self._port,
        )

    def advance(self, now_ns: int) -> int:
        """Do all that is due; see `Sender.advance`."""
        return self._sender.advance(now_ns)

    def figures(self) -> SenderFigures:
        """Return what has been measured so far."""
        return SenderFigures(
            self._camera.start_ns, self._meter, self._sender.statistics, _median(self._encoder.times_ms)
        )

    def close(self) -> None:
        """Close camera and port."""
        self._camera.close()
        self._port.close()


class ReceiverEnd:
    """A receiver and its stopwatch.

    Args:
        settings: Of the demo.
        port: Where to listen; closed with the end.
        sink: Takes pictures and events; closed with the end.
    """

    def __init__(self, settings: DemoSettings, port: Port, sink: Sink) -> None:
        self._port = port
        self._sink = sink
        self._drawn = _DrawingTimes()
        self._receiver = Receiver(
            port=port, link=LinkReceiver(bitrate_bps=settings.bitrate_bps), sinks=[self._drawn, sink]
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
            self._receiver.link.statistics,
            len(self._drawn.times_ms),
            _median(self._drawn.times_ms),
            _max_rss_mib() if own_process else None,
        )

    def close(self) -> None:
        """Close sink and port."""
        self._sink.close()
        self._port.close()


class _DelayedCamera:
    """A camera that hands on each frame a constant time after its capture, the newest one only."""

    def __init__(self, camera: Camera, delay_ns: int) -> None:
        self.size_px = camera.size_px
        self.fps = camera.fps
        self.start_ns = 0
        self._camera = camera
        self._delay_ns = delay_ns
        self._held: deque[Frame] = deque()

    @property
    def finished(self) -> bool:
        return self._camera.finished and not self._held

    def capture(self, now_ns: int) -> Frame | None:
        frame = self._camera.capture(now_ns)
        if frame is not None:
            if frame.index == 0:
                self.start_ns = frame.time_ns
            self._held.append(frame)
        newest = None
        while self._held and self._held[0].time_ns + self._delay_ns <= now_ns:
            newest = self._held.popleft()
        return newest

    def close(self) -> None:
        self._camera.close()


class _TimedEncoder(SceneEncoder):
    """A scene encoder that notes how long each payload takes."""

    def __init__(self, codec: SceneCodec, size_px: tuple[int, int]) -> None:
        super().__init__(codec, size_px)
        self.times_ms: list[float] = []

    def payload(self, observation: Observation, capacity_bytes: int) -> bytes:
        started_ns = time.perf_counter_ns()
        payload = super().payload(observation, capacity_bytes)
        self.times_ms.append((time.perf_counter_ns() - started_ns) / 1e6)
        return payload


class _DrawingTimes:
    """A sink that notes how long after the start of a turn a picture comes; it must be the first sink."""

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


def _max_rss_mib() -> float | None:
    """Return the largest resident set of this process (Linux), None where the system does not tell.

    Not ``getrusage``: its figure survives exec, so a child would report what its parent held.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    peaks = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(peaks[0]) / 1024 if peaks else None

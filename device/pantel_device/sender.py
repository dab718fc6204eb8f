"""The sender's core: frames in, paced octets out. It owns no thread, no clock and no device."""

from __future__ import annotations

from math import ceil

from pantel_device.cameras import Camera
from pantel_device.frame import Observation
from pantel_device.hindsight import Hindsight
from pantel_device.observer import Observer
from pantel_device.scene_encoder import SceneEncoder
from pantel_link import LinkSender, PacketKind, Port, SenderStatistics

__all__ = ["Sender"]

_NS_PER_S = 1_000_000_000

# With 0.15 s to look at a frame, up to 0.4 s until a packet begins and 0.4 s on the air, news are up to 1.25 s old when
# they arrive: still in time for play-out.
_HINDSIGHT_NS = 300_000_000


class Sender:
    """Captures, observes, encodes and sends, whatever is due at a time.

    A payload is built when the line is about to fall idle, from the newest frame of which is known what came after it:
    nothing queues, so nothing grows old. When the camera has ended and its last frame has been told, no packet starts
    any more.

    Attributes:
        observation: The newest observation; None before the first frame.
        finished: Whether the camera has ended and the last packet has left.
    """

    def __init__(
        self, *, camera: Camera, observer: Observer, encoder: SceneEncoder, link: LinkSender, port: Port
    ) -> None:
        self._camera = camera
        self._observer = observer
        self._encoder = encoder
        self._link = link
        self._port = port
        self._interval_ns = ceil(_NS_PER_S / camera.fps)  # never before a frame is due
        self._next_capture_ns = 0
        self._hindsight = Hindsight(_HINDSIGHT_NS)
        self._settled: Observation | None = None
        self._told: Observation | None = None
        self.observation: Observation | None = None
        self.finished = False

    @property
    def statistics(self) -> SenderStatistics:
        """Counters of the link."""
        return self._link.statistics

    def advance(self, now_ns: int) -> int:
        """Do all that is due and return when something will be due again.

        Args:
            now_ns: Monotonic time [ns], never less than before.

        Raises:
            CameraError: The camera broke down.
            PortGone: The port has disappeared.
        """
        if now_ns >= self._next_capture_ns:
            self._capture(now_ns)
        self._write(now_ns)
        observation = self.observation if self._camera.finished else self._settled
        if self._camera.finished and self._told is observation:
            self._link.finish()
            self.finished = self._link.idle(now_ns)
        elif observation is not None and self._link.ready(now_ns):
            self._tell(observation, now_ns)
            self._write(now_ns)
        return max(now_ns + 1, min(self._next_capture_ns, self._link.next_due_ns(now_ns)))

    def _capture(self, now_ns: int) -> None:
        frame = self._camera.capture(now_ns)
        if frame is not None:
            self.observation = self._observer.observe(frame)
            self._settled = self._hindsight.look(self.observation)
        # In step with the camera, however late a turn comes; after a long pause from now on.
        self._next_capture_ns = max(self._next_capture_ns + self._interval_ns, now_ns)

    def _tell(self, observation: Observation, now_ns: int) -> None:
        stamp_ns = self._link.stamp_ns(now_ns)
        payload = self._encoder.payload(observation, self._link.payload_capacity_bytes, stamp_ns)
        if payload:
            self._link.submit(PacketKind.SCENE, payload, stamp_ns)
        self._told = observation

    def _write(self, now_ns: int) -> None:
        while chunk := self._link.due(now_ns):
            written = self._port.write(chunk)
            if written < len(chunk):
                self._link.put_back(chunk[written:])
                return

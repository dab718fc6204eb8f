"""The sender's core: frames in, paced octets out. It owns no thread, no clock and no device."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from pantel_device.cameras import Camera
from pantel_device.frame import Observation
from pantel_device.observer import Observer, PrivacyMask
from pantel_device.recordings import Ring
from pantel_device.scene_encoding.payload_encoder import PayloadEncoder
from pantel_device.sending.airtime import News, NewsSource
from pantel_device.sending.alarms_out import AlarmSender
from pantel_device.sending.hindsight import Hindsight
from pantel_device.sending.remote_control import RemoteControl
from pantel_device.sending.still_sender import StillSender
from pantel_link import LinkSender, PacketKind, Port, SenderStatistics
from pantel_link.outgoing import write_due
from pantel_link.ports import PacketPort
from pantel_link.traffic import FairShare, TrafficClass

__all__ = ["Sender"]

_NS_PER_S = 1_000_000_000

# With 0.15 s to look at a frame, up to 0.4 s until a packet begins and 0.4 s on the air, news are up to 1.25 s old when
# they arrive: still in time for play-out, though what begins to move behind a long packet may miss that by tenths.
_HINDSIGHT_NS = 300_000_000

_CALM_AFTER_NS = 2_000_000_000
_IDLE_AFTER_NS = 10_000_000_000

_READ_OCTETS = 4096
_READS_AT_ONCE = 4
_MESSAGE_SHARE = 0.25
_STILL_SHARE = 0.25


class Sender:
    """Captures, observes, encodes and sends, whatever is due at a time.

    A payload is built when the line is about to fall idle, from the newest frame of which is known what came after it:
    nothing queues, so nothing grows old. When the camera has ended, its last frame has been told and there is nothing
    else to say, no packet starts any more.

    Args:
        camera: Gives frames.
        observer: Finds what moves in them.
        encoder: Tells the scene.
        link: Of the sender.
        port: Where octets go.
        messages: Who else has something to say.
        stills: Sends pictures in full quality; None for nobody.
        still_share: Share of the air that stills take from the scene.
        control: Does what comes back over the port; None for nobody.
        privacy: What of each frame nobody may see; None for nothing.
        idle_fps: Frames captured a second while nothing moves; None for as many as ever.
        alarms: Who tells of what comes into alarm zones; None for nobody.
        ring: Records frames, without what nobody may see; None for nobody.

    Attributes:
        observation: The newest observation; None before the first frame.
        finished: Whether the camera has ended and the last packet has left.
    """

    def __init__(
        self,
        *,
        camera: Camera,
        observer: Observer,
        encoder: PayloadEncoder,
        link: LinkSender,
        port: Port,
        messages: Sequence[NewsSource] = (),
        stills: StillSender | None = None,
        still_share: float = _STILL_SHARE,
        control: RemoteControl | None = None,
        privacy: PrivacyMask | None = None,
        idle_fps: float | None = None,
        alarms: AlarmSender | None = None,
        ring: Ring | None = None,
    ) -> None:
        self._camera = camera
        self._observer = observer
        self._encoder = encoder
        self._link = link
        self._port = port
        self._stills = stills
        self._control = control
        self._alarms = alarms
        self._ring = ring
        self._sources: tuple[NewsSource, ...] = (
            *([alarms] if alarms else ()),
            *([control] if control else ()),
            *messages,
            *([stills] if stills else ()),
        )
        self._share = FairShare(
            {
                TrafficClass.MESSAGE: _MESSAGE_SHARE,
                TrafficClass.SCENE: 1.0 - _MESSAGE_SHARE - still_share * (1.0 - _MESSAGE_SHARE),
                TrafficClass.STILL: still_share * (1.0 - _MESSAGE_SHARE),
            }
        )
        self._privacy = privacy
        self._interval_ns = ceil(_NS_PER_S / camera.fps)  # never before a frame is due
        self._idle_interval_ns = self._interval_ns if idle_fps is None else ceil(_NS_PER_S / min(idle_fps, camera.fps))
        self._moved_ns: int | None = None
        self._next_capture_ns = 0
        self._hindsight = Hindsight(_HINDSIGHT_NS)
        self._settled: Observation | None = None
        self._told: Observation | None = None
        self.observation: Observation | None = None
        self.finished = False

    @property
    def slowest_fps(self) -> float:
        """Frames a second that are captured at least, while nothing moves."""
        return _NS_PER_S / self._idle_interval_ns

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
        self._listen(now_ns)
        write_due(self._link, self._port, now_ns)
        if self._camera.finished and self._told is self.observation and not self._pending(now_ns):
            self._link.finish()
            if self._link.idle(now_ns):
                self.finished = self._port.drained
                return max(now_ns + 1, self._next_capture_ns)  # the link has nothing due any more
        elif self._link.ready(now_ns):
            self._speak(now_ns)
            write_due(self._link, self._port, now_ns)
        return max(now_ns + 1, min(self._next_capture_ns, self._link.next_due_ns(now_ns)))

    def _capture(self, now_ns: int) -> None:
        frame = self._camera.capture(now_ns)
        if frame is not None:
            if self._privacy is not None:
                frame = self._privacy.masked(frame)
            if self._ring is not None:
                self._ring.look(frame)
            if self._stills is not None:
                self._stills.look(frame)
            before, self.observation = self.observation, self._observer.observe(frame)
            if self._alarms is not None:
                for event in self.observation.events:
                    self._alarms.raise_alarm(event)
            self._settled = self._hindsight.look(self.observation)
            if before is None or self.observation.motion.any() or self.observation.camera is not before.camera:
                self._moved_ns = now_ns
        idle = self._rests(now_ns, _IDLE_AFTER_NS)
        # In step with the camera, however late a turn comes; after a long pause from now on.
        interval_ns = self._idle_interval_ns if idle else self._interval_ns
        self._next_capture_ns = max(self._next_capture_ns + interval_ns, now_ns)

    def _rests(self, now_ns: int, duration_ns: int) -> bool:
        """Whether nothing has moved for longer than this."""
        return self._moved_ns is not None and now_ns - self._moved_ns > duration_ns

    def _listen(self, now_ns: int) -> None:
        """Read the port; a radio that is keyed by its port works only while that is asked."""
        for _ in range(_READS_AT_ONCE):
            if not (octets := self._port.read(_READ_OCTETS)):
                return
            if self._control is not None:
                self._control.hear(octets, now_ns, whole_packet=isinstance(self._port, PacketPort))

    def _pending(self, now_ns: int) -> bool:
        """Whether somebody has anything to say but repair."""
        return any(source.wants(now_ns) not in {None, TrafficClass.REPAIR} for source in self._sources)

    def _speak(self, now_ns: int) -> None:
        """Submit one packet, by whoever is next and has something to say."""
        stamp_ns = self._link.stamp_ns(now_ns)
        observation = self.observation if self._camera.finished else self._settled
        scene_waits = observation is not None and not (self._camera.finished and self._told is observation)
        # Of two that have the same kind of news, the one that was named first goes first.
        wanting = {traffic: each for each in self._sources[::-1] if (traffic := each.wants(now_ns)) is not None}
        while (chosen := self._share.choose({*wanting, *([TrafficClass.SCENE] if scene_waits else ())})) is not None:
            news = wanting[chosen].take(now_ns) if chosen in wanting else self._tell(observation, now_ns, stamp_ns)
            if news is not None:
                counter = self._link.submit(news.kind, news.payload, stamp_ns, news.length_class)
                if news.kind is PacketKind.SCENE:
                    self._encoder.submitted(counter)
                self._share.charge(chosen, self._link.packet_octets(news.length_class))
                return
            scene_waits = False

    def _tell(self, observation: Observation | None, now_ns: int, stamp_ns: int) -> News | None:
        """Return what the scene's next payload says; None if nothing pays."""
        if observation is None:
            return None
        self._told = observation
        unhurried = self._encoder.unhurried(calm=self._rests(now_ns, _CALM_AFTER_NS))
        length_class = self._link.calm_length_class if unhurried else self._link.scene_length_class
        payload = self._encoder.payload(observation, self._link.capacity_bytes(length_class), stamp_ns)
        return News(PacketKind.SCENE, payload, self._link.length_class_for(len(payload))) if payload else None

"""The sender's core: what it tells when, and how it ends with its camera."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from pantel_device.frame import CameraPlace, Frame, Observation
from pantel_device.observer import MotionDetector, Observer
from pantel_device.scene_encoding.scene_encoder import SceneEncoder
from pantel_device.sending.sender import Sender
from pantel_link import LinkReceiver, LinkSender, Packet, PacketKind, Port, StreamContext, memory_pair

_S = 1_000_000_000
_PACKET_OCTETS = 48


@dataclass
class _Camera:
    """Shows so many frames, each at its instant."""

    frames: int
    size_px: tuple[int, int] = (64, 48)
    fps: float = 10.0
    outage: None = None
    shown: list[int] = field(default_factory=list)

    @property
    def finished(self) -> bool:
        return bool(self.shown) and self.shown[-1] == self.frames

    def capture(self, now_ns: int) -> Frame | None:
        index = min(int(now_ns * self.fps / _S), self.frames)
        if self.shown and index <= self.shown[-1]:
            return None
        self.shown.append(index)
        return None if self.finished else Frame(index, now_ns, np.zeros((48, 64, 3), np.uint8))

    def close(self) -> None:
        """Nothing to release."""


class _Encoder(SceneEncoder):
    """Tells the number of the frame, and sometimes nothing."""

    def __init__(self, *, silent_from: int = 1 << 30) -> None:
        self._silent_from = silent_from
        self.patient = False
        self.ages_ns: list[int] = []  # of the frames, when their packets begin

    def payload(self, observation: Observation, capacity_bytes: int, stamp_ns: int) -> bytes:
        self.ages_ns.append(stamp_ns - observation.frame.time_ns)
        index = observation.frame.index
        return b"" if index >= self._silent_from else index.to_bytes(2, "big").ljust(capacity_bytes, b".")

    def unhurried(self, *, calm: bool) -> bool:
        return calm or self.patient

    def submitted(self, counter: int) -> None:
        """Keep no account."""


class _Restless(Observer):
    """Sees something move all the time."""

    def observe(self, frame: Frame) -> Observation:
        seen = super().observe(frame)
        return replace(seen, motion=np.ones_like(seen.motion))


class _Stuck(Port):
    """A port that accepts nothing."""

    name = "stuck"

    def read(self, max_octets: int) -> bytes:  # noqa: ARG002 - the port's
        return b""

    def write(self, octets: bytes) -> int:  # noqa: ARG002 - the port's
        return 0


class _Undrained(_Stuck):
    """A port that accepts everything and never gets rid of it."""

    @property
    def drained(self) -> bool:
        return False

    def write(self, octets: bytes) -> int:
        return len(octets)


def _sender(camera: _Camera, port: Port, encoder: _Encoder | None = None, observer: Observer | None = None) -> Sender:
    context = StreamContext(0, "N0CALL", 1, bytes(3), *camera.size_px)
    return Sender(
        camera=camera,
        observer=observer or _Restless(MotionDetector()),
        encoder=encoder or _Encoder(),
        link=LinkSender(context, now_ns=0),
        port=port,
    )


def _run_to_its_end(sender: Sender, *, limit_s: float = 60) -> float:
    """Advance a sender whenever it asks for it and return when it has finished [s]."""
    now_ns = 0
    while not sender.finished:
        now_ns = sender.advance(now_ns)
        assert now_ns < limit_s * _S
    return now_ns / _S


def _packets(octets: bytes) -> list[Packet]:
    """Return the scene packets that a receiver hears, all whole and none missing."""
    receiver = LinkReceiver()
    packets = [received.packet for received in receiver.receive(octets, 0)]
    assert len(octets) == _PACKET_OCTETS * len(packets)
    assert receiver.statistics.packets_lost == 0
    return [packet for packet in packets if packet.kind is PacketKind.SCENE]


def _told(octets: bytes) -> list[int]:
    """Return the numbers of the frames that a receiver hears of."""
    return [int.from_bytes(packet.payload[:2], "big") for packet in _packets(octets)]


@pytest.mark.parametrize("frames", [1, 3, 30, 33, 34, 170])
def test_a_clip_is_sent_to_its_end_in_whole_packets(frames: int) -> None:
    near, far = memory_pair()
    ended_s = _run_to_its_end(_sender(_Camera(frames), near))
    told = _told(far.read(100_000))
    assert told[-1] == frames - 1
    assert told.count(frames - 1) <= 2  # one packet may end while the last frame is on show
    # What is in flight when the camera ends, and one packet more if that one does not tell the last frame; after 3 s an
    # IDENT comes between.
    packets = 3 if frames == 30 else 2
    assert ended_s <= frames / 10 + packets * _PACKET_OCTETS * 8 / 960 + 0.1


def test_the_last_octets_have_time_to_leave() -> None:
    near, far = memory_pair()
    sender = _sender(_Camera(3), near)
    now_ns = last_write_ns = 0
    while not sender.finished:
        before = sender.statistics.wire_octets
        due_ns = sender.advance(now_ns)
        last_write_ns = now_ns if sender.statistics.wire_octets > before else last_write_ns
        now_ns = due_ns
    assert now_ns - last_write_ns >= 8 * 8 * _S // 960
    assert _told(far.read(1000)) == [2]


def test_a_sender_with_nothing_to_say_ends_too() -> None:
    near, far = memory_pair()
    assert _run_to_its_end(_sender(_Camera(20), near, _Encoder(silent_from=0))) < 2.5
    assert _told(far.read(1000)) == []


def test_a_line_that_takes_nothing_keeps_no_sender_from_ending() -> None:
    # Three introductions and the last packet are each given up after 12 s.
    assert _run_to_its_end(_sender(_Camera(5), _Stuck())) < 55


@pytest.mark.parametrize("port", [memory_pair()[0], _Undrained()])
def test_after_its_end_hardly_anything_is_due(port: Port) -> None:
    sender = _sender(_Camera(3), port)
    now_ns = turns = 0
    while now_ns < 60 * _S:
        now_ns = sender.advance(now_ns)
        turns += 1
        assert turns < 1000, f"a turn every nanosecond at {now_ns / _S} s"
    assert sender.finished == port.drained


def test_captures_stay_in_step_however_late_the_turns_come() -> None:
    camera = _Camera(1000)
    near, _ = memory_pair()
    sender = _sender(camera, near)
    rng = np.random.default_rng(1)
    now_ns = 0
    while now_ns < 20 * _S:
        now_ns = sender.advance(now_ns) + int(rng.integers(20_000_000))
    assert camera.shown == list(range(len(camera.shown)))


def test_where_nothing_moves_fewer_frames_are_captured() -> None:
    camera = _Camera(400)
    near, _ = memory_pair()
    sender = Sender(
        camera=camera,
        observer=Observer(MotionDetector()),
        encoder=_Encoder(),
        link=LinkSender(StreamContext(0, "N0CALL", 1, bytes(3), *camera.size_px), now_ns=0),
        port=near,
        idle_fps=2.0,
    )
    for now_ns in range(0, 30 * _S, _S // 50):
        sender.advance(now_ns)
    awake = [index for index in camera.shown if index < 100]
    asleep = [index for index in camera.shown if index >= 110]
    assert len(awake) == 100
    assert np.diff(asleep).tolist() == [5] * (len(asleep) - 1)


def test_a_payload_is_built_for_the_time_when_its_packet_begins() -> None:
    near, far = memory_pair()
    encoder = _Encoder()
    _run_to_its_end(_sender(_Camera(40), near, encoder))
    told = _packets(far.read(100_000))
    assert len(told) == len(encoder.ages_ns)
    # The frame was one of 0.3 s ago, and what was left of the packet before took no more than 8 octets.
    assert min(encoder.ages_ns) >= -25_000_000
    assert max(encoder.ages_ns[:-1]) <= 400_000_000 + 2 * 8 * 8 * _S // 960
    assert min(encoder.ages_ns[3:-1]) >= 275_000_000
    frame_ns = [int.from_bytes(packet.payload[:2], "big") * _S // 10 for packet in told]
    for age_ns, captured_ns, packet in zip(encoder.ages_ns, frame_ns, told, strict=True):
        assert packet.tick == pytest.approx((captured_ns + age_ns) / 25_000_000, abs=1)


class _MovesNowAndThen(Observer):
    """Sees something move for the second second of ten."""

    def observe(self, frame: Frame) -> Observation:
        seen = super().observe(frame)
        return replace(seen, motion=np.full_like(seen.motion, 10 <= frame.index % 100 < 20))


def test_while_nothing_moves_packets_are_long() -> None:
    near, far = memory_pair()
    sender = _sender(_Camera(300), near, observer=_MovesNowAndThen(MotionDetector()))
    receiver, now_ns = LinkReceiver(), 0
    long: set[int] = set()
    while not sender.finished:
        now_ns = sender.advance(now_ns)
        for received in receiver.receive(far.read(1000), now_ns):
            if received.packet.kind is PacketKind.SCENE and len(received.packet.payload) > 100:
                long.add(int.from_bytes(received.packet.payload[:2], "big"))
    # From 2 s after something has moved until something moves again, seen with 0.3 s of hindsight.
    assert {number % 100 for number in long} <= {*range(36, 100), *range(11)}
    assert len(long) >= 3 * 5


class _Panning(Observer):
    """Sees the camera move, and nothing else."""

    def observe(self, frame: Frame) -> Observation:
        return replace(super().observe(frame), camera=CameraPlace())


def test_a_camera_that_moves_is_not_calm() -> None:
    near, far = memory_pair()
    _run_to_its_end(_sender(_Camera(60), near, observer=_Panning(MotionDetector())))
    assert {len(packet.payload) for packet in _packets(far.read(100_000))} == {33}


def test_what_a_patient_encoder_tells_leaves_in_long_packets() -> None:
    near, far = memory_pair()
    encoder = _Encoder()
    encoder.patient = True
    sender = _sender(_Camera(30), near, encoder)
    _run_to_its_end(sender)
    payloads = [received.packet.payload for received in LinkReceiver().receive(far.read(100_000), 0)]
    assert {len(payload) for payload in payloads[1:] if payload[-1:] == b"."} == {112}


def test_what_is_short_leaves_in_a_short_packet() -> None:
    class Brief(_Encoder):
        def payload(self, observation: Observation, capacity_bytes: int, stamp_ns: int) -> bytes:
            return super().payload(observation, min(capacity_bytes, 20), stamp_ns)

    near, far = memory_pair()
    _run_to_its_end(_sender(_Camera(60), near, Brief(), Observer(MotionDetector())))
    assert {len(packet.payload) for packet in _packets(far.read(100_000))} == {33}


def test_after_a_pause_the_newest_frame_is_told() -> None:
    camera = _Camera(1000)
    near, _ = memory_pair()
    sender = _sender(camera, near)
    for time_ns in (0, _S, 9 * _S, 9 * _S + 1, 9 * _S + _S // 10):
        sender.advance(time_ns)
    assert camera.shown == [0, 10, 90, 91]
    assert sender.observation is not None
    assert sender.observation.frame.index == 91

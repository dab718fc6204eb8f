"""A sender whose camera goes away: it tells what it knows, and goes on when the camera is back."""

from __future__ import annotations

import queue
from dataclasses import dataclass, field

import numpy as np
from tests.device.cameras.waiting import until

from pantel_device.cameras import Geometry
from pantel_device.cameras.live import LiveCamera, Shot
from pantel_device.errors import CameraError
from pantel_device.frame import Observation
from pantel_device.observer import MotionDetector, Observer
from pantel_device.scene_encoding.scene_encoder import SceneEncoder
from pantel_device.sending.sender import Sender
from pantel_link import LinkReceiver, LinkSender, PacketKind, StreamContext, memory_pair

_S = 1_000_000_000
_SIZE_PX = (64, 48)


@dataclass
class _Device:
    """Gives the pictures that the test takes."""

    shots: queue.Queue[Shot | CameraError] = field(default_factory=queue.Queue)
    description: str = "source_px=64x48"
    closed: bool = False

    def read(self) -> Shot:
        shot = self.shots.get(timeout=20)
        if isinstance(shot, CameraError):
            raise shot
        return shot

    def close(self) -> None:
        self.closed = True


class _Encoder(SceneEncoder):
    """Tells the number of the frame."""

    def __init__(self) -> None:
        """Need no models."""

    def payload(self, observation: Observation, capacity_bytes: int, stamp_ns: int) -> bytes:  # noqa: ARG002
        return observation.frame.index.to_bytes(2, "big").ljust(capacity_bytes, b".")

    def unhurried(self, *, calm: bool) -> bool:
        return calm

    def submitted(self, counter: int) -> None:
        """Keep no account."""


class _Cable:
    """Opens the device while it is plugged in, and takes pictures with it."""

    def __init__(self) -> None:
        self.plugged = True
        self.device = _Device()
        self.camera = LiveCamera(self._open, name="fake", size_px=_SIZE_PX, fps=10.0, geometry=Geometry())

    def _open(self) -> _Device:
        if not self.plugged:
            raise CameraError("there is no camera")
        self.device = _Device()
        self.shoot(0)
        return self.device

    def shoot(self, time_ns: int) -> None:
        """Take a picture, if the device is open."""
        if not self.device.closed:
            self.device.shots.put(Shot(time_ns, np.full((48, 64, 3), 90, np.uint8)))

    def unplug(self) -> None:
        self.plugged = False
        self.device.shots.put(CameraError("it was unplugged"))

    def wait(self) -> None:
        """Wait until the thread has done all that it has to do: real time passes more slowly than that of the test."""
        reader = self.camera._reader
        if reader is not None:
            until(reader._answered.is_set)
            until(lambda: reader.failure is not None or self.device.shots.empty())


def test_a_sender_outlives_its_camera() -> None:
    cable = _Cable()
    near, far = memory_pair()
    sender = Sender(
        camera=cable.camera,
        observer=Observer(MotionDetector()),
        encoder=_Encoder(),
        link=LinkSender(StreamContext(0, "N0CALL", 1, bytes(3), *_SIZE_PX), now_ns=0),
        port=near,
    )
    receiver = LinkReceiver()
    told: dict[int, list[int]] = {}  # second: numbers of frames
    now_ns = next_shot_ns = 0
    while now_ns < 60 * _S:
        if cable.plugged and 10 * _S <= now_ns < 40 * _S:
            cable.unplug()
        cable.plugged = cable.plugged or now_ns >= 40 * _S
        if cable.plugged and now_ns >= next_shot_ns:
            cable.shoot(now_ns)
            next_shot_ns = now_ns + _S // 10
        cable.wait()
        due_ns = sender.advance(now_ns)
        for received in receiver.receive(far.read(1000), now_ns):
            if received.packet.kind is PacketKind.SCENE:
                told.setdefault(now_ns // _S, []).append(int.from_bytes(received.packet.payload[:2], "big"))
        now_ns = due_ns
    cable.device.shots.put(CameraError("the test is over"))
    cable.camera.close()
    assert cable.camera.outages == 1
    silent = set(range(1, 60)) - set(told)  # seconds in which no packet ends: a long one or an introduction goes on
    assert not any(second + 1 in silent for second in silent)
    (last,) = set(told[39])
    assert all(set(told.get(second, [last])) == {last} for second in range(12, 40))
    assert told[59][-1] > last + 50

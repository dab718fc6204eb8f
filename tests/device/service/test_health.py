"""What counts as progress: on a virtual clock, with a camera that hangs, and a port that is pulled or takes nothing."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest
from tests.device.cameras.waiting import until

from pantel_device.cameras import Camera, Geometry
from pantel_device.cameras.live import LiveCamera, Shot
from pantel_device.errors import CameraError
from pantel_device.frame import Frame, Observation
from pantel_device.observer import MotionDetector, Observer
from pantel_device.receiving.line import Line
from pantel_device.receiving.receiver import Receiver
from pantel_device.scene_encoding.scene_encoder import SceneEncoder
from pantel_device.sending.sender import Sender
from pantel_device.service import Health
from pantel_device.service.health import ReceiverHealth, SenderHealth
from pantel_link import (
    LinkReceiver,
    LinkSender,
    PacketKind,
    PortError,
    PortGone,
    StreamContext,
    VirtualClock,
    memory_pair,
)
from pantel_link.ports import MemoryPort, Port, reconnecting

_S = 1_000_000_000
_SIZE_PX = (64, 48)
_CONTEXT = StreamContext(0, "K1ABC", 1, bytes(3), *_SIZE_PX)


class _Encoder(SceneEncoder):
    """Has something to tell of every frame, or never."""

    def __init__(self, *, silent: bool) -> None:
        self._silent = silent

    def payload(self, observation: Observation, capacity_bytes: int, stamp_ns: int) -> bytes:  # noqa: ARG002
        return b"" if self._silent else bytes(capacity_bytes)

    def unhurried(self, *, calm: bool) -> bool:
        return calm

    def submitted(self, counter: int) -> None:
        """Keep no account."""


class _Still:
    """A camera that sees nothing move."""

    def __init__(self, fps: float) -> None:
        self.size_px = _SIZE_PX
        self.fps = fps
        self.finished = False
        self.outage = None
        self.blind = False
        self._pixels = np.zeros((48, 64, 3), np.uint8)

    def capture(self, now_ns: int) -> Frame | None:
        return None if self.blind else Frame(round(now_ns * self.fps / _S), now_ns, self._pixels)

    def close(self) -> None:
        """Nothing to release."""


@dataclass
class _Device:
    """A device that hangs until the test gives it something to show."""

    shots: queue.Queue[Shot | CameraError] = field(default_factory=queue.Queue)
    description: str = "source_px=64x48"

    def read(self) -> Shot:
        shot = self.shots.get(timeout=30)
        if isinstance(shot, CameraError):
            raise shot
        return shot

    def close(self) -> None:
        """Nothing to release."""


class _Plug(Port):
    """A port that can be pulled out, or take nothing."""

    name = "/dev/ttyUSB0"

    def __init__(self, port: MemoryPort) -> None:
        self.pulled = False
        self.full = False
        self._memory = port

    def open(self) -> Port:
        if self.pulled:
            raise PortError("there is no such device")
        return self

    def read(self, max_octets: int) -> bytes:
        if self.pulled:
            raise PortGone("it was pulled out")
        return self._memory.read(max_octets)

    def write(self, octets: bytes) -> int:
        if self.pulled:
            raise PortGone("it was pulled out")
        return 0 if self.full else self._memory.write(octets)

    def close(self) -> None:
        """It is opened again and again."""


class _Mast:
    """A sender, asked for its health every second."""

    def __init__(
        self,
        camera: Camera,
        *,
        name: str = "test",
        silent: bool = False,
        bitrate_bps: int = 960,
        duty_cycle: float = 1.0,
    ) -> None:
        self.clock = VirtualClock(start_ns=_S)
        near, self.far = memory_pair()
        self.plug = _Plug(near)
        port = reconnecting(self.plug, self.plug.open, self.clock)
        link = LinkSender(_CONTEXT, now_ns=_S, bitrate_bps=bitrate_bps, duty_cycle=duty_cycle)
        self.sender = Sender(
            camera=camera,
            observer=Observer(MotionDetector()),
            encoder=_Encoder(silent=silent),
            link=link,
            port=port,
            idle_fps=camera.fps,
        )
        self.health = SenderHealth(
            self.sender, camera=camera, camera_name=name, port=port, link=link, duty_cycle=duty_cycle
        )

    def run(self, seconds: float, each_second: Callable[[], None] = lambda: None) -> Health:
        """Return how the sender is after so long; ends sooner when it does not get on."""
        end_ns = self.clock.now_ns() + round(seconds * _S)
        next_ns = self.clock.now_ns()
        while True:
            now_ns = self.clock.now_ns()
            due_ns = self.sender.advance(now_ns)
            if now_ns >= next_ns:
                next_ns = now_ns + _S
                each_second()
                health = self.health(now_ns)
                if now_ns >= end_ns or health.stalled is not None:
                    return health
                self.far.read(1 << 20)
            self.clock.advance_to(min(max(due_ns, now_ns + _S // 20), next_ns))


def test_what_a_sender_that_works_says() -> None:
    mast = _Mast(_Still(fps=1.0))
    assert mast.run(0) == Health(
        ready=True, status="sending to /dev/ttyUSB0, camera test, 0 bit/s, 1 packets"
    )  # the first IDENT is on its way
    assert mast.run(60) == Health(ready=True, status="sending to /dev/ttyUSB0, camera test, 960 bit/s, 62 packets")


def test_a_camera_that_sees_nothing_is_noticed_though_it_says_nothing() -> None:
    camera = _Still(fps=1.0)
    mast = _Mast(camera)
    mast.run(10)
    camera.blind = True
    start_ns = mast.clock.now_ns()
    assert mast.run(600).stalled == "camera test has given no picture for 60 s"
    assert mast.clock.now_ns() - start_ns <= 62 * _S


def test_a_slow_camera_is_waited_for() -> None:
    mast = _Mast(_Still(fps=0.02))
    assert mast.run(900).stalled is None


@contextmanager
def _live_camera(devices: list[_Device], plugged: list[bool]) -> Iterator[LiveCamera]:
    def open_device() -> _Device:
        if not plugged[0]:
            raise CameraError("there is no camera /dev/video0")
        devices.append(_Device())
        return devices[-1]

    if plugged[0]:

        def open_first() -> _Device:
            device = open_device()
            device.shots.put(Shot(_S, np.zeros((48, 64, 3), np.uint8)))
            return device

        camera = LiveCamera(open_first, name="v4l2:0", size_px=_SIZE_PX, fps=10.0, geometry=Geometry(), patient=True)
        camera._open_device = open_device
    else:
        camera = LiveCamera(open_device, name="v4l2:0", size_px=_SIZE_PX, fps=10.0, geometry=Geometry(), patient=True)
    try:
        yield camera
    finally:
        for device in devices:
            device.shots.put(CameraError("the test is over"))
        camera.close()


def test_a_camera_that_hangs_in_its_driver_for_a_minute_is_a_standstill() -> None:
    devices: list[_Device] = []
    with _live_camera(devices, [True]) as camera:
        mast = _Mast(camera, name="v4l2:0")
        assert mast.run(4).ready
        start_ns = mast.clock.now_ns()
        health = mast.run(600)
        assert health.stalled == "camera v4l2:0 hangs in its driver for 60 s"
        assert health.status.startswith("sending to /dev/ttyUSB0, camera v4l2:0 gone for 60 s (no picture comes), 9")
        assert mast.clock.now_ns() - start_ns < 67 * _S  # 5 s until it is given up, and a minute


def test_a_camera_that_hangs_and_comes_back_is_none() -> None:
    devices: list[_Device] = []
    with _live_camera(devices, [True]) as camera:
        mast = _Mast(camera, name="v4l2:0")
        assert mast.run(40).stalled is None
        assert "gone for" in mast.run(1).status
        devices[0].shots.put(CameraError("the driver has come to its senses"))
        (_, first) = camera._left_behind[0]
        first.join(10)

        def shoot() -> None:
            devices[-1].shots.put(Shot(mast.clock.now_ns(), np.zeros((48, 64, 3), np.uint8)))
            reader = camera._reader
            until(lambda: reader is None or bool(reader._newest) or reader.failure is not None)

        health = mast.run(200, shoot)
        assert health.stalled is None
        assert "camera v4l2:0, 96" in health.status


def test_a_camera_that_is_unplugged_for_hours_is_none() -> None:
    devices: list[_Device] = []
    plugged = [True]
    with _live_camera(devices, plugged) as camera:
        mast = _Mast(camera, name="v4l2:0", silent=True, bitrate_bps=50)
        assert mast.run(2).ready
        plugged[0] = False
        devices[0].shots.put(CameraError("/dev/video0 gives no pictures any more"))
        camera._reader.join(10)  # type: ignore[union-attr]

        def wait() -> None:
            reader = camera._reader
            if reader is not None:
                reader.join(10)

        health = mast.run(3 * 3600, wait)
        assert health.stalled is None
        assert "camera v4l2:0 gone for 3 h (there is no camera /dev/video0)" in health.status


def test_a_camera_that_was_never_there_is_waited_for() -> None:
    with _live_camera([], [False]) as camera:
        mast = _Mast(camera, name="v4l2:0")

        def wait() -> None:
            reader = camera._reader
            if reader is not None:
                reader.join(10)

        health = mast.run(100, wait)
        assert not health.ready
        assert health.stalled is None
        assert "camera v4l2:0 missing (there is no camera /dev/video0)" in health.status


def test_a_port_that_is_pulled_out_is_no_standstill() -> None:
    mast = _Mast(_Still(fps=1.0), bitrate_bps=50)
    assert mast.run(10).ready
    mast.plug.pulled = True
    health = mast.run(3600)
    assert (health.ready, health.stalled) == (False, None)
    assert health.status.startswith("port /dev/ttyUSB0 gone for 60 min, camera test, 0 bit/s")
    mast.plug.pulled = False
    assert mast.run(10).status.startswith("sending to /dev/ttyUSB0, ")


def test_a_port_that_takes_nothing_is_one_after_ten_minutes() -> None:
    mast = _Mast(_Still(fps=1.0))
    mast.run(10)
    mast.plug.full = True
    assert mast.run(590).stalled is None
    assert mast.run(20).stalled == "port /dev/ttyUSB0 has taken nothing for 600 s"


@pytest.mark.parametrize("silent", [False, True])
def test_pauses_for_a_duty_cycle_are_none(silent: bool) -> None:
    mast = _Mast(_Still(fps=0.1), silent=silent, duty_cycle=0.001)
    assert mast.run(2 * 3600).stalled is None


def _home(clock: VirtualClock) -> tuple[Receiver, ReceiverHealth, _Plug, MemoryPort]:
    near, far = memory_pair()
    plug = _Plug(near)
    port = reconnecting(plug, plug.open, clock)
    receiver = Receiver(port=port, link=LinkReceiver(), sinks=[])
    return receiver, ReceiverHealth(receiver), plug, far


def test_what_a_receiver_says() -> None:
    clock = VirtualClock(start_ns=_S)
    receiver, health, plug, far = _home(clock)
    receiver.advance(clock.now_ns())
    assert health(clock.now_ns()) == Health(ready=True, status="receiving from /dev/ttyUSB0, nobody heard yet")
    sender = LinkSender(_CONTEXT, now_ns=clock.now_ns())
    sent = 0
    while sent < 101:
        clock.sleep(0.05)
        if sender.ready(clock.now_ns()):
            sender.submit(PacketKind.TELEMETRY, bytes(20), sender.stamp_ns(clock.now_ns()))
            sent += 1
        while chunk := sender.due(clock.now_ns()):
            if not 50 <= sent < 60:  # the line is cut for a while
                far.write(chunk)
        receiver.advance(clock.now_ns())
        status = health(clock.now_ns())
    assert status.ready
    assert status.status.startswith("receiving from /dev/ttyUSB0, K1ABC-0 heard 0.")
    assert status.status.endswith(" s ago, loss 10 %")
    clock.sleep(200)
    receiver.advance(clock.now_ns())
    assert health(clock.now_ns()).status == "receiving from /dev/ttyUSB0, K1ABC-0 heard 3 min ago"
    plug.pulled = True
    receiver.advance(clock.now_ns())
    health(clock.now_ns())
    clock.sleep(5)
    receiver.advance(clock.now_ns())
    assert health(clock.now_ns()) == Health(
        ready=False, status="port /dev/ttyUSB0 gone for 5.0 s, K1ABC-0 heard 3 min ago"
    )


def test_a_receiver_of_several_lines_tells_of_each() -> None:
    clock = VirtualClock(start_ns=_S)
    plugs = [_Plug(memory_pair()[0]) for _ in range(2)]
    ports = [reconnecting(plug, plug.open, clock) for plug in plugs]
    further = [Line.of(ports[1], LinkReceiver()), Line("/dev/ttyUSB7", 960)]
    receiver = Receiver(port=ports[0], link=LinkReceiver(), further=further, sinks=[])
    health = ReceiverHealth(receiver)
    plugs[1].pulled = True
    receiver.advance(clock.now_ns())
    health(clock.now_ns())
    clock.sleep(5)
    assert health(clock.now_ns()) == Health(
        ready=True,
        status="receiving from /dev/ttyUSB0, port /dev/ttyUSB0 gone for 5.0 s, port /dev/ttyUSB7 gone for 5.0 s, "
        "nobody heard yet",
    )
    plugs[0].pulled = True
    receiver.advance(clock.now_ns())
    assert not health(clock.now_ns()).ready

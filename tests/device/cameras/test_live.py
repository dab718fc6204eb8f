"""Cameras that are devices: the newest frame without waiting, and outages that end by themselves."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.device.cameras.waiting import until

from pantel_device.cameras import Geometry, Outage, live
from pantel_device.cameras.live import LiveCamera, Shot, shot_time_ns
from pantel_device.errors import CameraError, CameraNameError
from pantel_device.frame import Frame

_S = 1_000_000_000
_T0 = 10**12


@dataclass
class _Device:
    """Gives what the test puts into it, and hangs until there is something."""

    shots: queue.Queue[Shot | Exception] = field(default_factory=queue.Queue)
    closed: threading.Event = field(default_factory=threading.Event)
    threads: set[int] = field(default_factory=set)
    description: str = "source_px=4x2"

    def read(self) -> Shot:
        self.threads.add(threading.get_ident())
        shot = self.shots.get(timeout=20)
        if isinstance(shot, Exception):
            raise shot
        return shot

    def close(self) -> None:
        self.threads.add(threading.get_ident())
        self.closed.set()


class _Cable:
    """Opens devices, one after the other, and lets a test talk to the newest."""

    def __init__(self) -> None:
        self.devices: list[_Device] = []
        self.refuses: CameraError | None = None
        self.attempts = 0
        self.level = 0
        self.camera: LiveCamera

    def open(self) -> _Device:
        self.attempts += 1
        if self.refuses is not None:
            raise self.refuses
        self.devices.append(_Device())
        return self.devices[-1]

    def shoot(self, time_ns: int) -> None:
        """Let the newest device take a picture, and wait until the camera holds it."""
        self.level += 1
        shot = Shot(time_ns, np.full((2, 4, 3), self.level, np.uint8))
        device = self.devices[-1]
        device.shots.put(shot)
        reader = self.camera._reader
        assert reader is not None
        until(lambda: shot in list(reader._newest))

    def break_(self, error: Exception) -> None:
        """Let the newest device fail, and wait until it is closed."""
        self.devices[-1].shots.put(error)
        assert self.devices[-1].closed.wait(10)
        reader = self.camera._reader
        assert reader is not None
        reader.join(10)


@pytest.fixture
def cable() -> Iterator[_Cable]:
    cable = _Cable()

    def open_and_shoot() -> _Device:
        device = cable.open()
        device.shots.put(Shot(_T0, np.zeros((2, 4, 3), np.uint8)))
        return device

    cable.camera = LiveCamera(open_and_shoot, name="fake:1", size_px=(4, 2), fps=10.0, geometry=Geometry())
    cable.camera._open_device = cable.open
    first = cable.camera.capture(_T0)
    assert first is not None
    assert first.index == 0
    yield cable
    for device in cable.devices:
        device.shots.put(CameraError("the test is over"))
    cable.camera.close()


def _frame(camera: LiveCamera, now_ns: int) -> Frame:
    frame = camera.capture(now_ns)
    assert frame is not None
    return frame


def test_the_newest_frame_is_shown_once(cable: _Cable) -> None:
    for tenths in (1, 2, 3):
        cable.shoot(_T0 + tenths * _S // 10)
    frame = _frame(cable.camera, _T0 + _S)
    assert (frame.index, frame.time_ns) == (1, _T0 + 3 * _S // 10)
    assert frame.pixels.tolist() == np.full((2, 4, 3), 3).tolist()
    assert cable.camera.capture(_T0 + _S) is None


def test_one_thread_does_all_that_a_device_is_asked(cable: _Cable) -> None:
    cable.shoot(_T0 + 1)
    cable.break_(CameraError("unplugged"))
    (device,) = cable.devices
    assert len(device.threads) == 1
    assert threading.get_ident() not in device.threads


def test_frames_come_in_order_and_not_from_the_future(cable: _Cable) -> None:
    times_ns = []
    for stamp_s, now_s in ((1.0, 1.1), (0.5, 1.2), (9.0, 1.3), (1.35, 1.4)):
        cable.shoot(_T0 + round(stamp_s * _S))
        times_ns.append(_frame(cable.camera, _T0 + round(now_s * _S)).time_ns)
    assert [round((time_ns - _T0) / _S, 2) for time_ns in times_ns] == [1.0, 1.2, 1.3, 1.35]


def _wait_for_retry(cable: _Cable, now_ns: int, *, limit_s: float = 60) -> float:
    """Ask for frames every 0.1 s until the camera tries to open the device, and return after how long it did [s]."""
    attempts = cable.attempts
    for tenths in range(round(10 * limit_s)):
        assert cable.camera.capture(now_ns + tenths * _S // 10) is None
        reader = cable.camera._reader
        if reader is not None and tenths:
            until(lambda: cable.attempts > attempts)
            if cable.refuses is not None:
                reader.join(10)
            return tenths / 10
    raise AssertionError("no attempt")


def test_a_camera_that_vanishes_is_opened_ever_more_rarely_until_it_is_back(
    cable: _Cable, caplog: pytest.LogCaptureFixture
) -> None:
    cable.refuses = CameraError("there is no camera")
    now_ns = _T0 + 60 * _S
    with caplog.at_level(logging.INFO):
        cable.break_(CameraError("it was unplugged"))
        delays = []
        for _ in range(8):
            assert cable.camera.capture(now_ns) is None  # takes note of the failure
            delay_s = _wait_for_retry(cable, now_ns)
            delays.append(delay_s)
            now_ns += round(delay_s * _S) + _S // 10
        assert delays == pytest.approx([1, 2, 4, 8, 16, 30, 30, 30], abs=0.11)
        assert cable.camera.outages == 1
        assert [record.message for record in caplog.records] == [
            "camera gone name=fake:1 outages=1 reason=it was unplugged"
        ]
        cable.refuses = None
        cable.camera.capture(now_ns)
        now_ns += round(_wait_for_retry(cable, now_ns) * _S)
        cable.shoot(now_ns)
        assert _frame(cable.camera, now_ns).index == 1
        (_, back) = (record.message for record in caplog.records)
        assert back.startswith("camera back name=fake:1 outage_s=1")


def test_a_camera_that_hangs_is_left_behind_and_another_thread_takes_over(
    cable: _Cable, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        now_ns = _T0
        while cable.camera.outages == 0:
            now_ns += _S // 10
            assert cable.camera.capture(now_ns) is None
        assert (now_ns - _T0) / _S == pytest.approx(5, abs=0.11)
        assert _wait_for_retry(cable, now_ns) == pytest.approx(1, abs=0.11)
        now_ns += 2 * _S
        cable.shoot(now_ns)
        assert _frame(cable.camera, now_ns).pixels[0, 0, 0] == 1
    hung, working = cable.devices
    assert not hung.closed.is_set()
    hung.shots.put(Shot(now_ns, np.full((2, 4, 3), 99, np.uint8)))  # the driver comes back after all
    assert hung.closed.wait(10)
    assert cable.camera.capture(now_ns + 1) is None  # and nobody sees what it has to show
    assert not working.closed.is_set()
    assert [record.message.split(" outage")[0] for record in caplog.records] == [
        "camera gone name=fake:1",
        "camera back name=fake:1",
    ]


def test_a_camera_that_hangs_each_time_does_not_use_up_the_machine(
    cable: _Cable, caplog: pytest.LogCaptureFixture
) -> None:
    now_ns = _T0
    with caplog.at_level(logging.INFO):
        for _ in range(6000):
            now_ns += _S // 10
            assert cable.camera.capture(now_ns) is None
        until(lambda: len(cable.devices) == 3)
        assert [record.message for record in caplog.records] == [
            "camera gone name=fake:1 outages=1 reason=no picture comes",
            "camera hangs in its driver name=fake:1; if it stays so, start the sender again",
        ]
        cable.devices[0].shots.put(CameraError("the driver has come to its senses"))
        assert cable.devices[0].closed.wait(10)
        until(lambda: not cable.camera._left_behind[0][1].is_alive())
        _wait_for_retry(cable, now_ns)
    assert len(cable.devices) == 4


def test_a_camera_that_comes_and_goes_is_not_opened_every_second(cable: _Cable) -> None:
    now_ns = _T0 + 60 * _S
    delays = []
    for _ in range(4):
        cable.break_(CameraError("a bad plug"))
        assert cable.camera.capture(now_ns) is None
        delays.append(_wait_for_retry(cable, now_ns))
        now_ns += round(delays[-1] * _S)
        cable.shoot(now_ns)
        _frame(cable.camera, now_ns)
        now_ns += _S
    assert delays == pytest.approx([1, 2, 4, 8], abs=0.11)
    assert cable.camera.outages == 4
    cable.shoot(now_ns + 40 * _S)
    _frame(cable.camera, now_ns + 40 * _S)
    cable.break_(CameraError("once more"))
    assert cable.camera.capture(now_ns + 40 * _S) is None
    assert _wait_for_retry(cable, now_ns + 40 * _S) == pytest.approx(1, abs=0.11)


def test_a_late_caller_is_no_silent_camera(cable: _Cable) -> None:
    cable.shoot(_T0 + 30 * _S)
    assert _frame(cable.camera, _T0 + 30 * _S).index == 1
    assert cable.camera.outages == 0


def test_rare_frames_are_no_silence() -> None:
    device = _Device()
    device.shots.put(Shot(_T0, np.zeros((2, 4, 3), np.uint8)))
    camera = LiveCamera(lambda: device, name="slow", size_px=(4, 2), fps=0.1, geometry=Geometry())
    assert camera.capture(_T0) is not None
    assert camera.capture(_T0 + 29 * _S) is None
    assert camera.outages == 0
    assert camera.capture(_T0 + 31 * _S) is None
    assert camera.outages == 1
    device.shots.put(CameraError("the test is over"))
    camera.close()


def _fails() -> _Device:
    device = _Device()
    device.shots.put(CameraError("it gives no pictures"))
    return device


def _refuse() -> _Device:
    raise CameraError("there is no camera; plug it in")


def _crash() -> _Device:
    raise KeyError("a bug")


@pytest.mark.parametrize(
    ("open_device", "line"),
    [
        (_refuse, "there is no camera; plug it in"),
        (_fails, "it gives no pictures"),
        (_Device, r"camera fake:2 gives no picture within 0 s; check its cable, or pull its plug and put it in again"),
        (_crash, "the driver of camera fake:2 failed: 'a bug'"),
    ],
)
def test_a_camera_that_cannot_be_used_at_the_start_is_an_error(
    open_device: Callable[[], _Device], line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_OPENING_NS", _S // 3)
    monkeypatch.setattr(live, "_CLOSING_S", 0.01)
    with pytest.raises(CameraError, match=f"^{line}$"):
        LiveCamera(open_device, name="fake:2", size_px=(4, 2), fps=10.0, geometry=Geometry())


@pytest.mark.parametrize(
    ("open_device", "reason"),
    [(_refuse, "there is no camera; plug it in"), (_crash, "the driver of camera fake:2 failed: 'a bug'")],
)
def test_who_is_patient_takes_a_camera_that_is_missing_for_one_that_went(
    open_device: Callable[[], _Device], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    camera = LiveCamera(open_device, name="fake:2", size_px=(4, 2), fps=10.0, geometry=Geometry(), patient=True)
    assert camera.outage is None
    assert camera.capture(_T0) is None
    assert camera.outage == Outage(_T0, reason)
    device = _Device()
    device.shots.put(Shot(_T0 + 2 * _S, np.zeros((2, 4, 3), np.uint8)))
    camera._open_device = lambda: device
    camera.capture(_T0 + 2 * _S)
    reader = camera._reader
    assert reader is not None
    until(lambda: bool(reader._newest))
    assert camera.capture(_T0 + 3 * _S) is not None
    assert camera.outage is None
    assert [record.message.split(" outage")[0] for record in caplog.records if record.levelname != "ERROR"] == [
        "camera gone name=fake:2",
    ]
    device.shots.put(CameraError("the test is over"))
    camera.close()


def test_patience_does_not_mend_a_wrong_name() -> None:
    def open_device() -> _Device:
        raise CameraNameError("walk.mp4 is no camera")

    with pytest.raises(CameraNameError):
        LiveCamera(open_device, name="fake:2", size_px=(4, 2), fps=10.0, geometry=Geometry(), patient=True)


def test_an_outage_tells_since_when_the_driver_hangs(cable: _Cable) -> None:
    assert cable.camera.outage is None
    now_ns = _T0
    while cable.camera.outages == 0:
        now_ns += _S // 10
        cable.camera.capture(now_ns)
    given_up_ns = now_ns
    for _ in range(600):
        now_ns += _S // 10
        cable.camera.capture(now_ns)
    assert cable.camera.outage == Outage(given_up_ns, "no picture comes", given_up_ns)
    until(lambda: len(cable.devices) >= 3)
    for device in cable.devices:
        device.shots.put(CameraError("the driver has come to its senses"))
    until(lambda: cable.camera.outage is not None and cable.camera.outage.hangs_since_ns is None)
    assert cable.camera.outage is not None
    assert cable.camera.outage.since_ns == given_up_ns


def test_a_closed_camera_has_let_go_and_shows_nothing(cable: _Cable) -> None:
    cable.devices[-1].shots.put(Shot(_T0 + 1, np.zeros((2, 4, 3), np.uint8)))
    cable.devices[-1].shots.put(Shot(_T0 + 2, np.zeros((2, 4, 3), np.uint8)))
    assert not cable.camera.finished
    closer = threading.Thread(target=cable.camera.close)
    closer.start()
    while closer.is_alive():
        cable.devices[-1].shots.put(Shot(_T0 + 3, np.zeros((2, 4, 3), np.uint8)))
        closer.join(0.01)
    assert cable.camera.finished
    assert cable.devices[-1].closed.is_set()
    assert cable.camera.capture(_T0 + 60 * _S) is None


@given(now_ns=st.integers(0, 2**62), stamp_ns=st.none() | st.integers(-(2**62), 2**62), age_ns=st.integers(0, 2 * _S))
def test_time_stamps_are_taken_where_they_can_be_right(now_ns: int, stamp_ns: int | None, age_ns: int) -> None:
    assert shot_time_ns(now_ns - age_ns, now_ns) == now_ns - age_ns
    assert now_ns - 2 * _S <= shot_time_ns(stamp_ns, now_ns) <= now_ns

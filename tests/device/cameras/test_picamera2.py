"""Camera modules of the Raspberry Pi: against a fake of the library, and a real one where there is one."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import pytest
from tests.device.cameras.fake_picamera2 import MODES, RED, Connector, Picamera2
from tests.device.cameras.waiting import next_frame, until

from pantel_device.cameras import Camera, Geometry, open_camera, picamera2
from pantel_device.cameras.live import LiveCamera
from pantel_device.errors import CameraError

_Open = Callable[..., Camera]


@pytest.fixture
def connector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Connector]:
    connector = Connector()
    module = ModuleType("picamera2")
    module.__dict__["Picamera2"] = Picamera2.on(connector)
    monkeypatch.setitem(sys.modules, "picamera2", module)
    monkeypatch.setenv("LIBCAMERA_LOG_LEVELS", "*:WARN")
    level = logging.getLogger("picamera2").level
    yield connector
    logging.getLogger("picamera2").setLevel(level)


def _outages(camera: Camera) -> int:
    """Return how many outages there have been by now."""
    assert isinstance(camera, LiveCamera)
    camera.capture(time.monotonic_ns())
    return camera.outages


def test_frames_have_the_size_asked_for_and_true_colours(connector: Connector, open_live: _Open) -> None:
    camera = open_live("picamera2")
    assert next_frame(camera).pixels.shape == (240, 320, 3)
    assert next_frame(camera).pixels[7, 9].tolist() == list(RED)
    assert connector.opened[0].number == 0


def test_the_camera_is_configured_for_all_of_its_view(connector: Connector, open_live: _Open) -> None:
    connector.cameras = 2
    next_frame(open_live("picamera2:1", fps=20.0))
    (camera,) = connector.opened
    assert camera.number == 1
    assert camera.configured["main"] == {"format": "BGR888", "size": (320, 240)}
    assert camera.configured["raw"]["size"] == (1640, 1232)
    assert camera.configured["controls"]["FrameDurationLimits"] == (50_000, 50_000)


def test_sizes_are_even(connector: Connector, open_live: _Open) -> None:
    frame = next_frame(open_live("picamera2", (101, 75), 50.0, Geometry(90)))
    assert frame.pixels.shape == (75, 101, 3)
    assert connector.opened[0].configured["main"]["size"] == (76, 102)


def test_no_more_is_asked_than_the_sensor_has(connector: Connector, open_live: _Open) -> None:
    frame = next_frame(open_live("picamera2", geometry=Geometry(crop=(0.45, 0.45, 0.05, 0.05))))
    assert frame.pixels.shape == (240, 320, 3)
    assert connector.opened[0].configured["main"]["size"] == (3280, 2460)


def test_buffers_go_back(connector: Connector, open_live: _Open) -> None:
    camera = open_live("picamera2")
    for _ in range(30):
        next_frame(camera)
    camera.close()
    assert connector.opened[0].free_buffers == 6
    assert not connector.opened[0].is_open


@pytest.mark.usefixtures("short_outages")
@pytest.mark.parametrize("method", ["make_array", "get_metadata"])
def test_buffers_go_back_after_failures_too(method: str, connector: Connector, open_live: _Open) -> None:
    camera = open_live("picamera2")
    next_frame(camera)
    connector.refuses[method] = RuntimeError("cannot map the buffer")
    until(lambda: _outages(camera) == 1)
    until(lambda: not connector.opened[0].is_open)
    assert connector.opened[0].free_buffers == 6
    connector.refuses.clear()
    next_frame(camera)


def test_rows_may_be_padded(connector: Connector, open_live: _Open) -> None:
    connector.padding_px = 24
    frame = next_frame(open_live("picamera2", (104, 80)))
    assert frame.pixels.shape == (80, 104, 3)
    assert frame.pixels.reshape(-1, 3).min(axis=0).tolist() == list(RED)


def test_frames_are_dated_by_the_sensor(connector: Connector, open_live: _Open) -> None:
    camera = open_live("picamera2")
    connector.frame_s = 0.05
    next_frame(camera)
    frame = next_frame(camera)
    assert 900_000 < time.monotonic_ns() - frame.time_ns < 50_000_000


def test_exposure_gain_and_light_are_logged_once(
    connector: Connector, open_live: _Open, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        next_frame(open_live("picamera2"))
    assert [record.message for record in caplog.records] == [
        "camera open name=picamera2:0 source_px=320x240 exposure_us=33251 gain=7.75 lux=12.408"
    ]
    assert len(connector.opened) == 1


@pytest.mark.usefixtures("short_outages")
def test_a_camera_whose_sensor_falls_silent_is_closed_and_opened_again(
    connector: Connector, open_live: _Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(picamera2, "_LEAST_PATIENCE_S", 0.1)
    camera = open_live("picamera2")
    next_frame(camera)
    connector.dead.set()
    until(lambda: _outages(camera) == 1)
    until(lambda: camera.capture(time.monotonic_ns()) is None and len(connector.opened) > 2)
    connector.dead.clear()
    next_frame(camera)
    assert [each.is_open for each in connector.opened] == [False] * (len(connector.opened) - 1) + [True]
    assert "reason=picamera2:0 gives no more pictures: none came for 0 s" in caplog.text


@pytest.mark.usefixtures("short_outages")
def test_a_call_that_hangs_is_left_behind_until_it_returns(connector: Connector, open_live: _Open) -> None:
    camera = open_live("picamera2")
    next_frame(camera)
    connector.stuck = stuck = threading.Event()
    until(lambda: _outages(camera) == 1)
    connector.stuck = None
    for _ in range(100):
        assert camera.capture(time.monotonic_ns()) is None
        time.sleep(0.002)
    assert len(connector.opened) == 1  # who hangs has the camera
    stuck.set()
    next_frame(camera)
    assert not connector.opened[0].is_open


@pytest.mark.usefixtures("short_outages")
def test_a_camera_that_vanishes_and_comes_back(connector: Connector, open_live: _Open) -> None:
    camera = open_live("picamera2")
    next_frame(camera)
    connector.refuses["capture_request"] = OSError(19, "No such device")
    connector.refuses["close"] = RuntimeError("cannot stop what is gone")
    connector.cameras = 0
    until(lambda: _outages(camera) == 1)
    connector.opened[0].is_open = False
    connector.refuses.clear()
    connector.cameras = 1
    next_frame(camera)
    assert _outages(camera) == 1


@pytest.mark.parametrize(
    ("ail", "line"),
    [
        ({"cameras": 0}, "there is no camera picamera2:0, of 0 that are connected; check the ribbon cable with the "),
        (
            {"in_use": True},
            r"picamera2:0 cannot be opened \(Failed to acquire camera: Device or resource busy\); check ",
        ),
        (
            {"refuses": {"configure": RuntimeError("Failed to\nconfigure")}},
            r"picamera2:0 cannot be started \(Failed to ",
        ),
        ({"refuses": {"start": RuntimeError("no memory")}}, r"picamera2:0 cannot be started \(no memory\); check the "),
        ({"refuses": {"capture_request": OSError("gone")}}, r"picamera2:0 gives no more pictures \(gone\)"),
        ({"gives": "MJPEG"}, "picamera2:0 gives MJPEG; if it is a USB camera, name it as v4l2:/dev/video0"),
    ],
)
def test_what_ails_a_camera_at_the_start_is_one_line(ail: dict[str, Any], line: str, connector: Connector) -> None:
    for name, value in ail.items():
        setattr(connector, name, value)
    with pytest.raises(CameraError, match=f"^{line}") as caught:
        open_camera("picamera2", (320, 240), 10)
    assert "\n" not in str(caught.value)
    assert not any(camera.is_open for camera in connector.opened)


class _Broken(ModuleType):
    """A module of compiled code that does not fit."""

    def __getattr__(self, name: str) -> object:
        if name == "Picamera2":
            raise ValueError("numpy.dtype size changed, may indicate binary incompatibility")
        raise AttributeError(name)


@pytest.mark.parametrize(
    ("module", "line"),
    [
        (
            None,
            r"needs its library \(.*\): sudo apt install python3-picamera2, and make a .* --system-site-packages$",
        ),
        (_Broken("picamera2"), r"does not fit the NumPy that is here \(numpy.dtype.*pip install --upgrade simplejpeg$"),
    ],
)
def test_a_library_that_is_missing_or_does_not_fit_is_one_line(
    module: ModuleType | None, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", module)
    with pytest.raises(CameraError, match=line) as caught:
        open_camera("picamera2", (320, 240), 10)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("modes", "size_px", "fps", "chosen"),
    [
        (MODES, (320, 240), 10.0, (1640, 1232)),
        (MODES, (1920, 1440), 10.0, (3280, 2464)),
        (MODES, (320, 240), 41.0, (1640, 1232)),
        (MODES, (320, 240), 60.0, (1640, 1232)),  # all of the view before all of the frames
        (MODES, (4000, 3000), 10.0, (3280, 2464)),
        (MODES[:1], (1640, 1232), 10.0, (640, 480)),
        (({"format": "MJPEG"},), (320, 240), 10.0, None),
        ((), (320, 240), 10.0, None),
    ],
)
def test_the_smallest_mode_that_sees_everything_is_used(
    modes: tuple[dict[str, Any], ...], size_px: tuple[int, int], fps: float, chosen: tuple[int, int] | None
) -> None:
    assert picamera2._full_view_px(modes, size_px, fps) == chosen


@pytest.mark.hardware
@pytest.mark.skipif(find_spec("picamera2") is None, reason="picamera2 is not installed")
def test_a_real_camera(open_live: _Open) -> None:
    camera = open_live("picamera2", fps=10.0)
    frames = [next_frame(camera) for _ in range(30)]
    assert {frame.pixels.shape for frame in frames} == {(240, 320, 3)}
    assert frames[-1].time_ns - frames[0].time_ns == pytest.approx(2.9e9, rel=0.3)

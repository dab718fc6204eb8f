"""USB cameras: a webcam behind a fake of OpenCV's VideoCapture, and a real one where there is one."""

from __future__ import annotations

import errno
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
from tests.device.cameras.fake_video_capture import BLUE_GREEN_RED, Webcam
from tests.device.cameras.waiting import next_frame, until

from pantel_device.cameras import Camera, Geometry, open_camera
from pantel_device.cameras.live import LiveCamera
from pantel_device.cameras.v4l2 import _index_or_path
from pantel_device.errors import CameraError, CameraNameError

_NODE = "v4l2:/dev/null"  # a device that anybody may open; what the fake is asked has nothing to do with it

_Open = Callable[..., Camera]


@pytest.fixture
def webcam(monkeypatch: pytest.MonkeyPatch) -> Webcam:
    webcam = Webcam()
    monkeypatch.setattr(cv2, "VideoCapture", webcam.capture)
    return webcam


def _outages(camera: Camera) -> int:
    """Return how many outages there have been by now."""
    assert isinstance(camera, LiveCamera)
    camera.capture(time.monotonic_ns())
    return camera.outages


@pytest.mark.usefixtures("webcam")
def test_frames_have_the_size_asked_for_and_true_colours(open_live: _Open) -> None:
    camera = open_live(_NODE)
    for index in range(3):
        frame = next_frame(camera)
        assert frame.index == index
        assert frame.pixels.shape == (240, 320, 3)
        assert frame.pixels[100, 100].tolist() == list(BLUE_GREEN_RED[::-1])


_QVGA, _VGA = (320, 240), (640, 480)


@pytest.mark.parametrize(
    ("sent", "wanted", "code"),
    [
        ((_QVGA, Geometry()), (640, 480), "YUYV"),
        ((_QVGA, Geometry(90)), (480, 640), "YUYV"),
        ((_QVGA, Geometry(crop=(0.25, 0.25, 0.5, 0.5))), (1280, 960), "MJPG"),
        ((_VGA, Geometry()), (1280, 960), "MJPG"),
    ],
)
def test_the_camera_is_asked_for_twice_the_size(
    sent: tuple[tuple[int, int], Geometry], wanted: tuple[int, int], code: str, webcam: Webcam, open_live: _Open
) -> None:
    size_px, geometry = sent
    frame = next_frame(open_live(_NODE, size_px, 12.5, geometry))
    assert frame.pixels.shape == (size_px[1], size_px[0], 3)
    (capture,) = webcam.opened
    assert capture.wishes == {
        cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*code),
        cv2.CAP_PROP_FRAME_WIDTH: wanted[0],
        cv2.CAP_PROP_FRAME_HEIGHT: wanted[1],
        cv2.CAP_PROP_FPS: 12.5,
        cv2.CAP_PROP_BUFFERSIZE: 2,
    }
    assert next(iter(capture.wishes)) == cv2.CAP_PROP_FOURCC  # or a large size may not be had at the rate


def test_what_the_camera_has_been_set_to_is_logged_once(
    webcam: Webcam, open_live: _Open, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        next_frame(open_live(_NODE))
    assert [record.message for record in caplog.records] == [
        "camera open name=v4l2:/dev/null source_px=640x480 format=YUYV source_fps=30"
    ]
    assert len(webcam.opened) == 1


def test_frames_that_are_not_due_are_not_even_decoded(webcam: Webcam, open_live: _Open) -> None:
    camera = open_live(_NODE, fps=20.0)
    began_ns = time.monotonic_ns()
    until(lambda: time.monotonic_ns() - began_ns > 500_000_000)
    waited_for, decoded = webcam.taken
    assert 8 <= decoded <= 16
    assert waited_for > 3 * decoded
    assert next_frame(camera).index == 0  # of all those, the newest alone


def test_the_drivers_time_stamps_count(webcam: Webcam, open_live: _Open) -> None:
    camera = open_live(_NODE)
    webcam.frame_s = 0.05
    next_frame(camera)
    frame = next_frame(camera)  # seen within a millisecond or two of its arrival
    assert time.monotonic_ns() - frame.time_ns > 900_000
    webcam.stamps = False
    times_ns = [next_frame(camera).time_ns for _ in range(3)]
    assert times_ns == sorted(times_ns)


def test_damaged_pictures_are_left_out(webcam: Webcam, open_live: _Open) -> None:
    camera = open_live(_NODE)
    webcam.damaged = 5
    until(lambda: webcam.damaged == 0)
    next_frame(camera)
    assert _outages(camera) == 0


@pytest.mark.usefixtures("short_outages")
def test_an_unplugged_camera_comes_back(webcam: Webcam, open_live: _Open, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        camera = open_live(_NODE)
        next_frame(camera)
        webcam.plugged = False
        until(lambda: _outages(camera) == 1)
        until(lambda: camera.capture(time.monotonic_ns()) is None and len(webcam.opened) > 3)
        webcam.plugged = True
        next_frame(camera)
    assert [" ".join(record.message.split()[:3]) for record in caplog.records] == [
        "camera open name=v4l2:/dev/null",
        "camera gone name=v4l2:/dev/null",
        "camera back name=v4l2:/dev/null",
    ]
    assert "reason=/dev/null gives no pictures any more; check its plug" in caplog.text


@pytest.mark.usefixtures("short_outages")
def test_a_hanging_driver_is_left_behind_until_it_lets_go(webcam: Webcam, open_live: _Open) -> None:
    camera = open_live(_NODE)
    next_frame(camera)
    webcam.hangs.set()
    until(lambda: _outages(camera) == 1)
    until(lambda: camera.capture(time.monotonic_ns()) is None and len(webcam.opened) > 1)
    assert webcam.streams_to is webcam.opened[0]  # who hangs has the device, so it cannot be opened yet
    webcam.hangs.clear()
    next_frame(camera)
    assert webcam.streams_to is webcam.opened[-1]


def test_the_camera_is_let_go_in_the_end(webcam: Webcam) -> None:
    camera = open_camera(_NODE, (64, 48), 100)
    assert webcam.streams_to is not None
    camera.close()
    assert webcam.streams_to is None
    assert camera.finished


def test_a_camera_that_another_program_has_is_one_line(webcam: Webcam) -> None:
    webcam.streams_to = object()
    with pytest.raises(CameraError, match=r"^/dev/null cannot be used: another program has it \(fuser -v /dev/null "):
        open_camera(_NODE, (320, 240), 10)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (errno.EACCES, r"no permission to use /dev/null; add the user to the group video and log in again: "),
        (errno.EBUSY, r"/dev/null cannot be opened: another program uses it; see fuser -v /dev/null$"),
        (errno.ENXIO, r"/dev/null cannot be opened: No such device or address; see"),
    ],
)
def test_devices_that_cannot_be_opened_are_one_line(error: int, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(CameraError, match=line) as caught:
        open_camera(_NODE, (320, 240), 10)
    assert "\n" not in str(caught.value)


def test_files_are_no_devices(tmp_path: Path) -> None:
    (tmp_path / "walk.mp4").touch()
    with pytest.raises(CameraNameError, match=r"walk\.mp4 is no camera; name a device such as /dev/video0, or file:/"):
        open_camera(f"v4l2:{tmp_path / 'walk.mp4'}", (320, 240), 10)


@pytest.mark.parametrize(("name", "path"), [("v4l2", "/dev/video0"), ("v4l2:7", "/dev/video7")])
@pytest.mark.skipif(Path("/dev/video0").exists(), reason="there is a camera")
def test_devices_have_numbers(name: str, path: str) -> None:
    with pytest.raises(CameraError, match=f"^there is no camera {path}; plug it in"):
        open_camera(name, (320, 240), 10)


def test_opencv_is_given_the_number_where_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "usb-Acme-video-index0").symlink_to("/dev/video3")
    assert _index_or_path(tmp_path / "usb-Acme-video-index0") == 3
    assert _index_or_path(Path("/dev/video12")) == 12
    assert _index_or_path(Path("/dev/videotape")) == "/dev/videotape"


@pytest.mark.hardware
@pytest.mark.skipif(not Path("/dev/video0").exists(), reason="there is no camera /dev/video0")
def test_a_real_camera(open_live: _Open) -> None:
    camera = open_live("v4l2:/dev/video0", fps=10.0)
    frames = [next_frame(camera) for _ in range(30)]
    assert {frame.pixels.shape for frame in frames} == {(240, 320, 3)}
    assert frames[-1].time_ns - frames[0].time_ns == pytest.approx(2.9e9, rel=0.3)
    assert any(frame.pixels.std() > 5 for frame in frames)

"""Cameras that plug-ins bring."""

from __future__ import annotations

import pytest

from pantel_device.cameras import open_camera
from pantel_device.errors import CameraError, CameraNameError
from pantel_link import PluginError

SIZE_PX = (40, 32)


def test_it_gives_frames() -> None:
    camera = open_camera("grey:77", SIZE_PX, 10.0)
    assert (camera.size_px, camera.fps, camera.finished, camera.outage) == (SIZE_PX, 10.0, False, None)
    frame = camera.capture(5)
    assert frame is not None
    assert frame.pixels.shape == (32, 40, 3)
    assert frame.pixels.min() == frame.pixels.max() == 77
    assert camera.capture(6) is None


def test_it_cannot_take_the_name_of_another() -> None:
    frame = open_camera("test", SIZE_PX, 10.0).capture(0)
    assert frame is not None
    assert frame.pixels.std() > 1


@pytest.mark.parametrize(
    ("name", "kind", "line"),
    [
        ("grey:purple", CameraNameError, "purple is not grey; write grey:LEVEL"),
        (
            "grey:loud",
            PluginError,
            r"the camera 'grey' of garden 1\.0 failed \(ValueError: invalid literal.*; report it",
        ),
        (
            "half",
            PluginError,
            r"the camera 'half' of garden 1\.0 failed \(AttributeError: 'Half' object has no attribute",
        ),
        ("noimport", PluginError, r"the camera 'noimport' of no-import 1\.0 cannot be loaded \(ModuleNotFoundError"),
        ("crystal:ball", CameraNameError, "name one as file:PATH.*picamera2:NUMBER, grey, half, noimport, test$"),
    ],
)
def test_one_that_cannot_be_opened(name: str, kind: type[Exception], line: str) -> None:
    with pytest.raises(kind, match=line):
        open_camera(name, SIZE_PX, 10.0)


@pytest.mark.parametrize(
    ("level", "line"),
    [
        (1, r"the camera 'grey' of garden 1\.0 failed \(LookupError: lost the picture\); report it to its makers"),
        (2, "^unplugged; plug it in$"),
        (3, r"the camera 'grey' of garden 1\.0 gives frames of \(7, 7\) uint8 instead of \(32, 40, 3\) uint8"),
        (4, r"the camera 'grey' of garden 1\.0 failed \(SystemExit: 2\); report it to its makers"),
        (5, r"the camera 'grey' of garden 1\.0 gives a ndarray instead of a Frame; report it to its makers"),
    ],
)
def test_one_that_fails_in_use(level: int, line: str) -> None:
    camera = open_camera(f"grey:{level}", SIZE_PX, 10.0)
    with pytest.raises(CameraError, match=line):
        camera.capture(0)


def test_one_that_cannot_say_whether_it_has_finished() -> None:
    camera = open_camera("grey:6", SIZE_PX, 10.0)
    camera.capture(0)
    with pytest.raises(CameraError, match=r"the camera 'grey' of garden 1\.0 failed \(OSError: torn off\); report it"):
        _ = camera.finished


def test_one_that_cannot_be_closed_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    open_camera("grey", SIZE_PX, 10.0).close()
    assert "camera not closed reason=the camera 'grey' of garden 1.0 failed (OSError: stuck)" in caplog.text

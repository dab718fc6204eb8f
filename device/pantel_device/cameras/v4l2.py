"""USB cameras and whatever else the kernel shows as a Video4Linux device, through OpenCV."""

from __future__ import annotations

import errno
import os
import stat
import time
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from pantel_device.cameras.geometry import STRETCHED, Geometry
from pantel_device.cameras.live import LiveCamera, Shot, shot_time_ns
from pantel_device.errors import CameraError, CameraNameError

__all__ = ["V4l2Camera"]

# A camera's own pictures are twice as wide and high as what is sent: averaging four pixels halves the noise, and undoes
# the coarser sampling of colour.
_OVERSAMPLING = 2
_LARGEST_RAW_PX = 640 * 480  # larger pictures do not pass through USB 2 without JPEG at 10 to 30 a second
_EARLY_SHARE = 0.25  # of the time between two frames; a camera's clock is not ours

# One is filled while the other waits. With a single one a driver drops every frame that begins while we hold it.
_BUFFERS = 2


class V4l2Camera(LiveCamera):
    """A camera under ``/dev/video…``."""

    @classmethod
    def from_argument(
        cls,
        argument: str,
        size_px: tuple[int, int],
        fps: float,
        geometry: Geometry = STRETCHED,
        *,
        patient: bool = False,
    ) -> V4l2Camera:
        """Open a device by its path or number; "" is number 0.

        Raises:
            CameraNameError: The path is no device.
            CameraError: There is no such device, it may not be used, or it gives no pictures, and nobody is patient.
        """
        path = Path(f"/dev/video{argument or 0}" if argument.isdecimal() or not argument else argument)
        wanted_px = geometry.source_size_px(size_px, _OVERSAMPLING)
        return cls(
            partial(_Device, path, wanted_px, fps),
            name=f"v4l2:{path}",
            size_px=size_px,
            fps=fps,
            geometry=geometry,
            patient=patient,
        )


class _Device:
    """An open device; see `pantel_device.cameras.live.Device`.

    Args:
        path: Of the device, or of a link to it.
        size_px: Width and height that its pictures should have; it takes the nearest that it can.
        fps: Frames a second.
    """

    def __init__(self, path: Path, size_px: tuple[int, int], fps: float) -> None:
        _check(path)
        # What OpenCV would write to standard error about each failure is in the exceptions.
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
        self._path = path
        self._interval_ns = 1e9 / fps
        self._due_ns = 0.0
        self._capture = cv2.VideoCapture(_index_or_path(path), cv2.CAP_V4L2)
        if not self._capture.isOpened():
            self._capture.release()
            raise CameraError(
                f"{path} cannot be used: another program has it (fuser -v {path} tells which), or it is no camera "
                "(v4l2-ctl --list-devices)"
            )
        raw = size_px[0] * size_px[1] <= _LARGEST_RAW_PX
        wishes = {
            cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*("YUYV" if raw else "MJPG")),
            cv2.CAP_PROP_FRAME_WIDTH: size_px[0],
            cv2.CAP_PROP_FRAME_HEIGHT: size_px[1],
            cv2.CAP_PROP_FPS: fps,
            cv2.CAP_PROP_BUFFERSIZE: _BUFFERS,
        }
        for wish, value in wishes.items():
            self._capture.set(wish, value)  # a camera that cannot do it has another way, which is as good

    @property
    def description(self) -> str:
        """What the device has been set to."""
        width, height = (int(self._capture.get(side)) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        code = int(self._capture.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF
        name = code.to_bytes(4, "little").decode("ascii", "replace")
        return f"source_px={width}x{height} format={name} source_fps={self._capture.get(cv2.CAP_PROP_FPS):g}"

    def read(self) -> Shot:
        """Wait for the next picture that is due; those that come too soon are not even decoded.

        Raises:
            CameraError: The camera gives no more pictures: it was unplugged, or has hung for 10 s.
        """
        while True:
            if not self._capture.grab():
                raise CameraError(
                    f"{self._path} gives no pictures any more; check its plug, or see fuser -v {self._path}"
                )
            now_ns = time.monotonic_ns()
            if now_ns < self._due_ns - _EARLY_SHARE * self._interval_ns:
                continue
            decoded, pixels = self._capture.retrieve()
            if not decoded or pixels is None:
                continue  # JPEG that was damaged on the bus; the next one may be whole
            self._due_ns = max(self._due_ns + self._interval_ns, now_ns)
            stamp_ns = round(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
            return Shot(shot_time_ns(stamp_ns, now_ns), np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8))

    def close(self) -> None:
        """Let go of the device."""
        self._capture.release()


def _check(path: Path) -> None:
    """Find out what OpenCV would not tell.

    Raises:
        CameraNameError: It is a file, but no device.
        CameraError: The device cannot be opened.
    """
    try:
        is_device = stat.S_ISCHR(path.stat().st_mode)
        if is_device:
            os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
    except FileNotFoundError as error:
        raise CameraError(
            f"there is no camera {path}; plug it in, and name it as ls /dev/v4l/by-id or v4l2-ctl --list-devices do"
        ) from error
    except PermissionError as error:
        raise CameraError(
            f"there is no permission to use {path}; add the user to the group video and log in again: "
            'sudo usermod -aG video "$USER"'
        ) from error
    except OSError as error:
        reason = "another program uses it" if error.errno == errno.EBUSY else error.strerror
        raise CameraError(f"{path} cannot be opened: {reason}; see fuser -v {path}") from error
    if not is_device:
        raise CameraNameError(f"{path} is no camera; name a device such as /dev/video0, or file:{path} if it is a clip")


def _index_or_path(path: Path) -> int | str:
    """Return a device as OpenCV takes it: by number, which all its versions do, if it has one."""
    name = path.resolve().name
    number = name.removeprefix("video")
    return int(number) if name.startswith("video") and number.isdecimal() else str(path)

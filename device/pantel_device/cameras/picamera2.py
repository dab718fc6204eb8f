"""Camera modules of the Raspberry Pi, through picamera2, which comes from the system and not from the package index."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from math import ceil
from typing import Any

import numpy as np

from pantel_device.cameras.geometry import STRETCHED, Geometry
from pantel_device.cameras.live import LiveCamera, Shot, shot_time_ns
from pantel_device.errors import CameraError, CameraNameError

__all__ = ["Picamera2Camera"]

_FORMAT = "BGR888"  # libcamera names the bytes from the last to the first, so this is R, G, B in memory
_LEAST_PATIENCE_S = 4.0  # less than the reader's, so that a camera that is merely dead is closed before it is reopened
_SILENT_FRAMES = 2.5
_FULL_VIEW_SHARE = 0.9  # of the widest view that a mode of the sensor has; the others see the middle of it


class Picamera2Camera(LiveCamera):
    """A camera module on the ribbon cable of a Raspberry Pi."""

    @classmethod
    def from_argument(
        cls,
        argument: str,
        size_px: tuple[int, int],
        fps: float,
        geometry: Geometry = STRETCHED,
        *,
        patient: bool = False,
    ) -> Picamera2Camera:
        """Open a camera module by its number; "" is number 0.

        Raises:
            CameraNameError: The number is none.
            CameraError: The library is missing, or the camera cannot be used, and nobody is patient.
        """
        if argument and not (argument.isascii() and argument.isdecimal()):
            raise CameraNameError(f"the camera in picamera2:{argument} is no number; write for example picamera2:1")
        number = int(argument or "0")
        return cls(
            partial(_Device, number, geometry.source_size_px(size_px), fps),
            name=f"picamera2:{number}",
            size_px=size_px,
            fps=fps,
            geometry=geometry,
            patient=patient,
        )


class _Device:
    """An open camera module; see `pantel_device.cameras.live.Device`.

    The image processor scales to any size, and cuts the middle out of the sensor's view where the aspect differs.

    Args:
        number: Of the camera.
        size_px: Width and height that its pictures should have; fewer where the sensor has no more.
        fps: Frames a second.
    """

    def __init__(self, number: int, size_px: tuple[int, int], fps: float) -> None:
        library = _library()
        self._name = f"picamera2:{number}"
        self._size_px = size_px
        self._patience_s = max(_LEAST_PATIENCE_S, _SILENT_FRAMES / fps)
        self._seen: Mapping[str, Any] = {}
        with self._failing("cannot be opened"):
            count = len(library.global_camera_info())
            if number >= count:
                raise CameraError(
                    f"there is no camera {self._name}, of {count} that are connected; check the ribbon cable with the "
                    "power off, and see rpicam-hello --list-cameras"
                )
            self._camera = library(number)
        try:
            with self._failing("cannot be started"):
                self._start(fps)
        except CameraError:
            self.close()
            raise

    @property
    def description(self) -> str:
        """What the device has been set to, and what it told of its last picture."""
        width, height = self._size_px
        told = {"exposure_us": "ExposureTime", "gain": "AnalogueGain", "lux": "Lux"}
        values = [f"{key}={self._seen[name]:.5g}" for key, name in told.items() if name in self._seen]
        return " ".join([f"source_px={width}x{height}", *values])

    def read(self) -> Shot:
        """Wait for the next picture.

        Raises:
            CameraError: There will be none.
        """
        with self._failing("gives no more pictures"):
            request = self._camera.capture_request(wait=self._patience_s)
            try:
                pixels = request.make_array("main")
                self._seen = request.get_metadata()
            finally:
                request.release()  # there are only a few buffers; a camera without one stops
        now_ns = time.monotonic_ns()
        width, height = self._size_px
        unpadded = np.ascontiguousarray(pixels[:height, :width, :3], np.uint8)
        return Shot(shot_time_ns(self._seen.get("SensorTimestamp"), now_ns), unpadded)

    def close(self) -> None:
        """Let go of the camera."""
        with suppress(Exception):  # its errors are of any type
            self._camera.cancel_all_and_flush()  # nobody waits for a picture any more
        with suppress(Exception):
            self._camera.close()

    def _start(self, fps: float) -> None:
        interval_us = round(1e6 / fps)
        self._size_px = _possible_px(self._size_px, self._camera.sensor_resolution)
        mode_px = _full_view_px(self._camera.sensor_modes, self._size_px, fps)
        configuration = self._camera.create_video_configuration(
            main={"size": self._size_px, "format": _FORMAT},
            raw={} if mode_px is None else {"size": mode_px},
            controls={"FrameDurationLimits": (interval_us, interval_us)},
        )
        self._camera.configure(configuration)
        main = self._camera.camera_configuration()["main"]
        if main["format"] != _FORMAT:
            raise CameraError(
                f"{self._name} gives {main['format']}; if it is a USB camera, name it as v4l2:/dev/video0"
            )
        self._size_px = main["size"]
        self._camera.start()

    @contextmanager
    def _failing(self, how: str) -> Iterator[None]:
        """Make a `CameraError` of whatever the library raises."""
        try:
            yield
        except CameraError:
            raise
        except TimeoutError as error:
            raise CameraError(f"{self._name} {how}: none came for {self._patience_s:.0f} s") from error
        except Exception as error:  # its errors are of any type
            reason = " ".join(str(error.__cause__ or error).split())
            raise CameraError(
                f"{self._name} {how} ({reason}); check the ribbon cable, and that no other program uses the camera"
            ) from error


def _library() -> Any:
    """Import picamera2 and return its class.

    Raises:
        CameraError: It is missing or does not fit the rest of the environment.
    """
    os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:ERROR")  # else it writes ten lines whenever a camera is opened
    try:
        from picamera2 import Picamera2
    except ImportError as error:
        raise CameraError(
            f"the camera picamera2 needs its library ({error}): sudo apt install python3-picamera2, and make a "
            "virtual environment with --system-site-packages"
        ) from error
    except ValueError as error:  # of modules that were compiled for an older NumPy
        raise CameraError(
            f"the system's picamera2 does not fit the NumPy that is here ({error}): sudo pip install --no-deps "
            "--target /usr/local/lib/pantel simplejpeg, in a virtual environment pip install --upgrade simplejpeg"
        ) from error
    logging.getLogger("picamera2").setLevel(logging.CRITICAL)  # whatever it has to say comes with its exceptions
    return Picamera2


def _possible_px(size_px: tuple[int, int], sensor_px: tuple[int, int]) -> tuple[int, int]:
    """Return a size of about the same aspect that the image processor makes: even, and not larger than the sensor."""
    scale = min(1.0, sensor_px[0] / size_px[0], sensor_px[1] / size_px[1])
    width, height = (2 * max(ceil(side * scale / 2), 1) for side in size_px)
    return min(width, sensor_px[0]), min(height, sensor_px[1])


def _full_view_px(modes: Iterable[Mapping[str, Any]], size_px: tuple[int, int], fps: float) -> tuple[int, int] | None:
    """Return the size of the sensor mode to use; None leaves it to the library, which minds the size alone.

    Small modes of some sensors see no more than the middle of the view. The smallest mode is taken that sees all of it,
    is fast enough and need not be enlarged.

    Args:
        modes: As picamera2 lists them.
        size_px: Width and height of the picture wanted.
        fps: Frames a second wanted.
    """
    known = [mode for mode in modes if {"crop_limits", "size", "fps"} <= mode.keys()]
    widest = max((_area(mode["crop_limits"][2:]) for mode in known), default=0)
    fitting = [mode for mode in known if _area(mode["crop_limits"][2:]) >= _FULL_VIEW_SHARE * widest]
    fitting = [mode for mode in fitting if mode["fps"] >= fps] or fitting
    fitting.sort(key=lambda mode: _area(mode["size"]))
    large = [mode for mode in fitting if mode["size"][0] >= size_px[0] and mode["size"][1] >= size_px[1]]
    chosen = next(iter(large or fitting[::-1]), None)
    return None if chosen is None else tuple(chosen["size"])


def _area(size_px: tuple[int, int]) -> int:
    return size_px[0] * size_px[1]

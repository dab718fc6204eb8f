"""A picamera2 without a Raspberry Pi: what the real one (0.3.21 to 0.3.38) does that an adapter can get wrong.

A request that is not released keeps its buffer, and a camera without buffers gives no more pictures; a camera that is
not closed cannot be opened again; sizes must be even, keys known; errors are nearly always a `RuntimeError`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["MODES", "Connector", "Picamera2"]

RED = (200, 30, 10)

# Of a camera module 2: the smallest mode sees only the middle of the sensor.
MODES: tuple[dict[str, Any], ...] = (
    {"size": (640, 480), "crop_limits": (1000, 752, 1280, 960), "fps": 206.65, "bit_depth": 10, "unpacked": "SRGGB10"},
    {"size": (1640, 1232), "crop_limits": (0, 0, 3280, 2464), "fps": 41.85, "bit_depth": 10, "unpacked": "SRGGB10"},
    {"size": (1920, 1080), "crop_limits": (680, 692, 1920, 1080), "fps": 47.57, "bit_depth": 10, "unpacked": "SRGGB10"},
    {"size": (3280, 2464), "crop_limits": (0, 0, 3280, 2464), "fps": 21.19, "bit_depth": 10, "unpacked": "SRGGB10"},
)


class Connector:
    """What is at the other end of the ribbon cable, and what ails it.

    Attributes:
        cameras: How many cameras there are.
        modes: Of their sensors.
        frame_s: Time from picture to picture [s].
        dead: The sensor gives no more pictures, as when a cable has come loose.
        stuck: Whoever calls the library waits until this is set again; None for nobody.
        refuses: Method that raises, and what.
        padding_px: Columns that rows of arrays are longer than the picture, as old versions leave them.
        gives: Format that the camera gives whatever is asked; "" for what is asked.
        in_use: By another program.
        opened: All cameras that were ever opened.
    """

    def __init__(self) -> None:
        self.cameras = 1
        self.modes: tuple[dict[str, Any], ...] = MODES
        self.frame_s = 0.002
        self.dead = threading.Event()
        self.stuck: threading.Event | None = None
        self.refuses: dict[str, Exception] = {}
        self.padding_px = 0
        self.gives = ""
        self.in_use = False
        self.opened: list[Picamera2] = []

    def pass_through(self, method: str) -> None:
        """Let a call go through, or not."""
        if method in self.refuses:
            raise self.refuses[method]
        if self.stuck is not None:
            self.stuck.wait(20)


class _Request:
    """A picture that waits in a buffer of the camera."""

    def __init__(self, camera: Picamera2) -> None:
        self._camera = camera
        self._count = 1

    def make_array(self, name: str) -> NDArray[np.uint8]:
        connector, main = self._camera.connector, self._camera.configured[name]
        connector.pass_through("make_array")
        assert self._count == 1, "the buffer is the camera's again"
        width, height = main["size"]
        colour = RED if main["format"] == "BGR888" else RED[::-1]  # names go from the last byte to the first
        padded = np.zeros((height, width + connector.padding_px, 3), np.uint8)
        padded[:, :width] = colour
        return padded

    def get_metadata(self) -> dict[str, Any]:
        self._camera.connector.pass_through("get_metadata")
        assert self._count == 1, "the buffer is the camera's again"
        stamp_ns = time.monotonic_ns() - 1_000_000
        return {"SensorTimestamp": stamp_ns, "ExposureTime": 33251, "AnalogueGain": 7.75, "Lux": 12.408203125}

    def release(self) -> None:
        self._count -= 1
        if self._count < 0:
            raise RuntimeError("CompletedRequest: lock now has negative ref_count")
        self._camera.free_buffers += 1


class Picamera2:
    """The class of that name."""

    connector: ClassVar[Connector]
    is_open: bool

    @classmethod
    def on(cls, connector: Connector) -> type[Self]:
        """Return the class for a machine with that connector."""
        return type("Picamera2", (cls,), {"connector": connector})

    @classmethod
    def global_camera_info(cls) -> list[dict[str, Any]]:
        return [{"Model": "imx219", "Num": number} for number in range(cls.connector.cameras)]

    def __init__(self, camera_num: int = 0) -> None:
        connector = self.connector
        connector.pass_through("open")
        if connector.in_use or any(camera.is_open for camera in connector.opened):
            cause = RuntimeError("Failed to acquire camera: Device or resource busy")
            raise RuntimeError("Camera __init__ sequence did not complete.") from cause
        self.number = camera_num
        self.is_open = True
        self.started = False
        self.configured: dict[str, Any] = {}
        self.free_buffers = 0
        self._ready_s = 0.0
        connector.opened.append(self)

    @property
    def sensor_resolution(self) -> tuple[int, int]:
        width, height = max((mode["size"] for mode in self.connector.modes), default=(1280, 720))
        return width, height

    @property
    def sensor_modes(self) -> list[dict[str, Any]]:
        assert not self.started
        return list(self.connector.modes)

    def create_video_configuration(
        self,
        main: Mapping[str, Any] = {},
        raw: Mapping[str, Any] | None = {},
        buffer_count: int = 6,
        controls: Mapping[str, Any] = {},
    ) -> dict[str, Any]:
        for key in {*main, *(raw or {})}:
            if key not in {"format", "size", "stride", "preserve_ar"}:
                raise ValueError(f"Bad key {key!r}")
        main = {"format": "XBGR8888", "size": (1280, 720)} | dict(main)
        raw = {"format": "SRGGB10", "size": main["size"]} | dict(raw or {})
        controls = {"FrameDurationLimits": (33333, 33333)} | dict(controls)
        return {"main": main, "raw": raw, "buffer_count": buffer_count, "controls": controls}

    def configure(self, camera_config: Mapping[str, Any]) -> None:
        self.connector.pass_through("configure")
        if self.started:
            raise RuntimeError("Camera must be stopped before configuring")
        if any(side % 2 for side in camera_config["main"]["size"]):
            raise RuntimeError("width and height should be even")
        if any(side > limit for side, limit in zip(camera_config["main"]["size"], self.sensor_resolution, strict=True)):
            raise RuntimeError("Invalid camera configuration")
        self.configured = dict(camera_config)
        if self.connector.gives:
            self.configured["main"] = {**camera_config["main"], "format": self.connector.gives}

    def camera_configuration(self) -> dict[str, Any]:
        return self.configured

    def start(self) -> None:
        self.connector.pass_through("start")
        self.started = True
        self.free_buffers = self.configured["buffer_count"]

    def capture_request(self, wait: float | None = None) -> _Request:
        self.connector.pass_through("capture_request")
        if not self.started:
            raise RuntimeError("Camera not started")
        deadline_s = time.monotonic() + (1e9 if wait is None else wait)
        while self.connector.dead.is_set() or self.free_buffers == 0 or time.monotonic() < self._ready_s:
            if time.monotonic() >= deadline_s:
                raise TimeoutError
            time.sleep(0.0005)
        self._ready_s = time.monotonic() + self.connector.frame_s
        self.free_buffers -= 1
        return _Request(self)

    def cancel_all_and_flush(self) -> None:
        self.connector.pass_through("cancel_all_and_flush")

    def close(self) -> None:
        self.connector.pass_through("close")
        self.started = self.is_open = False

"""A webcam behind OpenCV's VideoCapture: with sizes of its own choice, a plug, other programs, a driver that hangs."""

from __future__ import annotations

import threading
import time

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["VideoCapture", "Webcam"]

BLUE_GREEN_RED = (10, 30, 200)


class Webcam:
    """The camera at the other end of the USB cable.

    Attributes:
        sizes_px: Sizes that it has; the one that is nearest to what is asked is taken.
        frame_s: Time from picture to picture [s].
        plugged: Whether it is there.
        hangs: Whether whoever waits for a picture waits for ever (10 s is what OpenCV allows).
        damaged: Number of pictures to come that cannot be decoded.
        stamps: Whether its driver gives time stamps.
        streams_to: Who has it; only one program at a time can.
        opened: All captures that were ever opened.
        taken: Pictures that have been waited for, and those of them that have been decoded.
    """

    def __init__(self) -> None:
        self.sizes_px = [(320, 240), (640, 480), (640, 360), (1280, 720)]
        self.frame_s = 0.002
        self.plugged = True
        self.hangs = threading.Event()
        self.damaged = 0
        self.stamps = True
        self.streams_to: object | None = None
        self.opened: list[VideoCapture] = []
        self.taken = [0, 0]

    def capture(self, device: int | str, backend: int) -> VideoCapture:
        """Open it, as ``cv2.VideoCapture`` does."""
        assert backend == cv2.CAP_V4L2
        return VideoCapture(self, device)


class VideoCapture:
    """OpenCV's class of that name, on Video4Linux."""

    def __init__(self, webcam: Webcam, device: int | str) -> None:
        self.device = device
        self.wishes: dict[int, float] = {}
        self.thread = threading.current_thread()
        self._webcam = webcam
        self._open = webcam.plugged and webcam.streams_to is None
        self._stamp_ns = 0
        if self._open:
            webcam.streams_to = self
        webcam.opened.append(self)

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return self._open

    def set(self, property_: int, value: float) -> bool:
        self.wishes[property_] = value
        return property_ != cv2.CAP_PROP_FPS

    def get(self, property_: int) -> float:
        values = {
            cv2.CAP_PROP_FRAME_WIDTH: self._size_px()[0],
            cv2.CAP_PROP_FRAME_HEIGHT: self._size_px()[1],
            cv2.CAP_PROP_FPS: 30.0,
            cv2.CAP_PROP_FOURCC: self.wishes[cv2.CAP_PROP_FOURCC],
            cv2.CAP_PROP_POS_MSEC: self._stamp_ns / 1e6 if self._webcam.stamps else -1.0,
        }
        return float(values[property_])

    def grab(self) -> bool:
        webcam = self._webcam
        time.sleep(webcam.frame_s)
        give_up_s = time.monotonic() + 10
        while webcam.hangs.is_set() and time.monotonic() < give_up_s:
            time.sleep(0.001)
        if not self._open or not webcam.plugged or webcam.hangs.is_set():
            return False
        webcam.taken[0] += 1
        self._stamp_ns = time.monotonic_ns() - 1_000_000
        return True

    def retrieve(self) -> tuple[bool, NDArray[np.uint8] | None]:
        if self._webcam.damaged:
            self._webcam.damaged -= 1
            return False, None
        self._webcam.taken[1] += 1
        width, height = self._size_px()
        return True, np.full((height, width, 3), BLUE_GREEN_RED, np.uint8)

    def release(self) -> None:
        if self._webcam.streams_to is self:
            self._webcam.streams_to = None
        self._open = False

    def _size_px(self) -> tuple[int, int]:
        wanted = self.wishes[cv2.CAP_PROP_FRAME_WIDTH], self.wishes[cv2.CAP_PROP_FRAME_HEIGHT]
        return min(self._webcam.sizes_px, key=lambda size: abs(size[0] - wanted[0]) + abs(size[1] - wanted[1]))

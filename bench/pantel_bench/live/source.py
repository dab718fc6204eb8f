"""The frames that live pictures are compared with, and which of their pixels move."""

from __future__ import annotations

from contextlib import closing

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_device.cameras import open_camera
from pantel_device.errors import CameraError

__all__ = ["FRAME_INTERVAL_NS", "ClipSource", "ready_at"]

FRAME_INTERVAL_NS = 100_000_000  # captured and shown: ten a second
_MOVED_LEVELS = 12
_OPENING = np.ones((3, 3), np.uint8)
_ROWS_AT_ONCE = 16  # the median sorts a copy


def ready_at(time_ns: int) -> int:
    """Return the first display instant at which a picture that was begun at a time is on show."""
    return time_ns // FRAME_INTERVAL_NS + 1


class ClipSource:
    """All frames of a run, as a sender's camera sees them.

    The camera is opened anew, so that nothing but octets connects a receiver with its sender; it must therefore give
    the same pictures whenever it is opened. All frames are held: 14 MB for 6 s of 320x240.

    Args:
        camera: Name of a camera, usually ``file:CLIP``. A clip that is too short is played forwards and backwards.
        seconds: Length of the run [s]; at least one frame is taken.
        size_px: Width and height of the frames.

    Attributes:
        camera: As given.
        seconds: As given.
        size_px: As given.
        frames: (N, H, W, 3) uint8, RGB, read-only: frame k is what is seen at k times 100 ms.
        median: (H, W, 3) uint8, read-only: the temporal median of all frames, rounded down.

    Raises:
        CameraError: The camera cannot be opened or ends before its time.
    """

    def __init__(self, camera: str, seconds: float, *, size_px: tuple[int, int] = (320, 240)) -> None:
        self.camera = camera
        self.seconds = seconds
        self.size_px = size_px
        self.frames = _read(camera, max(1, round(seconds * 1e9) // FRAME_INTERVAL_NS), size_px)
        self.median = _median(self.frames)
        for array in (self.frames, self.median):
            array.flags.writeable = False

    def __len__(self) -> int:
        """Return the number of frames, which is that of the display instants."""
        return len(self.frames)

    def moving(self, k: int) -> NDArray[np.bool_]:
        """Return (H, W) bool: pixels of frame k that move, without specks.

        They differ by more than 12 grey levels in any channel from the temporal median; opened by 3x3.
        """
        changed = self.changed(k).astype(np.uint8)
        return np.asarray(cv2.morphologyEx(changed, cv2.MORPH_OPEN, _OPENING), np.bool_)

    def changed(self, k: int) -> NDArray[np.bool_]:
        """Return (H, W) bool: the same with specks, as the published figures of the competition count."""
        return np.asarray((cv2.absdiff(self.frames[k], self.median) > _MOVED_LEVELS).any(axis=2), np.bool_)

    def delayed(self, k: int, delay_s: float) -> int:
        """Return the number of the frame that instant k is compared with: the first one until the delay is over."""
        return max(0, k - round(delay_s * 1e9 / FRAME_INTERVAL_NS))


def _read(camera: str, count: int, size_px: tuple[int, int]) -> NDArray[np.uint8]:
    frames = np.empty((count, size_px[1], size_px[0], 3), np.uint8)
    with closing(open_camera(camera, size_px, 1e9 / FRAME_INTERVAL_NS)) as opened:
        for k in range(count):
            frame = opened.capture(k * FRAME_INTERVAL_NS)
            if frame is None:
                raise CameraError(f"{camera} ends after {k / 10:g} s; ask for less with --seconds")
            frames[k] = frame.pixels
    return frames


def _median(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    median = np.empty(frames.shape[1:], np.uint8)
    for top in range(0, len(median), _ROWS_AT_ONCE):
        rows = slice(top, top + _ROWS_AT_ONCE)
        median[rows] = np.median(frames[:, rows], axis=0).astype(np.uint8)
    return median

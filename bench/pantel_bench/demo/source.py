"""The source that the received pictures are compared with, and what of it moves."""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_bench.demo.settings import DemoSettings
from pantel_device.cameras import Camera, open_camera
from pantel_device.cameras.synthetic import SyntheticCamera

__all__ = ["Source"]

_MOVING_LEVELS = 12
_MEDIAN_FRAMES = 151  # spread over the run; as many as fit into 35 MB at 320x240


class _MovingRegion(Protocol):
    """Tells which pixels of a frame move.

    Attributes:
        rule: Name of the rule, for the report.
    """

    rule: str

    def mask(self, time_ns: int, pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Return (H, W) bool for the frame (H, W, 3) of a time."""
        ...


class Source:
    """The frames of the demo's camera at the times of the display instants.

    The camera is opened a second time, so that nothing but octets connects the receiver with the sender; it must
    therefore give the same pictures whenever it is opened.

    Attributes:
        moving_rule: ``truth_boxes`` or ``temporal_median``.

    Raises:
        CameraError: The camera cannot be opened.
    """

    def __init__(self, settings: DemoSettings) -> None:
        camera = open_camera(settings.camera, settings.size_px, settings.fps)
        self._camera = camera
        self._region: _MovingRegion = (
            _TruthBoxes(camera) if isinstance(camera, SyntheticCamera) else _TemporalMedian(settings)
        )
        self.moving_rule = self._region.rule
        self._pixels, self._moving = self._next(0)

    def at(self, time_ns: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Return the frame on show at a time since the first one, and (H, W) bool: which of its pixels move.

        Args:
            time_ns: Never less than before; times before the first frame count as 0.

        Raises:
            CameraError: The camera broke down.
        """
        self._pixels, self._moving = self._next(max(time_ns, 0))
        return self._pixels, self._moving

    def close(self) -> None:
        """Close the camera."""
        self._camera.close()

    def _next(self, time_ns: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        frame = self._camera.capture(time_ns)
        if frame is None:
            return self._pixels, self._moving
        return frame.pixels, self._region.mask(time_ns, frame.pixels)


class _TruthBoxes:
    """The true boxes of the test camera's objects."""

    rule = "truth_boxes"

    def __init__(self, camera: SyntheticCamera) -> None:
        self._camera = camera

    def mask(self, time_ns: int, pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
        mask = np.zeros(pixels.shape[:2], np.bool_)
        for box in self._camera.truth(time_ns):
            mask[int(box.y0) : int(np.ceil(box.y1)), int(box.x0) : int(np.ceil(box.x1))] = True
        return mask


class _TemporalMedian:
    """Pixels that differ by more than 12 grey levels in any channel from the temporal median, opened 3x3."""

    rule = "temporal_median"

    def __init__(self, settings: DemoSettings) -> None:
        camera = open_camera(settings.camera, settings.size_px, settings.fps)
        try:
            self._median = _median(camera, settings)
        finally:
            camera.close()

    def mask(self, time_ns: int, pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:  # noqa: ARG002 - as the protocol
        difference = np.asarray(cv2.absdiff(pixels, self._median), np.uint8)
        moves = np.asarray((difference > _MOVING_LEVELS).any(axis=2), np.uint8)
        return np.asarray(cv2.morphologyEx(moves, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.bool_)


def _median(camera: Camera, settings: DemoSettings) -> NDArray[np.uint8]:
    """Return (H, W, 3) uint8, the median of frames spread evenly over the run."""
    count = min(_MEDIAN_FRAMES, max(1, int(settings.seconds * settings.fps)))
    frames = []
    for k in range(count):
        frame = camera.capture(round(k * settings.seconds * 1e9 / count))
        if frame is not None:
            frames.append(frame.pixels)
    stack = np.stack(frames)
    stack.partition(len(frames) // 2, axis=0)
    return np.asarray(stack[len(frames) // 2])

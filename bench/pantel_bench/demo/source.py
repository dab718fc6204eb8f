"""The source that the received pictures are compared with, and what of it moves."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pantel_bench.rig.settings import RigSettings
from pantel_device.cameras import open_camera
from pantel_device.cameras.synthetic import SyntheticCamera
from pantel_device.frame import Frame
from pantel_device.observer import MotionDetector, roi_mask

__all__ = ["Source"]


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
        moving_rule: ``truth_boxes`` or ``motion_boxes``.

    Raises:
        CameraError: The camera cannot be opened.
    """

    def __init__(self, settings: RigSettings) -> None:
        camera = open_camera(settings.camera, settings.size_px, settings.fps)
        self._camera = camera
        self._region: _MovingRegion = _TruthBoxes(camera) if isinstance(camera, SyntheticCamera) else _MotionBoxes()
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


class _MotionBoxes:
    """The boxes around what moves, as motion detection finds them in the source.

    A difference from the temporal median would also take walls for movers whenever the camera's exposure follows
    someone in a dark coat.
    """

    rule = "motion_boxes"

    def __init__(self) -> None:
        self._motion = MotionDetector()
        self._frames = 0

    def mask(self, time_ns: int, pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
        self._frames += 1
        boxes = self._motion.detect(Frame(self._frames, time_ns, pixels)).boxes
        height, width = pixels.shape[:2]
        return roi_mask(boxes, (width, height), margin_px=0.0) if boxes else np.zeros((height, width), np.bool_)

"""The observer: from a frame to what matters in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pantel_device.frame import Box, Frame, Observation
from pantel_device.observer.detector import Detector
from pantel_device.observer.motion import MotionDetector
from pantel_device.observer.roi import roi_mask
from pantel_models.contours import contour_map

__all__ = ["Observer"]

_SAME_OBJECT_IOU = 0.5  # at least half, or two walkers would both take the box of the pair
_COVERED_SHARE = 0.5


class Observer:
    """Joins motion, a detector if there is one, and contours.

    The detector is slow, so it runs on every n-th frame. On the frames between, what it recognized goes with the
    moving box that overlaps it best, and stays in place where nothing moves.
    """

    def __init__(
        self,
        motion: MotionDetector,
        detector: Detector | None = None,
        *,
        detect_every: int = 5,
        margin_px: float = 4.0,
        region_of_interest: bool = True,
    ) -> None:
        """Put an observer together.

        Args:
            motion: Of this camera; it learns the camera's background.
            detector: Names objects, moving or not; None leaves it at motion.
            detect_every: Frames from one run of the detector to the next, at least 1.
            margin_px: By how much the region of interest is wider than the boxes [px].
            region_of_interest: False makes the whole picture the region, whatever moves in it; for comparing.
        """
        self._motion = motion
        self._detector = detector
        self._detect_every = detect_every
        self._margin_px = margin_px
        self._region_of_interest = region_of_interest
        self._recognized: tuple[Box, ...] = ()
        self._until_detection = 0

    def observe(self, frame: Frame) -> Observation:
        """Return what moves or is recognized in a frame, and the contours around it.

        Where nothing is, the whole picture is the region of interest: a still photograph is all of interest.
        """
        motion = self._motion.detect(frame)
        if self._detector is not None:
            if self._until_detection == 0:
                self._until_detection = self._detect_every
                self._recognized = self._detector.detect(frame.pixels)
            else:
                self._recognized = tuple(_carried(box, motion.boxes) for box in self._recognized)
            self._until_detection -= 1
        boxes = _joined(self._recognized, motion.boxes)
        height, width = frame.pixels.shape[:2]
        mask = roi_mask(boxes if self._region_of_interest else (), (width, height), self._margin_px)
        contours = contour_map(frame.pixels, mask.astype(np.uint8))
        return Observation(frame, boxes, mask, contours, motion.mask)


def _carried(recognized: Box, moving: Sequence[Box]) -> Box:
    """Return a recognized box at the place of the moving box that it has become, if there is one."""
    nearest = max(moving, key=recognized.iou, default=recognized)
    if recognized.iou(nearest) < _SAME_OBJECT_IOU:
        return recognized
    return replace(recognized, x0=nearest.x0, y0=nearest.y0, x1=nearest.x1, y1=nearest.y1)


def _joined(recognized: Sequence[Box], moving: Sequence[Box]) -> tuple[Box, ...]:
    """Return all recognized boxes and the moving ones that they do not explain, largest first.

    A group of walkers is often one moving box but several recognized ones.
    """
    unexplained = (
        box for box in moving if sum(box.intersection_px(other) for other in recognized) < _COVERED_SHARE * box.area_px
    )
    return tuple(sorted((*recognized, *unexplained), key=lambda box: -box.area_px))

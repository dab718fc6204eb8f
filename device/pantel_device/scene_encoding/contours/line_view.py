"""The lines that a drawing of a frame should have, and how wrong those are that are shown."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_codec import AGE_STEP_NS, Drawing
from pantel_device.frame import Observation
from pantel_device.observer.contour_finder import ContourFinder
from pantel_device.observer.roi import region_contours
from pantel_device.rendering.line_drawing import draw_lines, lines_of, silhouette
from pantel_models import contour_map

__all__ = ["LineView", "drawn", "drawn_over", "far_from", "line_error"]

_FAR_PX = 4.0
_DIFFERENCE = 14  # grey levels from the background that make a pixel an object's
_RIM = np.ones((5, 5), np.uint8)  # contours lie on both sides of an edge


class LineView:
    """What should be drawn of a frame by a packet.

    Attributes:
        stamp_ns: Of the packet.
        age_steps: Of the newest knot that it can tell.
        now_ns: Capture time of the frame.
        tracks: Objects in the frame.
        moving: (H, W) bool: where something moves, with a rim.
        background: (H, W) uint8, 0 or 1: the contours of what does not move.
        objects: The same of what moves.
        expected: All of them, those of the background only where nothing moves before it.
    """

    def __init__(
        self,
        observation: Observation,
        stamp_ns: int,
        strength: float = 1.0,
        find_contours: ContourFinder = contour_map,
    ) -> None:
        """Find the lines of a frame.

        Args:
            observation: The frame.
            stamp_ns: Time stamp of the packet.
            strength: Of the contours of the background, see `ContourFinder`.
            find_contours: Says where contours are.
        """
        self.stamp_ns = stamp_ns
        self.now_ns = observation.frame.time_ns
        self.age_steps = max(math.ceil((stamp_ns - self.now_ns) / AGE_STEP_NS), 0)
        self.tracks = observation.tracks
        differs = (observation.difference > _DIFFERENCE) & observation.mask
        self.moving = np.asarray(cv2.dilate(differs.astype(np.uint8), _RIM), np.bool_)
        self.background = find_contours(observation.background, strength=strength)
        self.objects = np.asarray(region_contours(observation, find_contours) * self.moving, np.uint8)
        self.expected = np.where(self.moving, self.objects, self.background)


def drawn(drawing: Drawing) -> NDArray[np.uint8]:
    """Return (H, W) uint8, 0 or 1: the lines of a drawing of the whole picture."""
    canvas = np.zeros((round(drawing.height_px), round(drawing.width_px)), np.uint8)
    draw_lines(canvas, lines_of(drawing), (1,), smooth=False)
    return canvas


def drawn_over(canvas: NDArray[np.uint8], lines: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the lines of a picture (H, W) with those of an object, which hides what its own enclose."""
    result = canvas.copy()
    window, enclosed = silhouette(lines, (canvas.shape[1], canvas.shape[0]))
    result[window][enclosed] = 0
    draw_lines(result, lines, (1,), smooth=False)
    return result


def line_error(expected: NDArray[np.uint8], shown: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return (rows, columns) float32: how wrong lines are, 0 to 1 for each pixel of those expected and of those shown.

    A pixel of either counts by how far it is from the nearest of the other, see `far_from`.

    Args:
        expected: (rows, columns) uint8, 0 or 1.
        shown: The same.
    """
    return np.asarray(expected * far_from(shown) + shown * far_from(expected), np.float32)


def far_from(lines: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return (rows, columns) float32: how far each pixel is from the nearest line, 1 from 4 pixels on."""
    if not lines.any():
        return np.ones(lines.shape, np.float32)
    distance = np.asarray(cv2.distanceTransform(1 - lines, cv2.DIST_L2, cv2.DIST_MASK_5), np.float32)
    return np.asarray(np.minimum(distance / _FAR_PX, 1), np.float32)

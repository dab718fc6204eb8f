"""Where the camera looks: similarities between its pictures and the mosaics in which the background is kept."""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "MOSAICS",
    "MOSAIC_MARGIN_PX",
    "TURN_LIMIT",
    "ZOOM_LIMIT",
    "CameraElement",
    "CameraPath",
    "CameraPose",
    "LinkElement",
    "mosaic_size_px",
    "shift_limit_px",
]

MOSAICS = 8
"""A mosaic's number is below this."""

MOSAIC_MARGIN_PX = 64
"""A mosaic is larger on every side by so much for each 320 pixels of the picture's longer side that are begun."""

_REACH_PX = 32  # by so much the middle of the picture may leave that margin
_PICTURE_PX = 320

ZOOM_LIMIT = 24
"""Zooms are told in steps of 1/64 octave, from minus to plus this."""

TURN_LIMIT = 32
"""Turns are told in steps of 1/128 radian, from minus to plus this."""

_ZOOM_STEPS = 64
_TURN_STEPS = 128
_MAX_KNOTS = 64


def _margin_px(width_px: int, height_px: int) -> int:
    return MOSAIC_MARGIN_PX * -(-max(width_px, height_px) // _PICTURE_PX)


def mosaic_size_px(width_px: int, height_px: int) -> tuple[int, int]:
    """Return the width and height of the mosaics of a picture."""
    margin_px = _margin_px(width_px, height_px)
    return width_px + 2 * margin_px, height_px + 2 * margin_px


def shift_limit_px(width_px: int, height_px: int) -> int:
    """Return how far the middle of a picture may lie from that of its mosaic, in x and in y."""
    return _margin_px(width_px, height_px) + _REACH_PX


@dataclass(frozen=True, slots=True)
class CameraPose:
    """How a picture lies in a mosaic.

    Attributes:
        x, y: From the mosaic's middle to that of the picture [px].
        zoom: By how much what the picture shows is larger in the mosaic, in 1/64 octave.
        turn: By how much it is turned there, from x to y, in 1/128 radian.
    """

    x: int
    y: int
    zoom: int
    turn: int

    @property
    def matrix(self) -> NDArray[np.float64]:
        """(3, 3) float64: from points of the picture to points of the mosaic, each less its middle [px]."""
        scale, angle = 2.0 ** (self.zoom / _ZOOM_STEPS), self.turn / _TURN_STEPS
        a, b = scale * math.cos(angle), scale * math.sin(angle)
        return np.array([[a, -b, self.x], [b, a, self.y], [0.0, 0.0, 1.0]])

    @classmethod
    def nearest(cls, matrix: NDArray[np.float64]) -> CameraPose:
        """Return the pose nearest to a similarity (3, 3); it may lie beyond the limits."""
        a, b = float(matrix[0, 0]), float(matrix[1, 0])
        zoom, turn = math.log2(math.hypot(a, b)) * _ZOOM_STEPS, math.atan2(b, a) * _TURN_STEPS
        return cls(round(float(matrix[0, 2])), round(float(matrix[1, 2])), round(zoom), round(turn))


@dataclass(frozen=True, slots=True)
class CameraElement:
    """Where the camera looked; all cells of the payload are of that mosaic.

    Attributes:
        mosaic: Number, below `MOSAICS`.
        age_steps: Of the pose, in steps of 0.1 s before the packet's time stamp.
        pose: How the picture lay in the mosaic; None if that is not told.
    """

    mosaic: int
    age_steps: int = 0
    pose: CameraPose | None = None


@dataclass(frozen=True, slots=True)
class LinkElement:
    """How the payload's mosaic lies in an older one.

    Attributes:
        mosaic: Number of the payload's mosaic, below `MOSAICS`.
        parent: That of the older one; None for the background before all mosaics.
        pose: How the picture lay there that lies in the middle of the new one.
    """

    mosaic: int
    parent: int | None
    pose: CameraPose


class CameraPath:
    """Poses in one mosaic in order of time; between two of them the picture moves evenly.

    Attributes:
        times_ns: Of the newest 64 poses.
        matrices: Theirs, see `CameraPose.matrix`.
    """

    def __init__(self) -> None:
        self.times_ns: list[int] = []
        self.matrices: list[NDArray[np.float64]] = []

    def add(self, time_ns: int, matrix: NDArray[np.float64]) -> None:
        """Insert a pose; one of the same time replaces the older."""
        index = bisect.bisect_left(self.times_ns, time_ns)
        same = index < len(self.times_ns) and self.times_ns[index] == time_ns
        self.times_ns[index : index + same] = [time_ns]
        self.matrices[index : index + same] = [matrix]
        del self.times_ns[:-_MAX_KNOTS], self.matrices[:-_MAX_KNOTS]

    def begins_by(self, time_ns: int) -> bool:
        """Tell whether there is a pose of that time or an earlier one."""
        return bool(self.times_ns) and self.times_ns[0] <= time_ns

    def at(self, time_ns: int) -> NDArray[np.float64]:
        """Return the matrix (3, 3) at a time: before and behind all poses the nearest, without any the identity."""
        if not self.times_ns:
            return np.eye(3)
        index = bisect.bisect_right(self.times_ns, time_ns)
        if index == 0 or index == len(self.times_ns):
            return self.matrices[min(index, len(self.times_ns) - 1)]
        first_ns, second_ns = self.times_ns[index - 1 : index + 1]
        share = (time_ns - first_ns) / (second_ns - first_ns)
        return np.asarray((1 - share) * self.matrices[index - 1] + share * self.matrices[index], np.float64)

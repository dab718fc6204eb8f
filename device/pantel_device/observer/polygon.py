"""Whether the corners of a polygon go around an area: one whose edges cross covers less than its corners promise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["check_polygon"]

_LEAST_AREA = 1e-4  # of the picture: 8 of 320x240 pixels


def check_polygon(corners: Sequence[tuple[float, float]]) -> None:
    """Refuse a polygon whose edges cross or touch each other, or that covers almost nothing.

    Args:
        corners: As shares of the picture's width and height. The first one may be repeated at the end.

    Raises:
        ValueError: It is refused; the message is one line that says what to do.
    """
    points = _without_repeats(np.array(corners, np.float64))
    if _meets_itself(points):
        raise ValueError("its polygon crosses or touches itself; give the corners in their order around the zone")
    if abs(_cross(points, np.roll(points, -1, axis=0)).sum()) / 2 < _LEAST_AREA:
        raise ValueError("its polygon covers almost nothing of the picture; give corners that lie around the zone")


def _without_repeats(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the points (N, 2) that differ from the one before; of equal ones alone the first."""
    differs = (points != np.roll(points, 1, axis=0)).any(axis=1)
    return points[differs] if differs.any() else points[:1]


def _meets_itself(points: NDArray[np.float64]) -> bool:
    """Whether edges that are no neighbours share a point, or one lies on the edge before it."""
    ends = np.roll(points, -1, axis=0)
    along, before = ends - points, points - np.roll(points, 1, axis=0)
    if ((_cross(before, along) == 0) & ((before * along).sum(axis=1) < 0)).any():
        return True
    low, high = np.minimum(points, ends), np.maximum(points, ends)
    for i in range(len(points) - 2):
        others = slice(i + 2, len(points) - (i == 0))  # the last edge is a neighbour of the first
        apart = ((low[others] > high[i]) | (high[others] < low[i])).any(axis=1)
        apart |= _on_one_side(points[i], along[i], points[others], ends[others])
        apart |= _on_one_side(points[others], along[others], points[i], ends[i])
        if not apart.all():
            return True
    return False


def _on_one_side(
    start: NDArray[np.float64], along: NDArray[np.float64], one: NDArray[np.float64], other: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether two points lie on the same side of a line, and neither on it; all (..., 2)."""
    sides = _cross(along, one - start), _cross(along, other - start)
    return np.asarray(np.sign(sides[0]) * np.sign(sides[1]) > 0)


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cross products of vectors (..., 2)."""
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])

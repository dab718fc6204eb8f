"""Who stands near whom, and what a region that several share tells of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pantel_device.frame import Box

__all__ = ["edge_owners", "fitted", "neighbours"]

_SHARE_OF_OTHER = 0.1  # of another object, from which on a box may be that of both
_LIKE_SIDE = 1.3  # most by which two sides of one object differ
_NEAR_SHARE = 0.5  # of a side, by which an object may be elsewhere than expected
_EDGE_SHARE = 0.35  # the same, where only an edge tells
_IN_SHARE = 0.5  # of an object that is part of a region


def neighbours(box: Box, others: Sequence[Box]) -> bool:
    """Tell whether a box may be of several objects: it holds part of another one."""
    return any(box.intersection_px(other) > _SHARE_OF_OTHER * other.area_px for other in others)


def fitted(known: Box, measured: Box) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return what a box tells of an object that is partly hidden, or that is only part of what was measured.

    Where a side is much longer or shorter than that of the object, the object keeps its own and lies at that end where
    it was expected: the other end is that of somebody else, or is hidden.

    Returns:
        (4,) centre x, centre y, width, height [px], and (4,) bool: which of them were measured.
    """
    values, told = np.empty(4), np.zeros(4, np.bool_)
    for axis, (low, high, first, last) in enumerate(
        ((known.x0, known.x1, measured.x0, measured.x1), (known.y0, known.y1, measured.y0, measured.y1))
    ):
        side, centre = high - low, (low + high) / 2
        length, middle = last - first, (first + last) / 2
        if side / _LIKE_SIDE < length < side * _LIKE_SIDE:
            values[axis], values[axis + 2] = middle, length
            told[axis] = told[axis + 2] = True
            continue
        candidates = first + side / 2, last - side / 2
        nearest = min(candidates, key=lambda candidate: abs(candidate - centre))
        values[axis], values[axis + 2] = nearest, side
        told[axis] = abs(nearest - centre) < _NEAR_SHARE * side
    return values, told


def edge_owners(region: Box, members: Mapping[int, Box]) -> dict[int, list[tuple[int, float]]]:
    """Return what the four edges of a region tell of the objects that have joined it.

    Each edge is that of the object that was expected nearest to it.

    Args:
        region: A moving region.
        members: Boxes of objects by their numbers; those that do not lie there do not count.

    Returns:
        Of each object that owns edges: pairs of an axis (0 for x, 1 for y) and where its centre is [px].
    """
    inside = {key: box for key, box in members.items() if box.intersection_px(region) > _IN_SHARE * box.area_px}
    found: dict[int, list[tuple[int, float]]] = {}
    for axis, name in ((0, "x0"), (0, "x1"), (1, "y0"), (1, "y1")):
        edge = getattr(region, name)
        distance, owner = min(((abs(getattr(box, name) - edge), key) for key, box in inside.items()), default=(0.0, -1))
        if owner < 0:
            continue
        box = inside[owner]
        side = box.x1 - box.x0 if axis == 0 else box.y1 - box.y0
        if distance < _EDGE_SHARE * side:
            found.setdefault(owner, []).append((axis, edge + (side / 2 if name.endswith("0") else -side / 2)))
    return found

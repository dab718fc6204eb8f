"""By how much an object has moved from one frame to the next, by matching its difference from the background."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_device.frame import Box

__all__ = ["displacement", "pixels_of"]

_SEARCH_PX = 5
_LEAST_ALIKE = 0.6  # of what is to be seen of an object, unexplained where it fits best: then it is not there
_LEAST_SEEN = 0.3  # share of an object that must be seen to follow it


def pixels_of(box: Box, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return rows and columns of a box inside a picture, at least one of each."""
    (y0, y1), (x0, x1) = (
        (int(np.clip(low, 0, limit - 1)), int(np.clip(np.ceil(high), 1, limit)))
        for low, high, limit in ((box.y0, box.y1, shape[0]), (box.x0, box.x1, shape[1]))
    )
    return slice(y0, max(y1, y0 + 1)), slice(x0, max(x1, x0 + 1))


def displacement(
    before: NDArray[np.uint8],
    now: NDArray[np.uint8],
    box: Box,
    expected: tuple[float, float],
    nearer: Sequence[Box] = (),
) -> tuple[float, float] | None:
    """Return by how much the difference picture has moved inside a box [px]; None where too little is to be seen.

    Args:
        before: (H, W) uint8, by how much each pixel differed from the background.
        now: (H, W) uint8, the same now.
        box: Where the object was.
        expected: By how much it should have moved [px]; it is looked for around there.
        nearer: What hid parts of it: those are not compared.
    """
    dx, dy = round(expected[0]), round(expected[1])
    rows, columns = (
        _staying(part, shift, side)
        for part, shift, side in zip(pixels_of(box, before.shape), (dy, dx), before.shape, strict=True)
    )
    template = before[rows, columns]
    if min(template.shape) < 4 or template.mean() < 4:
        return None
    searched = now[
        rows.start + dy - _SEARCH_PX : rows.stop + dy + _SEARCH_PX,
        columns.start + dx - _SEARCH_PX : columns.stop + dx + _SEARCH_PX,
    ]
    seen = _seen(rows, columns, nearer)
    if seen is not None and seen.mean() < _LEAST_SEEN:
        return None
    scores = np.asarray(cv2.matchTemplate(searched, template, cv2.TM_SQDIFF, mask=seen), np.float32)
    energy = float(np.square(template if seen is None else template * seen, dtype=np.float64).sum())
    if scores.min() > _LEAST_ALIKE * energy:
        return None
    row, column = divmod(int(scores.argmin()), scores.shape[1])
    y = row + _parabola(scores[:, column], row)
    x = column + _parabola(scores[row], column)
    return x + dx - _SEARCH_PX, y + dy - _SEARCH_PX


def _seen(rows: slice, columns: slice, nearer: Sequence[Box]) -> NDArray[np.uint8] | None:
    """Return which pixels of a window nothing hides, 0 or 1; None for all."""
    if not nearer:
        return None
    seen = np.ones((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
    for box in nearer:
        top, bottom = (max(int(edge) - rows.start, 0) for edge in (box.y0, box.y1))
        left, right = (max(int(edge) - columns.start, 0) for edge in (box.x0, box.x1))
        seen[top:bottom, left:right] = 0
    return seen


def _staying(part: slice, shift: int, side: int) -> slice:
    """Return what of an interval will still lie in the picture after any shift that is looked for.

    Else an object that leaves the picture would match best where it is cut off, and so seem to stay.
    """
    start = min(max(part.start, _SEARCH_PX - shift), side)
    return slice(start, max(min(part.stop, side - _SEARCH_PX - shift), start))


def _parabola(scores: NDArray[np.float32], index: int) -> float:
    """Return where between its neighbours the minimum lies, -0.5 to 0.5."""
    if not 0 < index < len(scores) - 1:
        return 0.0
    before, here, after = (float(score) for score in scores[index - 1 : index + 2])
    curvature = before - 2 * here + after
    return float(np.clip((before - after) / (2 * curvature), -0.5, 0.5)) if curvature > 0 else 0.0

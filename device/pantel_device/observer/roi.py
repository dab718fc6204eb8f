"""The region of interest: where the picture deserves more bits than elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pantel_codec import CELL_PX
from pantel_device.frame import Box

__all__ = ["cell_importance", "roi_mask"]


def roi_mask(boxes: Sequence[Box], size_px: tuple[int, int], margin_px: float) -> NDArray[np.bool_]:
    """Return the union of boxes, each widened on all sides.

    Args:
        boxes: Of what matters; may reach beyond the picture.
        size_px: Width and height of the picture [px].
        margin_px: By how much the boxes are widened [px].

    Returns:
        (H, W) bool. Without boxes all of it is true: in a picture where nothing stands out, everything is of
        interest alike.
    """
    width, height = size_px
    if not boxes:
        return np.ones((height, width), np.bool_)
    mask = np.zeros((height, width), np.bool_)
    for box in boxes:
        x0, x1 = (round(min(max(x, 0), width)) for x in (box.x0 - margin_px, box.x1 + margin_px))
        y0, y1 = (round(min(max(y, 0), height)) for y in (box.y0 - margin_px, box.y1 + margin_px))
        mask[y0:y1, x0:x1] = True
    return mask


def cell_importance(mask: NDArray[np.bool_], roi_weight: float, *, min_share: float = 0.25) -> NDArray[np.float32]:
    """Return how much an error in each cell counts; cells at the right and lower edge may be incomplete.

    Args:
        mask: (H, W) bool, the region of interest.
        roi_weight: Weight of a cell in it.
        min_share: Part of a cell that the region must cover for the cell to belong to it.

    Returns:
        (ceil(H / 16), ceil(W / 16)) float32: ``roi_weight`` in the region, 1 elsewhere.
    """
    height, width = mask.shape
    rows, columns = np.arange(0, height, CELL_PX), np.arange(0, width, CELL_PX)
    covered = np.add.reduceat(np.add.reduceat(mask, rows, axis=0, dtype=np.int32), columns, axis=1)
    cell_height = np.minimum(CELL_PX, height - rows)
    cell_width = np.minimum(CELL_PX, width - columns)
    inside = covered >= min_share * np.outer(cell_height, cell_width)
    return np.where(inside, np.float32(roi_weight), np.float32(1.0))

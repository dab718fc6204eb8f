"""The region of interest: where the picture deserves more bits than elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pantel_device.frame import Box

__all__ = ["roi_mask"]


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

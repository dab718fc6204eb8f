"""The region of interest: where the picture deserves more bits than elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pantel_device.frame import Box, Observation
from pantel_device.observer.contour_finder import ContourFinder
from pantel_device.observer.low_light import denoised
from pantel_models import contour_map

__all__ = ["region_contours", "roi_mask"]


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


def region_contours(observation: Observation, find_contours: ContourFinder = contour_map) -> NDArray[np.uint8]:
    """Return (H, W) uint8, 0 or 1: contours of a frame inside its region of interest, Canny's by default.

    Noise that would make some is taken out before.
    """
    return find_contours(denoised(observation.frame.pixels), observation.mask.astype(np.uint8))

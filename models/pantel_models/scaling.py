"""Pictures at other scales: at scale s they are 2**s times narrower and lower."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_codec import scaled_px

__all__ = ["enlarged", "reduced"]


def reduced(pixels: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """Return a picture (H, W, 3) at a scale: each pixel is the mean of the square that it covers.

    What lies outside the picture is as its last row and column.
    """
    if scale == 0:
        return pixels
    height, width = pixels.shape[:2]
    side = 1 << scale
    size = scaled_px(width, scale), scaled_px(height, scale)
    whole = np.pad(pixels, ((0, -height % side), (0, -width % side), (0, 0)), mode="edge")
    return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.uint8)


def enlarged(pixels: NDArray[np.uint8], size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a picture (H, W, 3) with the width and height of one of a finer scale, interpolated bicubically."""
    width, height = size_px
    factor = 1
    while pixels.shape[1] * factor < width or pixels.shape[0] * factor < height:
        factor *= 2
    if factor == 1:
        return pixels
    whole = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(whole[:height, :width], np.uint8)

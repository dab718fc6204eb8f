"""Pictures at other scales: at scale s they are 2**s times narrower and lower."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_codec import scaled_px

__all__ = ["enlarged", "reduced"]


def reduced(pixels: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """Return a picture (H, W, 3) at a scale: each pixel is the mean of the area that it covers."""
    if scale == 0:
        return pixels
    height, width = pixels.shape[:2]
    size = scaled_px(width, scale), scaled_px(height, scale)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def enlarged(pixels: NDArray[np.uint8], size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a picture (H, W, 3) with the width and height of a larger one, interpolated bicubically."""
    if pixels.shape[1::-1] == size_px:
        return pixels
    return np.asarray(cv2.resize(pixels, size_px, interpolation=cv2.INTER_CUBIC), np.uint8)

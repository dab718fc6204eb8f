"""Takes the grain from flat areas of generated pictures.

A perceptual generator puts texture everywhere, for most of what photographs show has some. On a sky or a wall it is a
faint pattern that nobody's eye believes, while LPIPS likes it (decision 47).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["without_grain"]

_FLAT_LEVELS = 4.0  # standard deviation around a pixel from which on nothing is taken away [grey levels]
_AROUND_PX = 9
_SMOOTHING_PX = 3  # twice: about a Gaussian of 1.15 pixels
_LUMA = np.array([[0.299, 0.587, 0.114]], np.float32)


def without_grain(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture that is smoother where it is nearly flat, the more so the flatter it is.

    It is done by means over boxes, which take a few operations for each pixel, however large they are.

    Args:
        pixels: (H, W, 3) uint8, RGB.
    """
    fine = pixels.astype(np.float32)
    luma = cv2.transform(fine, _LUMA)
    around = (_AROUND_PX, _AROUND_PX)
    variance = cv2.blur(luma * luma, around) - cv2.blur(luma, around) ** 2
    flat = np.clip(1 - np.sqrt(np.maximum(variance, 0)) / _FLAT_LEVELS, 0, 1)[..., None]
    box = (_SMOOTHING_PX, _SMOOTHING_PX)
    smooth = cv2.blur(cv2.blur(fine, box), box)
    return np.asarray(np.rint(fine + flat * (smooth - fine)), np.uint8)

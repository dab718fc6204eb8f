"""The contour map that the encoder is given beside the picture.

One definition serves training, the still codec and the observer, because the encoder was trained with it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["contour_map"]


def contour_map(pixels: NDArray[np.uint8], mask: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    """Return Canny contours with thresholds that follow the median grey level inside the mask.

    Thresholds lie at 0.67 and 1.33 of the median (a common rule for Canny, 1986), bounded so that neither
    a night picture turns into noise nor a snowfield stays empty.

    Args:
        pixels: (H, W, 3) uint8, RGB.
        mask: (H, W) uint8, nonzero in the region of interest; None takes the whole picture.

    Returns:
        (H, W) uint8, 0 or 1, zero outside the mask.
    """
    grey = cv2.GaussianBlur(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), (0, 0), 1.0)
    inside = grey if mask is None else grey[mask > 0]
    if inside.size == 0:
        return np.zeros(grey.shape, np.uint8)
    high = float(np.clip(1.33 * float(np.median(inside)), 60.0, 200.0))
    contours = np.asarray(cv2.Canny(grey, high / 2, high) > 0, np.uint8)
    if mask is not None:
        contours *= np.asarray(mask > 0, np.uint8)
    return contours

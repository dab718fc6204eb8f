"""What measures do to planes before they compare them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Plane", "convolved", "mean_2x2"]

Plane = NDArray[np.float64]


def convolved(plane: Plane, kernel: Plane) -> Plane:
    """Convolve with zeros outside; the centre is where MATLAB's `conv2(…, 'same')` has it."""
    anchor = ((len(kernel) - 1) // 2,) * 2
    turned = np.ascontiguousarray(kernel[::-1, ::-1])  # OpenCV correlates
    result = cv2.filter2D(plane, cv2.CV_64F, turned, anchor=anchor, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(result, np.float64)


def mean_2x2(plane: Plane) -> Plane:
    """Return the mean of each pixel and its neighbours below and to the right, zeros outside."""
    return convolved(plane, np.full((2, 2), 0.25))

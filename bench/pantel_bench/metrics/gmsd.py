"""Gradient magnitude similarity deviation: another measure that no model here was trained on.

W. Xue, L. Zhang, X. Mou, A. C. Bovik: "Gradient magnitude similarity deviation: a highly efficient perceptual image
quality index", IEEE Transactions on Image Processing 23(2), 2014, with its constants.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_bench.metrics.planes import convolved, mean_2x2
from pantel_bench.metrics.shapes import require_same_rgb

__all__ = ["gmsd"]

_C = 170.0
_PREWITT = np.array([[1.0, 0.0, -1.0]] * 3) / 3


def gmsd(source: NDArray[np.uint8], decoded: NDArray[np.uint8]) -> float:
    """Return how unevenly the gradients of two pictures agree, 0 for equal pictures; less is better.

    Args:
        source: (H, W, 3) uint8, RGB.
        decoded: (H, W, 3) uint8, RGB.

    Raises:
        MetricError: The pictures differ in size or are not RGB.
    """
    require_same_rgb(source, decoded)
    one, other = _gradient(source), _gradient(decoded)
    similarity = (2 * one * other + _C) / (one**2 + other**2 + _C)
    return float(similarity.std())


def _gradient(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the magnitude of the gradient of the luma at half the resolution."""
    luma = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float64)
    halved = mean_2x2(luma)[::2, ::2]
    return np.asarray(np.hypot(convolved(halved, _PREWITT), convolved(halved, _PREWITT.T)), np.float64)

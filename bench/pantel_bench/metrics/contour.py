"""Agreement of the contours of two pictures."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_bench.metrics.shapes import require_same_rgb

__all__ = ["contour_f1"]

_TOLERANCE_PX = 2.0
_STRONG_SHARE = 0.2  # of the source's pixels lie above the high threshold, before thinning
_LEAST_HIGH = 40.0  # of the Sobel magnitude; keeps the noise of a flat picture from becoming contours


def contour_f1(source: NDArray[np.uint8], decoded: NDArray[np.uint8], region: NDArray[np.bool_] | None = None) -> float:
    """Return the F1 score of the decoded picture's Canny contours against the source's.

    Both pictures go to grey, a Gaussian of sigma 1 and 3x3 Sobel gradients. The high threshold is the
    80th percentile of the **source's** gradient magnitude (at least 40), the low one its half, and both
    pictures get the same pair: a blurred picture loses contours instead of getting lower thresholds. A
    contour pixel is found if the other picture has one within 2 pixels (Euclidean). Precision is taken
    over the decoded contours and recall over the source's (the boundary benchmark of Martin, Fowlkes and
    Malik, 2004, without its one-to-one matching).

    Args:
        source: (H, W, 3) uint8, RGB.
        decoded: (H, W, 3) uint8, RGB.
        region: (H, W) bool: only contours in it count, whatever is near them; None counts all. The thresholds are those
            of the whole source.

    Returns:
        0 to 1. Two pictures without contours agree (1); if only one has any the score is 0.

    Raises:
        MetricError: The pictures differ in size or are not RGB.
    """
    require_same_rgb(source, decoded)
    gradients = _sobel(source)
    magnitude = np.hypot(*(gradient.astype(np.float64) for gradient in gradients))
    high = max(_LEAST_HIGH, float(np.quantile(magnitude, 1.0 - _STRONG_SHARE)))
    expected = _canny(gradients, high)
    found = _canny(_sobel(decoded), high)
    near_expected, near_found = _near(expected), _near(found)
    if region is not None:
        expected, found = expected & region, found & region
    if not expected.any() or not found.any():
        return float(expected.any() == found.any())
    precision = float(near_expected[found].mean())
    recall = float(near_found[expected].mean())
    total = precision + recall
    return 2.0 * precision * recall / total if total > 0.0 else 0.0


def _sobel(picture: NDArray[np.uint8]) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Return the horizontal and vertical gradients of the smoothed grey picture, each (H, W) int16."""
    grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (0, 0), 1.0)
    across = cv2.Sobel(grey, cv2.CV_16S, 1, 0)
    down = cv2.Sobel(grey, cv2.CV_16S, 0, 1)
    return np.asarray(across, np.int16), np.asarray(down, np.int16)


def _canny(gradients: tuple[NDArray[np.int16], NDArray[np.int16]], high: float) -> NDArray[np.bool_]:
    """Return the contours as (H, W) bool."""
    return np.asarray(cv2.Canny(*gradients, high / 2.0, high, L2gradient=True), np.uint8) > 0


def _near(contours: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return where a contour lies within the tolerance, (H, W) bool."""
    elsewhere = np.asarray(~contours, np.uint8)
    distance = cv2.distanceTransform(elsewhere, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance, np.float32) <= _TOLERANCE_PX

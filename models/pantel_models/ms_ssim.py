"""Multi-scale structural similarity.

Z. Wang, E. P. Simoncelli, A. C. Bovik: "Multiscale structural similarity for image quality assessment",
Asilomar Conference on Signals, Systems and Computers, 2003.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["WINDOW_TAPS", "ms_ssim"]

_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the paper, finest scale first
WINDOW_TAPS = 11
_WINDOW_SIGMA = 1.5
_C1 = (0.01 * 255) ** 2
_C2 = (0.03 * 255) ** 2


def ms_ssim(source: NDArray[np.uint8], decoded: NDArray[np.uint8]) -> float:
    """Return the MS-SSIM of two pictures, the mean of the values of R, G and B.

    Five scales, halved by 2x2 means (an odd last row or column is dropped); an 11-tap Gaussian window of
    sigma 1.5, only where it lies wholly inside the picture; K1 = 0.01, K2 = 0.03, range 255. Contrast and
    structure come from every scale, luminance from the coarsest; negative means count as 0.

    The window must fit into the coarsest scale, so five scales need a short side of 176 pixels. A smaller
    picture is measured with as many scales as fit (4 from 88, 3 from 44, 2 from 22, 1 from 11) and the
    weights of these finest scales divided by their sum. Such values compare only with one another.

    Args:
        source: (H, W, 3) uint8, RGB, at least 11x11.
        decoded: Same shape.

    Returns:
        0 to 1; 1 for equal pictures.
    """
    weights = _weights_for(min(source.shape[:2]))
    x, y = source.astype(np.float64), decoded.astype(np.float64)
    product = np.ones(3)  # one value a colour channel
    for scale, weight in enumerate(weights):
        luminance, contrast_structure = _ssim_terms(x, y)
        is_coarsest = scale == len(weights) - 1
        term = luminance * contrast_structure if is_coarsest else contrast_structure
        product *= np.maximum(term.mean(axis=(0, 1)), 0.0) ** weight
        if not is_coarsest:
            x, y = _halve(x), _halve(y)
    return float(product.mean())


def _weights_for(short_side_px: int) -> NDArray[np.float64]:
    """Return the weights of as many scales as the window fits into."""
    count = sum(short_side_px >> scale >= WINDOW_TAPS for scale in range(len(_SCALE_WEIGHTS)))
    weights = np.array(_SCALE_WEIGHTS[:count])
    # The paper's weights sum to 1.0001 and are used as printed, as every implementation does.
    return weights if count == len(_SCALE_WEIGHTS) else weights / weights.sum()


def _ssim_terms(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the luminance map and the contrast-structure map of SSIM, each (H - 10, W - 10, 3)."""
    mean_x, mean_y = _window_mean(x), _window_mean(y)
    variance_x = _window_mean(x * x) - mean_x * mean_x
    variance_y = _window_mean(y * y) - mean_y * mean_y
    covariance = _window_mean(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + _C1) / (mean_x * mean_x + mean_y * mean_y + _C1)
    contrast_structure = (2 * covariance + _C2) / (variance_x + variance_y + _C2)
    return luminance, contrast_structure


def _window_mean(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Gaussian-weighted means of (H, W, 3) at the positions where the window fits."""
    taps = cv2.getGaussianKernel(WINDOW_TAPS, _WINDOW_SIGMA, cv2.CV_64F)
    border = WINDOW_TAPS // 2
    filtered = cv2.sepFilter2D(x, cv2.CV_64F, taps, taps)
    return np.asarray(filtered[border:-border, border:-border], np.float64)


def _halve(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the 2x2 means of (H, W, 3) as (H // 2, W // 2, 3)."""
    height, width = x.shape[0] // 2 * 2, x.shape[1] // 2 * 2
    even = x[:height, :width]
    mean: NDArray[np.float64] = (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4
    return mean

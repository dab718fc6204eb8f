"""Peak signal-to-noise ratio."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pantel_bench.metrics.shapes import require_same_rgb

__all__ = ["PSNR_CAP_DB", "psnr_db"]

PSNR_CAP_DB = 100.0  # of two equal pictures, so that means and JSON stay finite


def psnr_db(source: NDArray[np.uint8], decoded: NDArray[np.uint8]) -> float:
    """Return ``10 log10(255² / MSE)`` with the mean squared error over all pixels of R, G and B together.

    Args:
        source: (H, W, 3) uint8, RGB.
        decoded: (H, W, 3) uint8, RGB.

    Returns:
        Decibels; `PSNR_CAP_DB` for equal pictures.

    Raises:
        MetricError: The pictures differ in size or are not RGB.
    """
    require_same_rgb(source, decoded)
    difference = source.astype(np.float64) - decoded
    mse = float(np.mean(difference * difference))
    if mse == 0.0:
        return PSNR_CAP_DB
    return min(PSNR_CAP_DB, 10.0 * math.log10(255.0**2 / mse))

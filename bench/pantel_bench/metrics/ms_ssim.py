"""Multi-scale structural similarity, as the still codec measures it when it chooses between scales."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pantel_bench.errors import MetricError
from pantel_bench.metrics.shapes import require_same_rgb
from pantel_models import ms_ssim as similarity

__all__ = ["ms_ssim"]


def ms_ssim(source: NDArray[np.uint8], decoded: NDArray[np.uint8]) -> float:
    """Return the MS-SSIM of two pictures; see `pantel_models.ms_ssim`.

    Raises:
        MetricError: The pictures differ in size, are not RGB or are smaller than the window.
    """
    require_same_rgb(source, decoded)
    if min(source.shape[:2]) < similarity.WINDOW_TAPS:
        raise MetricError(f"MS-SSIM needs at least {similarity.WINDOW_TAPS}x{similarity.WINDOW_TAPS} pixels")
    return similarity.ms_ssim(source, decoded)

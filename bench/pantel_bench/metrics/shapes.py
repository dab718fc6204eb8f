"""What all picture metrics demand of their two pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pantel_bench.errors import MetricError

__all__ = ["require_same_rgb"]


def require_same_rgb(source: NDArray[np.uint8], decoded: NDArray[np.uint8]) -> None:
    """Check that both pictures are (H, W, 3) uint8 of one size.

    Raises:
        MetricError: They are not.
    """
    for picture in (source, decoded):
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise MetricError(f"a metric needs (H, W, 3) uint8 RGB, not {picture.shape} {picture.dtype}")
    if source.shape != decoded.shape:
        raise MetricError(f"the pictures differ in size: {source.shape} and {decoded.shape}")

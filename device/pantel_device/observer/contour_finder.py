"""What finds the contours of a sketch, and which finder a configuration names."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pantel_models import contour_map

__all__ = ["ContourFinder", "open_contour_finder"]


class ContourFinder(Protocol):
    """Finds contours in pictures; `pantel_models.contour_map`, which is Canny's, is one."""

    def __call__(
        self, pixels: NDArray[np.uint8], mask: NDArray[np.uint8] | None = None, *, strength: float = 1.0
    ) -> NDArray[np.uint8]:
        """Return (H, W) uint8, 0 or 1: contours of a picture, zero outside the mask.

        Args:
            pixels: (H, W, 3) uint8, RGB.
            mask: (H, W) uint8, nonzero in the region of interest; None takes the whole picture.
            strength: By how many times stronger than usual a contour must be.
        """
        ...


def open_contour_finder(edge_model: str) -> ContourFinder:
    """Return the contour finder that a configuration names.

    Args:
        edge_model: Path of a structured forest as OpenCV reads it (``model.yml.gz``); "" for Canny.

    Raises:
        EdgeModelError: The forest cannot be used; the message is one line for the user.
    """
    if not edge_model:
        return contour_map
    from pantel_device.observer.structured_edges import StructuredEdges

    return StructuredEdges(Path(edge_model))

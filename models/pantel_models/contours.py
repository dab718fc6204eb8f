"""Contours: the map that the encoder is given beside the picture, and the raster on which contours are sent.

One definition serves training, the still codec and the observer, because encoder and coding tables were made with it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["contour_map", "contour_raster"]


def contour_map(
    pixels: NDArray[np.uint8], mask: NDArray[np.uint8] | None = None, *, strength: float = 1.0
) -> NDArray[np.uint8]:
    """Return Canny contours with thresholds that follow the median grey level inside the mask.

    Thresholds lie at 0.67 and 1.33 of the median (a common rule for Canny, 1986), bounded so that neither
    a night picture turns into noise nor a snowfield stays empty.

    Args:
        pixels: (H, W, 3) uint8, RGB.
        mask: (H, W) uint8, nonzero in the region of interest; None takes the whole picture.
        strength: By how many times the thresholds are higher; the encoder was trained with 1.

    Returns:
        (H, W) uint8, 0 or 1, zero outside the mask.
    """
    grey = cv2.GaussianBlur(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), (0, 0), 1.0)
    inside = grey if mask is None else grey[mask > 0]
    if inside.size == 0:
        return np.zeros(grey.shape, np.uint8)
    high = strength * float(np.clip(1.33 * float(np.median(inside)), 60.0, 200.0))
    contours = np.asarray(cv2.Canny(grey, high / 2, high) > 0, np.uint8)
    if mask is not None:
        contours *= np.asarray(mask > 0, np.uint8)
    return contours


def contour_raster(
    contours: NDArray[np.uint8],
    shape: tuple[int, int],
    step_px: float,
    origin_px: tuple[float, float] = (0.0, 0.0),
) -> NDArray[np.bool_]:
    """Return contours on a coarser raster: a sample is set where it covers a contour pixel.

    Samples without neighbours are specks and left out. Lines are not thinned: two that lie side by side would become
    one, and what a thin line is cheaper by, a coarser raster is, too (docs/decisions/0028-structure-layer.md).

    Args:
        contours: (H, W) uint8, nonzero on contours.
        shape: Rows and columns of the raster.
        step_px: Side of a sample.
        origin_px: Column and row of the picture where the raster's upper left corner lies; fractions count.

    Returns:
        (rows, columns) bool.
    """
    rows, columns = np.nonzero(contours)
    row = np.floor((rows + 0.5 - origin_px[1]) / step_px).astype(np.int64)
    column = np.floor((columns + 0.5 - origin_px[0]) / step_px).astype(np.int64)
    inside = (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
    raster = np.zeros(shape, np.uint8)
    raster[row[inside], column[inside]] = 1
    around = cv2.filter2D(raster, cv2.CV_8U, np.ones((3, 3)), borderType=cv2.BORDER_CONSTANT)
    return np.asarray((raster > 0) & (around > 1), np.bool_)

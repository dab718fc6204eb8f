"""How strongly a decoder prints its own pixel grid over the picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_bench.errors import MetricError
from pantel_bench.metrics.shapes import require_same_rgb

__all__ = ["GRID_LEAST_SIDE_PX", "GRID_PERIODS_PX", "grid_ratio"]

GRID_PERIODS_PX = (2, 4, 8, 16)  # the steps by which a generator of stride 16 enlarges its latents
_NEIGHBOUR_BINS = (2, 3)  # of the spectrum, on either side; ±1 belongs to the peak, which the window widens
_ROUNDING_POWER = 1.0 / 12.0  # of the rounding to integers [grey levels²]: two flat pictures compare as equal
GRID_LEAST_SIDE_PX = 64  # so that the line of period 16 and its neighbours stay clear of zero frequency


def grid_ratio(source: NDArray[np.uint8], decoded: NDArray[np.uint8]) -> float:
    """Return how far the spectrum peaks at a generator's up-sampling periods, relative to the source.

    Of the grey picture, cut at the right and below to a multiple of 16 pixels, the power spectrum of every
    row (mean removed, Hann window) is averaged over the rows, and that of every column over the columns. At
    the frequencies of periods 2, 4, 8 and 16 the power is divided by the geometric mean of the power 2 and 3
    bins to either side (geometric, so that the steady fall of natural spectra cancels). The mean of these
    eight peaks is divided by the same mean of the source.

    This sees patterns that repeat (checkerboards, printed grids). Flat blocks are none: the spectrum of a
    staircase has zeros at these frequencies.

    Args:
        source: (H, W, 3) uint8, RGB, at least 64x64.
        decoded: (H, W, 3) uint8, RGB.

    Returns:
        About 1 for a picture without a grid of its own; 1 for equal pictures.

    Raises:
        MetricError: The pictures differ in size, are not RGB or are smaller than 64x64.
    """
    require_same_rgb(source, decoded)
    if min(source.shape[:2]) < GRID_LEAST_SIDE_PX:
        raise MetricError(f"grid_ratio needs at least {GRID_LEAST_SIDE_PX}x{GRID_LEAST_SIDE_PX} pixels")
    return _mean_peak(decoded) / _mean_peak(source)


def _mean_peak(picture: NDArray[np.uint8]) -> float:
    """Return the mean over periods and directions of the power over that of the neighbouring bins."""
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float64)
    coarsest = max(GRID_PERIODS_PX)
    grey = grey[: grey.shape[0] // coarsest * coarsest, : grey.shape[1] // coarsest * coarsest]
    peaks = [_peak(spectrum, period) for spectrum in map(_row_spectrum, (grey, grey.T)) for period in GRID_PERIODS_PX]
    return float(np.mean(peaks))


def _row_spectrum(grey: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean power of the rows of (H, W) per bin [grey levels²], (W,)."""
    window = np.hanning(grey.shape[1] + 1)[:-1]  # the periodic Hann window
    rows = (grey - grey.mean(axis=1, keepdims=True)) * window
    power = np.abs(np.fft.fft(rows, axis=1)) ** 2 / np.sum(window**2)
    return np.asarray(power.mean(axis=0) + _ROUNDING_POWER, np.float64)


def _peak(spectrum: NDArray[np.float64], period_px: int) -> float:
    """Return the power at a period over the geometric mean of its neighbours' power."""
    line = spectrum.size // period_px
    neighbours = [(line + side * step) % spectrum.size for step in _NEIGHBOUR_BINS for side in (-1, 1)]
    return float(spectrum[line] / np.exp(np.mean(np.log(spectrum[neighbours]))))

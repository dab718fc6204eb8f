"""Bjontegaard delta rate: how many per cent fewer bytes for the same quality.

G. Bjontegaard: "Calculation of average PSNR differences between RD-curves", VCEG-M33, 2001, with a monotone
piecewise cubic in place of his single cubic, which swings between points that lie far apart: F. N. Fritsch,
J. Butland: "A method for constructing local monotone piecewise cubic interpolants", SIAM J. Sci. Stat.
Comput. 5, 1984.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pantel_bench.errors import MetricError

__all__ = ["bd_rate_percent"]

Curve = Sequence[tuple[float, float]]

_LEAST_POINTS = 2


def bd_rate_percent(anchor: Curve, test: Curve) -> float:
    """Return the mean difference in rate of `test` against `anchor` at equal quality.

    log10(rate) is interpolated as a function of quality and averaged over the qualities that both curves
    reach.

    Args:
        anchor: Points (rate, quality), at least two; any unit of rate; more quality is better (negate LPIPS).
        test: The same for the curve under test.

    Returns:
        Per cent; -20 says that the test needs a fifth less.

    Raises:
        MetricError: A curve has fewer than two points, a rate is not positive, or quality does not rise with
            rate, or the curves share no quality.
    """
    anchor_quality, anchor_rate = _sorted_curve(anchor)
    test_quality, test_rate = _sorted_curve(test)
    low = max(anchor_quality[0], test_quality[0])
    high = min(anchor_quality[-1], test_quality[-1])
    if low >= high:
        raise MetricError("the curves share no quality, so their rates cannot be compared")
    difference = _integral(test_quality, test_rate, low, high) - _integral(anchor_quality, anchor_rate, low, high)
    return float((10.0 ** (difference / (high - low)) - 1.0) * 100.0)


def _sorted_curve(curve: Curve) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return quality, rising, and log10(rate)."""
    points = np.array(sorted(curve), np.float64).reshape(-1, 2)
    rate, quality = points[:, 0], points[:, 1]
    if len(points) < _LEAST_POINTS:
        raise MetricError(f"a curve needs at least {_LEAST_POINTS} points")
    if rate[0] <= 0.0 or not (np.diff(quality) > 0.0).all():
        raise MetricError("a curve needs positive rates and a quality that rises with the rate")
    return quality, np.log10(rate)


def _integral(x: NDArray[np.float64], y: NDArray[np.float64], low: float, high: float) -> float:
    """Return the integral from low to high of the monotone piecewise cubic through (x, y)."""
    width = np.diff(x)
    slope = np.diff(y) / width
    tangent = _tangents(width, slope)
    quadratic = (3.0 * slope - 2.0 * tangent[:-1] - tangent[1:]) / width
    cubic = (tangent[:-1] + tangent[1:] - 2.0 * slope) / width**2
    # On each interval: y + tangent t + quadratic t² + cubic t³, with t from the interval's left end.
    start = np.clip(low - x[:-1], 0.0, width)
    stop = np.clip(high - x[:-1], 0.0, width)

    def primitive(t: NDArray[np.float64]) -> NDArray[np.float64]:
        return t * (y[:-1] + t * (tangent[:-1] / 2.0 + t * (quadratic / 3.0 + t * cubic / 4.0)))

    return float(np.sum(primitive(stop) - primitive(start)))


def _tangents(width: NDArray[np.float64], slope: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the tangents at the points: weighted harmonic means inside, three-point formula at the ends."""
    if len(slope) == 1:
        return np.array([slope[0], slope[0]])
    tangent = np.zeros(len(slope) + 1)
    monotone = slope[:-1] * slope[1:] > 0.0
    left_weight = 2.0 * width[1:] + width[:-1]
    right_weight = width[1:] + 2.0 * width[:-1]
    harmonic = (left_weight + right_weight)[monotone] / (
        left_weight[monotone] / slope[:-1][monotone] + right_weight[monotone] / slope[1:][monotone]
    )
    tangent[1:-1][monotone] = harmonic
    tangent[0] = _end_tangent(width[0], width[1], slope[0], slope[1])
    tangent[-1] = _end_tangent(width[-1], width[-2], slope[-1], slope[-2])
    return tangent


def _end_tangent(width: float, next_width: float, slope: float, next_slope: float) -> float:
    """Return the tangent at an end, bounded so that the curve stays monotone."""
    tangent = ((2.0 * width + next_width) * slope - width * next_slope) / (width + next_width)
    if tangent * slope <= 0.0:
        return 0.0
    if slope * next_slope <= 0.0 and abs(tangent) > 3.0 * abs(slope):
        return 3.0 * slope
    return tangent

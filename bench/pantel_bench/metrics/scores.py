"""All measures of one decoded picture together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pantel_bench.metrics.contour import contour_f1
from pantel_bench.metrics.gmsd import gmsd
from pantel_bench.metrics.grid import GRID_LEAST_SIDE_PX, grid_ratio
from pantel_bench.metrics.haarpsi import haarpsi
from pantel_bench.metrics.lpips import Lpips
from pantel_bench.metrics.ms_ssim import ms_ssim
from pantel_bench.metrics.psnr import psnr_db

__all__ = ["METRICS", "Metric", "Scores", "score"]


@dataclass(frozen=True, slots=True)
class Metric:
    """How a measure is read.

    Attributes:
        key: Its name in `Scores` and in reports.
        label: Its name for people, with the unit.
        sign: +1 if more is better, -1 if less is.
        decimals: Of a printed mean.
    """

    key: str
    label: str
    sign: int
    decimals: int


METRICS = (
    Metric("psnr_db", "PSNR [dB]", +1, 2),
    Metric("ms_ssim", "MS-SSIM", +1, 4),
    Metric("lpips", "LPIPS", -1, 3),
    Metric("haarpsi", "HaarPSI", +1, 3),
    Metric("gmsd", "GMSD", -1, 3),
    Metric("contour_f1", "contour F1", +1, 3),
    Metric("grid_ratio", "grid ratio", -1, 2),
)


@dataclass(frozen=True, slots=True)
class Scores:
    """The measures of one decoded picture; None where one was not taken.

    Attributes:
        psnr_db: PSNR over R, G and B [dB].
        ms_ssim: Multi-scale structural similarity, 0 to 1.
        lpips: Perceptual distance; None without weights.
        haarpsi: Perceptual similarity by Haar wavelets, 0 to 1.
        gmsd: How unevenly gradients agree, 0 for equal pictures.
        contour_f1: Agreement of the contours, 0 to 1.
        grid_ratio: Strength of a printed grid, 1 for none; None below 64x64.
    """

    psnr_db: float | None
    ms_ssim: float | None
    lpips: float | None
    haarpsi: float | None
    gmsd: float | None
    contour_f1: float | None
    grid_ratio: float | None

    def value(self, metric: Metric) -> float | None:
        """Return one of the measures."""
        value: float | None = getattr(self, metric.key)
        return value


def score(source: NDArray[np.uint8], decoded: NDArray[np.uint8], lpips: Lpips | None) -> Scores:
    """Measure a decoded picture.

    Args:
        source: (H, W, 3) uint8, RGB, at least 32x32.
        decoded: (H, W, 3) uint8, RGB.
        lpips: The metric with its weights, if there are any.

    Raises:
        MetricError: The pictures differ in size or are not RGB.
    """
    return Scores(
        psnr_db=psnr_db(source, decoded),
        ms_ssim=ms_ssim(source, decoded),
        lpips=lpips.distance(source, decoded) if lpips else None,
        haarpsi=haarpsi(source, decoded),
        gmsd=gmsd(source, decoded),
        contour_f1=contour_f1(source, decoded),
        grid_ratio=grid_ratio(source, decoded) if min(source.shape[:2]) >= GRID_LEAST_SIDE_PX else None,
    )

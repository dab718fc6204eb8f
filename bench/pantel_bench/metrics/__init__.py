"""Measures of pictures and of rate-distortion curves, each defined in its docstring."""

from pantel_bench.metrics.bd_rate import bd_rate_percent
from pantel_bench.metrics.contour import contour_f1
from pantel_bench.metrics.frechet import Moments, frechet_distance
from pantel_bench.metrics.gmsd import gmsd
from pantel_bench.metrics.grid import GRID_LEAST_SIDE_PX, grid_ratio
from pantel_bench.metrics.haarpsi import haarpsi
from pantel_bench.metrics.lpips import Lpips
from pantel_bench.metrics.ms_ssim import ms_ssim
from pantel_bench.metrics.psnr import PSNR_CAP_DB, psnr_db
from pantel_bench.metrics.scores import METRICS, Metric, Scores, score

__all__ = [
    "GRID_LEAST_SIDE_PX",
    "METRICS",
    "PSNR_CAP_DB",
    "Lpips",
    "Metric",
    "Moments",
    "Scores",
    "bd_rate_percent",
    "contour_f1",
    "frechet_distance",
    "gmsd",
    "grid_ratio",
    "haarpsi",
    "ms_ssim",
    "psnr_db",
    "score",
]

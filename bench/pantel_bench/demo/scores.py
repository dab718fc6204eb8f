"""The scores of what was on show, instant by instant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pantel_bench.metrics import ms_ssim, psnr_db

__all__ = ["InstantScore", "ScoreKeeper"]

_MID_GREY = 128
_CHANGED_LEVELS = 1.0


@dataclass(frozen=True, slots=True)
class InstantScore:
    """How the picture on show at one display instant compares with the source a play-out delay earlier.

    Attributes:
        time_s: Time since the capture of the first frame [s].
        psnr_db: Of the whole picture [dB].
        ms_ssim: Of the whole picture, 0 to 1.
        moving_psnr_db: Over the moving region [dB]; None where nothing moves.
    """

    time_s: float
    psnr_db: float
    ms_ssim: float
    moving_psnr_db: float | None


class ScoreKeeper:
    """Compares the picture on show with the source at one instant after another.

    Attributes:
        scores: One an instant.
        distinct: Instants at which the moving region of the picture on show had changed by more than one grey level on
            average since the instant before, while that of the source had too.
    """

    def __init__(self) -> None:
        self.scores: list[InstantScore] = []
        self.distinct = 0
        self._before: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = None

    def take(
        self, time_ns: int, source: NDArray[np.uint8], moving: NDArray[np.bool_], shown: NDArray[np.uint8] | None
    ) -> NDArray[np.uint8]:
        """Score one instant and return what was on show: mid-grey before the first picture.

        Args:
            time_ns: Time since the capture of the first frame.
            source: (H, W, 3) uint8, RGB.
            moving: (H, W) bool, the source's moving region.
            shown: (H, W, 3) uint8, RGB; None before the first picture.
        """
        picture = np.full_like(source, _MID_GREY) if shown is None else shown
        self.scores.append(
            InstantScore(
                time_s=time_ns / 1e9,
                psnr_db=psnr_db(source, picture),
                ms_ssim=ms_ssim(source, picture),
                moving_psnr_db=_psnr_db_over(moving, source, picture),
            )
        )
        if self._before is not None and moving.any():
            pairs = zip(self._before, (source, picture), strict=True)
            self.distinct += all(_mean_change(moving, *pair) > _CHANGED_LEVELS for pair in pairs)
        self._before = source, picture
        return picture


def _psnr_db_over(region: NDArray[np.bool_], source: NDArray[np.uint8], picture: NDArray[np.uint8]) -> float | None:
    """Return the PSNR over the pixels (H, W) of a region; None where it is empty."""
    if not region.any():
        return None
    return psnr_db(source[region][None], picture[region][None])


def _mean_change(region: NDArray[np.bool_], before: NDArray[np.uint8], after: NDArray[np.uint8]) -> float:
    """Return the mean absolute difference over a region [grey levels]."""
    return float(np.mean(np.abs(before[region].astype(np.int16) - after[region])))

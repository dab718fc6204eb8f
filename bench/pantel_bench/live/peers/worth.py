"""How good a way of showing pictures is, quickly: what the search among settings goes by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_bench.live.source import ClipSource
from pantel_bench.metrics import PSNR_CAP_DB

__all__ = ["Appraiser", "Worth"]

_MID_GREY = 128
_CHANNELS = 3


@dataclass(frozen=True, slots=True)
class Worth:
    """What a search goes by.

    Attributes:
        whole_db: Mean PSNR of the whole picture [dB].
        moving_db: PSNR over all moving pixels together [dB]; that of the whole picture if nothing moves.
    """

    whole_db: float
    moving_db: float

    @property
    def balanced_db(self) -> float:
        """Both, so that settings do not gain hundredths in one and lose whole decibels in the other.

        Moving pixels count half: they are a part of the picture, and gain most where pictures are many and poor.
        """
        return self.whole_db + self.moving_db / 2


class Appraiser:
    """Compares pictures on show with a source.

    Args:
        source: The frames.
    """

    def __init__(self, source: ClipSource) -> None:
        self._source = source
        self._moving = [source.moving(k).astype(np.uint8) for k in range(len(source))]
        self._moving_samples = [_CHANNELS * int(np.count_nonzero(mask)) for mask in self._moving]
        self._grey = np.full_like(source.median, _MID_GREY)

    def appraise(self, shown: Sequence[NDArray[np.uint8] | None], delay_s: float) -> Worth:
        """Compare every instant.

        Args:
            shown: (H, W, 3) uint8 for each instant; None for mid-grey.
            delay_s: By which the pictures on show may be old.
        """
        whole_db = moving_error = 0.0
        moving_samples = 0
        for instant, picture in enumerate(shown):
            k = self._source.delayed(instant, delay_s)
            frame, mask = self._source.frames[k], self._moving[k]
            on_show = self._grey if picture is None else picture
            whole_db += _psnr_db(cv2.norm(frame, on_show, cv2.NORM_L2SQR), frame.size)
            if self._moving_samples[k]:
                moving_error += cv2.norm(frame, on_show, cv2.NORM_L2SQR, mask)
                moving_samples += self._moving_samples[k]
        mean_db = whole_db / len(shown)
        return Worth(mean_db, _psnr_db(moving_error, moving_samples) if moving_samples else mean_db)


def _psnr_db(squared_error: float, samples: int) -> float:
    return min(PSNR_CAP_DB, 10 * math.log10(255**2 * samples / squared_error)) if squared_error else PSNR_CAP_DB

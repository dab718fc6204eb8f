"""The perceptual distance of what the same run shows when the other generator paints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from pantel_bench.live.scoring import LIVE_LPIPS_EVERY, LiveScores, mean_of_last_third, visible
from pantel_bench.live.source import ClipSource
from pantel_bench.metrics import Lpips

__all__ = ["with_lpips"]


def with_lpips(
    scores: LiveScores, source: ClipSource, shown: Sequence[NDArray[np.uint8] | None], delay_s: float, lpips: Lpips
) -> LiveScores:
    """Return scores with the perceptual distance of other pictures of the same run.

    Args:
        scores: Of the run.
        source: The frames.
        shown: For each frame of the source the picture on show.
        delay_s: Play-out delay.
        lpips: The metric; taken once a second.
    """
    values: list[float | None] = [None] * len(shown)
    for k in range(LIVE_LPIPS_EVERY - 1, len(shown), LIVE_LPIPS_EVERY):
        frame, picture = source.frames[source.delayed(k, delay_s)], shown[k]
        values[k] = lpips.distance(frame, visible(picture, frame))
    taken = [value for value in values if value is not None]
    return replace(
        scores,
        lpips=fmean(taken) if taken else None,
        lpips_last_third=mean_of_last_third(values),
        series=replace(scores.series, lpips=values),
    )

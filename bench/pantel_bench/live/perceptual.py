"""The same run in the perceptual view: what its capture shows when the other generator paints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from pantel_bench.live.scoring import LIVE_LPIPS_EVERY, LiveScores, mean_of_last_third, visible
from pantel_bench.live.source import ClipSource, ready_at
from pantel_bench.metrics import Lpips
from pantel_device.receiving.replay import replay
from pantel_device.receiving.sink import Event, Picture
from pantel_link.captures import CaptureEvent
from pantel_models import View

__all__ = ["perceptual_showings", "with_lpips"]


def perceptual_showings(events: Sequence[CaptureEvent], instants: int) -> list[NDArray[np.uint8] | None]:
    """Return what would have been on show at each instant in the perceptual view; None before the first picture.

    Args:
        events: The capture of one run, on a clock that began with the first frame.
        instants: How many there are, ten a second.
    """
    wall = _Wall()
    for _ in replay(events, [wall], view=View.PERCEPTUAL):
        pass
    showings: list[NDArray[np.uint8] | None] = []
    for k in range(instants):
        showings.append(wall.by_instant.get(k, showings[-1] if showings else None))
    return showings


class _Wall:
    """A sink that keeps every picture by the display instant at which it is ready."""

    def __init__(self) -> None:
        self.by_instant: dict[int, NDArray[np.uint8]] = {}

    def on_picture(self, picture: Picture) -> None:
        """Keep a picture."""
        self.by_instant[ready_at(picture.time_ns)] = picture.pixels

    def on_event(self, event: Event) -> None:
        """Ignore events."""

    def close(self) -> None:
        """Hold nothing."""


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

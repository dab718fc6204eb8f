"""The scores of what was on show, instant by instant and over a whole run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from pantel_bench.live.source import FRAME_INTERVAL_NS, ClipSource
from pantel_bench.metrics import Lpips, ms_ssim, psnr_db
from pantel_bench.metrics.psnr import PSNR_CAP_DB

__all__ = [
    "LIVE_LPIPS_EVERY",
    "RECOGNIZABLE_MS_SSIM",
    "InstantScore",
    "LiveScores",
    "LiveSeries",
    "PooledPsnr",
    "ScoreKeeper",
    "mean_of_last_third",
    "score_live",
    "visible",
]

RECOGNIZABLE_MS_SSIM = 0.65  # from here on a picture counts as arrived
_MID_GREY = 128
_CHANGED_LEVELS = 1.0
LIVE_LPIPS_EVERY = 10  # instants; it takes longer than all other measures together
_INSTANTS_PER_S = 1_000_000_000 // FRAME_INTERVAL_NS


@dataclass(frozen=True, slots=True)
class InstantScore:
    """How the picture on show at one display instant compares with the source a play-out delay earlier.

    Attributes:
        time_s: Time since the capture of the first frame [s].
        psnr_db: Of the whole picture [dB].
        ms_ssim: Of the whole picture, 0 to 1.
        moving_psnr_db: Over the moving region [dB]; None where nothing moves.
        lpips: Perceptual distance; None where it was not taken.
    """

    time_s: float
    psnr_db: float
    ms_ssim: float
    moving_psnr_db: float | None
    lpips: float | None


@dataclass(slots=True)
class PooledPsnr:
    """The PSNR over regions of many pictures, taken as one large picture.

    The mean of the pictures' values would count a picture in which three pixels move as much as one in which half
    of them do.

    Attributes:
        squared_error: Sum over all samples so far.
        samples: Number of samples so far.
    """

    squared_error: int = 0
    samples: int = 0

    def add(self, region: NDArray[np.bool_], source: NDArray[np.uint8], picture: NDArray[np.uint8]) -> None:
        """Take the pixels of a region (H, W) of two pictures (H, W, 3)."""
        difference = source[region].astype(np.int32) - picture[region]
        self.squared_error += int(np.sum(difference * difference))
        self.samples += difference.size

    @property
    def db(self) -> float | None:
        """The value [dB], at most 100; None without samples."""
        if not self.samples:
            return None
        if not self.squared_error:
            return PSNR_CAP_DB
        return min(PSNR_CAP_DB, 10 * math.log10(255**2 * self.samples / self.squared_error))


@dataclass(slots=True)
class ScoreKeeper:
    """Compares the picture on show with the source at one instant after another.

    Attributes:
        lpips: The perceptual metric; None where its weights are missing.
        scores: One an instant.
        moving: PSNR over all moving regions together.
        moved: Instants at which the moving region of the source had changed by more than one grey level on average
            since the instant before.
        distinct: Those of them at which the same region of the picture on show had changed as much.
    """

    lpips: Lpips | None = None
    scores: list[InstantScore] = field(default_factory=list)
    moving: PooledPsnr = field(default_factory=PooledPsnr)
    moved: int = 0
    distinct: int = 0
    _before: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = None
    _shown: NDArray[np.uint8] | None = None
    _came: int = 0  # pictures that came on show
    _waited: int = 0  # instants before the first of them

    def take(
        self, time_ns: int, source: NDArray[np.uint8], moving: NDArray[np.bool_], shown: NDArray[np.uint8] | None
    ) -> NDArray[np.uint8]:
        """Score one instant and return what was on show: mid-grey before the first picture.

        Args:
            time_ns: Time since the capture of the first frame.
            source: (H, W, 3) uint8, RGB.
            moving: (H, W) bool, the source's moving region.
            shown: (H, W, 3) uint8, RGB; None before the first picture. A picture that stays on show is the same
                object again.
        """
        picture = visible(shown, source)
        here = PooledPsnr()
        here.add(moving, source, picture)
        self.moving.squared_error += here.squared_error
        self.moving.samples += here.samples
        sampled = self.lpips is not None and len(self.scores) % LIVE_LPIPS_EVERY == LIVE_LPIPS_EVERY - 1
        self.scores.append(
            InstantScore(
                time_s=time_ns / 1e9,
                psnr_db=psnr_db(source, picture),
                ms_ssim=ms_ssim(source, picture),
                moving_psnr_db=here.db,
                lpips=self.lpips.distance(source, picture) if self.lpips is not None and sampled else None,
            )
        )
        self._came += shown is not None and shown is not self._shown
        self._waited += self._came == 0
        self._shown = shown
        if self._before is not None and moving.any() and _changed(moving, self._before[0], source):
            self.moved += 1
            self.distinct += _changed(moving, self._before[1], picture)
        self._before = source, picture
        return picture

    @property
    def first_picture_s(self) -> float | None:
        """First instant at which a picture with an MS-SSIM of at least 0.65 is on show [s]; None if there was none."""
        shown = self.scores[self._waited :]  # grey is no picture, however grey the scene
        return next((score.time_s for score in shown if score.ms_ssim >= RECOGNIZABLE_MS_SSIM), None)

    @property
    def shown_fps(self) -> float:
        """Pictures that came on show per second, from the first one on; 0 if there was none."""
        return _INSTANTS_PER_S * self._came / (len(self.scores) - self._waited) if self._came else 0.0

    @property
    def distinct_fps(self) -> float | None:
        """Distinct pictures per second in which the source moved; None if it never did."""
        return _INSTANTS_PER_S * self.distinct / self.moved if self.moved else None


@dataclass(frozen=True, slots=True)
class LiveSeries:
    """Scores over time, one for each display instant; all lists are of equal length.

    Attributes:
        t_s: Time since the capture of the first frame [s].
        psnr_db: PSNR of the whole picture [dB].
        ms_ssim: MS-SSIM of the whole picture.
        moving_psnr_db: PSNR over the moving region [dB]; None where nothing moves.
        lpips: Perceptual distance; None where it was not taken.
    """

    t_s: Sequence[float]
    psnr_db: Sequence[float]
    ms_ssim: Sequence[float]
    moving_psnr_db: Sequence[float | None]
    lpips: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class LiveScores:
    """The scores of a whole run.

    Attributes:
        psnr_db: Mean over the instants of the PSNR of the whole picture [dB].
        ms_ssim: Mean over the instants, whole picture.
        lpips: Mean over the instants at which it was taken, one a second; None without weights.
        lpips_last_third: The same over the last third of the run.
        moving_psnr_db: PSNR over the moving pixels of all instants together [dB]; None if nothing moves.
        changed_psnr_db: The same with specks, so that it compares with figures published elsewhere.
        moving_share: Share of the pixels that move, mean over the instants.
        first_picture_s: First instant with an MS-SSIM of at least 0.65 [s]; None if there was none.
        shown_fps: Pictures that came on show per second, from the first one on; 0 if there was none.
        distinct_fps: Pictures with new motion per second in which the source moved; None if it never did.
        moved_s: Time in which the source moved [s].
        series: The scores over time.
    """

    psnr_db: float
    ms_ssim: float
    lpips: float | None
    lpips_last_third: float | None
    moving_psnr_db: float | None
    changed_psnr_db: float | None
    moving_share: float
    first_picture_s: float | None
    shown_fps: float
    distinct_fps: float | None
    moved_s: float
    series: LiveSeries


def score_live(
    source: ClipSource, shown: Iterable[NDArray[np.uint8] | None], delay_s: float, *, lpips: Lpips | None = None
) -> LiveScores:
    """Compare what was on show at every display instant with the source a play-out delay earlier.

    Args:
        source: The frames. Instant k is the time of frame k; before the delay is over, frame 0 is compared.
        shown: For each frame of the source one picture (H, W, 3) uint8, None before the first, which counts as
            mid-grey. A picture that stays on show is the same object again.
        delay_s: One constant for the whole run [s].
        lpips: The perceptual metric; taken once a second, because it is slow.

    Raises:
        ValueError: There is not one picture for each frame.
    """
    keeper = ScoreKeeper(lpips)
    changed = PooledPsnr()
    shares = []
    for k, (_, pixels) in enumerate(zip(source.frames, shown, strict=True)):
        compared = source.delayed(k, delay_s)
        moving = source.moving(compared)
        picture = keeper.take(k * FRAME_INTERVAL_NS, source.frames[compared], moving, pixels)
        changed.add(source.changed(compared), source.frames[compared], picture)
        shares.append(float(moving.mean()))
    return LiveScores(
        psnr_db=fmean(score.psnr_db for score in keeper.scores),
        ms_ssim=fmean(score.ms_ssim for score in keeper.scores),
        lpips=_mean(score.lpips for score in keeper.scores),
        lpips_last_third=mean_of_last_third([score.lpips for score in keeper.scores]),
        moving_psnr_db=keeper.moving.db,
        changed_psnr_db=changed.db,
        moving_share=fmean(shares),
        first_picture_s=keeper.first_picture_s,
        shown_fps=keeper.shown_fps,
        distinct_fps=keeper.distinct_fps,
        moved_s=keeper.moved / _INSTANTS_PER_S,
        series=_series(keeper.scores),
    )


def visible(shown: NDArray[np.uint8] | None, like: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return what is to be seen: mid-grey, as large as another picture, before the first picture."""
    return np.full_like(like, _MID_GREY) if shown is None else shown


def _series(scores: Sequence[InstantScore]) -> LiveSeries:
    return LiveSeries(
        t_s=[score.time_s for score in scores],
        psnr_db=[score.psnr_db for score in scores],
        ms_ssim=[score.ms_ssim for score in scores],
        moving_psnr_db=[score.moving_psnr_db for score in scores],
        lpips=[score.lpips for score in scores],
    )


def _changed(region: NDArray[np.bool_], before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    """Whether a region's mean absolute difference is more than one grey level."""
    return float(np.mean(np.abs(before[region].astype(np.int16) - after[region]))) > _CHANGED_LEVELS


def mean_of_last_third(values: Sequence[float | None]) -> float | None:
    """Return the mean of what was taken in the last third of a run, of one value or None for each instant."""
    return _mean(values[math.ceil(len(values) * 2 / 3) :])


def _mean(values: Iterable[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return fmean(present) if present else None

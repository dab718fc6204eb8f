"""What a back-channel is worth: octets to the same quality, with acknowledgements and without."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pantel_bench.live.scoring import LiveSeries, score_live
from pantel_bench.live.source import FRAME_INTERVAL_NS, ClipSource
from pantel_bench.rig.run import Findings
from pantel_bench.rig.settings import PLAYOUT_DELAY_NS, RigSettings
from pantel_bench.rig.virtual_run import VirtualRun
from pantel_device.progress import progress

__all__ = ["BackChannel", "Goal", "Way", "compare_back_channel", "one_way"]

_WINDOW = 50  # instants whose mean counts as the quality at the last of them: 5 s


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """One of the two runs that are compared.

    Attributes:
        series: Its scores over time.
        findings: What both ends have measured.
    """

    series: LiveSeries
    findings: Findings

    def octets_until(self, instant: int) -> tuple[int, int]:
        """Return the octets forward and back until an instant."""
        time_ns = self.findings.sender.start_ns + instant * FRAME_INTERVAL_NS
        return (
            self.findings.sender.meter.octets_until(time_ns),
            self.findings.receiver.meter.octets_until(time_ns),
        )


@dataclass(frozen=True, slots=True)
class Goal:
    """A quality that both runs come to, and what they take for it.

    Attributes:
        value: Mean over the last 5 s of the run without a back-channel, or of the other if that is worse.
        octets_without: Forward octets until the run without one has come to it, to stay.
        octets_with: The same of the run with one.
        octets_back: What went back until then.
        saved: By which share fewer octets went forward.
        saved_both_ways: The same, with what went back counted.
    """

    value: float
    octets_without: int
    octets_with: int
    octets_back: int
    saved: float
    saved_both_ways: float


@dataclass(frozen=True, slots=True)
class BackChannel:
    """What the back-channel took, and what it was worth.

    Attributes:
        acknowledge_s: Time between two acknowledgements [s].
        octets: Written to the receiver's port.
        mean_bps: The same, over all of the run [bit/s].
        psnr_db, ms_ssim, ms_ssim_last_5s: Of the run without one.
        to_ms_ssim, to_psnr_db: Octets to the same quality.
    """

    acknowledge_s: float
    octets: int
    mean_bps: float
    psnr_db: float
    ms_ssim: float
    ms_ssim_last_5s: float
    to_ms_ssim: Goal
    to_psnr_db: Goal


def one_way(settings: RigSettings, source: ClipSource) -> Way:
    """Return the same run without a back-channel."""
    delay_s = PLAYOUT_DELAY_NS / 1e9
    with (
        progress(len(source), "the same one way", every_s=5) as done,
        closing(VirtualRun(replace(settings, acknowledge_s=0.0))) as run,
    ):
        scores = score_live(source, _pixels(run, done), delay_s)
        return Way(scores.series, run.findings())


def _pixels(run: VirtualRun, done: Callable[[str], None]) -> Iterator[NDArray[np.uint8] | None]:
    for showing in run.showings():
        yield showing.pixels
        done(f"{showing.time_ns / 1e9:.1f} s")


def compare_back_channel(settings: RigSettings, without: Way, with_one: Way) -> BackChannel:
    """Compare a run with a back-channel to one without."""
    octets = with_one.findings.receiver.meter.octets
    return BackChannel(
        acknowledge_s=settings.acknowledge_s,
        octets=octets,
        mean_bps=8 * octets / settings.seconds,
        psnr_db=float(np.mean(without.series.psnr_db)),
        ms_ssim=float(np.mean(without.series.ms_ssim)),
        ms_ssim_last_5s=float(np.mean(without.series.ms_ssim[-_WINDOW:])),
        to_ms_ssim=_goal(without, with_one, without.series.ms_ssim, with_one.series.ms_ssim),
        to_psnr_db=_goal(without, with_one, without.series.psnr_db, with_one.series.psnr_db),
    )


def _goal(without: Way, with_one: Way, plain: Sequence[float], acknowledged: Sequence[float]) -> Goal:
    qualities = [_windowed(plain), _windowed(acknowledged)]
    value = min(quality[-1] for quality in qualities)
    plain_octets, _ = without.octets_until(_reached(qualities[0], value))
    octets, back = with_one.octets_until(_reached(qualities[1], value))
    return Goal(
        value=float(value),
        octets_without=plain_octets,
        octets_with=octets,
        octets_back=back,
        saved=1 - octets / plain_octets,
        saved_both_ways=1 - (octets + back) / plain_octets,
    )


def _windowed(scores: Sequence[float]) -> NDArray[np.float64]:
    """Return the mean of the scores over the window that ends at each instant; shorter at the beginning."""
    sums = np.concatenate([[0.0], np.cumsum(np.asarray(scores, np.float64))])
    ends = np.arange(1, len(sums))
    begins = np.maximum(ends - _WINDOW, 0)
    means: NDArray[np.float64] = (sums[ends] - sums[begins]) / (ends - begins)
    return means


def _reached(qualities: NDArray[np.float64], value: float) -> int:
    """Return the instant from which on a quality is kept to the end."""
    below = np.nonzero(qualities < value)[0]
    return min(int(below[-1]) + 1, len(qualities) - 1) if below.size else 0

"""What a back-channel is worth: octets to the same quality, with acknowledgements and without."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from pantel_bench.live.scoring import LiveScores, score_live
from pantel_bench.live.source import ClipSource
from pantel_bench.rig.run import Findings
from pantel_bench.rig.settings import RigSettings
from pantel_bench.rig.virtual_run import VirtualRun
from pantel_device.progress import progress

__all__ = ["BackChannel", "LineRow", "compare_back_channel", "make_row", "measure_row"]

_SHARES = (0.75,)  # of the bit rate, at which the run with acknowledgements is repeated


@dataclass(frozen=True, slots=True)
class LineRow:
    """A run of the same scene over a line.

    Attributes:
        bitrate_bps: Rate of the line.
        acknowledge_s: Time between two acknowledgements [s]; 0 for none.
        wire_octets: Written to the sender's port.
        back_octets: Written to the receiver's port.
        psnr_db, moving_psnr_db, ms_ssim: As of any run: means over all of it.
        psnr_db_last_third, ms_ssim_last_third: Means over the last third of it.
    """

    bitrate_bps: int
    acknowledge_s: float
    wire_octets: int
    back_octets: int
    psnr_db: float
    moving_psnr_db: float | None
    ms_ssim: float
    psnr_db_last_third: float
    ms_ssim_last_third: float


@dataclass(frozen=True, slots=True)
class BackChannel:
    """What goes back, and what it is worth.

    The runs with acknowledgements are made at several bit rates. Between them, in the logarithm of octets, the octets
    are looked for with which the quality that is reached, mean of the last third, is that of the run without. Nothing
    is said beyond them: what is better even at the lowest bit rate saves at least that much.

    Attributes:
        octets: Written to the receiver's port.
        mean_bps: The same, over all of the run [bit/s].
        rows: The run without acknowledgements, then those with them, at the same bit rate and at lower ones.
        saved_by_ms_ssim: By which share fewer octets go forward for the same MS-SSIM.
        saved_by_psnr: The same for the PSNR.
        saved_by_ms_ssim_both_ways, saved_by_psnr_both_ways: The same, with what goes back counted.
    """

    octets: int
    mean_bps: float
    rows: Sequence[LineRow]
    saved_by_ms_ssim: float
    saved_by_psnr: float
    saved_by_ms_ssim_both_ways: float
    saved_by_psnr_both_ways: float


def make_row(settings: RigSettings, scores: LiveScores, findings: Findings) -> LineRow:
    """Return the row of a run."""
    third = len(scores.series.t_s) // 3
    return LineRow(
        bitrate_bps=settings.bitrate_bps,
        acknowledge_s=settings.acknowledge_s,
        wire_octets=findings.sender.meter.octets,
        back_octets=findings.receiver.meter.octets,
        psnr_db=scores.psnr_db,
        moving_psnr_db=scores.moving_psnr_db,
        ms_ssim=scores.ms_ssim,
        psnr_db_last_third=fmean(scores.series.psnr_db[-third:]),
        ms_ssim_last_third=fmean(scores.series.ms_ssim[-third:]),
    )


def measure_row(settings: RigSettings, source: ClipSource) -> LineRow:
    """Make a run and return its row.

    Raises:
        CameraError: The camera cannot be opened.
        DetectorError: The sender's detector cannot be used.
    """
    back = f"acknowledged every {settings.acknowledge_s:g} s" if settings.acknowledge_s else "one way"
    with (
        progress(len(source), f"{settings.bitrate_bps} bit/s, {back}", every_s=5) as done,
        closing(VirtualRun(settings)) as run,
    ):
        scores = score_live(source, _pixels(run, done), settings.playout_delay_s)
        return make_row(settings, scores, run.findings())


def compare_back_channel(settings: RigSettings, source: ClipSource, acknowledged: LineRow) -> BackChannel:
    """Compare a run with acknowledgements to one without.

    Args:
        settings: Of the run.
        source: What was sent.
        acknowledged: What came of it.

    Raises:
        CameraError: The camera cannot be opened.
        DetectorError: The sender's detector cannot be used.
    """
    without = measure_row(replace(settings, acknowledge_s=0.0), source)
    rates_bps = [round(share * settings.bitrate_bps) for share in _SHARES]
    slower = [measure_row(replace(settings, bitrate_bps=each), source) for each in rates_bps]
    rows = [acknowledged, *slower]
    return BackChannel(
        octets=acknowledged.back_octets,
        mean_bps=8 * acknowledged.back_octets / settings.seconds,
        rows=(without, *rows),
        saved_by_ms_ssim=_saved(without, rows, lambda row: row.ms_ssim_last_third, _forward),
        saved_by_psnr=_saved(without, rows, lambda row: row.psnr_db_last_third, _forward),
        saved_by_ms_ssim_both_ways=_saved(without, rows, lambda row: row.ms_ssim_last_third, _both_ways),
        saved_by_psnr_both_ways=_saved(without, rows, lambda row: row.psnr_db_last_third, _both_ways),
    )


def _forward(row: LineRow) -> int:
    return row.wire_octets


def _both_ways(row: LineRow) -> int:
    return row.wire_octets + row.back_octets


def _saved(
    without: LineRow, rows: Sequence[LineRow], quality: Callable[[LineRow], float], octets: Callable[[LineRow], int]
) -> float:
    """Return by which share fewer octets lead to the same quality."""
    rising = sorted(rows, key=octets)
    logarithms = np.log([octets(row) for row in rising])
    qualities = np.maximum.accumulate([quality(row) for row in rising])
    needed = float(np.exp(np.interp(quality(without), qualities, logarithms)))
    return 1 - needed / octets(without)


def _pixels(run: VirtualRun, done: Callable[[str], None]) -> Iterator[NDArray[np.uint8] | None]:
    for showing in run.showings():
        yield showing.pixels
        done(f"{showing.time_ns / 1e9:.1f} s")

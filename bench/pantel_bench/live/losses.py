"""What is left of a run when packets of it are lost: the same sending, under many patterns of losses.

A sender to which nobody answers sends the same whatever is lost. So its run is recorded on a line without losses, and
replayed with some of its codewords missing: one pattern says little, because it matters most whose introduction it
hits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from pantel_bench.live.scoring import score_live
from pantel_bench.live.showings import replayed_showings
from pantel_bench.live.source import ClipSource
from pantel_link.captures import CaptureEvent, impair
from pantel_models import View

__all__ = ["LossRow", "measure_losses"]


@dataclass(frozen=True, slots=True)
class LossRow:
    """Means over some patterns of losses, in the faithful view.

    Attributes:
        loss: Probability with which each packet is lost.
        patterns: How many there were, with the seeds 1 to that number.
        psnr_db: PSNR of the whole picture [dB].
        ms_ssim: Of the whole picture.
        moving_psnr_db: PSNR over what moves [dB]; None if nothing does.
        worst_moving_psnr_db: The same of the worst pattern.
    """

    loss: float
    patterns: int
    psnr_db: float
    ms_ssim: float
    moving_psnr_db: float | None
    worst_moving_psnr_db: float | None


def measure_losses(
    events: Sequence[CaptureEvent], source: ClipSource, delay_s: float, losses: Sequence[float], patterns: int
) -> Iterator[LossRow]:
    """Replay a run with losses, and score what is on show.

    Args:
        events: The capture of a run without losses, on a clock that began with the first frame.
        source: What was sent.
        delay_s: Play-out delay.
        losses: Probabilities.
        patterns: How many patterns for each of them.
    """
    for loss in losses:
        scores = [
            score_live(
                source,
                replayed_showings(list(impair(events, loss=loss, seed=seed)), len(source), View.FAITHFUL),
                delay_s,
            )
            for seed in range(1, patterns + 1)
        ]
        moving = [each.moving_psnr_db for each in scores if each.moving_psnr_db is not None]
        yield LossRow(
            loss=loss,
            patterns=patterns,
            psnr_db=fmean(each.psnr_db for each in scores),
            ms_ssim=fmean(each.ms_ssim for each in scores),
            moving_psnr_db=fmean(moving) if moving else None,
            worst_moving_psnr_db=min(moving, default=None),
        )

"""Where we stand among the peers of a clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from pantel_bench.live.peer_row import PeerRow
from pantel_bench.live.scoring import LiveSeries

__all__ = ["MEDIAN_SO_FAR", "BestPeer", "Lead", "best_peers", "lead_over_median"]

MEDIAN_SO_FAR = "avif-median-so-far"
"""The peer that shows, every second, an AVIF of the temporal median in all the octets that the line has carried."""

_LEAD_FROM_S = 15.0


@dataclass(frozen=True, slots=True)
class BestPeer:
    """The best values among the peers under the same rules, each from whichever peer has it.

    Attributes:
        variant: Under which rules.
        moving_psnr_db: Highest PSNR of moving pixels [dB]; None if nothing moves.
        moving_psnr_peer: Whose it is.
        lpips_last_third: Lowest LPIPS of the last third; None without weights.
        lpips_peer: Whose it is.
    """

    variant: str
    moving_psnr_db: float | None
    moving_psnr_peer: str | None
    lpips_last_third: float | None
    lpips_peer: str | None


@dataclass(frozen=True, slots=True)
class Lead:
    """How far we are ahead of the median that fits into as many octets, from 15 s on.

    Attributes:
        mean_db: Mean difference of the PSNR of the whole picture [dB]; more than 0 is ahead.
        share: Share of the instants at which we are not behind, 0 to 1.
    """

    mean_db: float
    share: float


def best_peers(rows: Sequence[PeerRow]) -> list[BestPeer]:
    """Return the best values for each variant; backgrounds in which nothing moves do not compete."""
    moving = [row for row in rows if row.kbps > 0 and row.peer != MEDIAN_SO_FAR]
    variants = dict.fromkeys(row.variant for row in moving)
    return [_best(variant, [row for row in moving if row.variant == variant]) for variant in variants]


def lead_over_median(series: LiveSeries, rows: Sequence[PeerRow]) -> Lead | None:
    """Return how far we are ahead of the median so far; None if it is not among the peers or the run was too short."""
    median = next((row.series.psnr_db for row in rows if row.peer == MEDIAN_SO_FAR), None)
    if median is None:
        return None
    pairs = zip(series.t_s, series.psnr_db, median, strict=True)
    ahead_db = [ours - theirs for time_s, ours, theirs in pairs if time_s >= _LEAD_FROM_S]
    if not ahead_db:
        return None
    return Lead(fmean(ahead_db), sum(each >= 0 for each in ahead_db) / len(ahead_db))


def _best(variant: str, rows: Sequence[PeerRow]) -> BestPeer:
    moving = [(row.moving_psnr_db, row.peer) for row in rows if row.moving_psnr_db is not None]
    perceived = [(row.lpips_last_third, row.peer) for row in rows if row.lpips_last_third is not None]
    highest_db, highest = max(moving, default=(None, None))
    lowest_lpips, lowest = min(perceived, default=(None, None))
    return BestPeer(variant, highest_db, highest, lowest_lpips, lowest)

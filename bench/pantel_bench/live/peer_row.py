"""What a report tells of a peer: the keys of our own figures, where they mean the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pantel_bench.live.scoring import LiveScores, LiveSeries

__all__ = ["PeerRow"]


@dataclass(frozen=True, slots=True)
class PeerRow:
    """One way in which a peer shows a clip; the scores are those of `LiveScores`.

    Attributes:
        peer: Name of the codec or method.
        variant: ``ideal`` (it pays for nothing) or ``delivered`` (its octets cross the line).
        settings: With which it was best.
        kbps: Octets that were counted, over the length of the run [kbit/s]; 0 if it sends nothing.
        object_recall: Share of the objects that a judge finds again; None without a judge.
    """

    peer: str
    variant: str
    settings: Mapping[str, float | int | str]
    kbps: float
    psnr_db: float
    ms_ssim: float
    moving_psnr_db: float | None
    changed_psnr_db: float | None
    lpips: float | None
    lpips_last_third: float | None
    first_picture_s: float | None
    shown_fps: float
    distinct_fps: float | None
    object_recall: float | None
    series: LiveSeries

    @classmethod
    def of(
        cls,
        peer: str,
        variant: str,
        scores: LiveScores,
        *,
        kbps: float,
        settings: Mapping[str, float | int | str],
        object_recall: float | None = None,
    ) -> PeerRow:
        """Return the row of a peer with these scores."""
        return cls(
            peer=peer,
            variant=variant,
            settings=settings,
            kbps=kbps,
            psnr_db=scores.psnr_db,
            ms_ssim=scores.ms_ssim,
            moving_psnr_db=scores.moving_psnr_db,
            changed_psnr_db=scores.changed_psnr_db,
            lpips=scores.lpips,
            lpips_last_third=scores.lpips_last_third,
            first_picture_s=scores.first_picture_s,
            shown_fps=scores.shown_fps,
            distinct_fps=scores.distinct_fps,
            object_recall=object_recall,
            series=scores.series,
        )

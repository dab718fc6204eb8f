"""What a run with many masts is asked to do."""

from __future__ import annotations

from dataclasses import dataclass

from pantel_link.pacing import DEFAULT_BITRATE_BPS

__all__ = ["CALLSIGN", "SIZE_PX", "MastsSettings"]

CALLSIGN = "N0CALL"
SIZE_PX = (320, 240)


@dataclass(frozen=True, slots=True)
class MastsSettings:
    """One run.

    Attributes:
        masts: How many send.
        lines: Over how many lines. With as many as masts, each mast has a line of octets to itself; with fewer, masts
            share lines on which packets arrive whole, as behind a modem.
        watched: How many of them are drawn.
        seconds: How long they send [s].
        scenes: How many different scenes they tell.
        scene_s: How much of each is encoded [s]; then it is told again.
        bitrate_bps: Of each mast.
    """

    masts: int = 32
    lines: int = 32
    watched: int = 4
    seconds: float = 600.0
    scenes: int = 4
    scene_s: float = 60.0
    bitrate_bps: int = DEFAULT_BITRATE_BPS

    @property
    def shared(self) -> bool:
        """Whether masts share lines."""
        return self.lines < self.masts

"""Tone: by how much the whole background is brighter or darker than it was told, as a curve over time.

Cameras follow what they see with their exposure, and clouds pass. One element that dims the whole background costs less
than telling the background anew.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass

__all__ = ["TONE_LIMIT", "TONE_STEPS_PER_OCTAVE", "Tone", "ToneCurve"]

TONE_STEPS_PER_OCTAVE = 32
TONE_LIMIT = 31
"""Gains are told in steps of 1/32 octave, from minus to plus this."""

_MAX_TONES = 32

Gains = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Tone:
    """Gains of red, green and blue at a time, in octaves."""

    time_ns: int
    octaves: Gains


class ToneCurve:
    """Tones in order of time; between two of them the gains change evenly, before and behind all they stay.

    Attributes:
        tones: The newest 32.
    """

    def __init__(self) -> None:
        self.tones: list[Tone] = []

    def add(self, tone: Tone) -> None:
        """Insert a tone; one of the same time replaces the older."""
        index = bisect.bisect_left(self.tones, tone.time_ns, key=lambda each: each.time_ns)
        same = index < len(self.tones) and self.tones[index].time_ns == tone.time_ns
        self.tones[index : index + same] = [tone]
        del self.tones[:-_MAX_TONES]

    def at(self, time_ns: int) -> Gains:
        """Return the gains at a time [octave]."""
        if not self.tones:
            return (0.0, 0.0, 0.0)
        index = bisect.bisect_right(self.tones, time_ns, key=lambda each: each.time_ns)
        if index == 0 or index == len(self.tones):
            return self.tones[min(index, len(self.tones) - 1)].octaves
        first, second = self.tones[index - 1], self.tones[index]
        share = (time_ns - first.time_ns) / (second.time_ns - first.time_ns)
        red, green, blue = (
            (1 - share) * one + share * two for one, two in zip(first.octaves, second.octaves, strict=True)
        )
        return red, green, blue

"""Which kind of news goes next, where several want to: fair by weight, and nobody is starved.

IDENT packets are not asked for: `LinkSender` sends them when they are due, before anything else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import IntEnum

__all__ = ["FairShare", "TrafficClass"]


class TrafficClass(IntEnum):
    """Kinds of news; where they are level, the lower goes first."""

    MESSAGE = 0
    """Telemetry, text and replies."""
    SCENE = 1
    """Objects, contours and cells; the scene encoder weighs them against each other."""
    STILL = 2
    """The content of a still, and the repair symbols that it is expected to need."""
    REPAIR = 3
    """More repair symbols: only when nobody else has anything to say."""


class FairShare:
    """Stride scheduling (Waldspurger and Weihl, 1995): who has had least for its weight goes next.

    A class that had nothing to say has saved nothing up: it begins where the others are.

    Args:
        weights: Share of the air of each class, above 0; `REPAIR` needs none.
    """

    def __init__(self, weights: Mapping[TrafficClass, float]) -> None:
        if any(weight <= 0 for weight in weights.values()):
            raise ValueError("shares of the air must be positive")
        self._weights = dict(weights)
        self._had = dict.fromkeys(weights, 0.0)
        self._wanted: set[TrafficClass] = set()

    def choose(self, wanting: Collection[TrafficClass]) -> TrafficClass | None:
        """Return who goes next; None if nobody wants to."""
        weighted = {each for each in wanting if each in self._weights}
        if not weighted:
            self._wanted = set()
            return min(wanting, default=None)
        staying = weighted & self._wanted
        if staying:
            least = min(self._had[each] for each in staying)
            for newcomer in weighted - staying:
                self._had[newcomer] = max(self._had[newcomer], least)
        self._wanted = weighted
        return min(weighted, key=lambda each: (self._had[each], each))

    def charge(self, each: TrafficClass, octets: int) -> None:
        """Note what a class has had."""
        if each in self._weights:
            self._had[each] += octets / self._weights[each]

"""Which kind of news goes next, where several want to: alarms, then fair by weight, and nobody is starved.

IDENT packets are not asked for: `LinkSender` sends them when they are due, before anything else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import IntEnum

__all__ = ["FairShare", "TrafficClass"]

# What alarms may have before others had as much: 16 live packets of a stream, 6.4 s at 960 bit/s.
_ALARM_BURST_OCTETS = 16 * 48


class TrafficClass(IntEnum):
    """Kinds of news; where they are level, the lower goes first."""

    ALARM = 0
    """Before everything else, as long as alarms keep to half of the air."""
    MESSAGE = 1
    """Telemetry, text and replies."""
    SCENE = 2
    """Objects, contours and cells; the scene encoder weighs them against each other."""
    STILL = 3
    """The content of a still, and the repair symbols that it is expected to need."""
    REPAIR = 4
    """More repair symbols: only when nobody else has anything to say."""


class FairShare:
    """Alarms first; then stride scheduling (Waldspurger and Weihl, 1995): who has had least for its weight goes next.

    A class that had nothing to say has saved nothing up: it begins where the others are.

    Alarms wait for nobody's share, but whatever raises them without end must not take the picture away. So they may
    have as many octets as the others, and 768 more: 16 live packets go out in a row, and then, while others have
    anything to say, every other packet is theirs. That is half of the air, and of any minute at 960 bit/s at most 56 %.

    Args:
        weights: Share of the air of each class, above 0; `ALARM` and `REPAIR` need none.
    """

    def __init__(self, weights: Mapping[TrafficClass, float]) -> None:
        if any(weight <= 0 for weight in weights.values()):
            raise ValueError("shares of the air must be positive")
        self._weights = dict(weights)
        self._had = dict.fromkeys(weights, 0.0)
        self._wanted: set[TrafficClass] = set()
        self._alarm_octets_left = _ALARM_BURST_OCTETS

    def choose(self, wanting: Collection[TrafficClass]) -> TrafficClass | None:
        """Return who goes next; None if nobody wants to."""
        fair = self._choose_by_weight({each for each in wanting if each is not TrafficClass.ALARM})
        if TrafficClass.ALARM in wanting and (self._alarm_octets_left > 0 or fair in {None, TrafficClass.REPAIR}):
            return TrafficClass.ALARM
        return fair

    def charge(self, each: TrafficClass, octets: int) -> None:
        """Note what a class has had."""
        if each is TrafficClass.ALARM:
            self._alarm_octets_left = max(self._alarm_octets_left - octets, 0)
        else:
            self._alarm_octets_left = min(self._alarm_octets_left + octets, _ALARM_BURST_OCTETS)
        if each in self._weights:
            self._had[each] += octets / self._weights[each]

    def _choose_by_weight(self, wanting: Collection[TrafficClass]) -> TrafficClass | None:
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

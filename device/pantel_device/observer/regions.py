"""Which objects are worth telling, and how much each matters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pantel_device.frame import Box, Track
from pantel_device.observer.zones import Zone, ZoneKind

__all__ = ["UNKNOWN", "RegionRules", "Regions"]

UNKNOWN = "unknown"
"""Class of what moves and was not recognized, where an operator names classes."""

_STAYS = 1.5  # an object that is told must be less important by this factor before another takes its place


@dataclass(frozen=True, slots=True)
class RegionRules:
    """What the operator may decide.

    Attributes:
        class_weights: How much objects of a class matter; 1 for those that are not named, 0 not at all.
        zones: Those of interest count.
        min_height: Height of the smallest object, as a share of the picture's.
        dwell_s: How long an object must be in view before it is told [s].
        max_objects: How many are told at a time, those that matter most.
    """

    class_weights: Mapping[str, float] = field(default_factory=dict)
    zones: Sequence[Zone] = ()
    min_height: float = 0.0
    dwell_s: float = 0.0
    max_objects: int = 32

    def weight(self, box: Box, size_px: tuple[int, int]) -> float:
        """Return how much an object matters: by its class and where it stands."""
        weight = self.class_weights.get(box.label or UNKNOWN, 1.0)
        for zone in self.zones:
            if zone.kind is ZoneKind.INTEREST and zone.holds(box, size_px):
                weight *= zone.weight
        return weight


class Regions:
    """Chooses among tracks by rules; who was chosen stays chosen unless others matter clearly more."""

    def __init__(self, rules: RegionRules) -> None:
        self._rules = rules
        self._chosen: frozenset[int] = frozenset()

    def choose(self, tracks: Iterable[Track], size_px: tuple[int, int], now_ns: int) -> tuple[Track, ...]:
        """Return the tracks that are worth telling, with their weights.

        Args:
            tracks: All objects that are followed.
            size_px: Width and height of the picture.
            now_ns: Capture time of the frame.
        """
        rules = self._rules
        wanted = []
        for track in tracks:
            box = track.box
            weight = rules.weight(box, size_px)
            old_enough = now_ns - track.began_ns >= rules.dwell_s * 1e9
            if weight > 0 and old_enough and box.y1 - box.y0 >= rules.min_height * size_px[1]:
                wanted.append(replace(track, weight=weight))
        if len(wanted) > rules.max_objects:
            wanted.sort(key=self._importance, reverse=True)
            wanted = wanted[: rules.max_objects]
        self._chosen = frozenset(track.track_id for track in wanted)
        return tuple(wanted)

    def worth_boxing(self, boxes: Iterable[Box], size_px: tuple[int, int]) -> tuple[Box, ...]:
        """Return the boxes, of what moves or was recognized, that the rules let through."""
        lowest = self._rules.min_height * size_px[1]
        return tuple(box for box in boxes if box.y1 - box.y0 >= lowest and self._rules.weight(box, size_px) > 0)

    def _importance(self, track: Track) -> float:
        """Return weight times size; what goes somewhere counts twice."""
        stays = _STAYS if track.track_id in self._chosen else 1.0
        return stays * track.weight * (2.0 if track.travelled else 1.0) * math.sqrt(track.box.area_px)

"""Alarms: an object of a class that is in a zone, for as long as the operator said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pantel_device.frame import Box, Track, ZoneEvent
from pantel_device.observer.zones import Zone, ZoneKind

__all__ = ["AlarmWatch"]

_GONE_S = 2.0  # an object that is missing for less may only have been hidden


@dataclass(slots=True)
class _Visit:
    """An object in a zone."""

    since_ns: int
    last_ns: int
    box: Box
    raised: bool = False


class AlarmWatch:
    """Watches the alarm zones; each visit of an object raises one alarm."""

    def __init__(self, zones: Sequence[Zone]) -> None:
        self._zones = [zone for zone in zones if zone.kind is ZoneKind.ALARM]
        self._visits: dict[tuple[str, int], _Visit] = {}

    def look(self, tracks: Iterable[Track], size_px: tuple[int, int], now_ns: int) -> list[ZoneEvent]:
        """Return what has begun or ended since the frame before.

        Args:
            tracks: The objects of a frame.
            size_px: Width and height of the picture.
            now_ns: Capture time of the frame.
        """
        events = []
        for track in tracks:
            box = track.box
            for zone in self._zones:
                wanted = box.label in zone.classes if zone.classes else bool(box.label or track.travelled)
                if not wanted or not zone.holds(box, size_px):
                    continue
                visit = self._visits.setdefault((zone.name, track.track_id), _Visit(now_ns, now_ns, box))
                visit.last_ns, visit.box = now_ns, box
                if not visit.raised and now_ns - visit.since_ns >= zone.dwell_s * 1e9:
                    visit.raised = True
                    events.append(ZoneEvent(zone.name, track.track_id, True, now_ns, box))
        for key, visit in list(self._visits.items()):
            if now_ns - visit.last_ns > _GONE_S * 1e9:
                del self._visits[key]
                if visit.raised:
                    events.append(ZoneEvent(key[0], key[1], False, visit.last_ns, visit.box))
        return events

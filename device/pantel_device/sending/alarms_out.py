"""Alarms on their way out: each at once, and twice again, because nobody asks again for what was lost."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from pantel_device.frame import Box, ZoneEvent
from pantel_device.observer.coco import class_id_of
from pantel_device.sending.airtime import News
from pantel_link import LinkSender, PacketKind
from pantel_link.messages import ALARM_NUMBERS, Alarm
from pantel_link.region import REGION_STEPS, Region
from pantel_link.traffic import TrafficClass

__all__ = ["AlarmSender"]

log = logging.getLogger(__name__)

_AGAIN_NS = (2_000_000_000, 8_000_000_000)  # after the first time; a burst of losses is seldom so long
_MAX_WAITING = 16


@dataclass(slots=True)
class _Waiting:
    """An alarm that is still to be sent.

    Attributes:
        number: Of the alarm.
        event: What happened.
        due_ns: When it is to be sent next.
        first_ns: When it was sent for the first time; None before.
        sent: How often it was sent.
    """

    number: int
    event: ZoneEvent
    due_ns: int
    first_ns: int | None = None
    sent: int = 0


class AlarmSender:
    """Sends alarms before everything else, each at once and again 2 s and 8 s after that.

    At most 16 wait. When one more comes, it takes the place of one that has been sent most often, the oldest of those:
    of more than 16 that were never sent the newest are kept.

    Args:
        link: Of the sender: how long payloads are, and when a packet that is built now will leave.
        size_px: Width and height of the picture.

    Attributes:
        dropped: Alarms that were given up before they were sent even once.
    """

    def __init__(self, link: LinkSender, size_px: tuple[int, int]) -> None:
        self._link = link
        self._size_px = size_px
        self._next_number = 0
        self._open: dict[tuple[str, int], int] = {}  # numbers of the alarms of objects that have not left yet
        self._waiting: list[_Waiting] = []
        self.dropped = 0

    def raise_alarm(self, event: ZoneEvent) -> None:
        """Send an alarm as soon as possible.

        Args:
            event: What happened, and when, on the clock of `wants` and `take`.
        """
        number = self._number(event)
        kind = event.box.label or "unknown"
        log.info("alarm number=%d began=%s class=%s zone=%r", number, event.began, kind, event.zone)
        if len(self._waiting) >= _MAX_WAITING:
            left_out = max(self._waiting, key=lambda each: each.sent)
            self._waiting.remove(left_out)
            if left_out.sent == 0:
                self.dropped += 1
                if self.dropped & (self.dropped - 1) == 0:  # at each doubling, so that they do not fill the log
                    log.warning("too many alarms for the line dropped=%d", self.dropped)
        self._waiting.append(_Waiting(number, event, event.time_ns))

    def wants(self, now_ns: int) -> TrafficClass | None:
        """Return `ALARM` when there is one to be sent."""
        return TrafficClass.ALARM if any(each.due_ns <= now_ns for each in self._waiting) else None

    def take(self, now_ns: int) -> News:
        """Return the alarm that is next: new ones before those that were sent already, and the oldest first."""
        due = [each for each in self._waiting if each.due_ns <= now_ns]
        chosen = min(due, key=lambda each: (each.sent, each.due_ns))
        event = chosen.event
        alarm = Alarm(
            number=chosen.number,
            began=event.began,
            class_id=class_id_of(event.box.label),
            age_s=(self._link.stamp_ns(now_ns) - event.time_ns) / 1e9,
            region=_region(event.box, self._size_px),
            zone=event.zone,
        )
        self._sent(chosen, now_ns)
        return News(PacketKind.ALARM, alarm.to_payload(self._link.payload_capacity_bytes))

    def _number(self, event: ZoneEvent) -> int:
        """Return the number of an alarm: that of its coming, if it is about an object that leaves."""
        visit = event.zone, event.track_id
        if not event.began and visit in self._open:
            return self._open.pop(visit)
        number = self._next_number
        self._next_number = (number + 1) % ALARM_NUMBERS
        self._open = {each: taken for each, taken in self._open.items() if taken != number}  # it has come round
        if event.began:
            self._open[visit] = number
        return number

    def _sent(self, alarm: _Waiting, now_ns: int) -> None:
        """Send an alarm again later, or be done with it."""
        if alarm.first_ns is None:
            alarm.first_ns = now_ns
        if alarm.sent < len(_AGAIN_NS):
            alarm.due_ns = alarm.first_ns + _AGAIN_NS[alarm.sent]
            alarm.sent += 1
        else:
            self._waiting.remove(alarm)


def _region(box: Box, size_px: tuple[int, int]) -> Region:
    """Return what a box covers of the picture; of one beyond its border the step beside it."""
    width, height = size_px
    step = 1 / REGION_STEPS
    left, top = (min(max(share, 0.0), 1.0 - step) for share in (box.x0 / width, box.y0 / height))
    right, bottom = (min(max(share, step), 1.0) for share in (box.x1 / width, box.y1 / height))
    return Region(left, top, max(right, left + step), max(bottom, top + step))

"""Alarms as they come in: each is told once, and stays in the picture for a while."""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from dataclasses import dataclass
from itertools import islice

from pantel_device.frame import Box
from pantel_device.observer.coco import label_of
from pantel_link import StreamContext
from pantel_link.messages import Alarm

__all__ = ["AlarmsIn", "ReceivedAlarm"]

log = logging.getLogger(__name__)

_SHOWN_NS = 10_000_000_000
_MAX_SHOWN = 6
_MAX_KEPT = 256
_MAX_KNOWN = 1024
_SAME_NS = 60_000_000_000  # numbers come round, so what happened at quite another time is another alarm


@dataclass(frozen=True, slots=True)
class ReceivedAlarm:
    """An alarm that a mast has raised.

    Attributes:
        callsign: Of the mast.
        number: Of the alarm, modulo 256.
        began: Whether an object came into the zone; False if the one with this number has left it.
        zone: Name of the zone; its end may be missing.
        box: Where the object was [px]; `label` is what it is, "" if that is not known.
        time_ns: When it happened, on the receiver's monotonic clock.
    """

    callsign: str
    number: int
    began: bool
    zone: str
    box: Box
    time_ns: int

    def fields(self, now_ns: int) -> dict[str, str | int | float | None]:
        """Return what an event says of it.

        Args:
            now_ns: Time of the event.
        """
        return {
            "callsign": self.callsign,
            "number": self.number,
            "phase": "began" if self.began else "ended",
            "class": self.box.label or None,
            "zone": self.zone,
            "left_px": round(self.box.x0, 1),
            "top_px": round(self.box.y0, 1),
            "right_px": round(self.box.x1, 1),
            "bottom_px": round(self.box.y1, 1),
            "age_s": round((now_ns - self.time_ns) / 1e9, 1),
            "happened_monotonic_s": round(self.time_ns / 1e9, 3),
        }


class AlarmsIn:
    """Knows which alarms have been told, and which of them belong in the picture."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[StreamContext, int, bool], int] = OrderedDict()
        self._shown: deque[tuple[StreamContext, int, ReceivedAlarm]] = deque(maxlen=_MAX_KEPT)

    def take(self, context: StreamContext, payload: bytes, stamp_ns: int, now_ns: int) -> ReceivedAlarm | None:
        """Take what a packet tells; return the alarm, None if it was told before.

        Args:
            context: Stream of the packet.
            payload: Its payload.
            stamp_ns: Its time stamp, on the receiver's monotonic clock.
            now_ns: That clock's time.

        Raises:
            AlarmError: The payload makes no sense.
        """
        alarm = Alarm.from_payload(payload)
        time_ns = stamp_ns - round(alarm.age_s * 1e9)
        key = context, alarm.number, alarm.began
        if key in self._known and abs(time_ns - self._known[key]) < _SAME_NS:
            return None
        self._known[key] = time_ns
        self._known.move_to_end(key)
        while len(self._known) > _MAX_KNOWN:
            self._known.popitem(last=False)
        received = ReceivedAlarm(context.callsign, alarm.number, alarm.began, alarm.zone, _box(alarm, context), time_ns)
        if received.began:
            self._shown.append((context, now_ns, received))
        log.warning(
            "alarm callsign=%s sender=%d number=%d began=%s class=%s zone=%r age_s=%.1f",
            received.callsign,
            context.sender,
            received.number,
            received.began,
            received.box.label or "unknown",
            received.zone,
            (now_ns - time_ns) / 1e9,
        )
        return received

    def shown(self, context: StreamContext, now_ns: int) -> tuple[ReceivedAlarm, ...]:
        """Return the alarms of a stream that came in during the last 10 s, the newest first, at most 6.

        They count from when they were heard: of a line with losses, an alarm may be heard 8 s late.
        """
        while self._shown and now_ns - self._shown[0][1] > _SHOWN_NS:
            self._shown.popleft()
        alarms = (alarm for stream, _, alarm in reversed(self._shown) if stream == context)
        return tuple(islice(alarms, _MAX_SHOWN))


def _box(alarm: Alarm, context: StreamContext) -> Box:
    """Return the box in pixels of the stream's picture, with what is in it."""
    region, width, height = alarm.region, context.width_px, context.height_px
    return Box(
        region.left * width, region.top * height, region.right * width, region.bottom * height, label_of(alarm.class_id)
    )

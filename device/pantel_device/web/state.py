"""What the page knows of the link and of what has happened, from readings and events; it has no clock of its own."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any

from pantel_device.receiving.link_reading import LineReading, LinkReading
from pantel_device.receiving.sinks import EventRecord
from pantel_link.statistics import ReceiverStatistics

__all__ = ["EVENTS_KEPT_PER_KIND", "EventRings", "LinkMeter"]

EVENTS_KEPT_PER_KIND = 200
_METERED_NS = 10_000_000_000


class LinkMeter:
    """Makes rates of the last 10 s out of counters that only grow, of each line and of all together.

    Args:
        lines: Name and bit rate of each port, for the time before the first reading.
    """

    def __init__(self, lines: Sequence[tuple[str, int]]) -> None:
        expected = tuple(LineReading(*line, True, 0, ReceiverStatistics()) for line in lines)
        self._expected = LinkReading(0, (), None, expected)
        self._readings: deque[LinkReading] = deque()

    def take_reading(self, reading: LinkReading) -> None:
        """Take the newest counters."""
        self._readings.append(reading)
        while len(self._readings) > 2 and reading.time_ns - self._readings[1].time_ns >= _METERED_NS:
            self._readings.popleft()

    def to_json(self) -> dict[str, Any]:
        """Return the link's state as the page reads it; rates are None before there are two readings."""
        last = self._readings[-1] if self._readings else self._expected
        first = self._readings[0] if self._readings else last
        seconds = (last.time_ns - first.time_ns) / 1e9
        lines = [_line(*pair, seconds) for pair in zip(first.lines, last.lines, strict=True)]
        return {**_line(_together(first), _together(last), seconds), "lines": lines}


def _together(reading: LinkReading) -> LineReading:
    """Return all lines as one; its bit rate is that of the lines that are there, as nothing comes over the others."""
    # The page divides by it, and of a receiver whose only line is gone it still says what that line carries.
    carrying = [line for line in reading.lines if line.up] or reading.lines
    return LineReading(
        ", ".join(line.port for line in reading.lines),
        sum(line.bitrate_bps for line in carrying),
        reading.port_up,
        reading.payloads_damaged,
        reading.statistics,
    )


def _line(first: LineReading, last: LineReading, seconds: float) -> dict[str, Any]:
    before, after = first.statistics, last.statistics
    octets = after.wire_octets - before.wire_octets
    counted = after.since(before)
    return {
        "bitrate_bps": last.bitrate_bps,
        "rate_bps": round(8 * octets / seconds, 1) if seconds else None,
        "bit_error_rate": counted.bit_error_rate,
        "packet_loss": counted.packet_loss,
        "packets_good": after.packets_good,
        "packets_lost": after.packets_lost,
        "codewords_failed": after.codewords_failed,
        "payloads_damaged": last.payloads_damaged,
        "port": last.port,
        "port_up": last.up,
    }


class EventRings:
    """The last 200 events of each kind, numbered from 1 on: frequent ones, such as telemetry, push out no alarm."""

    def __init__(self) -> None:
        self._rings: defaultdict[str, deque[dict[str, Any]]] = defaultdict(lambda: deque(maxlen=EVENTS_KEPT_PER_KIND))
        self._number = 0

    def add(self, record: EventRecord) -> dict[str, Any]:
        """Keep an event and return it with its number."""
        self._number += 1
        event = {**record, "event_number": self._number}
        self._rings[str(record["kind"])].append(event)
        return event

    def newest(self, *, kind: str | None, before: int | None, limit: int) -> list[Mapping[str, Any]]:
        """Return events, the newest first.

        Args:
            kind: Only these; None for all.
            before: Only those with a lower number; None for all.
            limit: Most events.
        """
        rings = self._rings.values() if kind is None else [self._rings[kind]] if kind in self._rings else []
        events = merge(*map(reversed, rings), key=itemgetter("event_number"), reverse=True)
        return list(islice((event for event in events if before is None or event["event_number"] < before), limit))

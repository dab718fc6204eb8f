"""Messages on their way out: lines of text that somebody typed, and telemetry at intervals."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from pantel_device.outbox import Outbox
from pantel_device.sending.airtime import News
from pantel_link import PacketKind
from pantel_link.messages import Telemetry, TextPart, text_parts
from pantel_link.traffic import TrafficClass

__all__ = ["Messages"]

_POLL_NS = 1_000_000_000
_TIMES = 2  # a line is said so often, because nobody asks again for what was lost
_MAX_LINES = 16


class Messages:
    """Says lines from an outbox, each twice, and telemetry at intervals.

    Args:
        payload_octets: Of a live packet.
        outbox: Where lines come from; None if there are none.
        telemetry: Measures; None for nothing.
        telemetry_interval_ns: Time between two measurements.
    """

    def __init__(
        self,
        payload_octets: Callable[[], int],
        *,
        outbox: Outbox | None = None,
        telemetry: Callable[[], Telemetry] | None = None,
        telemetry_interval_ns: int = 60_000_000_000,
    ) -> None:
        self._payload_octets = payload_octets
        self._outbox = outbox
        self._telemetry = telemetry
        self._telemetry_interval_ns = telemetry_interval_ns
        self._next_telemetry_ns: int | None = None
        self._next_look_ns = 0
        self._lines: deque[_Line] = deque()
        self._again: deque[_Line] = deque()
        self._line = _Line("", 0, "", 0)
        self._parts: deque[TextPart] = deque()  # of that line
        self._cut_for_octets = 0
        self._message = 0

    def wants(self, now_ns: int) -> TrafficClass | None:
        """Return `MESSAGE` when there is a line or a measurement to send."""
        if self._next_telemetry_ns is None:
            self._next_telemetry_ns = now_ns + self._telemetry_interval_ns // 2  # the first picture comes first
        if now_ns >= self._next_look_ns:
            self._next_look_ns = now_ns + _POLL_NS
            self._look()
        waiting = self._parts or self._lines or self._again or self._due_telemetry(now_ns)
        return TrafficClass.MESSAGE if waiting else None

    def take(self, now_ns: int) -> News:
        """Return a part of a line, the measurements, or a part of a line for the second time."""
        measure = self._due_telemetry(now_ns)
        if measure is not None and not (self._parts or self._lines):
            self._next_telemetry_ns = now_ns + self._telemetry_interval_ns
            return News(PacketKind.TELEMETRY, measure().to_payload(self._payload_octets()))
        return News(PacketKind.TEXT, self._next_part().to_payload())

    def _due_telemetry(self, now_ns: int) -> Callable[[], Telemetry] | None:
        """Return what measures, if it is time for that."""
        due = self._next_telemetry_ns is not None and now_ns >= self._next_telemetry_ns
        return self._telemetry if due else None

    def _next_part(self) -> TextPart:
        octets = self._payload_octets()
        if not self._parts:
            self._line = (self._lines or self._again).popleft()
        if not self._parts or octets != self._cut_for_octets:  # the line to the receiver may have been changed
            self._parts = deque(text_parts(self._line.message, self._line.text, octets))
            self._cut_for_octets = octets
        part = self._parts.popleft()
        if not self._parts:
            self._said(self._line)
        return part

    def _said(self, line: _Line) -> None:
        """Say a line again later, or be done with it."""
        if line.times > 1:
            self._again.append(replace(line, times=line.times - 1))
        elif self._outbox is not None:
            self._outbox.remove(line.name)

    def _look(self) -> None:
        if self._outbox is None:
            return
        known = {line.name for line in (*self._lines, *self._again, self._line)}
        for name, text in self._outbox.waiting()[:_MAX_LINES]:
            if name not in known:
                self._message += 1
                self._lines.append(_Line(name, self._message, text.strip(), _TIMES))


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of text on its way.

    Attributes:
        name: Of the line in the outbox.
        message: Its number.
        text: It.
        times: How often it is still to be said.
    """

    name: str
    message: int
    text: str
    times: int

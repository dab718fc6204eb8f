"""Time stamps: 10 bits on the wire, unwrapped and mapped to the receiver's clock without UTC.

The sender stamps a packet with the time at which its first octet leaves, on its monotonic clock, in steps of 25 ms
modulo 25.6 s. Between the two clocks lies an unknown offset; each arrival shows it with an additional delay (modems,
scheduling) that is never negative. The smallest difference of the last minute is therefore the best estimate (the
minimum filter of NTP, RFC 5905, section 10), and the window lets it follow the drift of the two quartzes: 100 ppm are
6 ms a minute.
"""

from __future__ import annotations

from collections import deque

__all__ = ["TICK_BITS", "TICK_NS", "StampClock", "tick_of"]

TICK_NS = 25_000_000
TICK_BITS = 10
_TICKS = 1 << TICK_BITS
_WRAP_NS = _TICKS * TICK_NS

# A packet may be up to 19.2 s on its way, and a later one may prove the offset up to 6.4 s too large.
_AHEAD_NS = _WRAP_NS // 4
_FILTER_NS = 60_000_000_000


def tick_of(time_ns: int) -> int:
    """Return the 10 bits that stand for a time on the sender's clock."""
    return time_ns // TICK_NS % _TICKS


class StampClock:
    """Maps the time stamps of one stream to the receiver's monotonic clock.

    The result is late by the delay of the fastest packet of the last minute, and else as fine as the ticks. On a
    line that is faster than the sender's pace it may be early by the sender's burst (0.25 s).
    """

    def __init__(self) -> None:
        self._offset_ns: int | None = None
        # Increasing in both values: (arrival, local time less sender time); the first is the minimum.
        self._differences: deque[tuple[int, int]] = deque()

    def local_time_ns(self, tick: int, arrival_ns: int, air_time_ns: int) -> int:
        """Return when, on the receiver's clock, a packet was begun.

        Args:
            tick: The packet's time stamp, 0..1023.
            arrival_ns: When its last octet arrived.
            air_time_ns: How long its octets occupy the line.
        """
        sent_ns = arrival_ns - air_time_ns
        begun_ns = self._unwrap(tick, sent_ns)
        self._learn(arrival_ns, sent_ns - begun_ns)
        return begun_ns + self._differences[0][1]

    def _unwrap(self, tick: int, sent_ns: int) -> int:
        """Return the sender's time, off by a multiple of 25.6 s that is the same for all packets."""
        if self._offset_ns is None:
            return tick * TICK_NS
        earliest_ns = sent_ns - self._offset_ns + _AHEAD_NS - _WRAP_NS
        return earliest_ns + (tick * TICK_NS - earliest_ns) % _WRAP_NS

    def _learn(self, arrival_ns: int, difference_ns: int) -> None:
        while self._differences and self._differences[-1][1] >= difference_ns:
            self._differences.pop()
        self._differences.append((arrival_ns, difference_ns))
        while self._differences[0][0] < arrival_ns - _FILTER_NS:
            self._differences.popleft()
        self._offset_ns = self._differences[0][1]

"""A receiver whose link is looked at every second, and whenever a packet has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from pantel_device.receiving.link_reading import LineReading, LinkReading
from pantel_device.receiving.receiver import Receiver

__all__ = ["ReadingTaker", "WatchedReceiver"]

_READING_INTERVAL_NS = 1_000_000_000
_SHORTEST_INTERVAL_NS = 100_000_000  # to a reading with a packet, or its age would be told up to a second too high


class ReadingTaker(Protocol):
    """Who is told how the link is, every second and whenever a packet has come."""

    def on_reading(self, reading: LinkReading) -> None:
        """Take the newest reading."""


class WatchedReceiver:
    """Advances a receiver, and reads off what no event tells.

    Args:
        receiver: What to advance.
        takers: Take the readings.
    """

    def __init__(self, receiver: Receiver, takers: Sequence[ReadingTaker]) -> None:
        self._receiver = receiver
        self._takers = tuple(takers)
        self._read_ns: int | None = None
        self._packets = 0

    def advance(self, now_ns: int) -> int:
        """Advance the receiver; see `Receiver.advance`."""
        due_ns = self._receiver.advance(now_ns)
        packets = sum(line.statistics.packets_good for line in self._receiver.lines)
        interval_ns = _READING_INTERVAL_NS if packets == self._packets else _SHORTEST_INTERVAL_NS
        if self._read_ns is None or now_ns - self._read_ns >= interval_ns:
            self._read_ns, self._packets = now_ns, packets
            reading = self._read(now_ns)
            for taker in self._takers:
                taker.on_reading(reading)
        return due_ns

    def _read(self, now_ns: int) -> LinkReading:
        return LinkReading(
            time_ns=now_ns,
            contacts=self._receiver.contacts,
            heard_last=self._receiver.heard_last,
            lines=tuple(
                LineReading(line.name, line.bitrate_bps, line.up, line.payloads_damaged, replace(line.statistics))
                for line in self._receiver.lines
            ),
        )

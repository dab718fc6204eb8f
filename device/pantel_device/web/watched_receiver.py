"""A receiver whose link is looked at every second."""

from __future__ import annotations

from dataclasses import replace

from pantel_device.receiving.receiver import Receiver
from pantel_device.web.hub import Hub, LineReading, LinkReading

__all__ = ["WatchedReceiver"]

_READING_INTERVAL_NS = 1_000_000_000


class WatchedReceiver:
    """Advances a receiver, and reads off every second what no event tells.

    Args:
        receiver: What to advance.
        hub: Takes the readings.
    """

    def __init__(self, receiver: Receiver, hub: Hub) -> None:
        self._receiver = receiver
        self._hub = hub
        self._next_ns: int | None = None

    def advance(self, now_ns: int) -> int:
        """Advance the receiver; see `Receiver.advance`."""
        due_ns = self._receiver.advance(now_ns)
        if self._next_ns is None or now_ns >= self._next_ns:
            self._next_ns = now_ns + _READING_INTERVAL_NS
            self._hub.on_reading(self._read(now_ns))
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

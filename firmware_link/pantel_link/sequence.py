"""Counters of packets: what was lost, what came twice, what came late."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from pantel_link.packet import SEQUENCE_BITS

__all__ = ["Arrival", "CounterTracker", "Order", "earlier"]

_MODULUS = 1 << SEQUENCE_BITS
_HISTORY = 64
_BEHIND = _HISTORY - 1


class Order(Enum):
    """Where a packet stands among those that came before it."""

    NEW = auto()
    DUPLICATE = auto()
    """It has arrived before, or was sent before we listened."""
    STALE = auto()
    """It is so old that nobody knows."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a counter says about its packet.

    Attributes:
        order: Where it stands.
        lost: Packets newly missing; -1 when a missing one arrives after all.
    """

    order: Order
    lost: int = 0


class CounterTracker:
    """Follows the counters of one stream's packets, of which headers tell the lower 10 bits.

    A number up to 63 behind the newest is a late packet or a duplicate; any other lies ahead. Counting starts with the
    first packet heard.

    Attributes:
        newest: Highest counter so far; None before the first packet.
    """

    def __init__(self) -> None:
        self.newest: int | None = None
        self._seen = 0  # bit i: counter newest - i has arrived, or was sent before we listened

    def resume(self, newest: int) -> None:
        """Go on where an earlier run ended: everything up to a counter counts as seen."""
        self.newest = newest
        self._seen = (1 << _HISTORY) - 1

    def extend(self, sequence: int) -> int:
        """Return the counter that a sequence number most likely stands for."""
        return sequence if self.newest is None else _extended(sequence, self.newest - _BEHIND)

    def observe(self, counter: int) -> Arrival:
        """Take the counter of a verified packet."""
        if self.newest is None:
            self.resume(counter)
            return Arrival(Order.NEW)
        behind = self.newest - counter
        if behind >= _HISTORY:
            return Arrival(Order.STALE)
        if behind >= 0:
            if self._seen >> behind & 1:
                return Arrival(Order.DUPLICATE)
            self._seen |= 1 << behind
            return Arrival(Order.NEW, lost=-1)
        self.newest = counter
        # After a gap as long as the history nothing of it is left; Python's integers would grow with the gap.
        self._seen = (self._seen << min(-behind, _HISTORY) | 1) & (1 << _HISTORY) - 1
        return Arrival(Order.NEW, lost=-behind - 1)


def earlier(sequence: int, counter: int) -> int:
    """Return the counter of a packet that arrived before another one: at most 63 ahead of it, or behind.

    It may be negative where the other's counter is only a guess.
    """
    return _extended(sequence, counter + _BEHIND + 1 - _MODULUS)


def _extended(sequence: int, earliest: int) -> int:
    """Return the first counter, from an earliest one on, that ends in a sequence number."""
    return earliest + (sequence - earliest) % _MODULUS

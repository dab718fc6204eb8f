"""Sequence numbers: what was lost, what came twice, what came late."""

from __future__ import annotations

from dataclasses import dataclass

from pantel_link.packet import SEQUENCE_BITS

__all__ = ["Arrival", "SequenceTracker"]

_MODULUS = 1 << SEQUENCE_BITS
_HISTORY = 64


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a sequence number says about its packet.

    Attributes:
        duplicate: The same number has arrived before.
        lost: Packets newly missing; -1 when a missing one arrives after all.
    """

    duplicate: bool
    lost: int


class SequenceTracker:
    """Follows the sequence numbers of one stream, modulo 1024.

    A number up to 63 behind the newest is a late packet or a duplicate; any other lies ahead. Counting starts
    with the first packet heard.
    """

    def __init__(self) -> None:
        self._newest: int | None = None
        self._seen = 0  # bit i: number newest - i has arrived, or was sent before we listened

    def observe(self, sequence: int) -> Arrival:
        """Take the sequence number of a verified packet."""
        if self._newest is None:
            self._newest = sequence
            self._seen = (1 << _HISTORY) - 1
            return Arrival(duplicate=False, lost=0)
        behind = (self._newest - sequence) % _MODULUS
        if behind < _HISTORY:
            if self._seen >> behind & 1:
                return Arrival(duplicate=True, lost=0)
            self._seen |= 1 << behind
            return Arrival(duplicate=False, lost=-1)
        ahead = _MODULUS - behind
        self._newest = sequence
        self._seen = (self._seen << ahead | 1) & (1 << _HISTORY) - 1
        return Arrival(duplicate=False, lost=ahead - 1)

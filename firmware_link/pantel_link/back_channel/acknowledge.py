"""Acknowledgements: which of a mast's packets have been heard.

::

    | rollover 16 | began 16 | heard 32 |

The number of an acknowledgement is the counter of the newest packet heard, so each is newer than the one before and
nothing has to be remembered: a recording tells less than the mast knows already.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from pantel_link.back_channel.command import CommandError
from pantel_link.packet import COUNTER_BITS, SEQUENCE_BITS

__all__ = ["ACKNOWLEDGED_PACKETS", "Acknowledge", "Heard"]

ACKNOWLEDGED_PACKETS = 32
"""So many before the newest are told of one by one: 13 s at 960 bit/s, so two acknowledgements in a row may be lost."""

_PAYLOAD = struct.Struct(">HHI")
_BEGAN_BITS = 16


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """What a receiver has heard.

    Attributes:
        newest: Counter of the newest packet, 26 bits.
        began: Lower 16 bits of the counter of the first packet that it heard since it started: what was told before
            is not known to it, and another start begins elsewhere.
        heard: A bit for each of the 32 packets before the newest, that next to it first (most significant).
    """

    newest: int
    began: int
    heard: int

    def hears(self, counter: int) -> bool | None:
        """Return whether a packet was heard; None where this does not tell."""
        back = self.newest - counter
        if back == 0:
            return True
        if not 0 < back <= ACKNOWLEDGED_PACKETS:
            return None
        return bool(self.heard >> (ACKNOWLEDGED_PACKETS - back) & 1)

    @property
    def began_at(self) -> int:
        """Counter of the first packet heard, if fewer than 65536 packets have gone by since."""
        return max(self.newest - (self.newest - self.began) % (1 << _BEGAN_BITS), 0)

    def to_payload(self) -> bytes:
        """Return the payload of the packet whose counter is `newest`."""
        return _PAYLOAD.pack(self.newest >> SEQUENCE_BITS, self.began, self.heard)

    @classmethod
    def from_payload(cls, payload: bytes, counter: int) -> Acknowledge:
        """Read a payload; zeros behind it are padding.

        Args:
            payload: The payload.
            counter: Of its packet.

        Raises:
            CommandError: It makes no sense.
        """
        try:
            rollover, began, heard = _PAYLOAD.unpack_from(payload)
        except struct.error as error:
            raise CommandError(f"acknowledgement makes no sense: {error}") from error
        if counter >> SEQUENCE_BITS != rollover:
            raise CommandError(f"acknowledgement of packet {counter} tells another rollover, {rollover}")
        return cls(counter, began, heard)


class Heard:
    """Collects what a receiver hears of one stream, to acknowledge it."""

    def __init__(self) -> None:
        self._newest: int | None = None
        self._began = 0
        self._bits = 0
        self._told: int | None = None

    def add(self, counter: int) -> bool:
        """Take note of a packet that was heard and understood; return whether any before it are missing since."""
        steps = 0 if self._newest is None else counter - self._newest
        if self._newest is None:
            self._newest = self._began = counter
        elif steps > 0:
            self._bits = (1 << ACKNOWLEDGED_PACKETS | self._bits) >> min(steps, ACKNOWLEDGED_PACKETS + 1)
            self._newest = counter
        elif 0 < self._newest - counter <= ACKNOWLEDGED_PACKETS:
            self._bits |= 1 << (ACKNOWLEDGED_PACKETS - (self._newest - counter))
        return steps > 1

    def news(self) -> Acknowledge | None:
        """Return what has been heard, once; None unless that is more than was returned before."""
        if self._newest is None or self._newest == self._told or self._newest >> COUNTER_BITS:
            return None
        self._told = self._newest
        return Acknowledge(self._newest, self._began % (1 << _BEGAN_BITS), self._bits)

"""A still on its way out: content first, then as many repair symbols as anybody wants."""

from __future__ import annotations

import math
from functools import cache

from pantel_link.stills.erasure import MAX_CONTENT_SYMBOLS, MAX_SYMBOLS, repair_symbol
from pantel_link.stills.fragment import BLOCKS, FRAGMENT_OCTETS, Fragment

__all__ = ["UTC_OCTETS", "StillBlock", "file_bytes", "repairs_needed", "symbols_of"]

UTC_OCTETS = 4
_ARRIVES = 0.99


class StillBlock:
    """One file in symbols: those of the content, and then repair symbols without end.

    The content is the time of the picture and the file, filled with zeros, which a `.ptl` file does not mind. Repair
    symbols begin anew after the 256th of all; a receiver that has heard that many has the picture.

    Args:
        number: Of the block, counted by the sender.
        data: The file.
        payload_octets: Of each still packet.
        utc_s: When the picture was taken, in seconds since 1970; None when unknown.

    Attributes:
        content_symbols: K.
        sent: Symbols that have been taken so far.

    Raises:
        ValueError: The file does not fit 128 symbols.
    """

    def __init__(self, number: int, data: bytes, payload_octets: int, utc_s: int | None = None) -> None:
        symbol_octets = payload_octets - FRAGMENT_OCTETS
        content = ((utc_s or 0) & 0xFFFFFFFF).to_bytes(UTC_OCTETS, "big") + data
        self.content_symbols = symbols_of(len(data), payload_octets)
        if self.content_symbols > MAX_CONTENT_SYMBOLS:
            most = file_bytes(MAX_CONTENT_SYMBOLS, payload_octets)
            raise ValueError(f"a still of {len(data)} bytes is too large for this line; {most} bytes fit")
        self._block = number % BLOCKS
        self._content = [
            content[start : start + symbol_octets].ljust(symbol_octets, b"\0")
            for start in range(0, len(content), symbol_octets)
        ]
        self.sent = 0

    @property
    def repairing(self) -> bool:
        """Whether the whole content has been sent."""
        return self.sent >= self.content_symbols

    def next_payload(self) -> bytes:
        """Return the payload of the next still packet."""
        index = self.sent
        if index >= MAX_SYMBOLS:
            repairs = MAX_SYMBOLS - self.content_symbols
            index = self.content_symbols + (index - self.content_symbols) % repairs
        self.sent += 1
        symbol = repair_symbol(self._content, index)
        return Fragment(self._block, self.content_symbols, index, symbol).to_payload()


def symbols_of(data_bytes: int, payload_octets: int) -> int:
    """Return how many symbols a file of a size has, in still packets with so much payload."""
    return math.ceil((data_bytes + UTC_OCTETS) / (payload_octets - FRAGMENT_OCTETS))


def file_bytes(content_symbols: int, payload_octets: int) -> int:
    """Return the size of the largest file that so many symbols hold."""
    return content_symbols * (payload_octets - FRAGMENT_OCTETS) - UTC_OCTETS


@cache
def repairs_needed(content_symbols: int, loss: float) -> int:
    """Return how many repair symbols make 99 % of the stills arrive, if packets are lost independently.

    Args:
        content_symbols: K.
        loss: Share of packets that are lost, below 1.
    """
    lost = 0.0
    for total in range(content_symbols, MAX_SYMBOLS + 1):
        # Chance that the last of K symbols to arrive is the one of this number: the negative binomial distribution.
        lost += (
            math.comb(total - 1, content_symbols - 1)
            * (1 - loss) ** content_symbols
            * loss ** (total - content_symbols)
        )
        if lost >= _ARRIVES:
            return total - content_symbols
    return MAX_SYMBOLS - content_symbols

"""The range coder in pure Python: the same bytes as constriction, on every machine."""

from __future__ import annotations

from bisect import bisect_right
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

from pantel_codec.coding_table import PRECISION_BITS, CodingTable
from pantel_codec.errors import SymbolError
from pantel_codec.range_coder import (
    STATE_BITS,
    WORD_BITS,
    Padding,
    RangeDecoder,
    RangeEncoder,
    padded_words,
)

__all__ = ["Decoder", "Encoder"]

_WORD_MASK = (1 << WORD_BITS) - 1
_RENORMALIZE_BELOW = 1 << (STATE_BITS - WORD_BITS)
_FULL_WIDTH = (1 << STATE_BITS) - 1


def _boundaries(cdf: NDArray[np.uint32]) -> list[int]:
    """Return a cdf as Python integers, which are quicker one by one than an array's."""
    return [int(boundary) for boundary in cdf]


class Encoder(RangeEncoder):
    """The encoder in pure Python."""

    def __init__(self) -> None:
        self._state_low = 0  # may pass 2**64: the carry stays on top of the word that leaves next
        self._width = _FULL_WIDTH
        self._words: list[int] = []  # each below 2**33: its carry is added to its neighbour at the end

    def _push(self, symbols: NDArray[np.int32], table: CodingTable) -> None:
        values: list[int] = symbols.tolist()
        if values and not 0 <= min(values) <= max(values) < table.size:
            raise SymbolError(f"a symbol lies outside its table of {table.size} symbols")
        boundaries = table.compiled(_boundaries)
        low, width = self._state_low, self._width
        for symbol in values:
            left = boundaries[symbol]
            unit = width >> PRECISION_BITS
            low += unit * left
            width = unit * (boundaries[symbol + 1] - left)
            if width < _RENORMALIZE_BELOW:
                self._words.append(low >> WORD_BITS)
                low = (low & _WORD_MASK) << WORD_BITS
                width <<= WORD_BITS
        self._state_low, self._width = low, width

    def _extent(self) -> tuple[int, int]:
        return len(self._words), self._width

    def _low(self) -> int:
        words = np.array(self._words, np.uint64)
        settled = int.from_bytes((words & np.uint64(_WORD_MASK)).astype(">u4").tobytes(), "big")
        carries = int.from_bytes((words >> np.uint64(WORD_BITS)).astype(">u4").tobytes(), "big")
        settled += carries << WORD_BITS
        return (settled << STATE_BITS) + self._state_low


class Decoder(RangeDecoder):
    """The decoder in pure Python."""

    def __init__(self, data: bytes, padding: Padding) -> None:
        super().__init__()
        endless = repeat(_WORD_MASK if padding else 0)
        self._words = chain(padded_words(data, padding).tolist(), endless)
        self._offset = next(self._words) << WORD_BITS | next(self._words)  # of the value above the interval
        self._width = _FULL_WIDTH

    def _pull(self, count: int, table: CodingTable) -> NDArray[np.int32]:
        boundaries = table.compiled(_boundaries)
        offset, width = self._offset, self._width
        symbols: list[int] = []
        for _ in range(count):
            unit = width >> PRECISION_BITS
            quantile = offset // unit
            if quantile >> PRECISION_BITS:
                self._in_gap = True
                symbols += [table.size - 1] * (count - len(symbols))
                break
            symbol = bisect_right(boundaries, quantile) - 1
            symbols.append(symbol)
            left = boundaries[symbol]
            offset -= unit * left
            width = unit * (boundaries[symbol + 1] - left)
            if width < _RENORMALIZE_BELOW:
                offset = offset << WORD_BITS | next(self._words)
                width <<= WORD_BITS
        self._offset, self._width = offset, width
        return np.array(symbols, np.int32)

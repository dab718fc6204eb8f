"""The range coder by constriction, where it is installed; no other module imports constriction."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import constriction
import numpy as np
from numpy.typing import NDArray

from pantel_codec.coding_table import CodingTable
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

_STATE_WORDS = STATE_BITS // WORD_BITS
_WORD_MASK = (1 << WORD_BITS) - 1
_SPARE_SYMBOLS = 1024  # spares most packets a second opening


def _categorical(cdf: NDArray[np.uint32]) -> Any:
    """Build constriction's model with exactly these probabilities.

    constriction takes floats, gives every symbol one unit of 2**-24 and scales the cumulative floats to the
    rest. With the probabilities less one unit as floats that scale is exactly 1, and no rounding happens.

    Args:
        cdf: (S + 1,) uint32 as in `CodingTable`, S >= 2.
    """
    return constriction.stream.model.Categorical((np.diff(cdf) - 1).astype(np.float64), perfect=False)


class Encoder(RangeEncoder):
    """The encoder of constriction."""

    def __init__(self) -> None:
        self._queue = constriction.stream.queue.RangeEncoder()

    def _push(self, symbols: NDArray[np.int32], table: CodingTable) -> None:
        try:
            self._queue.encode(symbols, table.compiled(_categorical))
        except KeyError as error:
            raise SymbolError(f"a symbol lies outside its table of {table.size} symbols") from error

    def _extent(self) -> tuple[int, int]:
        words: int
        width: int
        words, (_, width) = self._queue.pos()
        return words, width

    def _low(self) -> int:
        # The state knows the last 64 bits of the lower end. constriction's own ending, words of some value
        # inside the interval and so less than 2**64 above its lower end, gives the bits before them.
        words: int
        state_low: int
        words, (state_low, _) = self._queue.pos()
        ending: NDArray[np.uint32] = self._queue.get_compressed()
        inside = int.from_bytes(ending.astype(">u4").tobytes(), "big")
        inside <<= WORD_BITS * (words + _STATE_WORDS - ending.size)
        return inside - (inside - state_low) % (1 << STATE_BITS)


class Decoder(RangeDecoder):
    """The decoder of constriction.

    constriction pads with zero bits only, and loses all of a batch in which the value runs into the gap. Both
    are cured by opening its decoder anew in the middle of the stream, where its state is that of an encoder
    which has coded the same symbols.
    """

    def __init__(self, data: bytes, padding: Padding) -> None:
        super().__init__()
        self._words = padded_words(data, padding)
        self._padding = padding
        self._decoded: list[tuple[NDArray[np.int32], Any]] = []
        self._count = 0
        self._open(_SPARE_SYMBOLS)

    def _pull(self, count: int, table: CodingTable) -> NDArray[np.int32]:
        model = table.compiled(_categorical)
        if self._padding and self._count + count > self._limit:
            self._open(2 * (self._count + count))
        try:
            symbols: NDArray[np.int32] = self._queue.decode(model, count)
        except AssertionError:  # constriction's word for a value in the gap
            symbols = self._pull_up_to_gap(count, table)
        self._decoded.append((symbols, model))
        self._count += count
        return symbols

    def _pull_up_to_gap(self, count: int, table: CodingTable) -> NDArray[np.int32]:
        self._open(self._count + count)
        self._in_gap = True
        symbols = np.full(count, table.size - 1, np.int32)
        with suppress(AssertionError):
            for index in range(count):
                symbols[index] = self._queue.decode(table.compiled(_categorical))
        return symbols

    def _open(self, limit: int) -> None:
        """Open constriction's decoder where this one stands, with words for `limit` symbols in all."""
        encoder = constriction.stream.queue.RangeEncoder()
        for symbols, model in self._decoded:
            encoder.encode(symbols, model)
        # The state begins with two words and takes in one more with a symbol at most.
        missing = max(0, _STATE_WORDS + limit - self._words.size)
        endless = np.full(missing, _WORD_MASK * self._padding, np.uint32)
        self._queue = constriction.stream.queue.RangeDecoder(np.concatenate([self._words, endless]))
        self._queue.seek(*encoder.pos())
        self._limit = limit

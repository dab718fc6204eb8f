"""The range coder: symbols and their probabilities in, bytes out, and back.

The format is that of the range coder ("queue") of constriction: a state of 64 bits, words of 32 bits,
probabilities of 24 bits (R. Bamler, "Understanding Entropy Coding With Asymmetric Numeral Systems (ANS): a
Statistician's Perspective", arXiv:2201.01741; range coding itself is from G. N. N. Martin, "Range
encoding", 1979). Two things are our own, because a payload here has a few dozen bytes:

* The stream is a string of bytes, most significant first, and ends at the byte: of all values in the
  final interval the encoder takes one that needs the fewest bytes, and the decoder pads with zero bits.
  This costs 0.3 byte more than the ideal on average, where whole words cost 2.1.
* The decoder takes any bytes at all. It can also pad with one bits: since decoding keeps the order of
  the streams, symbols of a truncated stream are certain up to the first that differs between the
  two paddings.

There are two coders with one behaviour: constriction itself, and one in pure Python for machines that
constriction does not support (Linux on ARM). `make_encoder` and `make_decoder` choose.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pantel_codec.coding_table import PRECISION_BITS, CodingTable, check_cdf
from pantel_codec.errors import SymbolError

__all__ = [
    "PRECISION_BITS",
    "Backend",
    "CodingTable",
    "Padding",
    "RangeDecoder",
    "RangeEncoder",
    "check_cdf",
    "make_decoder",
    "make_encoder",
]

Backend = Literal["auto", "constriction", "python"]
Padding = Literal[0, 1]

WORD_BITS = 32
STATE_BITS = 64
_CHUNK_BITS = 8
_IMPLEMENTATIONS = {
    "constriction": "pantel_codec._constriction",
    "python": "pantel_codec._pure_python",
}


class RangeEncoder(ABC):
    """Turns symbols into the fewest bytes that their probabilities allow.

    Everything coded so far is an interval: `low` to `low + width`, as fractions of 2**(64 + 32 * words) with
    `words` the number of words that have left the 64-bit state. A coder that raised is of no further use.
    """

    def encode(self, symbols: Sequence[int] | NDArray[np.int32], table: CodingTable) -> None:
        """Append symbols that share one table.

        A table of a single symbol says nothing, so its symbols leave no trace in the bytes.

        Args:
            symbols: (n,) int32 or integers, each in 0..S-1; n may be 0.
            table: The probabilities of the S symbols.

        Raises:
            SymbolError: An array of another kind, or a symbol outside the table.
        """
        if not isinstance(symbols, np.ndarray):
            try:
                symbols = np.array(symbols, np.int32)
            except OverflowError as error:
                raise SymbolError("a symbol does not fit into 32 bits") from error
        if symbols.dtype != np.int32 or symbols.ndim != 1:
            raise SymbolError(f"symbols are an int32 vector, not {symbols.dtype} of shape {symbols.shape}")
        if table.size > 1:
            self._push(symbols, table)
        elif symbols.any():
            raise SymbolError("a symbol lies outside its table of 1 symbol")

    def encode_bits(self, value: int, bits: int) -> None:
        """Append an unsigned number of `bits` equally probable bits, most significant first.

        The number is cut into chunks of 8 bits from its most significant bit on, the last one shorter.

        Raises:
            SymbolError: `value` does not fit into `bits`.
        """
        if bits < 0 or value < 0 or value >> bits:
            raise SymbolError(f"{value} does not fit into {bits} bits")
        left = bits
        for size in _chunk_sizes(bits):
            left -= size
            chunk = value >> left & ((1 << size) - 1)
            self.encode([chunk], CodingTable.uniform(1 << size))

    @property
    def information_bits(self) -> float:
        """The information coded so far, -log2 of the interval's width [bit].

        This is the sum of the ideal costs of the symbols plus the rounding of the 64-bit state, which is
        below 0.001 bit per symbol on average. It is the same number on both backends.
        """
        words, width = self._extent()
        return WORD_BITS * words + STATE_BITS - math.log2(width)

    def to_bytes(self) -> bytes:
        """Return everything coded so far as the shortest stream whose value lies in the interval.

        The last byte is never zero, for the decoder adds zeros itself; no symbols give no bytes. The
        encoder stays as it is and may go on.
        """
        words, width = self._extent()
        return _shortest_bytes(self._low(), width, WORD_BITS * words + STATE_BITS)

    @abstractmethod
    def _push(self, symbols: NDArray[np.int32], table: CodingTable) -> None:
        """Narrow the interval to these symbols of a table with two symbols or more."""

    @abstractmethod
    def _extent(self) -> tuple[int, int]:
        """Return how many words have left the state, and the width of the interval."""

    @abstractmethod
    def _low(self) -> int:
        """Return the lower end of the interval."""


class RangeDecoder(ABC):
    """Turns bytes into symbols again; any bytes, and any number of symbols.

    Rounding leaves a gap at the top of every interval that no encoder enters. In damaged or padded bytes
    the value can lie there. It then decodes as the last symbol of every table from there on, which is the
    continuation that keeps the order of streams.
    """

    def __init__(self) -> None:
        self._in_gap = False

    def decode(self, count: int, table: CodingTable) -> NDArray[np.int32]:
        """Take the next symbols, which share one table.

        Args:
            count: How many, 0 or more.
            table: The table that they were encoded with.

        Returns:
            (count,) int32, each in 0..S-1, read-only.

        Raises:
            SymbolError: `count` is negative.
        """
        if count < 0:
            raise SymbolError(f"cannot decode {count} symbols")
        if table.size == 1 or self._in_gap:
            symbols = np.full(count, table.size - 1, np.int32)
        else:
            symbols = self._pull(count, table)
        symbols.flags.writeable = False
        return symbols

    def decode_bits(self, bits: int) -> int:
        """Take a number that `RangeEncoder.encode_bits` wrote with the same `bits`.

        Raises:
            SymbolError: `bits` is negative.
        """
        if bits < 0:
            raise SymbolError(f"cannot decode {bits} bits")
        value = 0
        for size in _chunk_sizes(bits):
            value = value << size | int(self.decode(1, CodingTable.uniform(1 << size))[0])
        return value

    @abstractmethod
    def _pull(self, count: int, table: CodingTable) -> NDArray[np.int32]:
        """Decode symbols of a table with two symbols or more; set `_in_gap` where the value leads there."""


def make_encoder(backend: Backend = "auto") -> RangeEncoder:
    """Start a stream.

    Args:
        backend: "auto" takes constriction where it is installed, else pure Python; same bytes either way.

    Raises:
        ModuleNotFoundError: "constriction" was asked for and is not installed.
    """
    encoder: RangeEncoder = _implementation(backend).Encoder()
    return encoder


def make_decoder(data: bytes, *, padding: Padding = 0, backend: Backend = "auto") -> RangeDecoder:
    """Open a stream.

    Args:
        data: Any bytes; what `RangeEncoder.to_bytes` returned, or a part or a damaged form of it.
        padding: The bit that follows the data without end. A whole stream needs 0.
        backend: As for `make_encoder`; same symbols either way.

    Raises:
        ModuleNotFoundError: "constriction" was asked for and is not installed.
    """
    decoder: RangeDecoder = _implementation(backend).Decoder(data, padding)
    return decoder


@cache
def _implementation(backend: Backend) -> ModuleType:
    """Import the module of a backend, once: looking for constriction takes as long as coding a packet."""
    if backend == "auto":
        backend = "constriction" if find_spec("constriction") else "python"
    return import_module(_IMPLEMENTATIONS[backend])


def padded_words(data: bytes, padding: Padding) -> NDArray[np.uint32]:
    """Cut a stream into the words that the state takes in, the last one filled up with padding.

    Returns:
        (ceil(len(data) / 4),) uint32.
    """
    word_bytes = WORD_BITS // 8
    filled = data.ljust(-(-len(data) // word_bytes) * word_bytes, b"\xff" if padding else b"\x00")
    return np.frombuffer(filled, ">u4").astype(np.uint32)


def _shortest_bytes(low: int, width: int, size_bits: int) -> bytes:
    """Return the shortest fraction, in big-endian bytes, inside an interval of [0, 1).

    Args:
        low: The interval's lower end, times 2**size_bits.
        width: Its width, times 2**size_bits; at least 1.
        size_bits: A multiple of 8.
    """
    if low == 0:
        return b""
    # [low, top] holds a multiple of 2**n exactly if (low - 1) >> n and top >> n differ.
    top = low + width - 1
    zero_bits = ((low - 1) ^ top).bit_length() - 1
    zero_bits -= zero_bits % 8
    rounded_up = -(-low >> zero_bits)
    return rounded_up.to_bytes((size_bits - zero_bits) // 8, "big")


def _chunk_sizes(bits: int) -> list[int]:
    """Cut a bit field into chunks of 8 bits and one with the rest."""
    whole, rest = divmod(bits, _CHUNK_BITS)
    return [_CHUNK_BITS] * whole + [rest] * (rest > 0)

"""Thumbnails: the appearance of a sprite, its colours and its mask, as a few integers.

Each integer is a quantized latent, coded with the table of a Laplacian as wide as that latent usually is for objects of
that shape. What the integers stand for is not the codec's business. They come in two parts: the core, which is a whole
thumbnail, and detail, which is of use only with the core it was made for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pantel_codec.coding_table import CodingTable
from pantel_codec.errors import BitstreamError, SymbolError
from pantel_codec.range_coder import RangeDecoder, RangeEncoder
from pantel_codec.symbol_coding import InformationBound, read_exp_golomb, write_exp_golomb

__all__ = [
    "THUMBNAIL_LIMIT",
    "THUMBNAIL_QUALITIES",
    "THUMBNAIL_SHAPES",
    "THUMBNAIL_VERSIONS",
    "Part",
    "Thumbnail",
    "ThumbnailModel",
    "shape_of",
]

THUMBNAIL_QUALITIES = 8
THUMBNAIL_SHAPES = 3
"""Tall, square and wide objects have statistics of their own."""

THUMBNAIL_VERSIONS = 4

THUMBNAIL_LIMIT = 15
"""Symbols from plus or minus this on are escaped."""

_MAX_SYMBOL = 2047
_ASPECT_CODES = 10  # from 10/16 octave on an object is tall or wide


def shape_of(width_code: int, height_code: int) -> int:
    """Return the index of an object's shape from its size codes (sixteenths of an octave): tall, square or wide."""
    difference = width_code - height_code
    return 0 if difference <= -_ASPECT_CODES else 2 if difference >= _ASPECT_CODES else 1


class Part(IntEnum):
    """The two parts of a thumbnail."""

    CORE = 0
    DETAIL = 1


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnail:
    """One part of the appearance of a sprite.

    Attributes:
        part: Which one.
        quality: Index of the quantizer, 0 (coarsest) to 7.
        version: Of the core, 0 to 3; detail names the core that it belongs to.
        symbols: (coefficients of the part,) int32.
    """

    part: Part
    quality: int
    version: int
    symbols: NDArray[np.int32]

    def is_like(self, other: Thumbnail) -> bool:
        """Whether two thumbnails are the same part, told alike."""
        return (self.part, self.quality, self.version) == (other.part, other.quality, other.version) and np.array_equal(
            self.symbols, other.symbols
        )


class ThumbnailModel:
    """The probabilities of thumbnail symbols.

    Attributes:
        coefficients: How many integers core and detail have together.
        members: Of each shape, of each part, the coefficients that belong to it, rising; the rest is never coded.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take the integer arrays of an artefact.

        Args:
            arrays: `thumbnail_counts` (tables, 2 * THUMBNAIL_LIMIT + 1) integers of at least 1,
                `thumbnail_level` (THUMBNAIL_SHAPES, coefficients) table of each coefficient at quality 0,
                `thumbnail_slope` (coefficients,) by how many tables it widens with each quality,
                `thumbnail_part` (THUMBNAIL_SHAPES, coefficients) which part it belongs to, if any.

        Raises:
            SymbolError: The arrays do not fit together.
            KeyError: One is missing.
        """
        names = ("counts", "level", "slope", "part")
        counts, level, slope, part = (np.asarray(arrays[f"thumbnail_{name}"]) for name in names)
        shapes_differ = level.shape != part.shape or level.shape[1:] != slope.shape
        if level.ndim != 2 or len(level) != THUMBNAIL_SHAPES or shapes_differ:
            raise SymbolError(f"thumbnail levels {level.shape}, slopes {slope.shape} and parts do not fit together")
        if counts.ndim != 2 or counts.shape[1] != 2 * THUMBNAIL_LIMIT + 1:
            raise SymbolError(f"thumbnail counts of shape {counts.shape} are not those of {THUMBNAIL_LIMIT} symbols")
        self.coefficients: int = slope.size
        self.members = tuple(tuple(np.flatnonzero(row == each) for each in Part) for row in part)
        self._tables = tuple(CodingTable.from_counts(row) for row in counts)
        quality = np.arange(THUMBNAIL_QUALITIES)[:, None, None]
        index = level.astype(np.int64)[None] + quality * slope.astype(np.int64)
        self._index = np.clip(index, 0, len(self._tables) - 1)  # (qualities, shapes, coefficients)
        self._cost = np.stack([table.cost_bits for table in self._tables])

    def bits(self, shape: int, part: Part, quality: int, symbols: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
        """Return (..., coefficients): what symbols (..., coefficients of the part) cost; escapes about [bit]."""
        clipped = np.clip(symbols, -THUMBNAIL_LIMIT, THUMBNAIL_LIMIT)
        cost = self._cost[self._index[quality, shape, self.members[shape][part]], clipped + THUMBNAIL_LIMIT]
        excess = np.maximum(np.abs(symbols) - THUMBNAIL_LIMIT, 0)
        escape = np.where(np.abs(symbols) >= THUMBNAIL_LIMIT, 2 * np.log2(excess + 1.0) + 1, 0.0)
        return np.asarray(cost + escape, np.float64)

    def write(self, encoder: RangeEncoder, shape: int, thumbnail: Thumbnail) -> None:
        """Write quality, version and symbols of a part that the reader expects.

        Raises:
            SymbolError: There is another number of symbols, or a number is out of range.
        """
        symbols = thumbnail.symbols
        expected = self.members[shape][thumbnail.part].size
        if symbols.shape != (expected,) or np.abs(symbols).max(initial=0) > _MAX_SYMBOL:
            raise SymbolError(f"these are not the {expected} symbols of a thumbnail's {thumbnail.part.name.lower()}")
        encoder.encode([thumbnail.quality], CodingTable.uniform(THUMBNAIL_QUALITIES))
        encoder.encode([thumbnail.version], CodingTable.uniform(THUMBNAIL_VERSIONS))
        index = np.clip(symbols, -THUMBNAIL_LIMIT, THUMBNAIL_LIMIT).astype(np.int32) + np.int32(THUMBNAIL_LIMIT)
        for table, run in self._runs(shape, thumbnail.part, thumbnail.quality):
            encoder.encode(index[run], self._tables[table])
        for symbol in symbols[np.abs(symbols) >= THUMBNAIL_LIMIT].tolist():
            write_exp_golomb(encoder, abs(symbol) - THUMBNAIL_LIMIT)

    def read(self, decoder: RangeDecoder, shape: int, part: Part, bound: InformationBound) -> Thumbnail:
        """Read what `write` wrote.

        Raises:
            BitstreamError: The bytes are damaged.
        """
        quality = int(decoder.decode(1, CodingTable.uniform(THUMBNAIL_QUALITIES))[0])
        version = int(decoder.decode(1, CodingTable.uniform(THUMBNAIL_VERSIONS))[0])
        symbols = np.empty(self.members[shape][part].size, np.int32)
        for table, run in self._runs(shape, part, quality):
            symbols[run] = decoder.decode(run.size, self._tables[table])
        symbols -= THUMBNAIL_LIMIT
        bound.spend(float(self.bits(shape, part, quality, symbols).sum()))
        for i in np.flatnonzero(np.abs(symbols) >= THUMBNAIL_LIMIT).tolist():
            symbols[i] += np.sign(symbols[i]) * read_exp_golomb(decoder)
        if np.abs(symbols).max(initial=0) > _MAX_SYMBOL:
            raise BitstreamError("a thumbnail's symbol is out of range: the bytes are damaged")
        return Thumbnail(part, quality, version, symbols)

    def _runs(self, shape: int, part: Part, quality: int) -> list[tuple[int, NDArray[np.intp]]]:
        """Return the tables of a part in falling order, each with the symbols that use it."""
        index = self._index[quality, shape, self.members[shape][part]]
        return [(int(table), np.flatnonzero(index == table)) for table in np.unique(index)[::-1]]

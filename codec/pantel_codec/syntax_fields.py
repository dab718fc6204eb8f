"""Fields of a scene payload: how its numbers are written and read, and how probable they are.

The tables were fitted by hand to what senders tell of the clips of the live benchmark; they are part of the format.
"""

from __future__ import annotations

import numpy as np

from pantel_codec.coding_table import CodingTable
from pantel_codec.elements import PAST_RANGE_PX, PAST_RANGE_SIZES, Knot
from pantel_codec.errors import BitstreamError, SymbolError
from pantel_codec.range_coder import RangeDecoder, RangeEncoder
from pantel_codec.trajectory import SIZE_CODES

__all__ = [
    "BASE_QUALITIES",
    "CELL_SCALES",
    "CHEAP_QUALITIES",
    "CLASSES",
    "FIRST",
    "KINDS",
    "KINDS_OF_MOVING_CAMERA",
    "KINDS_WITH_CONTOURS",
    "KINDS_WITH_TEXTURES",
    "MARGINS",
    "NEWS",
    "QUALITIES",
    "SEED_SCALES",
    "FieldReader",
    "FieldWriter",
    "peak",
]

_POSITION_MARGIN_PX = 64


def peak(size: int, top: int, height: int, fall: int, least: int) -> list[int]:
    """Return counts (size,) with one peak, falling evenly to both sides."""
    return [max(height - fall * abs(index - top), least) for index in range(size)]


KINDS = CodingTable.from_counts([89, 60, 11, 75, 34, 42, 75, 35, 8, 7])
KINDS_WITH_CONTOURS = CodingTable.from_counts([60, 4, 1, 4, 2, 20, 60, 10, 1, 1, 60, 50])
"""Of payloads that tell contours."""
KINDS_OF_MOVING_CAMERA = CodingTable.from_counts([60, 90, 11, 40, 20, 42, 75, 20, 3, 5, 2, 2, 16])
"""Of payloads that tell where a moving camera looks."""
KINDS_WITH_TEXTURES = CodingTable.from_counts([60, 60, 8, 40, 20, 42, 75, 20, 6, 5, 2, 2, 4, 90])
"""Of payloads that tell textures."""
# Any other payload never begins with an octet of 1 to 51, nor with 0 and another octet than 0: that would be `end`, of
# which nothing is left.
FIRST = CodingTable(np.array([0, 1 << 8, 1 << 16, 48 << 16, 52 << 16, 1 << 24], np.uint32))
"""What payloads that tell textures begin with: 1, those that tell contours: 2, and those of a camera that moves: 3. The
first octet is then 0, 1 to 47, and 48 to 51."""
# What a camera in the field is put up for is more likely than furniture: unknown, then COCO's classes from person on.
CLASSES = CodingTable.from_counts([48, 96, 12, 96, 12, 2, 24, 2, 24, 2, *[1] * 6, 4, 4, 2, 2, 2, *[1] * 108])
MARGINS = CodingTable.from_counts([80, 24, 12, 12])
NEWS = CodingTable.from_counts([33, 20, 18])
"""A known object, a new one, a new one with a past."""
QUALITIES = CodingTable.from_counts(
    [1] * 5 + [50] + [1] * 6 + [180] + [1] * 5 + [120] + [1] * 6 + [108] + [1] * 5 + [30]
)
"""Senders use few of the qualities; any may be told."""
CHEAP_QUALITIES = (5, 12, 18, 25, 31)
"""Those that take few bits."""
BASE_QUALITIES = CodingTable.from_counts([1] * 5 + [40] + [1] * 6 + [150] + [1] * 5 + [90] + [1] * 6 + [42] + [1] * 6)
"""The same of cells that are refined."""

CELL_SCALES = CodingTable.from_counts([40, 6, 1])
SEED_SCALES = CodingTable.from_counts([1, 14, 1])

_PERSON = 1  # class
# Ages, in steps of 0.1 s: a sender waits for hindsight, and a small computer has looked at a frame for 0.15 s.
_AGES = CodingTable.from_counts([2, 4, 8, 8, 16, 96, 64, 16, 8, 4, 4, 4, 4, 4, 4, 32])
_OTHER_AGE = CodingTable.from_counts([30, 2])
_SIDES = CodingTable.from_counts([256, 432, 252, 152, 100, 52, 44, 6, 30, 3, 8, 2, 6, *[1] * 3, 4, *[1] * 48])
_HEIGHTS = CodingTable.from_counts(peak(SIZE_CODES, top=44, height=40, fall=1, least=2))
_SLIM, _WIDE = (
    CodingTable.from_counts(peak(2 * SIZE_CODES - 1, top=SIZE_CODES - 1 + top, height=40, fall=3, least=2))
    for top in (-20, 0)
)
_EARLIER = CodingTable.from_counts([1, 1, 8, 4, 4, 6, 4, 4, 4, 40, 1, 1, 1, 1, 1])
_SHIFTS = CodingTable.from_counts(peak(2 * PAST_RANGE_PX + 1, top=PAST_RANGE_PX, height=64, fall=5, least=4))
_GROWTH = CodingTable.from_counts(peak(2 * PAST_RANGE_SIZES + 1, top=PAST_RANGE_SIZES, height=64, fall=16, least=5))


class FieldWriter:
    """Writes the fields of one payload.

    Attributes:
        encoder: What they are written with.
        kinds: How probable each kind of element is.
        mosaic: Number of the mosaic that the payload's cells are of; None if of none.
    """

    def __init__(self, encoder: RangeEncoder, size_px: tuple[int, int]) -> None:
        self.encoder = encoder
        self.kinds = KINDS
        self.mosaic: int | None = None
        self._size_px = size_px
        self._age: int | None = None

    def kind(self, kind: int) -> None:
        """Write of which kind the next element is."""
        self.symbol(kind, self.kinds)

    def symbol(self, value: int, table: CodingTable) -> None:
        """Write a number by its table."""
        self.encoder.encode([value], table)

    def uniform(self, value: int, size: int) -> None:
        """Write one of `size` equiprobable numbers.

        Raises:
            SymbolError: It is none of them.
        """
        if not 0 <= value < size:
            raise SymbolError(f"field value {value} is not below {size}")
        self.encoder.encode([value], CodingTable.uniform(size))

    def side(self, cells: int, left: int) -> None:
        """Write how many cells a block has in a row or column, of so many that are left in the picture.

        Raises:
            SymbolError: They are more, or none.
        """
        if not 1 <= cells <= left:
            raise SymbolError(f"a block of {cells} cells where {left} are left")
        self.symbol(0 if cells == left else cells, _SIDES)

    def age(self, steps: int) -> None:
        """Write an age; most elements of a payload tell of the same frame."""
        if self._age is not None:
            self.symbol(int(steps != self._age), _OTHER_AGE)
        if steps != self._age:
            self.symbol(steps, _AGES)
        self._age = steps

    def knot(self, knot: Knot) -> None:
        """Write where and how high an object was, and when."""
        self.age(knot.age_steps)
        for value, side_px in zip((knot.x, knot.y), self._size_px, strict=True):
            self.uniform(value + _POSITION_MARGIN_PX, side_px + 2 * _POSITION_MARGIN_PX)
        self.symbol(knot.height_code, _HEIGHTS)

    def width(self, width_code: int, height_code: int, class_id: int) -> None:
        """Write the width of an object of known height and class.

        Raises:
            SymbolError: It is no code of a size.
        """
        if not 0 <= width_code < SIZE_CODES:
            raise SymbolError(f"{width_code} is no code of a size")
        self.symbol(width_code - height_code + SIZE_CODES - 1, _SLIM if class_id == _PERSON else _WIDE)

    def past(self, past: Knot, knot: Knot) -> None:
        """Write an earlier knot of an object whose knot is known."""
        self.symbol(past.age_steps - knot.age_steps - 1, _EARLIER)
        for before, value in ((past.x, knot.x), (past.y, knot.y)):
            self.symbol(before - value + PAST_RANGE_PX, _SHIFTS)
        self.symbol(past.height_code - knot.height_code + PAST_RANGE_SIZES, _GROWTH)


class FieldReader:
    """Reads what `FieldWriter` wrote.

    Attributes:
        decoder: What is read with.
        kinds: How probable each kind of element is.
        mosaic: Number of the mosaic that the payload's cells are of; None if of none.
    """

    def __init__(self, decoder: RangeDecoder, size_px: tuple[int, int]) -> None:
        self.decoder = decoder
        self.kinds = KINDS
        self.mosaic: int | None = None
        self._size_px = size_px
        self._age: int | None = None

    def kind(self) -> int:
        """Read of which kind the next element is."""
        return self.symbol(self.kinds)

    def symbol(self, table: CodingTable) -> int:
        """Read a number by its table."""
        return int(self.decoder.decode(1, table)[0])

    def uniform(self, size: int) -> int:
        """Read one of `size` equiprobable numbers."""
        return self.symbol(CodingTable.uniform(size))

    def side(self, left: int) -> int:
        """Read how many cells a block has in a row or column.

        Raises:
            BitstreamError: They are more than are left in the picture.
        """
        cells = self.symbol(_SIDES) or left
        if cells > left:
            raise BitstreamError("a block that leaves the picture: the bytes are damaged")
        return cells

    def age(self) -> int:
        """Read an age."""
        if self._age is None or self.symbol(_OTHER_AGE):
            self._age = self.symbol(_AGES)
        return self._age

    def knot(self) -> Knot:
        """Read a knot."""
        age_steps = self.age()
        x, y = (self.uniform(side_px + 2 * _POSITION_MARGIN_PX) - _POSITION_MARGIN_PX for side_px in self._size_px)
        return Knot(age_steps, x, y, self.symbol(_HEIGHTS))

    def width(self, height_code: int, class_id: int) -> int:
        """Read the width of an object of known height and class.

        Raises:
            BitstreamError: There is no such width.
        """
        code = self.symbol(_SLIM if class_id == _PERSON else _WIDE) - SIZE_CODES + 1 + height_code
        if not 0 <= code < SIZE_CODES:
            raise BitstreamError("a width that does not exist: the bytes are damaged")
        return code

    def past(self, knot: Knot) -> Knot:
        """Read an earlier knot of an object whose knot is known.

        Raises:
            BitstreamError: It has a height that does not exist.
        """
        age_steps = knot.age_steps + 1 + self.symbol(_EARLIER)
        x, y = (value + self.symbol(_SHIFTS) - PAST_RANGE_PX for value in (knot.x, knot.y))
        height_code = knot.height_code + self.symbol(_GROWTH) - PAST_RANGE_SIZES
        if not 0 <= height_code < SIZE_CODES:
            raise BitstreamError("a height that does not exist: the bytes are damaged")
        return Knot(age_steps, x, y, height_code)

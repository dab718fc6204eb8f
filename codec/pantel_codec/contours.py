"""Contours: lines on a coarse raster, coded sample by sample, and the drawing that patches of them make.

A **raster** lies over the picture, or over the box of an object. Its samples are squares, each set where a contour
runs through it. A **patch** is a rectangle of it. Samples are coded row by row, each by how probable it is to be set
beside eight that are known already, as in JBIG (ITU-T T.82); the probabilities are part of the format. Nothing outside
a patch is used, so it can be read alone.
"""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from pantel_codec.coding_table import CodingTable
from pantel_codec.errors import BitstreamError, SymbolError
from pantel_codec.range_coder import RangeDecoder, RangeEncoder
from pantel_codec.surface import Block

__all__ = [
    "CONTOUR_CONTEXTS",
    "CONTOUR_STEPS_PX",
    "MAX_CONTOUR_BITS",
    "MAX_CONTOUR_SAMPLES",
    "ContourPatch",
    "Drawing",
    "contour_bits",
    "contour_contexts",
    "raster_shape",
    "read_samples",
    "write_samples",
]

CONTOUR_STEPS_PX = (1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
"""Sides of a sample that can be told."""

MAX_CONTOUR_BITS = 300
"""An element of contours takes at most so many."""

MAX_CONTOUR_SAMPLES = 1 << 14
"""A patch has at most so many, or noise could keep a decoder busy."""

_MAX_PATCHES = 256

_NEIGHBOURS = ((-2, -1), (-2, 1), (-1, -2), (-1, -1), (-1, 0), (-1, 1), (-1, 2), (0, -1))
"""Rows and columns of the samples that a context is made of, from its highest bit on."""

CONTOUR_CONTEXTS = 1 << len(_NEIGHBOURS)

_REACH = 2  # of the neighbours

# How many of 4096 samples are set, in each context: three hexadecimal digits each. Counted by `python -m pantel_export
# contour-table --photos imagenet coco`.
_SET = (
    "020bb5136d2b3c7da15efee7e9cc54e8ac8a4c1b9a786c0478556888c63d8f169b96a875a5952fa6362e29747024a4b4"
    "06b71716789444e97b5c7bfee99cc9e39cc46048a4893ad16ab92970c90c78b98b852ac8957a7e938a4a1b38e5149ad0"
    "0aebf80c7adb27cbda1cfb62ce8d52d68d68b8fe1ea25deb4c16a385a7b37965ac79a79354a2598e656b46d4306968f3"
    "1949d11b58672c47652be82fd3fcded7aceebedca6ba4cf02f0a925b4aa95c47be6509e832e86c7a4ab535ca0a53ec4d"
    "092b9d273ce635dbdf2dbd79d37ccbd0ed481aa861237afe5493216513eb6855b979275ed54b40ccebcd2606fc38f875"
    "09d80b2ad9e756eac96d5cd3d4cd71d43d3444b83e60cb6312a58033269462a94d754abca4cc23b32cab499ac0514c07"
    "08ed8f123cd82a0b7b199c318c4c98b4fd5f706c606cfceb3805c36486da6ce4996ce73590d968c4cb6769f9cd817bea"
    "142b6926cb7a49da0d39fb7cb3dd4ccafd90a34d209fcd681b59494219dc5c180d55ca6c75aac5a68cb7729c6d689db5"
)
_DIGITS = 3
_SET_OF = 1 << 4 * _DIGITS


@cache
def _tables() -> tuple[CodingTable, ...]:
    """Return the probabilities of 0 and 1 in each context."""
    counts = [int(_SET[i : i + _DIGITS], 16) for i in range(0, len(_SET), _DIGITS)]
    return tuple(CodingTable.from_counts([_SET_OF - count, count]) for count in counts)


@cache
def _cost_bits() -> NDArray[np.float64]:
    """Return (contexts, 2): what 0 and 1 cost in each context."""
    return np.stack([table.cost_bits for table in _tables()])


@dataclass(frozen=True, slots=True, eq=False)
class ContourPatch:
    """Contours in a rectangle.

    Attributes:
        step: Index of `CONTOUR_STEPS_PX`.
        block: The rectangle, in samples of the raster.
        samples: (rows, columns) bool, read-only: where contours are.
    """

    step: int
    block: Block
    samples: NDArray[np.bool_]

    def __post_init__(self) -> None:
        self.samples.flags.writeable = False

    @property
    def edges_px(self) -> tuple[float, float, float, float]:
        """Left, upper, right and lower edge of the rectangle, from the raster's upper left corner on."""
        block, side = self.block, CONTOUR_STEPS_PX[self.step]
        left, upper = block.column * side, block.row * side
        return left, upper, left + block.columns * side, upper + block.rows * side


def raster_shape(width_px: float, height_px: float, step: int) -> tuple[int, int]:
    """Return the rows and columns of the raster over an area.

    Raises:
        SymbolError: There is no such step.
    """
    if not 0 <= step < len(CONTOUR_STEPS_PX):
        raise SymbolError(f"{step} is none of {len(CONTOUR_STEPS_PX)} steps of a contour raster")
    side = CONTOUR_STEPS_PX[step]
    return math.ceil(height_px / side), math.ceil(width_px / side)


def contour_contexts(samples: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return (rows, columns): the context of each sample of a patch, below `CONTOUR_CONTEXTS`."""
    rows, columns = samples.shape
    padded = np.pad(samples, _REACH).astype(np.int64)
    contexts = np.zeros(samples.shape, np.int64)
    for dy, dx in _NEIGHBOURS:
        top, left = _REACH + dy, _REACH + dx
        contexts = 2 * contexts + padded[top : top + rows, left : left + columns]
    return contexts


def contour_bits(samples: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return (rows, columns): what each sample of a patch costs [bit]."""
    cost: NDArray[np.float64] = _cost_bits()[contour_contexts(samples), samples.astype(np.int64)]
    return cost


def write_samples(encoder: RangeEncoder, samples: NDArray[np.bool_]) -> None:
    """Write the samples of a patch of known size."""
    contexts = contour_contexts(samples).ravel()
    symbols = samples.ravel().astype(np.int32)
    starts = np.flatnonzero(np.diff(contexts, prepend=-1))
    stops = np.append(starts[1:], contexts.size)
    tables = _tables()
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        encoder.encode(symbols[start:stop], tables[contexts[start]])


def read_samples(decoder: RangeDecoder, rows: int, columns: int) -> NDArray[np.bool_]:
    """Read what `write_samples` wrote.

    Raises:
        BitstreamError: They carry more information than an element may.
    """
    tables, costs = _tables(), _cost_bits().tolist()
    empty = [0] * (columns + 2 * _REACH)
    lines = [empty, empty]
    spent_bits = 0.0
    for _ in range(rows):
        highest, higher = lines[-2:]
        line = empty.copy()
        for i in range(_REACH, columns + _REACH):
            context = (
                highest[i - 1] << 7
                | highest[i + 1] << 6
                | higher[i - 2] << 5
                | higher[i - 1] << 4
                | higher[i] << 3
                | higher[i + 1] << 2
                | higher[i + 2] << 1
                | line[i - 1]
            )
            line[i] = symbol = int(decoder.decode(1, tables[context])[0])
            spent_bits += costs[context][symbol]
        if spent_bits > MAX_CONTOUR_BITS:
            raise BitstreamError("contours of more bits than an element may have: the bytes are damaged")
        lines.append(line)
    return np.array(lines[2:], np.bool_)[:, _REACH : columns + _REACH].copy()


class Drawing:
    """Patches of contours over an area: what was told last of a place is what counts there.

    Attributes:
        width_px, height_px: Of the area.
        patches: With the times at which they were told, in their order, the newest 256. What is wholly covered by newer
            ones is not kept.
        revision: Counts changes, so that a renderer knows when to draw anew.
    """

    def __init__(self, width_px: float, height_px: float) -> None:
        self.width_px = width_px
        self.height_px = height_px
        self.patches: list[tuple[int, ContourPatch]] = []
        self.revision = 0

    def add(self, patch: ContourPatch, time_ns: int) -> bool:
        """Take a patch that was told at a time; return whether anything of it counts.

        Raises:
            SymbolError: It does not lie on a raster over the area.
        """
        block = patch.block
        rows, columns = raster_shape(self.width_px, self.height_px, patch.step)
        inside = 0 <= block.row < block.row + block.rows <= rows
        if not (inside and 0 <= block.column < block.column + block.columns <= columns):
            raise SymbolError(f"{block} does not lie on a raster of {columns}x{rows} samples")
        if patch.samples.shape != (block.rows, block.columns):
            raise SymbolError(f"samples of shape {patch.samples.shape} are not those of {block}")
        index = bisect.bisect_right(self.patches, time_ns, key=lambda told: told[0])
        if any(self._covers(newer, patch) for _, newer in self.patches[index:]):
            return False
        kept = [told for told in self.patches[:index] if not self._covers(patch, told[1])]
        self.patches = [*kept, (time_ns, patch), *self.patches[index:]][-_MAX_PATCHES:]
        self.revision += 1
        return True

    def _covers(self, one: ContourPatch, other: ContourPatch) -> bool:
        """Whether a patch covers all that another does of the area."""
        left, upper, right, lower = one.edges_px
        x0, y0, x1, y1 = other.edges_px
        across = left <= x0 and min(x1, self.width_px) <= right
        return across and upper <= y0 and min(y1, self.height_px) <= lower

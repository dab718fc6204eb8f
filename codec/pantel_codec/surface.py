"""The background: surfaces of cells, one for each scale.

```
Background
 +-- scales[0]: Surface   as large as the picture
 +-- scales[1]: Surface   half as wide and high
 +-- scales[2]: Surface   a quarter
```

Cells of half the resolution cost a quarter of the bits. With a handful of bits for a picture they show more of it than
cells of the full one, and where these are missing they are what there is to see.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pantel_codec.context import Base
from pantel_codec.errors import SymbolError

__all__ = [
    "CELL_PX",
    "NEVER",
    "SCALES",
    "Background",
    "Block",
    "CellUpdate",
    "Surface",
    "cells_across",
    "grid_of",
    "scaled_px",
]

CELL_PX = 16
"""A cell stands for 16x16 pixels of its surface."""

SCALES = 3
"""At scale s a picture is 2**s times narrower and lower."""

NEVER = int(np.iinfo(np.int64).min)
"""A time before all others [ns]."""


def cells_across(size_px: int) -> int:
    """Return how many cells cover `size_px` pixels."""
    return -(-size_px // CELL_PX)


def scaled_px(size_px: int, scale: int) -> int:
    """Return how many pixels are left of `size_px` at a scale, rounded up."""
    return -(-size_px >> scale)


def grid_of(width_px: int, height_px: int, scale: int) -> tuple[int, int]:
    """Return the rows and columns of the cells that cover a picture at a scale."""
    return cells_across(scaled_px(height_px, scale)), cells_across(scaled_px(width_px, scale))


@dataclass(frozen=True, slots=True)
class Block:
    """A rectangle of cells on a surface: left column, top row, size."""

    column: int
    row: int
    columns: int
    rows: int

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the cells, to index a surface with."""
        return slice(self.row, self.row + self.rows), slice(self.column, self.column + self.columns)


@dataclass(frozen=True, slots=True, eq=False)
class CellUpdate:
    """New values for a block of cells.

    Attributes:
        block: The cells, on the grid of their scale.
        quality: Index of the quantizer.
        levels: Number of channel groups that are told, from the coarsest on.
        values: (channels, rows, columns) int64, in 1/256 of a quantizer step; zero in groups that are not told.
        scale: Of the picture that they are cells of.
    """

    block: Block
    quality: int
    levels: int
    values: NDArray[np.int64]
    scale: int = 0


class Surface:
    """A grid of cells.

    Attributes:
        values: (channels, rows, columns) int32, in 1/256 of a quantizer step; zero in groups that are not held.
        level: (rows, columns) uint8, number of groups held; 0 where nothing was received.
        quality: (rows, columns) uint8, quantizer.
        time_ns: (rows, columns) int64, capture time of the newest update; 0 where nothing was received.
        revision: Counts changes, so that a renderer knows when to draw anew.
    """

    def __init__(self, columns: int, rows: int, groups: tuple[int, ...]) -> None:
        self.groups = groups
        self.columns = columns
        self.rows = rows
        self.values = np.zeros((sum(groups), rows, columns), np.int32)
        self.level = np.zeros((rows, columns), np.uint8)
        self.quality = np.zeros((rows, columns), np.uint8)
        self.time_ns = np.zeros((rows, columns), np.int64)
        self.revision = 0

    def apply(
        self,
        update: CellUpdate,
        time_ns: int,
        *,
        only_missing: bool = False,
        newest_ns: NDArray[np.int64] | int = NEVER,
    ) -> int:
        """Apply an update and return how many cells changed.

        It replaces all that a cell holds, unless the cell holds something captured later: a packet came late.

        Args:
            update: New values for a block of cells.
            time_ns: When they were captured.
            only_missing: Whether cells of which something is held stay as they are.
            newest_ns: (rows, columns) of the block: when something was captured that is older than no news of a cell.

        Raises:
            SymbolError: The update does not fit this surface.
        """
        rows, columns = self.window_of(update)
        block = np.s_[rows, columns]
        # All of these are views: what is written to them is written to the surface.
        values, quality = self.values[:, rows, columns], self.quality[block]
        level, time = self.level[block], self.time_ns[block]
        accepted = ((level == 0) | (not only_missing) & (time <= time_ns)) & (newest_ns <= time_ns)
        unchanged = np.all(values == update.values, axis=0) & (quality == update.quality) & (level == update.levels)
        changed = accepted & ~unchanged
        values[:, changed] = update.values[:, changed]
        quality[changed] = update.quality
        level[changed] = update.levels
        time[accepted] = time_ns
        count = int(changed.sum())
        self.revision += count > 0
        return count

    def drop(self, block: Block, time_ns: int) -> None:
        """Hold nothing any more of the cells of a block, which may reach beyond the surface, captured before a time."""
        rows, columns = block.window
        level, time = self.level[rows, columns], self.time_ns[rows, columns]
        old = (level > 0) & (time < time_ns)
        self.values[:, rows, columns][:, old] = 0
        level[old] = time[old] = 0
        self.revision += bool(old.any())

    def base(self, block: Block) -> Base | None:
        """Return what is held of a block, to be refined; None unless something of one quality is held of every cell."""
        rows, columns = block.window
        level, quality = self.level[rows, columns], self.quality[rows, columns]
        if level.min() == 0 or quality.min() != quality.max():
            return None
        return Base(self.values[:, rows, columns].astype(np.int64), level.copy(), int(quality[0, 0]))

    def told_ns(self, block: Block, steps: int) -> NDArray[np.int64]:
        """Return (rows, columns) of a block so many scales finer: when what is held here was captured, or `NEVER`."""
        rows, columns = (np.arange(cells.start, cells.stop) >> steps for cells in block.window)
        cells = np.ix_(rows, columns)
        return np.where(self.level[cells] > 0, self.time_ns[cells], NEVER)

    def window_of(self, update: CellUpdate) -> tuple[slice, slice]:
        """Return the rows and columns of an update, having made sure that it fits.

        Raises:
            SymbolError: It does not.
        """
        block = update.block
        rows, columns = block.window
        if not (0 <= rows.start < rows.stop <= self.rows and 0 <= columns.start < columns.stop <= self.columns):
            raise SymbolError(f"{block} does not lie on a surface of {self.columns}x{self.rows} cells")
        if not 1 <= update.levels <= len(self.groups):
            raise SymbolError(f"{update.levels} is no number of some of {len(self.groups)} channel groups")
        if update.values.shape != (sum(self.groups), block.rows, block.columns):
            raise SymbolError(f"values of shape {update.values.shape} are not those of {block}")
        return rows, columns


class Background:
    """What is held of the background, at all scales.

    Attributes:
        width_px, height_px: Size of the picture.
        scales: The surfaces, the finest first.
    """

    def __init__(self, width_px: int, height_px: int, groups: tuple[int, ...]) -> None:
        self.width_px = width_px
        self.height_px = height_px
        grids = [grid_of(width_px, height_px, scale) for scale in range(SCALES)]
        self.scales = tuple(Surface(columns, rows, groups) for rows, columns in grids)

    def size_px(self, scale: int) -> tuple[int, int]:
        """Return the width and height of the picture at a scale."""
        return scaled_px(self.width_px, scale), scaled_px(self.height_px, scale)

    @property
    def revision(self) -> int:
        """Counts changes, so that a renderer knows when to draw anew."""
        return sum(surface.revision for surface in self.scales)

    def shown_ns(self) -> NDArray[np.int64]:
        """Return (rows, columns) of the finest scale: when that was captured which is shown of a cell, or `NEVER`."""
        finest = self.scales[0]
        whole = Block(0, 0, finest.columns, finest.rows)
        shown_ns = np.full((finest.rows, finest.columns), NEVER)
        for scale in reversed(range(SCALES)):
            told_ns = self.scales[scale].told_ns(whole, scale)
            shown_ns = np.where(told_ns > NEVER, told_ns, shown_ns)
        return shown_ns

    def apply(self, update: CellUpdate, time_ns: int, *, only_missing: bool = False) -> int:
        """Apply an update and return how many cells of its scale changed.

        What is told of a cell takes the place of all that is held of it, also at finer scales, unless something was
        captured later: a packet came late.

        Args:
            update: New values for a block of cells.
            time_ns: When they were captured.
            only_missing: Whether cells of which something is held stay as they are, and so do all finer ones.

        Raises:
            SymbolError: The update does not fit.
        """
        if not 0 <= update.scale < SCALES:
            raise SymbolError(f"{update.scale} is none of {SCALES} scales")
        block, finer, coarser = update.block, self.scales[: update.scale], self.scales[update.scale + 1 :]
        surface = self.scales[update.scale]
        surface.window_of(update)
        newest_ns = np.full((block.rows, block.columns), NEVER)
        for steps, above in enumerate(coarser, start=1):
            newest_ns = np.maximum(newest_ns, above.told_ns(block, steps))
        count = surface.apply(update, time_ns, only_missing=only_missing, newest_ns=newest_ns)
        if not only_missing:
            for steps, below in enumerate(reversed(finer), start=1):
                below.drop(_below(block, steps), time_ns)
        return count


def _below(block: Block, steps: int) -> Block:
    """Return the block of the cells, so many scales finer, that lie in those of a block."""
    return Block(block.column << steps, block.row << steps, block.columns << steps, block.rows << steps)

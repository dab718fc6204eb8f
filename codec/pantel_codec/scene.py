"""The scene that sender and receiver share: surfaces of cells, sprites and their poses.

```
Scene
 +-- background: Surface        as large as the picture
 +-- tone: ToneCurve            how bright that is at which time
 +-- sprites: id -> Sprite
      +-- core, detail: Thumbnail   what it looks like
      +-- trajectory: Trajectory    where it was, and how large, at which time
```

Nothing here reads a clock: whoever applies an element says when it was captured. A cell holds the values of its
levels and their quantizer. The background shows what was told last; sprites can be asked where they were at any time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pantel_codec.context import Base
from pantel_codec.errors import SymbolError
from pantel_codec.thumbnail import Thumbnail, shape_of
from pantel_codec.tone import ToneCurve
from pantel_codec.trajectory import Trajectory

__all__ = [
    "CELL_PX",
    "MARGINS",
    "Block",
    "CellUpdate",
    "Margins",
    "Scene",
    "Sprite",
    "Surface",
    "cells_across",
]

CELL_PX = 16
"""A cell stands for 16x16 pixels of its surface."""


MARGINS = (0.08, 0.3, 0.6, 1.0)
"""By how much a thumbnail's raster can be larger than its object on one side, as shares of the object's side."""

Margins = tuple[int, int, int, int]


def cells_across(size_px: int) -> int:
    """Return how many cells cover `size_px` pixels."""
    return -(-size_px // CELL_PX)


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
        block: The cells.
        quality: Index of the quantizer.
        levels: Number of channel groups that are told, from the coarsest on.
        values: (channels, rows, columns) int64, in 1/256 of a quantizer step; zero in groups that are not told.
    """

    block: Block
    quality: int
    levels: int
    values: NDArray[np.int64]


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

    def apply(self, update: CellUpdate, time_ns: int, *, only_missing: bool = False) -> int:
        """Apply an update and return how many cells changed.

        It replaces all that a cell holds, unless the cell holds something captured later: a packet came late.

        Args:
            update: New values for a block of cells.
            time_ns: When they were captured.
            only_missing: Whether cells of which something is held stay as they are.

        Raises:
            SymbolError: The update does not fit this surface.
        """
        rows, columns = self._window(update)
        block = np.s_[rows, columns]
        # All of these are views: what is written to them is written to the surface.
        values, quality = self.values[:, rows, columns], self.quality[block]
        level, time = self.level[block], self.time_ns[block]
        accepted = (level == 0) | (not only_missing) & (time <= time_ns)
        unchanged = np.all(values == update.values, axis=0) & (quality == update.quality) & (level == update.levels)
        changed = accepted & ~unchanged
        values[:, changed] = update.values[:, changed]
        quality[changed] = update.quality
        level[changed] = update.levels
        time[accepted] = time_ns
        count = int(changed.sum())
        self.revision += count > 0
        return count

    def base(self, block: Block) -> Base | None:
        """Return what is held of a block, to be refined; None unless something of one quality is held of every cell."""
        rows, columns = block.window
        level, quality = self.level[rows, columns], self.quality[rows, columns]
        if level.min() == 0 or quality.min() != quality.max():
            return None
        return Base(self.values[:, rows, columns].astype(np.int64), level.copy(), int(quality[0, 0]))

    def _window(self, update: CellUpdate) -> tuple[slice, slice]:
        """Return the rows and columns of an update, having made sure that it fits."""
        block = update.block
        rows, columns = block.window
        if not (0 <= rows.start < rows.stop <= self.rows and 0 <= columns.start < columns.stop <= self.columns):
            raise SymbolError(f"{block} does not lie on a surface of {self.columns}x{self.rows} cells")
        if not 1 <= update.levels <= len(self.groups):
            raise SymbolError(f"{update.levels} is no number of some of {len(self.groups)} channel groups")
        if update.values.shape != (sum(self.groups), block.rows, block.columns):
            raise SymbolError(f"values of shape {update.values.shape} are not those of {block}")
        return rows, columns


@dataclass(slots=True, eq=False)
class Sprite:
    """A tracked object with an appearance of its own.

    Attributes:
        class_id: What it is: 0 if that is not known, else one more than its number among COCO's 80 classes.
        width_code: Width of the object when it was told, see `trajectory.size_px`.
        height_code: Its height.
        margins: By how much the thumbnail's raster is larger than the object on the left, above, on the right and
            below: indices of `MARGINS`. It holds what belongs to the object, such as its shadow.
        core: What it looks like.
        detail: The rest of what it looks like, of the same version; None while that is not known.
        look_ns: When it looked so.
        trajectory: Where it was when.
    """

    class_id: int
    width_code: int
    height_code: int
    margins: Margins
    core: Thumbnail
    look_ns: int
    trajectory: Trajectory = field(default_factory=Trajectory)
    detail: Thumbnail | None = None

    @property
    def shape(self) -> int:
        """Tall, square or wide, see `shape_of`."""
        return shape_of(self.width_code, self.height_code)


class Scene:
    """All that a receiver knows of what a camera sees.

    Attributes:
        width_px, height_px: Size of the picture.
        groups: Channels of each refinement level.
        background: Surface of the whole picture.
        tone: How bright the background is, compared with how it was told.
        sprites: Tracked objects by id.
    """

    def __init__(self, width_px: int, height_px: int, groups: tuple[int, ...]) -> None:
        self.width_px = width_px
        self.height_px = height_px
        self.groups = groups
        self.background = Surface(cells_across(width_px), cells_across(height_px), groups)
        self.tone = ToneCurve()
        self.sprites: dict[int, Sprite] = {}

    def forget(self, time_ns: int) -> None:
        """Drop the sprites that will not be seen at this time or later, unless more is told of them."""
        for sprite_id in [key for key, sprite in self.sprites.items() if sprite.trajectory.forgotten(time_ns)]:
            del self.sprites[sprite_id]

"""The scene that sender and receiver share: surfaces of cells, sprites and their poses.

```
Scene
 +-- background: Surface        as large as the picture
 +-- sprites: id -> Sprite
      +-- surface: Surface      a small raster of its own
      +-- poses: [Pose, ...]    where it was, and how large, at which time
```

Nothing here reads a clock: whoever applies an element says when it was captured. A cell holds the symbols of its
refinement levels with the quantizer of each and the version tag of its coarse level.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pantel_codec.errors import SymbolError

__all__ = ["CELL_PX", "MAX_POSES", "Block", "CellUpdate", "Pose", "Scene", "Sprite", "Surface", "cells_across"]

CELL_PX = 16  # a cell stands for 16x16 pixels of its surface
MAX_POSES = 64  # knots kept of one trajectory


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


@dataclass(frozen=True, slots=True, eq=False)
class CellUpdate:
    """New symbols for a block of cells.

    Attributes:
        block: The cells.
        quality: Index of the quantizer.
        groups: The channel groups that are coded, a range; from 0 for coarse cells, later for a refinement.
        tag: Version of the coarse level, 0 to 15: set by a coarse update, demanded by a refinement.
        symbols: (channels, rows, columns) int64, zero in groups that are not coded.
    """

    block: Block
    quality: int
    groups: range
    tag: int
    symbols: NDArray[np.int64]


class Surface:
    """A grid of cells.

    Attributes:
        symbols: (channels, rows, columns) int32.
        level: (rows, columns) uint8, number of groups held; 0 where nothing was received.
        quality: (groups, rows, columns) uint8, quantizer of each group held.
        tag: (rows, columns) uint8, version of the coarse level.
        time_ns: (rows, columns) int64, capture time of the newest update.
        revision: Counts changes, so that a renderer knows when to draw anew.
    """

    def __init__(self, columns: int, rows: int, groups: tuple[int, ...]) -> None:
        self.groups = groups
        self.columns = columns
        self.rows = rows
        self.symbols = np.zeros((sum(groups), rows, columns), np.int32)
        self.level = np.zeros((rows, columns), np.uint8)
        self.quality = np.zeros((len(groups), rows, columns), np.uint8)
        self.tag = np.zeros((rows, columns), np.uint8)
        self.time_ns = np.zeros((rows, columns), np.int64)
        self.revision = 0

    def apply(self, update: CellUpdate, time_ns: int) -> int:
        """Apply an update and return how many cells changed.

        A coarse update that repeats a cell's tag, quantizer and coarse symbols only renews its time: what refined the
        cell stays. A refinement is dropped for cells of another version, and for cells that lack a level before it.

        Raises:
            SymbolError: The block does not lie on the surface.
        """
        block = update.block
        if block.column + block.columns > self.columns or block.row + block.rows > self.rows:
            raise SymbolError(f"{block} does not lie on a surface of {self.columns}x{self.rows} cells")
        window = np.s_[block.row : block.row + block.rows, block.column : block.column + block.columns]
        first, last = update.groups.start, update.groups.stop
        channels = slice(sum(self.groups[:first]), sum(self.groups[:last]))
        fresh = update.symbols[channels]
        held = self.symbols[channels][(slice(None), *window)]
        same = np.all(held == fresh, axis=0) & np.all(self.quality[(slice(first, last), *window)] == update.quality, axis=0)
        same &= (self.tag[window] == update.tag) & (self.level[window] >= last)
        if first == 0:
            accepted = np.ones((block.rows, block.columns), bool)
        else:
            accepted = (self.tag[window] == update.tag) & (self.level[window] >= first)
        changed = accepted & ~same
        for group in range(first, last):
            self.quality[(group, *window)][changed] = update.quality
        held[:, changed] = fresh[:, changed]
        self.level[window][changed] = last
        self.tag[window][changed] = update.tag
        self.time_ns[window][accepted] = time_ns
        count = int(changed.sum())
        self.revision += count > 0
        return count


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a sprite is at a time, in pixels of the picture: centre and size."""

    time_ns: int
    x: float
    y: float
    width: float
    height: float


@dataclass(slots=True)
class Sprite:
    """A tracked object with an appearance of its own.

    Attributes:
        class_id: What it is, in the classes of the sender's detector.
        surface: Its appearance.
        poses: Knots of its trajectory, in order of time.
    """

    class_id: int
    surface: Surface
    poses: list[Pose] = field(default_factory=list)

    def add_pose(self, pose: Pose) -> None:
        """Insert a pose in order of time; one of the same time replaces the older."""
        poses = [p for p in self.poses if p.time_ns != pose.time_ns]
        poses.append(pose)
        poses.sort(key=lambda p: p.time_ns)
        self.poses = poses[-MAX_POSES:]


class Scene:
    """All that a receiver knows of what a camera sees.

    Attributes:
        width_px, height_px: Size of the picture.
        groups: Channels of each refinement level.
        background: Surface of the whole picture.
        sprites: Tracked objects by id.
    """

    def __init__(self, width_px: int, height_px: int, groups: tuple[int, ...]) -> None:
        self.width_px = width_px
        self.height_px = height_px
        self.groups = groups
        self.background = Surface(cells_across(width_px), cells_across(height_px), groups)
        self.sprites: dict[int, Sprite] = {}

    def surface(self, sprite_id: int | None) -> Surface | None:
        """Return the background for None, else a sprite's surface if the sprite is known."""
        if sprite_id is None:
            return self.background
        sprite = self.sprites.get(sprite_id)
        return sprite.surface if sprite else None

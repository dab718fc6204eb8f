"""What there is to tell of the contours of the background: rectangles, first on coarse rasters, then on finer ones.

As of cells, each rectangle is worth the error that it removes from what a receiver is expected to show, by the bits
that it takes. Doubt grows with time, because somebody may have joined since: so what was told long ago is told again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pantel_codec import (
    CELL_PX,
    CONTOUR_STEPS_PX,
    MAX_CONTOUR_SAMPLES,
    Block,
    ContourElement,
    ContourPatch,
    Drawing,
    contour_bits,
    grid_of,
    raster_shape,
)
from pantel_device.observer import ContourFinder
from pantel_device.scene_encoding.block_search import best_block
from pantel_device.scene_encoding.cell_coding import shrunk
from pantel_device.scene_encoding.contours.line_news import MOST_BITS, LineNews
from pantel_device.scene_encoding.contours.line_view import drawn, line_error
from pantel_models import contour_map, contour_raster

__all__ = ["ContourEncoder"]

_STEPS = (1, 2, 3)  # of `CONTOUR_STEPS_PX`
_RECTANGLE_BITS = 38.0  # what a patch takes besides its samples
_CHARGE_BITS = 400.0  # that a rectangle is charged beside its own: what it leaves out has to be told as well
_SHORTEST_S, _LONGEST_S = 0.4, 10.0
_NEW_LASTS_S = 40.0  # what was never told; there must be ground for objects to stand on
_OPENING_BITS = 1500.0  # of the whole picture on the raster `_OPENING_STEP`
_OPENING_STEP = 2
_RAISED = 1.25  # strength, at a time
_STRONGEST = 10.0
_SPARE = 0.9  # of the room: what rectangles take is an estimate at first


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """The whole background on one raster.

    Attributes:
        step: Of the raster.
        samples: (rows, columns) bool.
        error: (rows, columns) of cells: what is wrong where it is shown.
        bits: Same shape: about what the samples of each cell take.
    """

    step: int
    samples: NDArray[np.bool_]
    error: NDArray[np.float64]
    bits: NDArray[np.float64]


class ContourEncoder:
    """Knows what was told of the background's contours and what is worth telling next.

    Attributes:
        shown: (H, W) uint8, 0 or 1: the lines that a receiver shows which has missed nothing.
        strength: Of the contours that are told, see `ContourFinder`: in a picture with very many, strong ones first.
    """

    def __init__(
        self,
        size_px: tuple[int, int],
        *,
        loss: float,
        refresh_s: float,
        pixel_weights: NDArray[np.float32] | None = None,
        find_contours: ContourFinder = contour_map,
    ) -> None:
        """Start with a receiver that knows nothing.

        Args:
            size_px: Width and height of the picture.
            loss: Share of packets that is expected to be lost.
            refresh_s: Time after which a receiver that joined late should have been told again [s].
            pixel_weights: (H, W), how much an error counts where; alike everywhere by default.
            find_contours: Says where contours are; who gives those that `look` takes note of.
        """
        self._size_px = size_px
        self._loss = loss
        self._refresh_ns = refresh_s * 1e9
        self._pixel_weights = pixel_weights
        self._find_contours = find_contours
        self._told = Drawing(*size_px)
        self.shown = drawn(self._told)
        self.strength = 1.0
        self._expected = self.shown
        self._levels: list[_Level] = []
        grid = grid_of(*size_px, 0)
        self._told_ns = np.zeros(grid, np.int64)
        self._missing = np.ones(grid)  # probability that a receiver lacked what was told of a cell, just afterwards

    def open(self, background: NDArray[np.uint8]) -> None:
        """Choose the strength of the contours that are told first, if nothing was told yet.

        Args:
            background: (H, W, 3) uint8, RGB.
        """
        shape, side = raster_shape(*self._size_px, _OPENING_STEP), CONTOUR_STEPS_PX[_OPENING_STEP]
        while not self._told.patches and self.strength < _STRONGEST:
            samples = contour_raster(self._find_contours(background, strength=self.strength), shape, side)
            if float(contour_bits(samples).sum()) <= _OPENING_BITS:
                return
            self.strength *= _RAISED

    def relax(self) -> None:
        """Take weaker contours in, because those so far have been told."""
        self.strength = max(self.strength / _RAISED, 1.0)

    def look(self, expected: NDArray[np.uint8]) -> None:
        """Take note of the contours (H, W) that the background has now."""
        if self._levels and np.array_equal(expected, self._expected):
            return
        self._expected = expected
        self._levels = [self._level(step) for step in _STEPS]

    def news(self, now_ns: int, room_bits: float) -> LineNews | None:
        """Return what is worth most per bit of what fits; None if nothing is worth anything.

        Args:
            now_ns: Time stamp of the payload.
            room_bits: What is left of it.
        """
        limit_bits = min(room_bits, MOST_BITS)
        age_ns = np.maximum(now_ns - self._told_ns, 0)
        joined = 1 - np.exp(-age_ns / self._refresh_ns * self._loss)  # since it was told
        missing = self._missing + (1 - self._missing) * joined
        error = (1 - missing) * self._cells(line_error(self._expected, self.shown))
        error += missing * self._cells(self._expected)
        lasting_s = np.where(self._missing < 1, np.clip(age_ns / 1e9, _SHORTEST_S, _LONGEST_S), _NEW_LASTS_S)
        overdue = ((self._missing == 1) | (age_ns > self._refresh_ns)) & (self._cells(self._expected) > 0)
        found = [self._rectangle(level, error, lasting_s, overdue, limit_bits) for level in self._levels]
        return max((news for news in found if news is not None), key=lambda news: news.worth, default=None)

    def sent(self, element: ContourElement, now_ns: int) -> None:
        """Take note of contours that go on the air."""
        self._told.add(element.patch, now_ns)
        self.shown = drawn(self._told)
        left, upper, right, lower = (round(edge / CELL_PX) for edge in element.patch.edges_px)
        cells = slice(upper, lower), slice(left, right)
        self._missing[cells] *= self._loss
        self._told_ns[cells] = now_ns

    def _level(self, step: int) -> _Level:
        side = CONTOUR_STEPS_PX[step]
        shape = raster_shape(*self._size_px, step)
        samples = contour_raster(self._expected, shape, side)
        drawing = Drawing(*self._size_px)
        drawing.add(ContourPatch(step, Block(0, 0, shape[1], shape[0]), samples), 0)
        error = self._cells(line_error(self._expected, drawn(drawing)))
        rows, columns = (((np.arange(count) + 0.5) * side // CELL_PX).astype(np.int64) for count in shape)
        place = np.minimum(rows, error.shape[0] - 1)[:, None] * error.shape[1] + np.minimum(columns, error.shape[1] - 1)
        bits = np.bincount(place.ravel(), contour_bits(samples).ravel(), error.size).reshape(error.shape)
        return _Level(step, samples, error, np.asarray(bits, np.float64))

    def _cells(self, pixels: NDArray[np.float32] | NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return the weighted sums over cells, (rows, columns)."""
        weighted = pixels.astype(np.float64) if self._pixel_weights is None else pixels * self._pixel_weights
        rows, columns = (np.arange(0, side, CELL_PX) for side in pixels.shape)
        sums = np.add.reduceat(np.add.reduceat(weighted, rows, axis=0), columns, axis=1)
        return np.asarray(sums, np.float64)

    def _rectangle(
        self,
        level: _Level,
        error: NDArray[np.float64],
        lasting_s: NDArray[np.float64],
        overdue: NDArray[np.bool_],
        limit_bits: float,
    ) -> LineNews | None:
        """Return the rectangle of a raster that brings most per bit.

        Args:
            level: The raster.
            error: (rows, columns) of cells: what is expected to be wrong now.
            lasting_s: Same shape: for how long what is told may be expected to be right.
            overdue: Same shape: what was told too long ago, or never.
            limit_bits: It takes at most so many.
        """
        gain = (1 - self._loss) * (error - level.error)
        found = best_block(gain * lasting_s, level.bits, _SPARE * (limit_bits - _RECTANGLE_BITS), _CHARGE_BITS)
        if found is None:
            return None
        cells = found[0]
        while True:
            patch = self._patch(level, cells)
            bits = float(contour_bits(patch.samples).sum()) + _RECTANGLE_BITS
            if bits <= limit_bits and patch.samples.size <= MAX_CONTOUR_SAMPLES:
                break
            if cells.rows * cells.columns == 1:
                return None
            cells = shrunk(cells, 0.8)
        brings = float(gain[cells.window].sum())
        lasts_s = float((gain * lasting_s)[cells.window].sum()) / brings if brings > 0 else _SHORTEST_S
        again = bool(overdue[cells.window].any())
        return LineNews("contours", (ContourElement(patch),), bits, brings, lasts_s, overdue=again)

    def _patch(self, level: _Level, cells: Block) -> ContourPatch:
        """Return the samples of a raster that lie in a block of cells, all of those at its edges as well."""
        side = CONTOUR_STEPS_PX[level.step]
        rows, columns = level.samples.shape
        left, upper = (int(CELL_PX * start // side) for start in (cells.column, cells.row))
        right = min(int(-(-CELL_PX * (cells.column + cells.columns) // side)), columns)
        lower = min(int(-(-CELL_PX * (cells.row + cells.rows) // side)), rows)
        block = Block(left, upper, right - left, lower - upper)
        return ContourPatch(level.step, block, level.samples[block.window].copy())

"""Rounds: the whole background told once from top to bottom, in as many payloads as it takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pantel_codec import Block, CellElement
from pantel_device.scene_encoding.cell_coding import Way, coded
from pantel_models import SceneCodec

__all__ = ["Round", "finest_quality"]


class Round:
    """Tells all cells of one scale in one way, in bands: neighbours predict each other, and each block has a header.

    Attributes:
        way: How the cells are told.
    """

    def __init__(self, codec: SceneCodec, way: Way) -> None:
        self._codec = codec
        self.way = way
        self._cells = 1
        self._told = 0

    @property
    def finished(self) -> bool:
        """Whether all cells were told."""
        return self._told >= self._cells

    def band(self, latents: NDArray[np.float32], limit_bits: float) -> tuple[CellElement, float] | None:
        """Return the cells that are next, as many rows as fit, and the bits of their residuals.

        Args:
            latents: (channels, rows, columns) of the way's scale.
            limit_bits: The residuals take at most so many.

        Returns:
            None if not even one cell fits.
        """
        rows, columns = latents.shape[1:]
        self._cells = rows * columns
        row, column = divmod(self._told, columns)
        block = Block(column, row, columns - column, 1 if column else rows - row)
        while True:
            element, bits = coded(self._codec, latents, block, self.way)
            if bits <= limit_bits:
                return element, bits
            if block.rows * block.columns == 1:
                return None
            share = limit_bits / bits
            if block.rows > 1:
                block = Block(column, row, columns, max(1, min(int(block.rows * share), block.rows - 1)))
            else:
                block = Block(column, row, max(1, min(int(block.columns * share), block.columns - 1)), 1)

    def bands(self, latents: NDArray[np.float32], limit_bits: float) -> int:
        """Return how many bands the cells that are left take, and be finished; of arguments see `band`."""
        count = 0
        while not self.finished:
            found = self.band(latents, limit_bits)
            if found is None:
                self.skip()
            else:
                self.sent(found[0])
                count += 1
        return count

    def skip(self) -> None:
        """Leave the next cell out: so much detail in one is left to its updates."""
        self._told += 1

    def sent(self, element: CellElement) -> None:
        """Take note of a band that goes on the air."""
        block = element.update.block
        self._told += block.rows * block.columns


def finest_quality(
    codec: SceneCodec, latents: NDArray[np.float32], scale: int, qualities: Sequence[int], limit_bits: float
) -> int:
    """Return the finest quality at which all cells of a scale take at most so many bits; the coarsest if none does.

    Args:
        codec: How cells are coded.
        latents: (channels, rows, columns) of the scale.
        scale: Of the cells.
        qualities: To choose from, rising.
        limit_bits: Of the residuals.
    """
    whole = Block(0, 0, latents.shape[2], latents.shape[1])
    low, high = 0, len(qualities) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if coded(codec, latents, whole, Way(scale, qualities[middle]))[1] <= limit_bits:
            low = middle
        else:
            high = middle - 1
    return qualities[low]

"""Seeds: coarse cells of the background for receivers that joined late, or missed what was told first."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pantel_codec import Block, CellElement
from pantel_device.cell_coding import Way, coded
from pantel_device.news import News
from pantel_models import SceneCodec

__all__ = ["SEED_SCALE", "SeedEncoder"]

SEED_SCALE = 1
"""Seeds are cells of half the resolution."""

_QUALITIES = range(5, 19)
_ROUND_PAYLOADS = 3.0  # in so many payloads a receiver that lacks everything should be told the whole picture
_EVERY = 9  # payloads
_KIND_BITS = 3.0  # by which seeds take more than other cells: their kind is seldom


class SeedEncoder:
    """Tells the whole picture again and again, from top to bottom, in no relation to what was sent.

    Each payload with seeds has a band of as many rows as fit.
    """

    def __init__(self, codec: SceneCodec) -> None:
        self._codec = codec
        self._payloads_since = 0
        self._told = 0  # cells
        self._quality = _QUALITIES.start

    def news(self, latents: NDArray[np.float32], room_bits: float) -> News | None:
        """Return the seeds of a payload, in one of some; None in the others. To be called once for each.

        Args:
            latents: (channels, rows, columns) of the background at `SEED_SCALE`.
            room_bits: They take at most about so many.
        """
        self._payloads_since += 1
        if self._payloads_since < _EVERY:
            return None
        rows, columns = latents.shape[1:]
        row, column = divmod(self._told % (rows * columns), columns)
        if row == column == 0:
            self._quality = self._finest(latents, _ROUND_PAYLOADS * room_bits)
        way = Way(SEED_SCALE, self._quality)
        overhead_bits = way.overhead_bits + _KIND_BITS
        block = Block(column, row, columns - column, 1 if column else rows - row)
        # Bits are estimates: what did not fit into the payload before is not offered again as long as it was.
        limit_bits = room_bits - overhead_bits - 8.0 * (self._payloads_since - _EVERY)
        while True:
            element, bits = coded(self._codec, latents, block, way)
            if bits <= limit_bits:
                return News("seeds", (replace(element, seed=True),), bits + overhead_bits, math.inf)
            if block.rows * block.columns == 1:
                self._told += 1  # so much detail in one cell is left to its updates
                return None
            share = limit_bits / bits
            if block.rows > 1:
                block = Block(column, row, columns, max(1, min(int(block.rows * share), block.rows - 1)))
            else:
                block = Block(column, row, max(1, min(int(block.columns * share), block.columns - 1)), 1)

    def sent(self, news: News) -> None:
        """Take note of seeds that go on the air."""
        for element in news.elements:
            if isinstance(element, CellElement):
                block = element.update.block
                self._told += block.rows * block.columns
                self._payloads_since = 0

    def _finest(self, latents: NDArray[np.float32], limit_bits: float) -> int:
        """Return the finest quality at which the whole picture takes at most so many bits."""
        whole = Block(0, 0, latents.shape[2], latents.shape[1])
        fitting = _QUALITIES.start
        for quality in _QUALITIES[1:]:
            if coded(self._codec, latents, whole, Way(SEED_SCALE, quality))[1] > limit_bits:
                break
            fitting = quality
        return fitting

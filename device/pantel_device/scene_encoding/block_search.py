"""Finds the rectangle of cells that brings most per bit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pantel_codec import Block

__all__ = ["best_block"]

_SIDES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64)  # heights and widths that are tried

_NOTHING = 1e-9  # sums over integral images are as exact as that


def best_block(
    gain: NDArray[np.float64], bits: NDArray[np.float64], limit_bits: float, overhead_bits: float
) -> tuple[Block, float] | None:
    """Return the block of the highest gain per bit, and that ratio.

    All places of all sizes are compared, by sums over rectangles of integral images.

    Args:
        gain: (rows, columns), what coding each cell would bring; negative where it would do harm.
        bits: (rows, columns), what each cell would take; not negative.
        limit_bits: A block takes at most so many.
        overhead_bits: What a block takes besides its cells.

    Returns:
        None if no block brings anything within the limit.
    """
    rows, columns = gain.shape
    total = np.zeros((2, rows + 1, columns + 1))
    total[:, 1:, 1:] = np.stack([gain, bits]).cumsum(1).cumsum(2)
    best: tuple[Block, float] | None = None
    for height in _sides(rows):
        strip = total[:, height:] - total[:, :-height]
        for width in _sides(columns):
            brings, takes = strip[:, :, width:] - strip[:, :, :-width]
            if takes.min() > limit_bits:
                break  # wider ones take even more
            ratio = np.where(takes <= limit_bits, brings / (takes + overhead_bits), 0.0)
            place = int(ratio.argmax())
            value = float(ratio.flat[place])
            if value > (best[1] if best else _NOTHING):
                row, column = divmod(place, ratio.shape[1])
                best = Block(column, row, width, height), value
    return best


def _sides(limit: int) -> list[int]:
    """Return the side lengths to try on a grid of that size."""
    return sorted({*(side for side in _SIDES if side <= limit), limit})

"""The cells of a detector's grids, finest grid first, row by row: the order in which all of them answer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["cell_count", "cells"]


def cell_count(input_px: tuple[int, int], strides: Sequence[int]) -> int:
    """Return how many cells the grids of these strides have together; a cell that is cut off counts."""
    width, height = input_px
    return sum(-(-width // stride) * -(-height // stride) for stride in strides)


@lru_cache(maxsize=16)
def cells(input_px: tuple[int, int], strides: tuple[int, ...]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return column and row of each cell, (N, 2) float32, and its stride [px], (N, 1) float32; both read-only.

    Args:
        input_px: Width and height of the input.
        strides: Width of the cells of each grid [px].
    """
    width, height = input_px
    places, widths = [], []
    for stride in strides:
        row, column = np.mgrid[: -(-height // stride), : -(-width // stride)]
        places.append(np.stack([column, row], axis=-1).reshape(-1, 2))
        widths.append(np.full((row.size, 1), stride))
    place, stride_px = np.concatenate(places).astype(np.float32), np.concatenate(widths).astype(np.float32)
    place.flags.writeable = stride_px.flags.writeable = False
    return place, stride_px

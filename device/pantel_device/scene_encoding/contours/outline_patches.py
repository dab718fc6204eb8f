"""How much of an object's contours fits into some bits: all of it on a coarser raster, or a part on a finer one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pantel_codec import CONTOUR_STEPS_PX, MAX_CONTOUR_SAMPLES, Block, ContourPatch, Drawing, contour_bits, raster_shape
from pantel_device.frame import Box
from pantel_device.rendering.line_drawing import outline_area
from pantel_device.scene_encoding.block_search import best_block
from pantel_device.scene_encoding.contours.outline_case import OutlineCase
from pantel_models import contour_raster

__all__ = ["outline_patches"]

_STEPS = 4  # of `CONTOUR_STEPS_PX`, the finest ones
_FIRST_STEPS = 7  # of which an object is told first, on the finest that fits: a part alone is not recognized
_WAYS = 2  # of rasters that are tried for all of an object, the finest that fit; and of finer ones for a part of it
_RANGE_BITS = 14.0  # to say which part
_CHARGE_BITS = 400.0  # that a part is charged beside its own: the rest has to be told as well


def outline_patches(
    case: OutlineCase, drawing: Drawing, box: Box, errors: NDArray[np.float32], limit_bits: float
) -> Iterator[ContourPatch]:
    """Yield patches of at most so many bits: all of an object at first, then parts as well.

    Args:
        case: The object.
        drawing: What a receiver has of it.
        box: Where it shows that in the frame.
        errors: (rows, columns) of the case's window: what is wrong with it there.
        limit_bits: Of the samples.
    """
    area = outline_area(box)
    finer: list[ContourPatch] = []
    fitting = 0
    for step, side in enumerate(CONTOUR_STEPS_PX[: _STEPS if drawing.patches else _FIRST_STEPS]):
        rows, columns = raster_shape(drawing.width_px, drawing.height_px, step)
        samples = contour_raster(case.view.objects, (rows, columns), side, (area.x0, area.y0))
        if not samples.any() or fitting == _WAYS:
            break
        patch = ContourPatch(step, Block(0, 0, columns, rows), samples)
        if _fits(samples, limit_bits):
            fitting += 1
            yield patch
        else:
            finer.append(patch)
    if not drawing.patches:
        return
    for patch in finer[-_WAYS:]:
        alone = Drawing(drawing.width_px, drawing.height_px)
        alone.add(patch, 0)
        gain = (errors - case.errors(alone, box)).sum(axis=1)
        part = _part(patch, gain, case.window[0].start - area.y0, limit_bits - _RANGE_BITS)
        if part is not None:
            yield part


def _part(
    whole: ContourPatch, pixel_gain: NDArray[np.floating[Any]], top_px: float, limit_bits: float
) -> ContourPatch | None:
    """Return the rows of a patch that bring most per bit; None if none bring anything.

    Args:
        whole: All of an object.
        pixel_gain: (rows,), what rows of pixels would bring.
        top_px: How far the first of them lies below the upper edge of the patch.
        limit_bits: Of the samples.
    """
    side, samples = CONTOUR_STEPS_PX[whole.step], whole.samples
    centres = top_px + np.arange(pixel_gain.size) + 0.5
    row = np.clip(np.floor(centres / side).astype(np.int64), 0, len(samples) - 1)
    gain = np.asarray(np.bincount(row, pixel_gain, len(samples)), np.float64)
    bits = contour_bits(samples).sum(axis=1)
    found = best_block(gain[:, None], bits[:, None], limit_bits, _CHARGE_BITS)
    if found is None:
        return None
    rows = found[0].rows
    while rows > 0:
        block = Block(0, found[0].row, samples.shape[1], rows)
        part = samples[block.window].copy()
        if _fits(part, limit_bits):
            return ContourPatch(whole.step, block, part)
        rows = math.floor(0.9 * rows)
    return None


def _fits(samples: NDArray[np.bool_], limit_bits: float) -> bool:
    return samples.size <= MAX_CONTOUR_SAMPLES and float(contour_bits(samples).sum()) <= limit_bits

"""Draws contours as thin lines, alike in the receiver and in what the sender believes of it."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_codec import CONTOUR_STEPS_PX, OUTLINE_MARGIN, Drawing, raster_shape
from pantel_device.frame import Box
from pantel_device.rendering.composition import Window

__all__ = ["draw_lines", "lines_of", "outline_area", "placed", "silhouette"]

_SHIFT = 4  # OpenCV takes ends of lines in 1/16 pixel
_TO_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))  # rows and columns: each pair of neighbours once


def lines_of(drawing: Drawing) -> NDArray[np.float32]:
    """Return the lines of a drawing, (n, 2, 2) float32: the x and y of both ends, in pixels of its area.

    Neighbouring samples of one raster are joined, across a corner only where there is no other way. Of samples that lie
    so dense that they fill an area only its rim is drawn. Points on a line are moved to the mean of themselves and both
    neighbours, which takes the steps off slanting lines.
    """
    rasters: dict[int, NDArray[np.bool_]] = {}
    for _, patch in drawing.patches:
        left, upper, right, lower = patch.edges_px
        for step, raster in rasters.items():
            side = CONTOUR_STEPS_PX[step]
            # Samples whose centres lie in the new patch.
            rows, columns = (
                slice(math.ceil(low / side - 0.5), math.ceil(high / side - 0.5))
                for low, high in ((upper, lower), (left, right))
            )
            raster[rows, columns] = False
        if patch.step not in rasters:
            rasters[patch.step] = np.zeros(raster_shape(drawing.width_px, drawing.height_px, patch.step), np.bool_)
        rasters[patch.step][patch.block.window] = patch.samples
    lines = [np.float32(CONTOUR_STEPS_PX[step]) * _joined(raster) for step, raster in rasters.items()]
    return np.concatenate([np.zeros((0, 2, 2), np.float32), *lines])


def _joined(raster: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the lines (n, 2, 2) float32 between the samples of a raster, in samples."""
    padded = np.pad(raster, 2)
    rows, columns = np.nonzero(padded)
    number = np.full(padded.shape, -1, np.int64)
    number[rows, columns] = np.arange(rows.size)
    pairs = []
    for dy, dx in _TO_NEIGHBOURS:
        other = number[rows + dy, columns + dx]
        if dy and dx:
            needless = padded[rows, columns + dx] | padded[rows + dy, columns]
        else:
            beside = (
                padded[rows + side * dx, columns + side * dy] & padded[rows + dy + side * dx, columns + dx + side * dy]
                for side in (-1, 1)
            )
            needless = np.logical_and(*beside)
        chosen = np.flatnonzero((other >= 0) & ~needless)
        pairs.append(np.stack([chosen, other[chosen]], axis=1))
    ends = np.concatenate(pairs)
    points = np.stack([columns - 1.5, rows - 1.5], axis=1)  # centres
    sums = points.copy()
    np.add.at(sums, ends[:, 0], points[ends[:, 1]])
    np.add.at(sums, ends[:, 1], points[ends[:, 0]])
    on_line = np.bincount(ends.ravel(), minlength=rows.size) == 2
    points[on_line] = sums[on_line] / 3
    return np.asarray(points[ends], np.float32)


def outline_area(box: Box) -> Box:
    """Return the area over which the contours of an object are drawn that is in a box."""
    across, down = OUTLINE_MARGIN * (box.x1 - box.x0), OUTLINE_MARGIN * (box.y1 - box.y0)
    return Box(box.x0 - across, box.y0 - down, box.x1 + across, box.y1 + down)


def placed(lines: NDArray[np.float32], drawing: Drawing, area: Box) -> NDArray[np.float32]:
    """Return the lines of a drawing where its area lies in the picture.

    Args:
        lines: (n, 2, 2), as `lines_of` returns them.
        drawing: Theirs.
        area: In pixels of the picture.
    """
    scale = (area.x1 - area.x0) / drawing.width_px, (area.y1 - area.y0) / drawing.height_px
    return np.asarray(lines * np.array(scale, np.float32) + np.array((area.x0, area.y0), np.float32), np.float32)


def draw_lines(
    canvas: NDArray[np.uint8], lines: NDArray[np.float32], colour: tuple[int, ...], *, smooth: bool = True
) -> None:
    """Draw lines one pixel wide.

    Args:
        canvas: (H, W, 3) or (H, W) uint8; drawn into.
        lines: (n, 2, 2): x and y of their ends [px], pixel edges at integers.
        colour: Of each channel.
        smooth: Whether they are anti-aliased.
    """
    ends = np.rint((lines - 0.5) * (1 << _SHIFT)).astype(np.int32)
    cv2.polylines(canvas, list(ends), False, colour, 1, cv2.LINE_AA if smooth else cv2.LINE_8, _SHIFT)


def silhouette(lines: NDArray[np.float32], size_px: tuple[int, int]) -> tuple[Window, NDArray[np.bool_]]:
    """Return what the lines of an object enclose, as far as that can be told from them, and where that is.

    These are the pixels with a line on all four sides, and the lines themselves.

    Args:
        lines: (n, 2, 2), placed in the picture; they may reach beyond it.
        size_px: Width and height of the picture.

    Returns:
        Rows and columns of the picture, and (rows, columns) bool; empty if there is nothing in the picture.
    """
    if not len(lines):
        return (slice(0, 0), slice(0, 0)), np.zeros((0, 0), np.bool_)
    x0, y0 = (math.floor(edge) - 1 for edge in lines.min(axis=(0, 1)))
    x1, y1 = (math.ceil(edge) + 1 for edge in lines.max(axis=(0, 1)))
    drawn = np.zeros((y1 - y0, x1 - x0), np.uint8)  # also what is beyond the picture: it closes the rest
    draw_lines(drawn, lines - np.array((x0, y0), np.float32), (1,), smooth=False)
    within = np.ones(drawn.shape, np.bool_)
    for axis in (0, 1):
        before = np.maximum.accumulate(drawn, axis=axis)
        behind = np.flip(np.maximum.accumulate(np.flip(drawn, axis), axis=axis), axis)
        within &= (before & behind) > 0
    rows, columns = (
        slice(min(max(low, 0), side), min(max(high, 0), side))
        for low, high, side in ((y0, y1, size_px[1]), (x0, x1, size_px[0]))
    )
    return (rows, columns), within[rows.start - y0 : rows.stop - y0, columns.start - x0 : columns.stop - x0]

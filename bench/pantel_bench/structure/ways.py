"""Ways to show an object in a given number of bits: its look alone, or a coarser look and its contours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_bench.structure.specimens import Specimen
from pantel_codec import (
    CELL_PX,
    CONTOUR_STEPS_PX,
    Background,
    Block,
    ContourPatch,
    Drawing,
    Part,
    contour_bits,
    outline_size_px,
    raster_shape,
)
from pantel_codec.thumbnail import THUMBNAIL_QUALITIES
from pantel_device.rendering.composition import paste, place
from pantel_device.rendering.line_drawing import draw_lines, lines_of, outline_area, placed
from pantel_device.scene_encoding.cell_coding import Way, coded
from pantel_models import SceneCodec, contour_raster
from pantel_models.thumbnails import RASTER_PX, Look

__all__ = ["WAYS", "Candidates", "Shown"]

_INK = (12, 12, 24)
_REACH_PX = 2.0
_MASK_QUALITY = 2  # of the thumbnail that lends cells its mask
_CELL_QUALITIES = range(0, 32, 2)
_CELL_SCALES = (0.5, 1.0, 2.0)  # pixels of the picture for one of the raster
_CELL_RASTER_BITS = 9.0
_PATCH_BITS = 4.0  # kind, step and extent of a patch that joins a look


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """An object as a receiver would show it.

    Attributes:
        pixels: (H, W, 3) uint8, RGB: on the true background.
        bits: What look and contours take.
    """

    pixels: NDArray[np.uint8]
    bits: float


def _best(candidates: Sequence[Shown], specimen: Specimen, limit_bits: float) -> Shown:
    """Return the candidate of the least squared error among those that fit; the smallest if none does."""

    def rank(shown: Shown) -> tuple[bool, float]:
        if shown.bits > limit_bits:
            return True, shown.bits
        return False, float(((shown.pixels.astype(np.float32) - specimen.frame) ** 2).sum())

    return min(candidates, key=rank)


def _looks(specimen: Specimen, codec: SceneCodec) -> Iterator[Shown]:
    """Yield the object with thumbnails of all qualities, with and without detail."""
    thumbnails, shape = codec.thumbnails, specimen.shape
    latents = thumbnails.analyse(specimen.cutting, shape, specimen.class_id)
    for quality in range(THUMBNAIL_QUALITIES):
        core, core_bits = thumbnails.quantize(latents, shape, Part.CORE, quality, 0)
        detail, detail_bits = thumbnails.quantize(latents, shape, Part.DETAIL, quality, 0)
        for more, bits in ((None, core_bits), (detail, core_bits + detail_bits)):
            look = thumbnails.decode(core, more, shape, specimen.class_id)
            yield Shown(_pasted(specimen, look), bits)


def _in_cells(specimen: Specimen, codec: SceneCodec) -> Iterator[Shown]:
    """Yield the object with latent cells on a raster of their own, under the mask of a coarse thumbnail."""
    thumbnails, shape, raster = codec.thumbnails, specimen.shape, specimen.raster
    latents = thumbnails.analyse(specimen.cutting, shape, specimen.class_id)
    core, mask_bits = thumbnails.quantize(latents, shape, Part.CORE, _MASK_QUALITY, 0)
    alpha = thumbnails.decode(core, None, shape, specimen.class_id).alpha
    for scale in _CELL_SCALES:
        columns, rows = (
            CELL_PX * max(1, round(side / CELL_PX / scale)) for side in (raster.x1 - raster.x0, raster.y1 - raster.y0)
        )
        pixels = np.asarray(cv2.resize(_filled(specimen), (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
        y = codec.analyse(pixels, np.zeros((rows, columns), np.uint8))
        for quality in _CELL_QUALITIES:
            element, bits = coded(codec, y, Block(0, 0, *y.shape[:0:-1]), Way(0, quality))
            background = Background(columns, rows, codec.entropy.groups)
            background.apply(element.update, 0)
            colour = cv2.resize(codec.synthesise(background), (RASTER_PX, RASTER_PX), interpolation=cv2.INTER_AREA)
            look = Look(np.asarray(colour, np.float32), alpha)
            yield Shown(_pasted(specimen, look), mask_bits + bits + _CELL_RASTER_BITS)


def _filled(specimen: Specimen) -> NDArray[np.uint8]:
    """Return the object (RASTER_PX, RASTER_PX, 3) with its mean colour around it, which costs cells the least."""
    mask, pixels = specimen.cutting.mask[..., None], 255 * specimen.cutting.pixels
    mean = (pixels * mask).sum((0, 1)) / max(float(mask.sum()), 1.0)
    return np.asarray(np.clip(np.rint(pixels * mask + (1 - mask) * mean), 0, 255), np.uint8)


def _pasted(specimen: Specimen, look: Look) -> NDArray[np.uint8]:
    picture = specimen.background.copy()
    paste(picture, place(look, specimen.raster, (picture.shape[1], picture.shape[0])))
    return picture


class Candidates:
    """An object in all qualities, as a thumbnail and in cells.

    Attributes:
        specimen: The object.
    """

    def __init__(self, specimen: Specimen, codec: SceneCodec) -> None:
        self.specimen = specimen
        self._looks = list(_looks(specimen, codec))
        self._cells = list(_in_cells(specimen, codec))

    def look(self, limit_bits: float) -> Shown:
        """Return the best thumbnail of at most so many bits."""
        return _best(self._looks, self.specimen, limit_bits)

    def cells(self, limit_bits: float) -> Shown:
        """Return the best cells of at most so many bits."""
        return _best(self._cells, self.specimen, limit_bits)


_Finish = Callable[[NDArray[np.uint8], NDArray[np.float32]], NDArray[np.uint8]]


def _with_contours(finish: _Finish, share: float, candidates: Candidates, limit_bits: float) -> Shown:
    """Show a look and what can be made of contours.

    Args:
        finish: Makes a picture of one without contours and their lines.
        share: Of the bits that contours may take, on the finest raster that fits; the look gets the rest.
        candidates: The object.
        limit_bits: What both may take.
    """
    specimen = candidates.specimen
    area = outline_area(specimen.box)
    drawing = Drawing(*outline_size_px(*specimen.codes))
    contours_bits = 0.0
    for step, side in enumerate(CONTOUR_STEPS_PX):
        rows, columns = raster_shape(drawing.width_px, drawing.height_px, step)
        samples = contour_raster(specimen.contours, (rows, columns), side, (area.x0, area.y0))
        bits = float(contour_bits(samples).sum()) + _PATCH_BITS
        if bits <= share * limit_bits:
            drawing.add(ContourPatch(step, Block(0, 0, columns, rows), samples), 0)
            contours_bits = bits
            break
    look = candidates.look(limit_bits - contours_bits)
    return Shown(finish(look.pixels, placed(lines_of(drawing), drawing, area)), look.bits + contours_bits)


def _overlaid(picture: NDArray[np.uint8], lines: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Draw the lines over the picture."""
    drawn = picture.copy()
    draw_lines(drawn, lines, _INK)
    return drawn


def _sharpened(picture: NDArray[np.uint8], lines: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Make edges steep where lines are: pixels near one take the colour from farther away on their side of it.

    This is a shock filter (Osher and Rudin, 1990) of one step, told where the shocks are.
    """
    height, width = picture.shape[:2]
    drawn = np.zeros((height, width), np.uint8)
    draw_lines(drawn, lines, (1,), smooth=False)
    if not drawn.any():
        return picture
    distance = np.asarray(cv2.distanceTransform(1 - drawn, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)
    down, across = np.gradient(distance, axis=0), np.gradient(distance, axis=1)
    slope = np.maximum(np.hypot(down, across), 1e-3)
    push = np.maximum(_REACH_PX - distance, 0) / slope
    y, x = np.arange(height)[:, None], np.arange(width)
    moved = cv2.remap(
        picture,
        (x + push * across).astype(np.float32),
        (y + push * down).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(moved, np.uint8)


WAYS: dict[str, Callable[[Candidates, float], Shown]] = {
    "look": Candidates.look,
    "cells": Candidates.cells,
    "sharpened 1/4": partial(_with_contours, _sharpened, 0.25),
    "sharpened 1/2": partial(_with_contours, _sharpened, 0.5),
    "overlay 1/4": partial(_with_contours, _overlaid, 0.25),
    "overlay 1/2": partial(_with_contours, _overlaid, 0.5),
}
"""How an object can be shown in a number of bits; fractions are the share that contours may take."""

"""Composed pictures as a receiver shows them, made of photographs: what the network that mends them learns from.

The objects of a photograph are painted over by what is around them. What remains is coded as a background is over a
slow link, part of it at a smaller scale than the rest; the objects are coded as thumbnails and laid over it, where they
were. The photograph itself is what the picture should look like.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_codec import (
    MARGINS,
    THUMBNAIL_QUALITIES,
    Background,
    Block,
    CellUpdate,
    Part,
    shape_of,
    size_code,
)
from pantel_export.composition.photographs import Photograph, read_photograph
from pantel_models import SceneCodec, contour_map, reduced
from pantel_models.thumbnails import RASTER_PX, Cutting, Look

__all__ = ["Composed", "compose", "laid_over"]

Rectangle = tuple[float, float, float, float]
"""Left, upper, right and lower edge [px]."""

_POPULATED = 0.75  # share of pictures with objects
_LEAST_PX, _LONGEST_PX = 10, 150  # sides of an object that becomes a sprite
_DRAWN_PX = (24, 120)  # longer side of the object to which a picture is reduced
_MOST_OBJECTS = 6
_QUALITIES = (5, 12, 18, 25, 31)  # that senders use
_STRENGTH = 0.3  # of rate-distortion optimization
_FORGOTTEN_PX = 5  # around an object that are painted over with it
_WHOLE = 0.25  # share of backgrounds that are all told at the full resolution
_QUARTER = 0.2  # share that begins at a quarter of the resolution
_DETAILED = 0.5  # share of objects whose detail has been told
_MISPLACED_PX = 0.4  # standard deviation of where an object is shown: poses are coded, too


@dataclass(frozen=True, slots=True, eq=False)
class Composed:
    """A picture.

    Attributes:
        pixels: (H, W, 3) uint8, RGB: as a receiver shows it.
        cover: (H, W) uint8: how much of each pixel is a sprite, 255 where nothing of the background is seen.
        source: (H, W, 3) uint8: as it was.
    """

    pixels: NDArray[np.uint8]
    cover: NDArray[np.uint8]
    source: NDArray[np.uint8]


def compose(
    codec: SceneCodec,
    bare: Sequence[Photograph],
    populated: Sequence[Photograph],
    side_px: int,
    rng: np.random.Generator,
) -> Composed:
    """Return a picture of side_px by side_px pixels, a multiple of 64, that is drawn at random.

    Args:
        codec: In the perceptual view.
        bare: Photographs without known objects.
        populated: Photographs with known objects.
        side_px: Width and height of the picture.
        rng: Draws everything.

    Raises:
        DataError: A photograph cannot be read.
    """
    chosen = populated if rng.random() < _POPULATED else bare
    pixels, objects = read_photograph(chosen[int(rng.integers(len(chosen)))])
    source, masks = _cut(pixels, objects, side_px, rng)
    everything = np.zeros(source.shape[:2], np.uint8)
    for mask, _ in masks:
        everything |= mask.astype(np.uint8)
    behind = source
    if masks:
        wider = cv2.dilate(everything, np.ones((_FORGOTTEN_PX, _FORGOTTEN_PX), np.uint8))
        behind = np.asarray(cv2.inpaint(source, np.asarray(wider, np.uint8), 3, cv2.INPAINT_TELEA), np.uint8)
    shown = codec.synthesise(_told(codec, behind, rng)).astype(np.float32)
    cover = np.zeros((*source.shape[:2], 1), np.float32)
    for mask, class_id in sorted(masks, key=lambda each: int(np.flatnonzero(each[0].any(1))[-1])):
        look, raster = _sprite(codec, source, mask, class_id, rng)
        laid_over(shown, cover, look, raster)
    return Composed(np.rint(shown).astype(np.uint8), np.rint(255 * cover[..., 0]).astype(np.uint8), source)


def _cut(
    pixels: NDArray[np.uint8], objects: list[tuple[NDArray[np.bool_], int]], side_px: int, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], list[tuple[NDArray[np.bool_], int]]]:
    """Return a square of a photograph, reduced by a factor drawn at random, and those objects that it holds."""
    least = side_px / min(pixels.shape[:2])
    scale = rng.uniform(least, 1.0) if least < 1 else least
    centre = None
    if objects:
        # One of the objects gets a size at which objects are shown, and a place in the square.
        down, across = np.nonzero(objects[rng.integers(len(objects))][0])
        longest = max(np.ptp(down), np.ptp(across)) + 1
        scale = np.clip(np.exp(rng.uniform(*np.log(_DRAWN_PX))) / longest, least, max(least, 1.0))
        centre = scale * down.mean(), scale * across.mean()
    height, width = (max(round(side * scale), side_px) for side in pixels.shape[:2])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    pixels = np.asarray(cv2.resize(pixels, (width, height), interpolation=method), np.uint8)
    y, x = int(rng.integers(0, height - side_px + 1)), int(rng.integers(0, width - side_px + 1))
    if centre is not None:
        around = (middle - side_px * rng.uniform(0.25, 0.75) for middle in centre)
        y, x = (int(np.clip(start, 0, side - side_px)) for start, side in zip(around, (height, width), strict=True))
    window = slice(y, y + side_px), slice(x, x + side_px)
    found = []
    for mask, class_id in objects:
        soft = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
        inside = np.asarray(soft > 0.5)[window]
        sides = [int(inside.any(axis).sum()) for axis in (0, 1)]
        if min(sides) >= _LEAST_PX / 2 and _LEAST_PX <= max(sides) <= _LONGEST_PX:
            found.append((inside, class_id))
    source = pixels[window]
    if rng.random() < 0.5:
        source, found = source[:, ::-1], [(mask[:, ::-1], class_id) for mask, class_id in found]
    return np.ascontiguousarray(source), found[:_MOST_OBJECTS]


def _told(codec: SceneCodec, pixels: NDArray[np.uint8], rng: np.random.Generator) -> Background:
    """Return a background of which each part has been told at one scale or another, at one quality or another."""
    height, width = pixels.shape[:2]
    background = Background(width, height, codec.entropy.groups)
    coarsest = 2 if rng.random() < _QUARTER else 1
    for scale in range(coarsest, -1, -1):
        small = reduced(pixels, scale)
        latents = codec.analyse(small, contour_map(small))
        rows, columns = latents.shape[1:]
        whole = [Block(0, 0, columns, rows)]
        blocks = whole if scale == coarsest else _blocks(columns, rows, rng)
        if scale == 0 and rng.random() < _WHOLE:
            blocks = whole
        for block in blocks:
            quality = int(rng.choice(_QUALITIES[: 5 - scale]))
            part = latents[:, *block.window]
            told = codec.quantizer.quantize(part, codec.entropy, quality, strength=_STRENGTH, at_least=1)
            background.apply(CellUpdate(block, quality, told.levels, told.values, scale), 0)
    return background


def _blocks(columns: int, rows: int, rng: np.random.Generator) -> list[Block]:
    """Return a few rectangles of cells, as they are told in packets."""
    blocks = []
    for _ in range(rng.integers(0, columns * rows // 6 + 1)):
        across, down = int(rng.integers(1, 5)), int(rng.integers(1, 4))
        across, down = min(across, columns), min(down, rows)
        column, row = int(rng.integers(0, columns - across + 1)), int(rng.integers(0, rows - down + 1))
        blocks.append(Block(column, row, across, down))
    return blocks


def _sprite(
    codec: SceneCodec, source: NDArray[np.uint8], mask: NDArray[np.bool_], class_id: int, rng: np.random.Generator
) -> tuple[Look, Rectangle]:
    """Return an object as its thumbnail shows it, and where its raster lies."""
    columns, rows = (np.flatnonzero(mask.any(axis)) for axis in (0, 1))
    x0, y0, x1, y1 = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    width, height = x1 - x0, y1 - y0
    margin = MARGINS[0] + rng.normal(0, 0.02)
    raster = x0 - margin * width, y0 - margin * height, x1 + margin * width, y1 + margin * height
    left, upper, right, lower = (round(float(edge)) for edge in raster)
    pads = (max(-upper, 0), max(lower - source.shape[0], 0)), (max(-left, 0), max(right - source.shape[1], 0))
    window = slice(max(upper, 0), max(lower, 0)), slice(max(left, 0), max(right, 0))
    pixels = np.pad(source[window], (*pads, (0, 0)), mode="edge")
    cut = Cutting.from_pixels(pixels, np.pad(mask[window].astype(np.float32), pads))
    shape = shape_of(size_code(float(width)), size_code(float(height)))
    latents = codec.thumbnails.analyse(cut, shape, class_id)
    core, detail = (
        codec.thumbnails.quantize(latents, shape, part, int(rng.integers(0, THUMBNAIL_QUALITIES)), 0)[0]
        for part in (Part.CORE, Part.DETAIL)
    )
    look = codec.thumbnails.decode(core, detail if rng.random() < _DETAILED else None, shape, class_id)
    dx, dy = rng.normal(0, _MISPLACED_PX, 2).tolist()
    return look, (left + dx, upper + dy, right + dx, lower + dy)


def laid_over(shown: NDArray[np.float32], cover: NDArray[np.float32], look: Look, raster: Rectangle) -> None:
    """Lay a sprite over a picture (H, W, 3), in place, and note in its cover (H, W, 1) what it hides.

    As a receiver does it: averaged to about as many samples as there are pixels, then interpolated.
    """
    height, width = shown.shape[:2]
    x0, y0, x1, y1 = raster
    size = min(RASTER_PX, max(2, round(x1 - x0))), min(RASTER_PX, max(2, round(y1 - y0)))
    planes = np.concatenate([look.colour * look.alpha[..., None], look.alpha[..., None]], 2)
    if size != (RASTER_PX, RASTER_PX):
        planes = np.asarray(cv2.resize(planes, size, interpolation=cv2.INTER_AREA), np.float32)
    scale_x, scale_y = size[0] / (x1 - x0), size[1] / (y1 - y0)
    matrix = np.array([[scale_x, 0, (0.5 - x0) * scale_x - 0.5], [0, scale_y, (0.5 - y0) * scale_y - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(planes, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_CONSTANT)
    colour, alpha = np.asarray(warped[..., :3], np.float32), np.asarray(warped[..., 3:], np.float32)
    shown *= 1 - alpha
    shown += colour
    cover += alpha * (1 - cover)

"""What a camera would see of a cut-out object: other rasters, colours, sizes, shadows, and masks with flaws."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_codec import MARGINS, shape_of, size_code
from pantel_export.thumbnails.crops import ObjectCrop
from pantel_models.thumbnails import RASTER_PX, Kind

__all__ = ["Specimen", "augmented", "plain"]

_Plane = NDArray[np.float32]
_SIZE = (RASTER_PX, RASTER_PX)
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Specimen:
    """An object on the raster: what the encoder is given, and what it should bring back.

    Attributes:
        pixels: (RASTER_PX, RASTER_PX, 3) float32, RGB, 0..1.
        mask: (RASTER_PX, RASTER_PX) float32, 1 on the object.
        found: (RASTER_PX, RASTER_PX) float32: the mask as a background difference would have found it.
        known: (RASTER_PX, RASTER_PX) float32, 0 where something hides the object.
        shape: See `pantel_codec.shape_of`.
        kind: What it is told to be.
        aspect: Width over height of what the raster covers.
    """

    pixels: _Plane
    mask: _Plane
    found: _Plane
    known: _Plane
    shape: int
    kind: Kind
    aspect: float


def plain(crop: ObjectCrop) -> Specimen:
    """Return an object as it is."""
    x0, y0, x1, y1 = _bounds(crop.mask)
    margin = MARGINS[0]
    width, height = x1 - x0, y1 - y0
    matrix = _to_raster((x0 - margin * width, y0 - margin * height, x1 + margin * width, y1 + margin * height))
    pixels, mask = _warped(crop, matrix)
    everything = np.ones(_SIZE, np.float32)
    shape = shape_of(size_code(width), size_code(height))
    return Specimen(pixels, mask, mask, everything, shape, crop.kind, width / height)


def augmented(crop: ObjectCrop, rng: np.random.Generator) -> Specimen:
    """Return an object as it might be somewhere else."""
    x0, y0, x1, y1 = _bounds(crop.mask)
    width, height = x1 - x0, y1 - y0
    # Rasters reach wider where something else moves with the object, and boxes are never exact.
    margins = np.where(rng.random(4) < 0.75, MARGINS[0], rng.choice(MARGINS[1:], 4, p=(0.6, 0.3, 0.1)))
    left, above, right, below = margins + rng.normal(0, 0.04, 4)
    matrix = _to_raster((x0 - left * width, y0 - above * height, x1 + right * width, y1 + below * height))
    lean = rng.normal(0, 0.05)
    matrix[0, 1] += lean * matrix[0, 0]
    matrix[0, 2] -= lean * matrix[0, 0] * (y0 + y1) / 2
    if rng.random() < 0.5:
        matrix[0] *= -1
        matrix[0, 2] += RASTER_PX - 1
    pixels, mask = _warped(crop, matrix)
    pixels = _recoloured(pixels, rng)
    if rng.random() < 0.5:
        samples = int(rng.integers(8, 48)), int(rng.integers(16, 56))
        pixels, mask = (_resampled(_resampled(each, samples), _SIZE) for each in (pixels, mask))
    if rng.random() < 0.3:
        foot = (above + 1) / (above + 1 + below) * RASTER_PX
        pixels, mask = _with_shadow(pixels, mask, foot, rng)
    stretched = size_code(width * float(np.exp(rng.normal(0, 0.12))))
    kind = crop.kind if rng.random() < 0.75 else Kind.UNKNOWN
    found, known = _flawed(mask, rng), _hidden_in_part(rng)
    aspect = (left + 1 + right) * width / ((above + 1 + below) * height)
    return Specimen(pixels, mask, found, known, shape_of(stretched, size_code(height)), kind, aspect)


def _bounds(mask: _Plane) -> tuple[int, int, int, int]:
    """Return x0, y0, x1, y1 of a mask that is not empty."""
    columns, rows = (np.flatnonzero((mask > 0.5).any(axis=axis)) for axis in (0, 1))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _to_raster(rectangle: tuple[float, float, float, float]) -> NDArray[np.float64]:
    """Return (2, 3): the map of a rectangle, x0, y0, x1, y1, to the raster, between the centres of pixels."""
    x0, y0, x1, y1 = rectangle
    scale = np.array([RASTER_PX / (x1 - x0), RASTER_PX / (y1 - y0)])
    offset = (0.5 - np.array([x0, y0])) * scale - 0.5
    return np.column_stack([np.diag(scale), offset])


def _warped(crop: ObjectCrop, matrix: NDArray[np.float64]) -> tuple[_Plane, _Plane]:
    """Return pixels, 0..1, and mask on the raster."""
    pixels, mask = crop.pixels.astype(np.float32) / np.float32(255), crop.mask
    shrink_x, shrink_y = 1 / abs(matrix[0, 0]), 1 / abs(matrix[1, 1])
    if max(shrink_x, shrink_y) > 1.3:
        blur = 0.45 * max(shrink_x, 0.3), 0.45 * max(shrink_y, 0.3)
        pixels, mask = (
            np.asarray(cv2.GaussianBlur(each, (0, 0), blur[0], sigmaY=blur[1]), np.float32) for each in (pixels, mask)
        )
    return (
        np.asarray(cv2.warpAffine(pixels, matrix, _SIZE, borderMode=cv2.BORDER_REPLICATE), np.float32),
        np.asarray(cv2.warpAffine(mask, matrix, _SIZE), np.float32),
    )


def _resampled(values: _Plane, size: tuple[int, int]) -> _Plane:
    shrinks = size[0] < values.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(values, size, interpolation=method), np.float32)


def _recoloured(pixels: _Plane, rng: np.random.Generator) -> _Plane:
    """Return pixels in another light and other colours, sometimes in grey."""
    curve, light, tint = np.exp(rng.normal(0, 0.25)), np.exp(rng.normal(0, 0.2)), np.exp(rng.normal(0, 0.06, 3))
    other = np.asarray(pixels**curve * light * tint + rng.normal(0, 0.04), np.float32)
    if rng.random() < 0.25:
        other = other[..., rng.permutation(3)]
    if rng.random() < 0.15:
        other = 0.2 * other + 0.8 * (other @ _LUMA)[..., None]
    return np.clip(other, 0, 1).astype(np.float32)


def _with_shadow(pixels: _Plane, mask: _Plane, foot_px: float, rng: np.random.Generator) -> tuple[_Plane, _Plane]:
    """Return an object with a shadow on the ground, which a background difference takes for a part of it."""
    slant, length = rng.normal(0, 1.2), -rng.uniform(0.15, 0.6)
    matrix = np.array([[1, slant, -slant * foot_px], [0, length, foot_px * (1 - length)]])
    shadow = cv2.GaussianBlur(cv2.warpAffine(mask, matrix, _SIZE), (0, 0), 1.5) * rng.uniform(0.5, 1)
    under = (1 - mask) * shadow
    both = mask + under
    mixed = pixels * mask[..., None] + under[..., None] * rng.uniform(0.1, 0.45)
    return np.asarray(mixed / np.maximum(both, 1e-3)[..., None], np.float32), np.asarray(both, np.float32)


def _flawed(mask: _Plane, rng: np.random.Generator) -> _Plane:
    """Return a mask with holes where an object looks like what is behind it, or with soft edges."""
    if rng.random() < 0.4:
        coarse = rng.random(tuple(rng.integers(3, 9, 2))).astype(np.float32)
        noise = cv2.resize(coarse, _SIZE, interpolation=cv2.INTER_LINEAR)
        mask = mask * np.clip((noise - rng.uniform(0.1, 0.4)) * 8, 0, 1)
    if rng.random() < 0.3:
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.5, 2)))
    return np.asarray(mask, np.float32)


def _hidden_in_part(rng: np.random.Generator) -> _Plane:
    """Return 1 everywhere, or 0 in a strip along one side, where something nearer hides the object."""
    known = np.ones(_SIZE, np.float32)
    if rng.random() < 0.25:
        depth = int(rng.uniform(0.1, 0.6) * RASTER_PX)
        side = rng.integers(3)
        if side == 0:
            known[-depth:] = 0
        elif side == 1:
            known[:, :depth] = 0
        else:
            known[:, -depth:] = 0
    return known

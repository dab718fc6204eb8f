"""Fits the arrays of thumbnails: the usual object of each shape, how widely coefficients vary, the coding tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_codec import THUMBNAIL_QUALITIES, THUMBNAIL_SHAPES, shape_of, size_code
from pantel_codec.thumbnail import THUMBNAIL_LIMIT
from pantel_export.object_crops import ObjectCrop
from pantel_models.thumbnails import KEPT, RASTER_PX, plane_coefficients, to_ycc

__all__ = ["thumbnail_arrays"]

_COARSEST_STEP = (24.0 * RASTER_PX, 18.0 * RASTER_PX, 18.0 * RASTER_PX, 0.6 * RASTER_PX)  # of each plane, at quality 0
_STEP_OCTAVES = (0.5, 0.5, 0.5, 0.25)  # by which a step shrinks with each quality
_CORE = (36, 14, 14, 32)  # coefficients of each plane that belong to the core
_CODED = (190, 40, 40, 90)  # and that are coded at all
_FREQUENCY_WEIGHTS = ((2, 3), (1, 1), (3, 2))  # of rows and columns, for tall, square and wide objects
_NEVER = 2
_LEVELS_PER_OCTAVE = 4
_LOWEST_OCTAVE, _HIGHEST_OCTAVE = -8, 5  # of a symbol's mean magnitude
_TOTAL = 1 << 22
_PRIOR_OBJECTS = 8.0  # by how many objects a coefficient's width leans on its neighbours'
_PROJECTIONS = 6


def thumbnail_arrays(crops: Iterable[ObjectCrop]) -> dict[str, NDArray[Any]]:
    """Return all arrays of `ThumbnailCodec` from objects; each counts with its mirror image, too."""
    by_shape: list[list[NDArray[np.float32]]] = [[] for _ in range(THUMBNAIL_SHAPES)]
    for crop in crops:
        height, width = crop.mask.shape
        shape = shape_of(size_code(width), size_code(height))
        by_shape[shape].append(_coefficients(crop.pixels, crop.mask))
        by_shape[shape].append(_coefficients(crop.pixels[:, ::-1], crop.mask[:, ::-1]))
    everything = [objects for objects in by_shape if objects]
    if not everything:
        raise ValueError("there are no objects to fit thumbnails to")
    fallback = np.concatenate(everything)
    coefficients = [np.stack(objects) if objects else fallback for objects in by_shape]
    mean = np.stack([objects.mean(axis=0) for objects in coefficients])
    width = np.stack([_width(np.abs(objects - objects.mean(axis=0))) for objects in coefficients])
    quality = np.arange(THUMBNAIL_QUALITIES)[:, None]
    step = _per_coefficient(_COARSEST_STEP)
    octaves = _per_coefficient(_STEP_OCTAVES)
    part = _parts()
    level = np.rint((np.log2(width / step) - _LOWEST_OCTAVE) * _LEVELS_PER_OCTAVE)
    return {
        "thumbnail_mean": np.where(part == _NEVER, 0, mean).astype(np.float32),
        "thumbnail_steps": (step * 2.0 ** (-octaves * quality)).astype(np.float32),
        "thumbnail_level": np.clip(level, -128, 127).astype(np.int16),
        "thumbnail_slope": np.rint(octaves * _LEVELS_PER_OCTAVE).astype(np.int16),
        "thumbnail_part": part,
        "thumbnail_counts": _laplacian_counts(),
    }


def _coefficients(pixels: NDArray[np.uint8], mask: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the coefficients of one object, those of its colours fitted to what lies inside the mask."""
    size_px = (RASTER_PX, RASTER_PX)
    colours = cv2.resize(pixels.astype(np.float32), size_px, interpolation=cv2.INTER_AREA)
    inside = np.asarray(cv2.resize(np.ascontiguousarray(mask), size_px, interpolation=cv2.INTER_AREA), np.float32)
    parts = []
    for plane, values in enumerate(to_ycc(np.asarray(colours, np.float32))):
        guess = np.full_like(values, float((inside * values).sum() / max(float(inside.sum()), 1e-6)))
        for _ in range(_PROJECTIONS):
            kept = plane_coefficients(plane, inside * values + (1 - inside) * guess)
            guess = _inverse(plane, kept)
        parts.append(kept.ravel())
    return np.concatenate([*parts, plane_coefficients(3, 2 * inside - 1).ravel()])


def _inverse(plane: int, kept: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the values (RASTER_PX, RASTER_PX) of a plane."""
    full = np.zeros((RASTER_PX, RASTER_PX), np.float32)
    full[: KEPT[plane], : KEPT[plane]] = kept
    return np.asarray(cv2.idct(full), np.float32)


def _per_coefficient(values: tuple[float, ...]) -> NDArray[np.float64]:
    return np.repeat(np.array(values), [kept * kept for kept in KEPT])


def _parts() -> NDArray[np.uint8]:
    """Return (shapes, coefficients): 0 for those of the core, 1 for those of the detail, 2 for those never coded.

    Of each plane the lowest frequencies are coded, lowest as cycles per pixel of an object of that shape.
    """
    shapes = []
    for row_weight, column_weight in _FREQUENCY_WEIGHTS:
        planes = []
        for kept, core, coded in zip(KEPT, _CORE, _CODED, strict=True):
            row, column = np.mgrid[:kept, :kept]
            frequency = (row_weight * row) ** 2 + (column_weight * column) ** 2
            rank = np.argsort(np.argsort(frequency.ravel(), kind="stable"), kind="stable")
            planes.append((rank >= core).astype(np.uint8) + (rank >= coded))
        shapes.append(np.concatenate(planes))
    return np.stack(shapes).astype(np.uint8)


def _width(magnitudes: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the mean magnitude of each coefficient, drawn a little to that of its 3x3 neighbourhood."""
    own = magnitudes.mean(axis=0).astype(np.float64)
    smooth = []
    for plane, kept in enumerate(KEPT):
        start = sum(k * k for k in KEPT[:plane])
        grid = np.log(np.maximum(own[start : start + kept * kept].reshape(kept, kept), 1e-6))
        smooth.append(np.exp(cv2.blur(grid, (3, 3), borderType=cv2.BORDER_REPLICATE)).ravel())
    around = np.concatenate(smooth)
    share = len(magnitudes) / (len(magnitudes) + _PRIOR_OBJECTS)
    return np.asarray(np.exp(share * np.log(np.maximum(own, 1e-6)) + (1 - share) * np.log(around)), np.float64)


def _laplacian_counts() -> NDArray[np.int32]:
    """Return (tables, symbols) counts of quantized Laplacians from narrow to wide."""
    octave = np.arange(_LOWEST_OCTAVE * _LEVELS_PER_OCTAVE, _HIGHEST_OCTAVE * _LEVELS_PER_OCTAVE) / _LEVELS_PER_OCTAVE
    scale = (2.0**octave)[:, None]
    magnitude = np.arange(THUMBNAIL_LIMIT + 1)
    tail = np.exp(-np.maximum(magnitude - 0.5, 0) / scale)  # probability of at least that magnitude
    mass = tail - np.append(tail[:, 1:], np.zeros_like(scale), axis=1)
    mass[:, 1:] /= 2
    both = np.concatenate([mass[:, :0:-1], mass], axis=1)
    return np.maximum(np.rint(both / both.sum(axis=1, keepdims=True) * _TOTAL), 1).astype(np.int32)

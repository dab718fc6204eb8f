"""Fits the arrays of thumbnails: quantizer steps, and which coding table each latent has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pantel_codec import THUMBNAIL_QUALITIES, THUMBNAIL_SHAPES, Part
from pantel_codec.thumbnail import THUMBNAIL_LIMIT
from pantel_export.thumbnails.networks import GAIN_OCTAVES, ThumbnailNetworks

__all__ = ["thumbnail_arrays"]

_LEVELS_PER_OCTAVE = 4
_LOWEST_OCTAVE, _HIGHEST_OCTAVE = -8, 6  # of a symbol's mean magnitude
_TOTAL = 1 << 22
_PRIOR_OBJECTS = 8.0  # by how many objects the width of a latent in one shape leans on its width in all


def thumbnail_arrays(
    networks: ThumbnailNetworks, core: int, latents: NDArray[np.float32], shapes: Sequence[int]
) -> dict[str, NDArray[Any]]:
    """Return all arrays of `ThumbnailCodec`.

    Args:
        networks: The trained networks.
        core: Latents that belong to the core.
        latents: (N, latents) float32, of objects.
        shapes: Of the same objects, see `pantel_codec.shape_of`.
    """
    with torch.no_grad():
        gain = networks.gain(torch.arange(THUMBNAIL_QUALITIES, dtype=torch.float32)).double().numpy()
    magnitude = np.abs(latents.astype(np.float64)) * gain[0]
    anywhere = magnitude.mean(axis=0)
    width = np.empty((THUMBNAIL_SHAPES, latents.shape[1]))
    for shape in range(THUMBNAIL_SHAPES):
        own = magnitude[np.asarray(shapes) == shape]
        width[shape] = (own.sum(axis=0) + _PRIOR_OBJECTS * anywhere) / (len(own) + _PRIOR_OBJECTS)
    level = np.rint((np.log2(width) - _LOWEST_OCTAVE) * _LEVELS_PER_OCTAVE)
    part = np.where(np.arange(latents.shape[1]) < core, Part.CORE, Part.DETAIL)
    return {
        "thumbnail_steps": (1 / gain).astype(np.float32),
        "thumbnail_level": np.clip(level, -128, 127).astype(np.int16),
        "thumbnail_slope": np.full(latents.shape[1], round(GAIN_OCTAVES * _LEVELS_PER_OCTAVE), np.int16),
        "thumbnail_part": np.tile(part, (THUMBNAIL_SHAPES, 1)).astype(np.uint8),
        "thumbnail_counts": _laplacian_counts(),
    }


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

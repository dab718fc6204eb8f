"""Thumbnails as pixels: the transform between an object's crop and the symbols of a thumbnail.

Crop and mask are brought to a square raster of 32x32 samples, whatever the object's shape, and transformed by a DCT of
which the lowest frequencies are kept. The colours outside the mask are nobody's business: they are chosen so that the
fewest coefficients describe those inside (projection onto convex sets, as in shape-adaptive transforms: H. H. Chen et
al., "A block transform coder for arbitrarily shaped image segments", ICIP 1994).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_codec import THUMBNAIL_QUALITIES, THUMBNAIL_SHAPES, Part, Thumbnail, ThumbnailModel

__all__ = ["KEPT", "RASTER_PX", "Cutting", "Look", "ThumbnailCodec", "from_ycc", "plane_coefficients", "to_ycc"]

RASTER_PX = 32
KEPT = (20, 8, 8, 12)
"""How many frequencies in each direction there are of luma, both chroma planes and the mask; the tables say which of
them are coded for objects of each shape."""

_MASK = 3  # the plane of the mask

_STRENGTH = 0.12  # of rate-distortion optimization: a bit is worth so many squared steps
_PROJECTIONS = 4
_SURELY_INSIDE = 0.3  # colours of pixels that are less inside say little of the object

_MASK_SLOPE = 1.5  # makes the edges of objects sharper than so few frequencies could
_TAPER = 0.06  # share of the raster in which the mask ends, so that a sprite never ends in a straight line

_YCC = np.array([[0.299, 0.587, 0.114], [-0.169, -0.331, 0.5], [0.5, -0.419, -0.081]], np.float32)
_RGB = np.linalg.inv(_YCC).astype(np.float32)


def _dct(kept: int) -> NDArray[np.float32]:
    """Return (kept, RASTER_PX) float32: the first rows of the orthonormal DCT-II."""
    frequency, place = np.mgrid[:kept, :RASTER_PX]
    rows = np.cos(np.pi * (place + 0.5) * frequency / RASTER_PX) * np.sqrt(2 / RASTER_PX)
    rows[0] /= np.sqrt(2)
    return np.asarray(rows, np.float32)


def _window() -> NDArray[np.float32]:
    """Return (RASTER_PX, RASTER_PX) float32: 1, falling to 0 within some samples of the border."""
    place = (np.arange(RASTER_PX) + 0.5) / RASTER_PX
    edge = np.clip(np.minimum(place, 1 - place) / _TAPER, 0, 1)
    return np.outer(edge, edge).astype(np.float32)


_BASES = tuple(_dct(kept) for kept in KEPT)
_WINDOW = _window()


def to_ycc(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (3, H, W) luma and chroma of (H, W, 3) RGB."""
    return np.ascontiguousarray((pixels @ _YCC.T).transpose(2, 0, 1))


def from_ycc(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (H, W, 3) RGB of (3, H, W) luma and chroma."""
    return np.asarray(planes.transpose(1, 2, 0) @ _RGB.T, np.float32)


def plane_coefficients(plane: int, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (KEPT[plane], KEPT[plane]) coefficients of a plane (RASTER_PX, RASTER_PX)."""
    basis = _BASES[plane]
    return np.asarray(basis @ values @ basis.T, np.float32)


def _plane_values(plane: int, coefficients: NDArray[np.float32]) -> NDArray[np.float32]:
    basis = _BASES[plane]
    return np.asarray(basis.T @ coefficients.reshape(KEPT[plane], KEPT[plane]) @ basis, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A decoded thumbnail on its raster.

    Attributes:
        colour: (RASTER_PX, RASTER_PX, 3) float32, RGB, 0..255.
        alpha: (RASTER_PX, RASTER_PX) float32, 0..1.
    """

    colour: NDArray[np.float32]
    alpha: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Cutting:
    """An object on the raster.

    Attributes:
        planes: (3, RASTER_PX, RASTER_PX) float32, luma and chroma.
        mask: (RASTER_PX, RASTER_PX) float32, 1 on the object.
        known: (RASTER_PX, RASTER_PX) bool, false where something hides it.
    """

    planes: NDArray[np.float32]
    mask: NDArray[np.float32]
    known: NDArray[np.bool_]

    @classmethod
    def from_pixels(
        cls, pixels: NDArray[np.uint8], mask: NDArray[np.float32], seen: NDArray[np.float32] | None = None
    ) -> Cutting:
        """Bring an object to the raster.

        Args:
            pixels: (H, W, 3) uint8, RGB: what the camera saw in the raster's rectangle.
            mask: (H, W) float32, 1 on the object.
            seen: (H, W) float32, 0 where something else hides it and nothing is known of it; all seen by default.
        """
        planes = to_ycc(_to_raster(pixels.astype(np.float32)))
        known = np.ones((RASTER_PX, RASTER_PX), np.bool_) if seen is None else _to_raster(seen) > 0.5
        return cls(planes, _to_raster(mask), known)


@dataclass(frozen=True, slots=True)
class _Target:
    """What symbols are chosen for."""

    shape: int
    part: Part
    quality: int


class ThumbnailCodec:
    """The thumbnails of one artefact."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take the arrays of an artefact.

        Args:
            arrays: Those of `ThumbnailModel`; `thumbnail_mean` (shapes, coefficients) float32, the usual object;
                `thumbnail_steps` (qualities, coefficients) float32.

        Raises:
            SymbolError: The integer arrays do not fit together.
            KeyError: One is missing.
            ValueError: The others do not fit.
        """
        self.model = ThumbnailModel(arrays)
        self._mean = np.asarray(arrays["thumbnail_mean"], np.float32)
        self._steps = np.asarray(arrays["thumbnail_steps"], np.float32)
        count = sum(kept * kept for kept in KEPT)
        if (self._mean.shape, self._steps.shape) != ((THUMBNAIL_SHAPES, count), (THUMBNAIL_QUALITIES, count)):
            raise ValueError("the thumbnail arrays do not fit together")
        ends = np.cumsum([kept * kept for kept in KEPT]).tolist()
        self._planes = [slice(end - kept * kept, end) for end, kept in zip(ends, KEPT, strict=True)]

    def encode(self, cutting: Cutting, shape: int, quality: int, version: int) -> Thumbnail:
        """Choose the core of an object's thumbnail.

        Args:
            cutting: The object.
            shape: See `shape_of`.
            quality: 0 to 7.
            version: 0 to 3.
        """
        target = _Target(shape, Part.CORE, quality)
        symbols = np.zeros(self._mean.shape[1], np.int32)
        self._quantize(symbols, _MASK, self._mask_field(cutting, shape), target)
        alpha = self._alpha(self._mean[shape] + self._steps[quality] * symbols)
        self._fit_colours(symbols, cutting, alpha, target)
        return Thumbnail(Part.CORE, quality, version, symbols[self.model.members[shape][Part.CORE]])

    def encode_detail(self, cutting: Cutting, shape: int, core: Thumbnail, quality: int) -> Thumbnail:
        """Choose the detail of an object whose core is known; as `encode`."""
        target = _Target(shape, Part.DETAIL, quality)
        symbols = np.zeros(self._mean.shape[1], np.int32)
        self._quantize(symbols, _MASK, self._mask_field(cutting, shape), target)
        part = self.model.members[shape][Part.DETAIL]
        alpha = self._alpha(self._coefficients(core, Thumbnail(Part.DETAIL, quality, 0, symbols[part]), shape))
        self._fit_colours(symbols, cutting, alpha, target)
        return Thumbnail(Part.DETAIL, quality, core.version, symbols[part])

    def decode(self, core: Thumbnail, detail: Thumbnail | None, shape: int) -> Look:
        """Return how a thumbnail looks."""
        coefficients = self._coefficients(core, detail, shape)
        planes = np.stack([_plane_values(plane, coefficients[self._planes[plane]]) for plane in range(3)])
        return Look(np.ascontiguousarray(np.clip(from_ycc(planes), 0, 255)), self._alpha(coefficients))

    def _coefficients(self, core: Thumbnail, detail: Thumbnail | None, shape: int) -> NDArray[np.float32]:
        coefficients = self._mean[shape].copy()
        for thumbnail in (core,) if detail is None else (core, detail):
            members = self.model.members[shape][thumbnail.part]
            coefficients[members] += self._steps[thumbnail.quality, members] * thumbnail.symbols
        return np.asarray(coefficients, np.float32)

    def _mask_field(self, cutting: Cutting, shape: int) -> NDArray[np.float32]:
        """Return the mask as -1..1 on the raster; where nothing is known, that of the usual object."""
        usual = np.clip(_plane_values(_MASK, self._mean[shape, self._planes[_MASK]]), -1, 1)
        return np.asarray(np.where(cutting.known, 2 * cutting.mask - 1, usual), np.float32)

    def _alpha(self, coefficients: NDArray[np.float32]) -> NDArray[np.float32]:
        field = _plane_values(_MASK, coefficients[self._planes[_MASK]])
        return np.asarray(np.clip(0.5 + _MASK_SLOPE * field, 0, 1) * _WINDOW, np.float32)

    def _fit_colours(
        self, symbols: NDArray[np.int32], cutting: Cutting, alpha: NDArray[np.float32], target: _Target
    ) -> None:
        """Quantize the colours, of which only those inside the mask matter; the others follow what comes out."""
        inside = cutting.known & (cutting.mask > _SURELY_INSIDE)
        weight = np.where(inside, np.maximum(alpha, 0.02), 0.0).astype(np.float32)
        total = float(weight.sum())
        if total <= 0:
            return
        for plane, values in enumerate(cutting.planes):
            guess = np.full_like(values, float((weight * values).sum()) / total)
            for _ in range(_PROJECTIONS - 1):
                filled = weight * values + (1 - weight) * guess
                guess = _plane_values(plane, plane_coefficients(plane, filled).ravel())
            filled = weight * values + (1 - weight) * guess
            self._quantize(symbols, plane, filled, target)

    def _quantize(self, symbols: NDArray[np.int32], plane: int, values: NDArray[np.float32], target: _Target) -> None:
        """Set the symbols of a plane's part: nearest, next towards zero, or zero, whatever is worth its bits."""
        shape, quality = target.shape, target.quality
        members = self.model.members[shape][target.part]
        window = self._planes[plane]
        chosen = (members >= window.start) & (members < window.stop)
        own = members[chosen]
        coefficients = plane_coefficients(plane, values).ravel()[own - window.start]
        exact = (coefficients - self._mean[shape, own]) / self._steps[quality, own]
        nearest = np.rint(exact).astype(np.int32)
        candidates = np.stack([nearest, nearest - np.sign(nearest), np.zeros_like(nearest)])
        padded = np.zeros((3, members.size), np.int32)
        padded[:, chosen] = candidates
        bits = self.model.bits(shape, target.part, quality, padded)[:, chosen]
        best = ((candidates - exact) ** 2 + _STRENGTH * bits).argmin(axis=0)
        symbols[own] = np.take_along_axis(candidates, best[None], axis=0)[0]


def _to_raster(values: NDArray[np.float32]) -> NDArray[np.float32]:
    shrinks = min(values.shape[:2]) >= RASTER_PX
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(values, (RASTER_PX, RASTER_PX), interpolation=method), np.float32)

"""Finds symbols of a thumbnail that look better where the sprite will stand: analysis by synthesis.

The encoder network gives latents that are good on average, whatever stands behind the object. For the one thumbnail
that is about to be sent, the generator itself tells what each symbol does to the picture. So a Gauss-Newton step on
whole numbers, with the symbols' bits at their price, finds better ones. It takes one run of the generator for a batch
with a thumbnail for each symbol.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pantel_codec import Part, Thumbnail
from pantel_device.frame import Box
from pantel_device.scene_encoding.objects.object_view import ObjectView
from pantel_models.thumbnails import Look, ThumbnailCodec

__all__ = ["LookDraft", "bit_price", "refine_look", "whole_step"]

_PRICE = 0.12  # of a bit, in squared steps of a symbol; as the quantizer has it
_DEARER = 1.5  # by which the price rises while the symbols take too many bits
_MAX_RISES = 8
_SWEEPS = 6
_REACH = 3  # by which a symbol may change
_OFFSETS = np.arange(-_REACH, _REACH + 1, dtype=np.int32)

Floats = NDArray[np.float32]
Integers = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class LookDraft:
    """A thumbnail that may be sent, and where the sprite would stand.

    Attributes:
        core: The core.
        detail: The detail, if that is what is to be sent.
        look: How the sprite looks with them.
        shape: See `pantel_codec.shape_of`.
        class_id: See `pantel_codec.Sprite`.
        places: The frames to judge it by, and where the sprite's raster stands in them.
    """

    core: Thumbnail
    detail: Thumbnail | None
    look: Look
    shape: int
    class_id: int
    places: Sequence[tuple[ObjectView, Box]]

    @property
    def sent(self) -> Thumbnail:
        """The part that is to be sent."""
        return self.core if self.detail is None else self.detail

    def bits(self, thumbnails: ThumbnailCodec, rows: Integers) -> NDArray[np.float64]:
        """Return (..., symbols): what symbols in place of those of the part to be sent cost."""
        return thumbnails.model.bits(self.shape, self.sent.part, self.sent.quality, rows)

    def size_bits(self, thumbnails: ThumbnailCodec) -> float:
        """Return what the symbols of the part to be sent cost."""
        return float(self.bits(thumbnails, self.sent.symbols).sum())

    def with_symbols(self, thumbnails: ThumbnailCodec, rows: Integers) -> list[LookDraft]:
        """Return drafts with other symbols (N, symbols) of the part to be sent."""
        parts = [replace(self.sent, symbols=row) for row in rows]
        pairs = [(part, None) if part.part is Part.CORE else (self.core, part) for part in parts]
        looks = thumbnails.decode_all(pairs, self.shape, self.class_id)
        return [
            replace(self, core=core, detail=more, look=look) for (core, more), look in zip(pairs, looks, strict=True)
        ]

    def residual(self) -> Floats:
        """Return the error of each value of all frames, (values,), so that the squares add up to the mean error."""
        errors = [view.residual(self.look, raster) for view, raster in self.places]
        return np.concatenate(errors) / np.float32(len(errors) ** 0.5)

    def prices(self, thumbnails: ThumbnailCodec) -> NDArray[np.float64]:
        """Return (2 * reach + 1, symbols): what each symbol of the part to be sent costs, changed by each offset."""
        return np.stack([self.bits(thumbnails, self.sent.symbols + offset) for offset in _OFFSETS])


def refine_look(thumbnails: ThumbnailCodec, draft: LookDraft, limit_bits: float) -> LookDraft:
    """Return a better draft, or the same.

    Args:
        thumbnails: How sprites look.
        draft: A thumbnail as the encoder network gives it.
        limit_bits: What the symbols of the part to be sent may cost.
    """
    symbols = draft.sent.symbols
    signs = np.where(symbols > 0, -1, 1).astype(np.int32)  # towards zero where there is a way
    neighbours = draft.with_symbols(thumbnails, symbols + np.diag(signs))
    before = draft.residual()
    effects = np.stack([each.residual() - before for each in neighbours]) * signs[:, None].astype(np.float32)
    hessian, gradient = effects @ effects.T, effects @ before
    bits = draft.prices(thumbnails)
    error, own_bits = float(before @ before), float(bits[_REACH].sum())
    price = bit_price(hessian)
    for _ in range(_MAX_RISES):
        changed = symbols + whole_step(hessian, gradient, price * bits)
        if float(draft.bits(thumbnails, changed).sum()) <= limit_bits:
            break
        price *= _DEARER
    else:
        return draft
    found = draft.with_symbols(thumbnails, changed[None])[0]
    after = found.residual()
    better = float(after @ after) + price * found.size_bits(thumbnails) < error + price * own_bits
    return found if better else draft


def bit_price(hessian: Floats) -> float:
    """Return what a bit is worth in squared error, by what a step of a symbol does to that on average."""
    return _PRICE * float(np.diagonal(hessian).mean())


def whole_step(hessian: Floats, gradient: Floats, prices: NDArray[np.float64]) -> Integers:
    """Return the change (N,) of the symbols that lowers error and price most, one coordinate at a time.

    Args:
        hessian: (N, N) of the error, halved.
        gradient: (N,) of it, halved.
        prices: (2 _REACH + 1, N) of each symbol changed by each offset.
    """
    change = np.zeros(len(gradient), np.int32)
    slope = np.array(gradient, np.float64)  # of the error at the change, halved
    curvature = np.diagonal(hessian)
    for _ in range(_SWEEPS):
        settled = True
        for i in range(len(change)):
            own = slope[i] - curvature[i] * change[i]
            best = _OFFSETS[((2 * own + curvature[i] * _OFFSETS) * _OFFSETS + prices[:, i]).argmin()]
            if best != change[i]:
                slope += hessian[i] * (best - change[i])
                change[i] = best
                settled = False
        if settled:
            break
    return change

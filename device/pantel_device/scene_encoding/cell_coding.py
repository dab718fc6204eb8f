"""Ways to tell a block of cells, and what they take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pantel_codec import Base, Block, CellElement, CellUpdate
from pantel_models import SceneCodec

__all__ = ["STRENGTH", "Way", "coded", "shrunk"]

_OVERHEAD_BITS = 27.0  # kind, scale, block, quality, levels and end of a payload of one element
_BASE_BITS = 10.0  # quality and checksum of what is refined
STRENGTH = 0.4
"""Of rate-distortion optimization; the training's own lambda gives up too much."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way to tell cells: of which scale, at which quality, and from which on; from nothing if `base` is None."""

    scale: int
    quality: int
    base: int | None = None

    @property
    def overhead_bits(self) -> float:
        """About what an element takes beside its residuals [bit]."""
        return _OVERHEAD_BITS + (0.0 if self.base is None else _BASE_BITS)


def coded(
    codec: SceneCodec,
    latents: NDArray[np.float32],
    block: Block,
    way: Way,
    *,
    base: Base | None = None,
    strength: float = STRENGTH,
) -> tuple[CellElement, float]:
    """Return the element that tells a block, as many levels as are worth it, and the bits of its residuals.

    Args:
        codec: How cells are coded.
        latents: (channels, rows, columns) of the whole scale.
        block: The cells.
        way: How they are told.
        base: What a receiver holds of them, if the way has one.
        strength: Of rate-distortion optimization.
    """
    held = 1 if base is None else int(base.level.max())
    quantized = codec.quantizer.quantize(
        latents[:, *block.window], codec.entropy, way.quality, strength=strength, base=base, at_least=held
    )
    update = CellUpdate(block, way.quality, quantized.levels, quantized.values, way.scale)
    return CellElement(update, base=base), float(quantized.bits.sum())


def shrunk(block: Block, share: float) -> Block:
    """Return a block of about a share of the cells, cut at its longer side; at least one cell less."""
    if block.columns >= block.rows:
        return Block(block.column, block.row, max(1, int(block.columns * share)), block.rows)
    return Block(block.column, block.row, block.columns, max(1, int(block.rows * share)))

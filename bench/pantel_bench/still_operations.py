"""Counts what encoding a still takes, search included: every network that runs, every time it runs."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pantel_bench.pictures import SourcePicture
from pantel_bench.still import budget_bytes
from pantel_codec import CELL_PX, Base, EntropyModel, Visitor
from pantel_models import Artefact, BudgetError, SceneCodec, StillCodec

__all__ = ["encode_macs_per_pixel"]


class _CountingEntropy(EntropyModel):
    """An entropy model that counts the multiply-accumulates of its context networks."""

    macs = 0.0

    def walk(
        self, rows: int, columns: int, quality: int, levels: int, visitor: Visitor, *, base: Base | None = None
    ) -> NDArray[np.int64]:
        self.macs += self.walk_macs(rows, columns, levels)
        return super().walk(rows, columns, quality, levels, visitor, base=base)


class _CountingCodec(SceneCodec):
    """A scene codec that counts the multiply-accumulates of its networks."""

    entropy: _CountingEntropy

    def __init__(self, artefact: Artefact, mac_per_pixel: Mapping[str, float]) -> None:
        super().__init__(artefact)
        self.entropy = _CountingEntropy(dict(np.load(io.BytesIO(artefact.read("tables")), allow_pickle=False)))
        self.macs = 0.0
        self._mac_per_pixel = mac_per_pixel

    def analyse(self, pixels: NDArray[np.uint8], contours: NDArray[np.uint8]) -> NDArray[np.float32]:
        latents = super().analyse(pixels, contours)
        self.macs += self._mac_per_pixel["encoder"] * latents[0].size * CELL_PX**2
        return latents

    def enlarge(self, pixels: NDArray[np.uint8], size_px: tuple[int, int]) -> NDArray[np.uint8]:
        self.macs += self._mac_per_pixel.get("enlarger", 0.0) * size_px[0] * size_px[1]
        return super().enlarge(pixels, size_px)

    def paint(self, y_hat: NDArray[np.float32], side: NDArray[np.float32]) -> NDArray[np.uint8]:
        self.macs += self._mac_per_pixel["faithful"] * y_hat[0].size * CELL_PX**2
        return super().paint(y_hat, side)


def encode_macs_per_pixel(
    artefact: Artefact, mac_per_pixel: Mapping[str, float], picture: SourcePicture, target_bpp: float
) -> float | None:
    """Return the multiply-accumulates per pixel with which a picture is encoded; None if nothing fits.

    Encoder and context networks of all that is tried count, and generator and enlarger where that is compared.

    Args:
        artefact: The model.
        mac_per_pixel: Of its networks, by role.
        picture: What is encoded.
        target_bpp: Rate [bit/pixel].
    """
    codec = _CountingCodec(artefact, mac_per_pixel)
    try:
        StillCodec(codec).encode(picture.pixels, budget_bytes(picture.pixels, target_bpp))
    except BudgetError:
        return None
    height, width = picture.pixels.shape[:2]
    return float((codec.macs + codec.entropy.macs) / (height * width))

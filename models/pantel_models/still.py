"""The still codec: pictures to `.ptl` files of a given size, and back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pantel_codec import (
    HEADER_BYTES,
    MAX_SIDE_PX,
    MIN_SIDE_PX,
    StillHeader,
    StillSymbols,
    read_still,
    write_still,
)

from pantel_models.artefact import MANIFEST, find_artefact
from pantel_models.codec import SceneCodec, load_scene_codec
from pantel_models.contours import contour_map
from pantel_models.errors import BudgetError, ModelError

__all__ = ["DecodedStill", "StillCodec", "decode_still", "load_still_codec"]

_FIELD_BITS = 15.0  # quality, levels and check
_STRENGTHS = 6  # bisections of the rate-distortion strength after the quality is found
_MAX_STRENGTH = 64.0


@dataclass(frozen=True, slots=True, eq=False)
class DecodedStill:
    """A decoded picture.

    Attributes:
        pixels: (H, W, 3) uint8, RGB; three equal planes when the picture is grey.
        grey: The picture has no colour.
        complete: All of the file was there.
        warning: What is wrong with the file, in one line; None when nothing is.
    """

    pixels: NDArray[np.uint8]
    grey: bool
    complete: bool
    warning: str | None


@dataclass(frozen=True, slots=True, eq=False)
class _Choice:
    """Symbols that the search came up with, and their estimated size."""

    quality: int
    levels: int
    symbols: NDArray[np.int64]
    size_bits: float


class StillCodec:
    """Encodes and decodes still pictures with one artefact."""

    def __init__(self, codec: SceneCodec) -> None:
        self.codec = codec

    def encode(
        self,
        pixels: NDArray[np.uint8],
        budget_bytes: int,
        *,
        importance: NDArray[np.float32] | None = None,
        contours: NDArray[np.uint8] | None = None,
    ) -> bytes:
        """Return a complete `.ptl` file of at most `budget_bytes`, as close below it as pays.

        Args:
            pixels: (H, W, 3) uint8 RGB or (H, W) uint8 grey, sides of 32 to 1024 pixels.
            budget_bytes: Size of the file, header included.
            importance: (rows, columns) float32, weight of each cell's distortion; 1 by default.
            contours: (H, W) uint8, 0 or 1; by default Canny contours of the whole picture.

        Raises:
            ModelError: The picture's size is out of range.
            BudgetError: Not even the coarsest picture fits.
        """
        height, width = pixels.shape[:2]
        if not (MIN_SIDE_PX <= min(height, width) and max(height, width) <= MAX_SIDE_PX):
            raise ModelError(
                f"the picture has {width}x{height} pixels; sides of {MIN_SIDE_PX} to {MAX_SIDE_PX} can be encoded"
            )
        grey = pixels.ndim == 2
        if grey:
            pixels = np.repeat(pixels[..., None], 3, axis=2)
        latents = self.codec.analyse(pixels, contour_map(pixels) if contours is None else contours)
        header = StillHeader(width, height, grey, self.codec.artefact.tag)
        limit_bits = 8.0 * (budget_bytes - HEADER_BYTES)
        while True:  # ends in BudgetError at the latest
            choice = self._search(latents, limit_bits, importance)
            still = StillSymbols(header, choice.quality, choice.levels, choice.symbols)
            data = write_still(still, self.codec.entropy)
            if len(data) <= budget_bytes:
                return data
            limit_bits = choice.size_bits - 4.0  # the estimate knows nothing of whole bytes

    def _search(
        self, latents: NDArray[np.float32], limit_bits: float, importance: NDArray[np.float32] | None
    ) -> _Choice:
        """Find the finest quality that fits at strength 1, then the weakest strength at the next finer one."""
        low, high = -1, self.codec.entropy.qualities - 1
        best: _Choice | None = None
        while low < high:
            middle = (low + high + 1) // 2
            choice = self._quantize(latents, middle, 1.0, importance)
            if choice.size_bits <= limit_bits:
                low, best = middle, choice
            else:
                high = middle - 1
        if low == self.codec.entropy.qualities - 1 and best is not None:
            return best
        weak, strong = 0.0, np.log(2.0) if best is not None else np.log(_MAX_STRENGTH)
        quality = low + 1
        for _ in range(_STRENGTHS):
            middle_strength = (weak + strong) / 2
            choice = self._quantize(latents, quality, float(np.exp(middle_strength)), importance)
            if choice.size_bits <= limit_bits:
                best, strong = choice, middle_strength
            else:
                weak = middle_strength
        if best is None:
            best = self._quantize(latents, 0, _MAX_STRENGTH, importance)
            if best.size_bits > limit_bits:
                needed = HEADER_BYTES + int(np.ceil(best.size_bits / 8)) + 1
                raise BudgetError(f"this picture needs at least {needed} bytes; ask for more")
        return best

    def _quantize(
        self, latents: NDArray[np.float32], quality: int, strength: float, importance: NDArray[np.float32] | None
    ) -> _Choice:
        quantizer, entropy = self.codec.quantizer, self.codec.entropy
        result = quantizer.quantize(latents, entropy, quality, strength=strength, importance=importance)
        levels = quantizer.levels_worth_coding(result, quality, strength)
        result.symbols[sum(entropy.groups[:levels]) :] = 0
        return _Choice(quality, levels, result.symbols, _FIELD_BITS + float(result.bits[:levels].sum()))

    def decode(self, data: bytes) -> DecodedStill:
        """Return the picture of a file that this artefact made.

        Raises:
            CodecError: The file is damaged, or is no `.ptl` file.
        """
        still = read_still(data, self.codec.entropy)
        header = still.header
        pixels = self.codec.synthesise_block(still.symbols, still.quality, still.levels)
        pixels = np.ascontiguousarray(pixels[: header.height_px, : header.width_px])
        if header.grey:
            luma = np.rint(pixels @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
            pixels = np.repeat(luma[..., None], 3, axis=2)
        warning = None if still.complete else f"the file is cut off after {len(data)} bytes; showing what arrived"
        return DecodedStill(pixels, header.grey, still.complete, warning)


def load_still_codec(name: str | None = None, *, manifest: Path = MANIFEST) -> StillCodec:
    """Return the still codec of an artefact, the default one if no name is given.

    Raises:
        ManifestError: There is no such artefact, or it does not match its hashes.
    """
    return StillCodec(load_scene_codec(find_artefact(name=name, manifest=manifest)))


def decode_still(data: bytes, *, manifest: Path = MANIFEST) -> DecodedStill:
    """Decode a file with the artefact that its header names.

    Raises:
        CodecError: The file is damaged, or is no `.ptl` file.
        ManifestError: Its artefact is not installed.
    """
    tag = StillHeader.from_bytes(data).model_tag
    return StillCodec(load_scene_codec(find_artefact(tag=tag, manifest=manifest))).decode(data)


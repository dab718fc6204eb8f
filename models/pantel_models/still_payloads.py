"""A still picture cut into payloads that need nothing of each other: any that arrive show their part.

The payloads are those of live scenes, with a block of cells each. Cutting costs the blocks their neighbours' context
and each payload a header. So blocks are chosen to fill their payloads: bands across the picture, each cut into blocks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pantel_codec import Block, CellElement, CellUpdate, SceneSyntax
from pantel_models.codec import SceneCodec
from pantel_models.rate_search import last_fitting

__all__ = ["Cutting", "PayloadCutter", "StillPayload"]

# How strong the rate-distortion optimization may be.
_STRENGTH = 0.3
_PER_OCTAVE = 6
_STEPS = range(-4 * _PER_OCTAVE, 2 * _PER_OCTAVE + 1)  # the strongest first
_GROWTH_PER_STEP = 0.05  # of the size's natural logarithm
_STRONGEST = 200.0  # nothing but predictions is left

# Measured on photographs at 0.03 to 0.1 bit per pixel.
_HEADER_BITS = 25.0  # of a payload with one block
_CONTEXT_LOSS = 1.08  # what cells of a block take, over what they take in the whole picture
_MAX_BAND = 8  # rows
_ROUNDS = 4
_FILLED = 0.97  # share of the budget from which on it counts as filled


@dataclass(frozen=True, slots=True, eq=False)
class StillPayload:
    """One payload, and what it does to a background."""

    data: bytes
    update: CellUpdate


@dataclass(frozen=True, slots=True, eq=False)
class Cutting:
    """All payloads of a picture at one quality and strength."""

    payloads: tuple[StillPayload, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes of all payloads together."""
        return sum(len(payload.data) for payload in self.payloads)


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """Bands of a picture, and what they should take.

    Attributes:
        strength: Of the rate-distortion optimization.
        cell_bits: (rows, columns), what each cell takes as a part of the whole picture.
        bands: First row and number of rows of each.
        size_bits: Of all payloads.
    """

    strength: float
    cell_bits: NDArray[np.float64]
    bands: tuple[tuple[int, int], ...]
    size_bits: float


class PayloadCutter:
    """Cuts one picture at one scale."""

    def __init__(
        self,
        codec: SceneCodec,
        latents: NDArray[np.float32],
        scale: int,
        size_px: tuple[int, int],
        payload_bytes: int,
    ) -> None:
        """Prepare to cut.

        Args:
            codec: Of the latents.
            latents: (channels, rows, columns) float32.
            scale: Of the picture that they are of.
            size_px: Width and height of the whole picture.
            payload_bytes: Largest size of a payload; 16 are enough for a header and any cell's prediction.
        """
        self._codec = codec
        self._latents = latents
        self._scale = scale
        self._payload_bytes = payload_bytes
        self._room_bits = (8.0 * payload_bytes - _HEADER_BITS) / _CONTEXT_LOSS
        self._syntax = SceneSyntax(codec.entropy, codec.thumbnails.model, *size_px)

    def fill(self, quality: int, budget_bytes: int) -> Cutting | None:
        """Return the payloads of a quality that fill a budget; None if they never fit.

        Args:
            quality: Index of the quantizer.
            budget_bytes: Of all payloads together.
        """
        best: Cutting | None = None
        limit_bits = 8.0 * budget_bytes
        for _ in range(_ROUNDS):
            plan = last_fitting(
                lambda step: self._plan(quality, _STRENGTH * 2 ** (-step / _PER_OCTAVE)),
                _STEPS,
                limit_bits,
                guess=0.0,
                growth=_GROWTH_PER_STEP,
                enough_bits=0.99 * limit_bits,
            )
            if plan is None:
                break
            cutting = self._cut(quality, plan)
            if cutting.size_bytes <= budget_bytes and (best is None or cutting.size_bytes > best.size_bytes):
                best = cutting
                if best.size_bytes >= _FILLED * budget_bytes:
                    break
            limit_bits *= 0.995 * budget_bytes / cutting.size_bytes  # plans err
        return best

    def _plan(self, quality: int, strength: float) -> _Plan:
        """Choose the bands that should take the fewest bits."""
        codec = self._codec
        cell_bits = codec.quantizer.quantize(
            self._latents, codec.entropy, quality, strength=strength, at_least=1
        ).cell_bits
        best: list[tuple[float, tuple[tuple[int, int], ...]]] = [(0.0, ())]
        for end in range(1, len(cell_bits) + 1):
            options = []
            for rows in range(1, min(_MAX_BAND, end) + 1):
                columns = cell_bits[end - rows : end].sum(axis=0)
                if rows > 1 and columns.max() > self._room_bits:
                    break
                before, bands = best[end - rows]
                options.append((before + self._band_bits(columns), (*bands, (end - rows, rows))))
            best.append(min(options))
        size_bits, bands = best[-1]
        return _Plan(strength, cell_bits, bands, size_bits)

    def _band_bits(self, columns: NDArray[np.float64]) -> float:
        """Return what a band takes whose columns take so many bits, cut from left to right."""
        payloads, room = 0, 0.0
        for bits in columns:
            if bits > room:
                payloads, room = payloads + 1, self._room_bits
            room -= bits
        return _CONTEXT_LOSS * float(columns.sum()) + _HEADER_BITS * payloads

    def _cut(self, quality: int, plan: _Plan) -> Cutting:
        payloads: list[StillPayload] = []
        for row, rows in plan.bands:
            band = self._cut_band(quality, plan, row, rows)
            if band is None:  # plans err: its rows one by one
                band = [payload for each in range(row, row + rows) for payload in self._cut_row(quality, plan, each)]
            payloads += band
        return Cutting(tuple(payloads))

    def _cut_row(self, quality: int, plan: _Plan, row: int) -> list[StillPayload]:
        band = self._cut_band(quality, plan, row, 1)
        if band is not None:
            return band
        columns = self._latents.shape[2]
        return [self._cell(quality, plan.strength, Block(column, row, 1, 1)) for column in range(columns)]

    def _cut_band(self, quality: int, plan: _Plan, row: int, rows: int) -> list[StillPayload] | None:
        """Return the payloads of a band, or None if one of its columns fills more than a payload."""
        columns = plan.cell_bits[row : row + rows].sum(axis=0)
        payloads: list[StillPayload] = []
        column = 0
        while column < len(columns):
            expected = int(np.searchsorted(np.cumsum(columns[column:]), self._room_bits))
            found = self._widest(quality, plan.strength, Block(column, row, max(1, expected), rows))
            if found is None:
                return None
            payloads.append(found)
            column += found.update.block.columns
        return payloads

    def _widest(self, quality: int, strength: float, expected: Block) -> StillPayload | None:
        """Return the widest block that fits, beginning where the expected one does; None if none does."""
        found: StillPayload | None = None
        block = expected
        while block.column + block.columns <= self._latents.shape[2]:
            payload = self._payload(quality, strength, block)
            fits = len(payload.data) <= self._payload_bytes
            found = payload if fits else found
            if fits and block.columns < expected.columns:
                return found  # coming from wider ones
            if not fits and (found is not None or block.columns == 1):
                return found
            block = replace(block, columns=block.columns + (1 if fits else -1))
        return found

    def _cell(self, quality: int, strength: float, block: Block) -> StillPayload:
        """Return the payload of a single cell, with as much less of it as makes it fit."""
        while True:
            payload = self._payload(quality, strength, block)
            if len(payload.data) <= self._payload_bytes or strength > _STRONGEST:
                return payload
            strength *= 1.5

    def _payload(self, quality: int, strength: float, block: Block) -> StillPayload:
        codec = self._codec
        latents = self._latents[:, *block.window]
        quantized = codec.quantizer.quantize(latents, codec.entropy, quality, strength=strength, at_least=1)
        update = CellUpdate(block, quality, quantized.levels, quantized.values, self._scale)
        return StillPayload(self._syntax.write([CellElement(update)]), update)

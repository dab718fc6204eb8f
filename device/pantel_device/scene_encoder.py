"""What to say next: fills each payload with the cells that improve the receiver's picture most per bit.

The encoder keeps a belief of what the receiver holds. The expected error of a cell, in the latent domain, is that of
the version sent last or, with the probability that it was lost, of the version before. Every payload takes the block
and the quality that remove the most expected error per bit over the time that the content may be expected to last,
cells of the region of interest counting more. So the first payloads cover the picture coarsely, the region of interest
comes first and grows sharp first, and with air left over all of it does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pantel_codec import Block, CellElement, CellUpdate, SceneSyntax, cells_across
from pantel_device.belief import Belief
from pantel_device.frame import Observation
from pantel_device.observer import cell_importance
from pantel_device.persistence import SHORTEST_S, Persistence
from pantel_models import SceneCodec

__all__ = ["SceneEncoder", "SceneEncoderSettings"]

_LADDER = (4, 9, 14, 19, 24, 29)  # qualities that are tried; neighbours are too alike to be worth the time
_OVERHEAD_BITS = 36.0  # kind, block, quality, levels, tag and end of a payload of one element
_SMALLEST_BITS = 56.0  # less room than this is left empty
_ASPECTS = (0.5, 1.0, 2.0, 4.0)  # width over height of the blocks tried
_FITTING_ROUNDS = 4
_ROI_LASTS_S = 4.0  # an error in the region of interest counts as if its repair lasted so long
_SEEDS = 8  # places tried before the rest of a payload is left empty
_SETTLED_NS = 5_000_000_000  # a place where nothing helped is left alone so long, unless it changes


@dataclass(frozen=True, slots=True)
class SceneEncoderSettings:
    """What the operator may decide.

    Attributes:
        roi_weight: How much more an error counts inside the region of interest than outside it.
        assumed_loss: Share of packets that is expected to be lost, 0 to 1.
        refresh_s: Time after which a receiver that joins late should have been told again [s].
    """

    roi_weight: float = 8.0
    assumed_loss: float = 0.05
    refresh_s: float = 120.0


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """The newest frame as the encoder sees it, and what the receiver lacks of it, cell by cell."""

    latents: NDArray[np.float32]
    importance: NDArray[np.float32]
    need: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    update: CellUpdate
    bits: float
    worth: float  # expected error removed per bit


class SceneEncoder:
    """Turns observations into payloads of a given size."""

    def __init__(
        self, codec: SceneCodec, size_px: tuple[int, int], settings: SceneEncoderSettings | None = None
    ) -> None:
        self._codec = codec
        self._settings = settings or SceneEncoderSettings()
        self._syntax = SceneSyntax(codec.entropy, *size_px)
        self._columns, self._rows = cells_across(size_px[0]), cells_across(size_px[1])
        self._belief = Belief(codec, self._rows, self._columns, self._settings.assumed_loss, self._settings.refresh_s)
        self._persistence = Persistence(codec)
        self._inside = np.zeros((self._rows, self._columns), np.bool_)  # cells of the region of interest
        self._shows_interest = np.zeros_like(self._inside)  # cells sent when they belonged to it
        self._settled_until_ns = np.zeros((self._rows, self._columns), np.int64)
        # Bits that a cell takes at each quality; learned from what was sent.
        self._cell_bits = dict(zip(_LADDER, (3.0, 8.0, 16.0, 28.0, 45.0, 65.0), strict=True))

    def payload(self, observation: Observation, capacity_bytes: int) -> bytes:
        """Return the payload of at most `capacity_bytes` that helps the receiver most now.

        Args:
            observation: The newest frame and what matters in it, of the size the encoder was made for.
            capacity_bytes: Room in the packet; 16 at least.
        """
        now_ns = observation.frame.time_ns
        latents = self._codec.analyse(observation.frame.pixels, observation.contours)
        importance = self._importance(observation.mask, latents, now_ns)
        elements: list[CellElement] = []
        payload = b""
        room_bits = 8.0 * capacity_bytes
        while room_bits >= _SMALLEST_BITS:
            update = self._best_update(latents, importance, now_ns, room_bits - _OVERHEAD_BITS)
            if update is None:
                break
            longer = self._syntax.write([*elements, CellElement(update)])
            if len(longer) > capacity_bytes:  # the estimate knows nothing of whole bytes
                room_bits -= 8.0
                continue
            elements.append(CellElement(update))
            self._belief.sent(update, now_ns)
            self._shows_interest[update.block.window] = self._inside[update.block.window]
            payload = longer
            room_bits = 8.0 * (capacity_bytes - len(payload))
        return payload

    def _importance(self, mask: NDArray[np.bool_], latents: NDArray[np.float32], now_ns: int) -> NDArray[np.float32]:
        """Return (rows, columns): weight of an error in each cell times the seconds that its repair would last."""
        weight = cell_importance(mask, roi_weight=self._settings.roi_weight)
        self._inside = (weight > 1) & (not mask.all())
        # Where something of interest has left, the receiver still shows it: as misleading as its absence elsewhere.
        interesting = self._inside | self._shows_interest
        weight = np.where(interesting, self._settings.roi_weight, 1.0)
        lasting_s = self._persistence.update(latents, now_ns)
        self._settled_until_ns[lasting_s <= SHORTEST_S] = 0
        # What moves in the region of interest is worth showing although it will not last.
        return np.asarray(weight * np.where(interesting, np.maximum(lasting_s, _ROI_LASTS_S), lasting_s), np.float32)

    def _best_update(
        self, latents: NDArray[np.float32], importance: NDArray[np.float32], now_ns: int, limit_bits: float
    ) -> CellUpdate | None:
        """Return the update that removes the most expected error per bit; None when nothing fits."""
        need = self._belief.expected_error(latents, now_ns) * importance
        view = _View(latents, importance, need)
        hope = _smooth(need - self._belief.least_error(latents, _LADDER[-1]) * importance)
        hope[self._settled_until_ns > now_ns] = -np.inf
        for seed in np.argsort(-hope, axis=None)[:_SEEDS]:
            row, column = divmod(int(seed), self._columns)
            if hope[row, column] == -np.inf:
                break
            candidates = [
                candidate
                for quality in self._qualities(row, column)
                for candidate in self._fit(view, (row, column), quality, limit_bits)
            ]
            best = max(candidates, key=lambda candidate: candidate.worth, default=None)
            if best is not None and best.worth > 0:
                return best.update
            self._settled_until_ns[row, column] = now_ns + _SETTLED_NS
        return None

    def _qualities(self, row: int, column: int) -> list[int]:
        """Return the qualities worth trying for a cell: coarse ones for new content, what it has, and finer ones."""
        held = self._belief.quality(row, column)
        return sorted({*_LADDER[:2], *[quality for quality in _LADDER if quality >= held][:3]})

    def _fit(self, view: _View, seed: tuple[int, int], quality: int, limit_bits: float) -> Iterator[_Candidate]:
        """Yield blocks around a seed whose cells fit into the bits at a quality: the last one is the largest."""
        cells = limit_bits / self._cell_bits[quality]
        for _ in range(_FITTING_ROUNDS):
            block = self._best_block(view.need, seed, cells)
            candidate = self._candidate(view, block, quality, limit_bits)
            count = block.rows * block.columns
            self._cell_bits[quality] += 0.2 * (candidate.bits / count - self._cell_bits[quality])
            if candidate.bits <= limit_bits:
                yield candidate
                if candidate.bits > 0.85 * limit_bits or count == view.need.size:
                    return
                cells = count * min(1.5, limit_bits / max(candidate.bits, 1.0)) + 0.5
            elif count == 1:
                return
            else:
                cells = min(count - 1, count * 0.97 * limit_bits / candidate.bits)

    def _candidate(self, view: _View, block: Block, quality: int, limit_bits: float) -> _Candidate:
        """Quantize a block and rate what it would bring; a single cell gives up levels that do not fit."""
        window = block.window
        quantizer = self._codec.quantizer
        latents, importance = view.latents[(slice(None), *window)], view.importance[window]
        quantized = quantizer.quantize(latents, self._codec.entropy, quality)
        levels = quantizer.levels_worth_coding(quantized, quality)
        while levels > 1 and block.rows * block.columns == 1 and quantized.bits[:levels].sum() > limit_bits:
            levels -= 1
        quantized.symbols[sum(self._codec.entropy.groups[:levels]) :] = 0
        update = CellUpdate(block, quality, range(levels), self._belief.next_tag, quantized.symbols)
        bits = float(quantized.bits[:levels].sum())
        after = self._belief.error_after(latents, update) * importance
        removed = float((view.need[window] - after).sum())
        return _Candidate(update, bits, removed / (bits + _OVERHEAD_BITS))

    def _best_block(self, need: NDArray[np.float64], seed: tuple[int, int], cells: float) -> Block:
        """Return the block of about so many cells over the seed that holds the most need."""
        total = np.zeros((self._rows + 1, self._columns + 1))
        total[1:, 1:] = need.cumsum(0).cumsum(1)
        best, best_sum = Block(seed[1], seed[0], 1, 1), -1.0
        for aspect in _ASPECTS:
            rows = min(self._rows, max(1, round(math.sqrt(cells / aspect))))
            columns = min(self._columns, max(1, int(cells / rows)))
            rows = min(self._rows, max(1, int(cells / columns)))
            for row in range(max(0, seed[0] - rows + 1), min(seed[0], self._rows - rows) + 1):
                for column in range(max(0, seed[1] - columns + 1), min(seed[1], self._columns - columns) + 1):
                    inside = (
                        total[row + rows, column + columns]
                        - total[row, column + columns]
                        - total[row + rows, column]
                        + total[row, column]
                    )
                    if inside > best_sum:
                        best, best_sum = Block(column, row, columns, rows), float(inside)
        return best


def _smooth(need: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the need of each cell and half that of its four neighbours, so that a seed has company."""
    padded = np.pad(need, 1)
    around = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    return np.asarray(need + 0.5 * around)

"""What to say next: fills each payload with the cells that improve the receiver's picture most per bit.

The encoder keeps a belief of what the receiver holds. The expected error of a cell, in the latent domain, is that of
the version sent last or, with the probability that it was lost, of the version before. Every payload takes the block
and the quality that remove the most expected error per bit over the time that the content may be expected to last,
cells of the region of interest counting more. So the first payloads cover the picture coarsely, the region of interest
comes first and grows sharp first, and with air left over all of it does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pantel_codec import Block, CellElement, CellUpdate, SceneSyntax, cells_across
from pantel_device.belief import Belief
from pantel_device.block_search import best_block
from pantel_device.frame import Observation
from pantel_device.observer import cell_importance
from pantel_device.persistence import SHORTEST_S, Persistence
from pantel_models import SceneCodec

__all__ = ["SceneEncoder", "SceneEncoderSettings"]

_LADDER = (4, 9, 14, 19, 24, 29)  # qualities that are tried; neighbours are too alike to be worth the time
_OVERHEAD_BITS = 36.0  # kind, block, quality, levels, tag and end of a payload of one element
_SMALLEST_BITS = 56.0  # less room than this is left empty
_FITTING_ROUNDS = 4
_STRENGTH = 0.4  # of rate-distortion optimization; the training's own lambda gives up too much
_TRIED = 3  # qualities whose best block is really quantized
_ROI_LASTS_S = 1.0  # an error in the region of interest counts as if its repair lasted so long
_SETTLED_NS = 5_000_000_000  # a block that turned out not to help is left alone so long, unless it changes


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
        self._settled_until_ns = {quality: np.zeros((self._rows, self._columns), np.int64) for quality in _LADDER}
        self._bits_ratio = dict.fromkeys(_LADDER, 1.0)  # bits over activity; learned from what was tried

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
        # And where it shows nothing at all yet, everything is of interest.
        interesting = self._inside | self._shows_interest | ~self._belief.ever_sent
        weight = np.where(interesting, self._settings.roi_weight, 1.0)
        lasting_s = self._persistence.update(latents, now_ns)
        for settled_until_ns in self._settled_until_ns.values():
            settled_until_ns[lasting_s <= SHORTEST_S] = 0
        # What moves in the region of interest is worth showing although it will not last.
        return np.asarray(weight * np.where(interesting, np.maximum(lasting_s, _ROI_LASTS_S), lasting_s), np.float32)

    def _best_update(
        self, latents: NDArray[np.float32], importance: NDArray[np.float32], now_ns: int, limit_bits: float
    ) -> CellUpdate | None:
        """Return the update that removes the most expected error per bit; None when nothing helps or fits."""
        need = self._belief.expected_error(latents, now_ns) * importance
        view = _View(latents, importance, need)
        estimates = []
        for quality in _LADDER:
            gain = need - self._belief.error_estimate(latents, quality) * importance
            gain[self._settled_until_ns[quality] > now_ns] = -np.inf
            bits = self._bits_ratio[quality] * self._activity(latents, quality)
            found = best_block(np.maximum(gain, -1e12), bits, limit_bits, _OVERHEAD_BITS)
            if found is not None:
                estimates.append((found[1], quality, found[0]))
        estimates.sort(reverse=True, key=lambda estimate: estimate[0])
        candidates = []
        for _, quality, block in estimates[:_TRIED]:
            candidate = self._candidate(view, block, quality, limit_bits)
            if candidate is None or candidate.worth <= 0:
                self._settled_until_ns[quality][block.window] = now_ns + _SETTLED_NS
            else:
                candidates.append(candidate)
        return max(candidates, key=lambda candidate: candidate.worth).update if candidates else None

    def _activity(self, latents: NDArray[np.float32], quality: int) -> NDArray[np.float64]:
        """Return (rows, columns): a number that grows with the bits that each cell takes at a quality."""
        steps = self._codec.quantizer.steps[quality][:, None, None]
        return np.asarray(np.log2(1 + (latents / steps) ** 2).sum(axis=0), np.float64)

    def _candidate(self, view: _View, block: Block, quality: int, limit_bits: float) -> _Candidate | None:
        """Quantize a block, made smaller until it fits, and rate what it brings; None if no cell fits."""
        quantizer, entropy = self._codec.quantizer, self._codec.entropy
        for _ in range(_FITTING_ROUNDS):
            latents = view.latents[(slice(None), *block.window)]
            quantized = quantizer.quantize(latents, entropy, quality, strength=_STRENGTH)
            levels = quantizer.levels_worth_coding(quantized, quality, _STRENGTH)
            bits = float(quantized.bits[:levels].sum())
            ratio = bits / max(float(self._activity(latents, quality).sum()), 1.0)
            self._bits_ratio[quality] += 0.2 * (ratio - self._bits_ratio[quality])
            if bits <= limit_bits:
                quantized.symbols[sum(entropy.groups[:levels]) :] = 0
                update = CellUpdate(block, quality, range(levels), self._belief.next_tag, quantized.symbols)
                after = self._belief.error_after(latents, update) * view.importance[block.window]
                removed = float((view.need[block.window] - after).sum())
                return _Candidate(update, removed / (bits + _OVERHEAD_BITS))
            if block.rows * block.columns == 1:
                return None
            block = _shrunk(block, limit_bits / bits)
        return None


def _shrunk(block: Block, share: float) -> Block:
    """Return a block of about a share of the cells, cut at its longer side; at least one cell less."""
    if block.columns >= block.rows:
        return Block(block.column, block.row, max(1, int(block.columns * share)), block.rows)
    return Block(block.column, block.row, block.columns, max(1, int(block.rows * share)))

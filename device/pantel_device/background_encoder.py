"""What there is to tell of the background: the block of cells and the quality that help the receiver most.

The encoder keeps a belief of what the receiver holds. The expected error of a cell, in the latent domain, is that of
the version sent last or, with the probability that it was lost, of the version before. The best block at the best
quality removes the most expected error per bit, over the time that the content may be expected to last.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pantel_codec import Block, CellElement, CellUpdate, cells_across
from pantel_device.belief import Belief
from pantel_device.block_search import best_block
from pantel_device.news import News
from pantel_device.persistence import SHORTEST_S, Persistence
from pantel_models import SceneCodec, contour_map

__all__ = ["BackgroundEncoder"]

_LADDER = (5, 15, 25)  # qualities that are tried; a finer ladder tells the same cells more often and is worse
_OVERHEAD_BITS = 29.0  # kind, block, quality, levels, tag and end of a payload of one element
_SEED_OVERHEAD_BITS = _OVERHEAD_BITS + 3.0  # its kind is seldom
# What counts beside the bits of a block when blocks are compared. The cells that a small one leaves out have to be told
# as well, each block has a header, and without this most of the finest ones had one or two cells.
_CROWDING_BITS = 90.0
_FITTING_ROUNDS = 4
_STRENGTH = 0.4  # of rate-distortion optimization; the training's own lambda gives up too much
_SEED_QUALITY = 7  # at the coarsest of the ladder some scenes are not recognized
_SEED_ROWS = 8  # at most, of one band
_SEED_EVERY = 11  # payloads
_LAID_SHARE = 0.9  # of the cells; some never need to be told
_TRIED = 3  # qualities whose best block is really quantized
_SETTLED_NS = 5_000_000_000  # a block that turned out not to help is left alone so long, unless it changes


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """The background as the encoder sees it, and what the receiver lacks of it, cell by cell."""

    latents: NDArray[np.float32]
    importance: NDArray[np.float32]
    need: NDArray[np.float64]


class BackgroundEncoder:
    """Knows what was told of the background and what is worth telling next."""

    def __init__(self, codec: SceneCodec, size_px: tuple[int, int], *, loss: float, refresh_s: float) -> None:
        """Start with a receiver that knows nothing.

        Args:
            codec: How cells are coded.
            size_px: Width and height of the picture.
            loss: Share of packets that is expected to be lost.
            refresh_s: Time after which a receiver that joined late should have been told again [s].
        """
        self._codec = codec
        rows, columns = cells_across(size_px[1]), cells_across(size_px[0])
        self._belief = Belief(codec, rows, columns, loss, refresh_s)
        self._persistence = Persistence(codec)
        self._settled_until_ns = {quality: np.zeros((rows, columns), np.int64) for quality in _LADDER}
        self._bits_ratio = dict.fromkeys(_LADDER, 1.0)  # bits over activity; learned from what was tried
        self._seen: tuple[NDArray[np.uint8], NDArray[np.float32]] | None = None
        self._lasting_s = np.zeros((rows, columns))
        self._payloads_since_seed = 0
        self._seeded = 0  # cells

    def look(self, pixels: NDArray[np.uint8], now_ns: int) -> None:
        """Take the newest background.

        Args:
            pixels: (H, W, 3) uint8, RGB; the same array as long as nothing has changed.
            now_ns: Its capture time.
        """
        if self._seen is None or self._seen[0] is not pixels:
            self._seen = pixels, self._codec.analyse(pixels, contour_map(pixels))
        self._lasting_s = self._persistence.update(self._seen[1], now_ns)
        for settled_until_ns in self._settled_until_ns.values():
            settled_until_ns[self._lasting_s <= SHORTEST_S] = 0

    def news(self, now_ns: int, room_bits: float) -> News | None:
        """Return the update that removes the most expected error per bit; None when nothing helps or fits.

        Args:
            now_ns: Capture time of the newest background.
            room_bits: It takes at most about so many.

        Raises:
            RuntimeError: There is no background yet.
        """
        if self._seen is None:
            raise RuntimeError("look at a background first")
        latents = self._seen[1]
        importance = np.asarray(self._lasting_s, np.float32)
        need = self._belief.expected_error(latents, now_ns) * importance
        view = _View(latents, importance, need)
        limit_bits = room_bits - _OVERHEAD_BITS
        estimates = []
        for quality in _LADDER:
            gain = need - self._belief.error_estimate(latents, quality) * importance
            gain[self._settled_until_ns[quality] > now_ns] = -np.inf
            bits = self._bits_ratio[quality] * self._activity(latents, quality)
            found = best_block(np.maximum(gain, -1e12), bits, limit_bits, _OVERHEAD_BITS + _CROWDING_BITS)
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
        return max(candidates, key=_worth_in_a_crowd, default=None)

    def seed(self, room_bits: float) -> News | None:
        """Return coarse cells for receivers that hold nothing of them, in one payload of some; None in the others.

        The picture is gone through from top to bottom again and again, in no relation to what was sent, in bands of
        as many rows as fit. To be called once for each payload.

        Args:
            room_bits: It takes at most about so many.
        """
        if self._seen is None or not self.laid:
            return None
        self._payloads_since_seed += 1
        if self._payloads_since_seed < _SEED_EVERY:
            return None
        latents = self._seen[1]
        rows, columns = latents.shape[1:]
        row, column = divmod(self._seeded % (rows * columns), columns)
        block = Block(column, row, columns - column, 1 if column else min(_SEED_ROWS, rows - row))
        # Bits are estimates: what did not fit into the payload before is not offered again as long as it was.
        limit_bits = room_bits - _SEED_OVERHEAD_BITS - 8.0 * (self._payloads_since_seed - _SEED_EVERY)
        while True:
            update, bits = self._coded(latents, block, _SEED_QUALITY)
            if bits <= limit_bits:
                return News("seeds", (CellElement(update, seed=True),), bits + _SEED_OVERHEAD_BITS, math.inf)
            if block.rows * block.columns == 1:
                self._seeded += 1  # so much detail in one cell is left to its updates
                return None
            share = limit_bits / bits
            if block.rows > 1:
                block = Block(column, row, columns, max(1, min(int(block.rows * share), block.rows - 1)))
            else:
                block = _shrunk(block, share)

    def seeded(self, news: News) -> None:
        """Take note of seeds that go on the air."""
        for element in news.elements:
            if isinstance(element, CellElement):
                block = element.update.block
                self._seeded += block.rows * block.columns
                self._payloads_since_seed = 0
                self._belief.pass_tag()

    @property
    def laid(self) -> bool:
        """Whether hardly any cell is left of which nothing was told."""
        return self._belief.told_share >= _LAID_SHARE

    def sent(self, news: News, now_ns: int) -> None:
        """Take note of an update that goes on the air."""
        for element in news.elements:
            if not isinstance(element, CellElement):
                raise TypeError(f"{element} is no update of cells")
            self._belief.sent(element.update, now_ns)

    def _activity(self, latents: NDArray[np.float32], quality: int) -> NDArray[np.float64]:
        """Return (rows, columns): a number that grows with the bits that each cell takes at a quality."""
        steps = self._codec.quantizer.steps[quality][:, None, None]
        return np.asarray(np.log2(1 + (latents / steps) ** 2).sum(axis=0), np.float64)

    def _candidate(self, view: _View, block: Block, quality: int, limit_bits: float) -> News | None:
        """Quantize a block, made smaller until it fits, and rate what it brings; None if no cell fits."""
        for _ in range(_FITTING_ROUNDS):
            update, bits = self._coded(view.latents, block, quality)
            latents = view.latents[(slice(None), *block.window)]
            ratio = bits / max(float(self._activity(latents, quality).sum()), 1.0)
            self._bits_ratio[quality] += 0.2 * (ratio - self._bits_ratio[quality])
            if bits <= limit_bits:
                after = self._belief.error_after(latents, update) * view.importance[block.window]
                removed = float((view.need[block.window] - after).sum())
                bits += _OVERHEAD_BITS
                return News("cells", (CellElement(update),), bits, removed / bits)
            if block.rows * block.columns == 1:
                return None
            block = _shrunk(block, limit_bits / bits)
        return None

    def _coded(self, latents: NDArray[np.float32], block: Block, quality: int) -> tuple[CellUpdate, float]:
        """Return the update that tells a block at a quality, as many levels as are worth it, and its bits."""
        quantizer, entropy = self._codec.quantizer, self._codec.entropy
        quantized = quantizer.quantize(latents[(slice(None), *block.window)], entropy, quality, strength=_STRENGTH)
        levels = quantizer.levels_worth_coding(quantized, quality, _STRENGTH)
        quantized.values[sum(entropy.groups[:levels]) :] = 0
        update = CellUpdate(block, quality, range(levels), self._belief.next_tag, quantized.values)
        return update, float(quantized.bits[:levels].sum())


def _worth_in_a_crowd(news: News) -> float:
    """Return what news of cells are worth per bit, with the price of being small."""
    return news.worth * news.bits / (news.bits + _CROWDING_BITS)


def _shrunk(block: Block, share: float) -> Block:
    """Return a block of about a share of the cells, cut at its longer side; at least one cell less."""
    if block.columns >= block.rows:
        return Block(block.column, block.row, max(1, int(block.columns * share)), block.rows)
    return Block(block.column, block.row, block.columns, max(1, int(block.rows * share)))

"""What there is to tell of the background: the block of cells and the quality that help the receiver most.

The encoder keeps a belief of what the receiver holds. The expected error of a cell, in the latent domain, is that of
the version sent last or, with the probability that it was lost, of the version before. The best block at the best
quality removes the most expected error per bit, over the time that the content may be expected to last. A stream begins
with an opening, in which the whole picture is told.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pantel_codec import CHEAP_QUALITIES, Background, Block, CellElement, Element
from pantel_device.scene_encoding.audience import Audience
from pantel_device.scene_encoding.background.background_view import BackgroundView, SeenBackground
from pantel_device.scene_encoding.background.opening import Opening
from pantel_device.scene_encoding.background.persistence import SHORTEST_S, Persistence
from pantel_device.scene_encoding.background.seed_encoder import SEED_SCALE, SeedEncoder
from pantel_device.scene_encoding.background.told_cells import ToldCells
from pantel_device.scene_encoding.block_search import best_block
from pantel_device.scene_encoding.cell_coding import STRENGTH, Way, coded, shrunk
from pantel_device.scene_encoding.fate import Fate
from pantel_device.scene_encoding.news import News
from pantel_models import SceneCodec, contour_map

__all__ = ["BackgroundEncoder"]

# Of each scale: qualities at which cells are told.
_LADDERS = (CHEAP_QUALITIES, CHEAP_QUALITIES[:3], CHEAP_QUALITIES[:2])
_LONGEST_S = (math.inf, 4.0, 1.5)  # what a coarse scale tells is of use until a finer one takes its place
_BASES_BELOW = 2  # so many steps lie at most between what is held and what refines it
# Who lacks a base misses more than what refines it: the rest of the payload, too, and all that refines it later. With
# the bare probability that it is held, losses of 10 % cost a quarter of a decibel more than without refinements.
_CAUTION = 4.0  # power of that probability
# What counts beside the bits of a block when blocks are compared. The cells that a small one leaves out have to be told
# as well, each block has a header, and without this most of the finest ones had one or two cells.
_CROWDING_BITS = 60.0
_FITTING_ROUNDS = 4
_WEAKER = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35)  # strengths of optimization that may fill what room is left
_TRIED = 3  # qualities whose best block is really quantized
# Where it is known what a receiver holds, expected errors are differences of nearly equal numbers. Without doubts that
# would be told as well, cells that are as sharp as can be were repeated for them.
_ROUNDING = 1e-3  # squared error over 0..1 values; one grey level in all of a cell is ten times as much
_SETTLED_NS = 5_000_000_000  # a block that turned out not to help is left alone so long, unless it changes


def _ways(*, refines: bool) -> list[Way]:
    """Return all ways to tell cells."""
    ways = []
    for scale, ladder in enumerate(_LADDERS):
        for rung, quality in enumerate(ladder):
            bases = ladder[max(rung - _BASES_BELOW, 0) : rung] if refines else ()
            ways += [Way(scale, quality, base) for base in (None, *bases)]
    return ways


class BackgroundEncoder:
    """Knows what was told of the background and what is worth telling next."""

    def __init__(
        self,
        codec: SceneCodec,
        told: Background,
        audience: Audience,
        *,
        shown: NDArray[np.uint8] | None = None,
        refines: bool = True,
    ) -> None:
        """Start with a receiver that holds nothing of it.

        Args:
            codec: How cells are coded.
            told: What a receiver holds that gets everything: nothing yet.
            audience: Who hears it.
            shown: (H, W, 3) uint8, RGB: what receivers show there already; None for nothing.
            refines: Whether cells may be told by how they differ from what was told of them, if the codec can.
        """
        self._codec = codec
        self._audience = audience
        self._told = ToldCells(codec, told, audience)
        self._settled: ToldCells | None = None  # as it was before what is on its way
        self._persistence = Persistence(codec)
        self._ways = _ways(refines=refines and codec.entropy.refines)
        grids = [surface.level.shape for surface in told.scales]
        self._settled_until_ns = {way: np.zeros(grids[way.scale], np.int64) for way in self._ways}
        self._bits_ratio = dict.fromkeys(self._ways, 1.0)  # bits over activity; learned from what was tried
        self._seen: SeenBackground | None = None
        self._lasting_s = np.zeros(grids[0])
        self._cell_weights: NDArray[np.float64] | None = None
        self._opening = None if shown is not None else Opening(codec)
        self._seeds = SeedEncoder(codec)
        if shown is not None:
            latents = codec.analyse(shown, contour_map(shown))
            self._told.beliefs[0].covered(np.ones(grids[0], np.bool_), latents, 1.0, 0)

    def look(
        self,
        pixels: NDArray[np.uint8],
        now_ns: int,
        *,
        weights: NDArray[np.float64] | None = None,
        longest_s: float = math.inf,
    ) -> None:
        """Take the newest background.

        Args:
            pixels: (H, W, 3) uint8, RGB; the same array as long as nothing has changed.
            now_ns: Its capture time.
            weights: (rows, columns) of the finest scale: how much an error in each cell counts; alike everywhere by
                default.
            longest_s: For how long at most it will be seen [s].
        """
        self._cell_weights = weights
        if self._seen is None or self._seen.pixels is not pixels:
            self._seen = SeenBackground.of(pixels, self._codec)
        self._lasting_s = np.minimum(self._persistence.update(self._seen.latents[0], now_ns), longest_s)
        changed = np.nonzero(self._lasting_s <= SHORTEST_S)
        for way, settled_until_ns in self._settled_until_ns.items():
            settled_until_ns[changed[0] >> way.scale, changed[1] >> way.scale] = 0

    def news(self, now_ns: int, room_bits: float) -> News | None:
        """Return the update that removes the most expected error per bit; None when nothing helps or fits.

        Args:
            now_ns: Time stamp of the payload.
            room_bits: It takes at most about so many.

        Raises:
            RuntimeError: There is no background yet.
        """
        if self._seen is None:
            raise RuntimeError("look at a background first")
        if self._opening is not None and not self._opening.finished:
            opening = self._opening.next(self._seen.latents, self._seen.hidden, room_bits)
            if opening is not None:
                return News("cells", (opening[0],), opening[1], 1.0)  # nothing else competes with it
            if not self._opening.finished:
                return None
        views = BackgroundView.of_all_scales(
            self._seen,
            self._told.beliefs,
            self._lasting_s,
            self._persistence.since_ns,
            now_ns,
            weights=self._cell_weights,
            longest_s=_LONGEST_S,
            caution=_CAUTION,
        )
        estimates = []
        for way in self._ways:
            view = views[way.scale]
            gain = self._estimated_gain(view, way, now_ns)
            gain[self._settled_until_ns[way] > now_ns] = -np.inf
            bits = self._bits_ratio[way] * self._activity(view, way)
            found = best_block(
                np.maximum(gain, -1e12), bits, room_bits - way.overhead_bits, way.overhead_bits + _CROWDING_BITS
            )
            if found is not None:
                estimates.append((found[1], way, found[0]))
        estimates.sort(reverse=True, key=lambda estimate: estimate[0])
        candidates = []
        for _, way, block in estimates[:_TRIED]:
            candidate = self._candidate(views[way.scale], block, way, room_bits)
            if candidate is None or candidate.worth <= 0:
                self._settled_until_ns[way][block.window] = now_ns + _SETTLED_NS
            else:
                candidates.append(candidate)
        return max(candidates, key=_worth_in_a_crowd, default=None)

    def filled(self, news: News, room_bits: float) -> News:
        """Return news of the same cells with so much more of them that the room is filled.

        Args:
            news: What `news` gave for a background that has not changed since.
            room_bits: It takes at most about so many.
        """
        (element,) = news.elements
        if self._seen is None or not isinstance(element, CellElement):
            raise TypeError("these are no news of cells")
        update = element.update
        way = Way(update.scale, update.quality, None if element.base is None else element.base.quality)
        for strength in _WEAKER:
            stronger, bits = self._coded(self._seen.latents[way.scale], update.block, way, strength)
            if bits + way.overhead_bits <= room_bits:
                return replace(news, elements=(stronger,), bits=bits + way.overhead_bits)
        return news

    def seed(self, room_bits: float) -> News | None:
        """Return cells for receivers that hold nothing of them, once there is ground; see `SeedEncoder.news`.

        There are none as long as a receiver tells what it holds.
        """
        if self._seen is None or not self.laid or self._audience.acknowledges:
            self._seeds.measure(room_bits)
            return None
        return self._seeds.news(self._seen.latents[SEED_SCALE], room_bits)

    def seeded(self, news: News) -> None:
        """Take note of seeds that go on the air."""
        self._seeds.sent(news)

    @property
    def laid(self) -> bool:
        """Whether there is ground for objects to stand on."""
        return self._opening is None or self._opening.finished

    def sent(self, news: News, now_ns: int) -> None:
        """Take note of an update that goes on the air."""
        for element in news.elements:
            if not isinstance(element, CellElement):
                raise TypeError(f"{element} is no update of cells")
            self._told.note(element, now_ns, self._audience.arrival)
            if self._opening is not None and not self._opening.finished:
                self._opening.sent(element)

    def keep(self) -> None:
        """Remember what is told now: from here on, payloads are settled one after the other."""
        if self._settled is None:
            self._settled = self._told.copy()

    def settle(self, elements: Sequence[Element], stamp_ns: int, fate: Fate) -> None:
        """Take note of what became of the oldest payload that is on its way.

        Args:
            elements: All of it, in their order.
            stamp_ns: Its time stamp.
            fate: What became of it.
        """
        if self._settled is None:
            raise RuntimeError("keep first")
        for element in elements:
            if not isinstance(element, CellElement) or element.seed:
                continue
            if fate is Fate.ARRIVED and not self._settled.can_read(element):
                fate = Fate.LOST  # and so is all that follows it
            if fate is Fate.LOST:
                self._unsettle(element.update.block, element.update.scale)
            else:
                arrival = 1.0 if fate is Fate.ARRIVED else self._audience.arrival
                self._settled.note(element, stamp_ns, arrival)

    def forget(self) -> None:
        """Believe that the receiver has started again: it holds nothing of all that is settled."""
        self._settled = self._told.untold()
        if self._opening is not None:
            self._opening = Opening(self._codec)

    def rebuild(self, on_their_way: Iterable[tuple[Sequence[Element], int]]) -> None:
        """Believe what is settled and, as likely as ever, what is on its way: elements and time stamps."""
        if self._settled is None:
            return
        self._told.copy_from(self._settled)
        for elements, stamp_ns in on_their_way:
            for element in elements:
                if isinstance(element, CellElement) and not element.seed and self._told.can_read(element):
                    self._told.note(element, stamp_ns, self._audience.arrival)

    def _unsettle(self, block: Block, scale: int) -> None:
        """Look again at cells that were left alone, because something of them was lost."""
        rows, columns = (np.arange(side.start << scale, side.stop << scale) for side in block.window)
        for way, until_ns in self._settled_until_ns.items():
            height, width = until_ns.shape
            own_rows, own_columns = rows >> way.scale, columns >> way.scale
            until_ns[np.ix_(own_rows[own_rows < height], own_columns[own_columns < width])] = 0

    def _estimated_gain(self, view: BackgroundView, way: Way, now_ns: int) -> NDArray[np.float64]:
        """Return (rows, columns): about the expected error, weighted, that telling each cell so removes."""
        belief = self._told.beliefs[way.scale]
        if way.base is None:
            left = view.area * belief.error_estimate(view.latents, way.quality) + view.hidden
            gain = view.error - left
            gain[belief.just_told(now_ns) | view.finer] = -np.inf
        else:
            left = view.area * belief.error_estimate(view.change, way.quality) + view.hidden
            gain = view.refinable * (view.newest_error - left)
            gain[~belief.refinable(way.base, now_ns) | view.finer] = -np.inf
        return self._audience.arrival * gain * view.importance

    def _activity(self, view: BackgroundView, way: Way) -> NDArray[np.float64]:
        """Return (rows, columns): a number that grows with the bits that each cell takes."""
        steps = self._codec.quantizer.steps[way.quality][:, None, None]
        told = view.latents if way.base is None else view.change
        return np.asarray(np.log2(1 + (told / steps) ** 2).sum(axis=0), np.float64)

    def _candidate(self, view: BackgroundView, block: Block, way: Way, room_bits: float) -> News | None:
        """Quantize a block, made smaller until it fits, and rate what it brings; None if no cell fits."""
        limit_bits = room_bits - way.overhead_bits
        activity = self._activity(view, way)
        for _ in range(_FITTING_ROUNDS):
            window = block.window
            element, bits = self._coded(view.latents, block, way)
            ratio = bits / max(float(activity[window].sum()), 1.0)
            self._bits_ratio[way] += 0.2 * (ratio - self._bits_ratio[way])
            if bits <= limit_bits:
                told = self._told.beliefs[way.scale].error_after(view.latents[:, *window], element)
                after = view.area[window] * told + view.hidden[window]
                if way.base is None:
                    removed = view.error[window] - after
                else:
                    removed = view.refinable[window] * (view.newest_error[window] - after)
                if self._audience.acknowledges and removed.sum() < _ROUNDING:
                    return None
                worth = self._audience.arrival * float((removed * view.importance[window]).sum())
                bits += way.overhead_bits
                return News("cells", (element,), bits, worth / bits)
            if block.rows * block.columns == 1:
                return None
            block = shrunk(block, limit_bits / bits)
        return None

    def _coded(
        self, latents: NDArray[np.float32], block: Block, way: Way, strength: float = STRENGTH
    ) -> tuple[CellElement, float]:
        base = None if way.base is None else self._told.background.scales[way.scale].base(block)
        return coded(self._codec, latents, block, way, base=base, strength=strength)


def _worth_in_a_crowd(news: News) -> float:
    """Return what news of cells are worth per bit, with the price of being small."""
    return news.worth * news.bits / (news.bits + _CROWDING_BITS)

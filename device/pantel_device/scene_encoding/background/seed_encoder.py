"""Seeds: coarse cells of the background for receivers that joined late, or missed what was told first."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pantel_codec import CellElement
from pantel_device.scene_encoding.background.rounds import Round, finest_quality
from pantel_device.scene_encoding.cell_coding import Way
from pantel_device.scene_encoding.news import News
from pantel_models import SceneCodec

__all__ = ["SEED_SCALE", "SeedEncoder"]

SEED_SCALE = 1
"""Seeds are cells of half the resolution."""

_QUALITIES = range(5, 19)
_ROUND_PAYLOADS = 2  # in so many payloads a receiver that lacks everything should be told the whole picture
_EVERY = 9  # payloads
_KIND_BITS = 3.0  # by which seeds take more than other cells: their kind is seldom


class SeedEncoder:
    """Tells the whole picture round after round, in no relation to what was sent."""

    def __init__(self, codec: SceneCodec) -> None:
        self._codec = codec
        self._usual_bits = math.inf
        self._payloads_since = 0.0
        self._refused = 0
        self._round: Round | None = None

    def measure(self, room_bits: float) -> None:
        """Take note of what a payload holds in which there is nothing to seed yet."""
        self._usual_bits = min(self._usual_bits, room_bits)

    def news(self, latents: NDArray[np.float32], room_bits: float) -> News | None:
        """Return the seeds of a payload, in one of some; None in the others. To be called once for each.

        Seeds fill the shortest payloads, and of longer ones a part, the more often: whoever joins waits no longer.

        Args:
            latents: (channels, rows, columns) of the background at `SEED_SCALE`.
            room_bits: What the payload holds; they take at most about so many.
        """
        self.measure(room_bits)
        self._payloads_since += room_bits / self._usual_bits
        if self._payloads_since < _EVERY:
            return None
        overhead_bits = Way(SEED_SCALE, 0).overhead_bits + _KIND_BITS
        limit_bits = self._usual_bits - overhead_bits
        if self._round is None or self._round.finished:
            self._round = self._next_round(latents, limit_bits)
        # Bits are estimates: what did not fit into the payload before is not offered again as long as it was.
        limit_bits -= 8.0 * self._refused
        self._refused += 1
        found = self._round.band(latents, limit_bits)
        if found is None:
            self._round.skip()
            return None
        element, bits = found
        return News("seeds", (replace(element, seed=True),), bits + overhead_bits, math.inf)

    def _next_round(self, latents: NDArray[np.float32], limit_bits: float) -> Round:
        """Return a round of the finest quality that so many payloads can carry; of the coarsest if none can."""
        quality = finest_quality(self._codec, latents, SEED_SCALE, _QUALITIES, _ROUND_PAYLOADS * limit_bits)
        while quality > _QUALITIES[0]:
            bands = Round(self._codec, Way(SEED_SCALE, quality)).bands(latents, limit_bits)
            if bands <= _ROUND_PAYLOADS:
                break
            quality -= 1  # whole rows leave some of the room unfilled
        return Round(self._codec, Way(SEED_SCALE, quality))

    def sent(self, news: News) -> None:
        """Take note of seeds that go on the air."""
        for element in news.elements:
            if isinstance(element, CellElement) and self._round is not None:
                self._round.sent(element)
                # Long payloads pass by more than is waited for; who was refused begins anew.
                self._payloads_since = self._payloads_since - _EVERY if self._refused == 1 else 0.0
                self._refused = 0

"""The opening of a stream: what is told of the background before anything else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pantel_codec import SCALES, Block, CellElement
from pantel_device.scene_encoding.background.rounds import Round, finest_quality
from pantel_device.scene_encoding.cell_coding import Way, coded
from pantel_models import SceneCodec

__all__ = ["Opening"]

_ROUND_PAYLOADS = (1.0, 3.0)  # the whole picture in one payload, then once more in three like it, or a longer one
_MARGIN_BITS = 8.0  # of a payload: what cells take is an estimate, and without their last row a round takes one more
_SCALES = range(1, SCALES)  # of so few bits the finest scale makes less


class Opening:
    """Rounds of the whole picture, each in a given number of payloads, at the scale and quality that is best for it.

    Chosen by gain per bit, the first payloads had small blocks at the coarsest quality, told again and again a little
    better: after four of them the picture was worse than what two can hold.
    """

    def __init__(self, codec: SceneCodec) -> None:
        self._codec = codec
        self._payload_bits = self._first_bits = 0.0
        self._rounds = list(_ROUND_PAYLOADS)
        self._round: Round | None = None
        self._offered = False

    @property
    def finished(self) -> bool:
        """Whether all rounds were told."""
        return not self._rounds

    def next(
        self, latents: Sequence[NDArray[np.float32]], hidden: Sequence[NDArray[np.float64]], room_bits: float
    ) -> tuple[CellElement, float] | None:
        """Return the cells that are next, and what they take; None if nothing of them fits into what is left.

        Args:
            latents: Of each scale, (channels, rows, columns).
            hidden: Of each scale, (rows, columns): the squared error of each cell that its cells cannot remove.
            room_bits: What is left of the payload; all of it at the first call.
        """
        self._first_bits = self._first_bits or room_bits
        self._payload_bits = max(self._payload_bits, room_bits)
        whole = room_bits >= self._payload_bits
        while not self.finished:
            if self._round is None:
                self._round = Round(self._codec, self._best_way(latents, hidden))
            way = self._round.way
            found = self._round.band(latents[way.scale], room_bits - way.overhead_bits)
            # A single cell that was offered to an empty payload and did not get into it never will: bits are estimates.
            stuck = found is not None and whole and self._offered and found[0].update.values[0].size == 1
            if found is not None and not stuck:
                self._offered |= whole
                return found[0], found[1] + way.overhead_bits
            if not whole:
                return None
            self._offered = False
            self._round.skip()
            self._go_on()
        return None

    def sent(self, element: CellElement) -> None:
        """Take note of cells that go on the air."""
        self._offered = False
        if self._round is not None:
            self._round.sent(element)
            self._go_on()

    def _go_on(self) -> None:
        if self._round is not None and self._round.finished:
            self._rounds.pop(0)
            self._round = None

    def _best_way(self, latents: Sequence[NDArray[np.float32]], hidden: Sequence[NDArray[np.float64]]) -> Way:
        """Return the way to tell all cells of a scale in the payloads of a round that leaves the least error.

        Where none of the scales fits, not even at the coarsest quality, it is that which takes the fewest bits.
        """
        quantizer = self._codec.quantizer
        weights = quantizer.sensitivity[:, None, None]
        qualities = range(len(quantizer.steps))
        payloads = max(self._rounds[0] * self._first_bits / self._payload_bits, 1.0)
        found = []
        for scale in _SCALES:
            y = latents[scale]
            limit_bits = payloads * (self._payload_bits - Way(scale, 0).overhead_bits - _MARGIN_BITS)
            way = Way(scale, finest_quality(self._codec, y, scale, qualities, limit_bits))
            element, bits = coded(self._codec, y, Block(0, 0, y.shape[2], y.shape[1]), way)
            wrong = y - quantizer.dequantize(element.update.values, way.quality)
            error = float((weights * wrong**2).sum()) * 4**scale + float(hidden[scale].sum())
            found.append((max(bits - limit_bits, 0.0), error, way))
        return min(found, key=lambda each: each[:2])[2]

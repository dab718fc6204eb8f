"""What the sender believes the receiver holds of a surface."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pantel_codec import CELL_TAGS, CellUpdate
from pantel_models import SceneCodec

__all__ = ["Belief"]

_DEAD_ZONE = 0.65  # what rate-distortion optimization makes of latents below so many steps is mostly zero


class Belief:
    """The versions of each cell that were sent, and how likely the last one is missing.

    Errors are squared errors over 0..1 pixel values, estimated in the latent domain by the sensitivity of the
    generator to each channel.
    """

    def __init__(self, codec: SceneCodec, rows: int, columns: int, loss: float, refresh_s: float) -> None:
        self._codec = codec
        self._loss = loss
        self._refresh_ns = refresh_s * 1e9
        channels = codec.entropy.channels
        # A cell never received is painted near the mean picture, which is where latents are zero.
        self._held = np.zeros((channels, rows, columns), np.float32)
        self._before = np.zeros((channels, rows, columns), np.float32)
        self._missing = np.ones((rows, columns))  # probability that the last version was lost
        self._sent_ns = np.zeros((rows, columns), np.int64)
        self._values = np.zeros((channels, rows, columns), np.int64)
        self._quality = np.full((rows, columns), -1, np.int16)
        self._next_tag = 0

    def expected_error(self, latents: NDArray[np.float32], now_ns: int) -> NDArray[np.float64]:
        """Return (rows, columns): the expected squared error of each cell that the receiver shows now."""
        # Whoever joins late holds nothing; the chance that someone did grows with the age of a cell.
        age = np.maximum(now_ns - self._sent_ns, 0) / self._refresh_ns
        joined = np.where(self._quality >= 0, 1 - np.exp(-age * self._loss), 0.0)
        missing = self._missing + (1 - self._missing) * joined
        return (1 - missing) * self._error(latents, self._held) + missing * self._error(latents, self._before)

    def error_estimate(self, latents: NDArray[np.float32], quality: int) -> NDArray[np.float64]:
        """Return (rows, columns): about the expected error once all cells have been sent at a quality."""
        quantizer = self._codec.quantizer
        steps = quantizer.steps[quality][:, None, None]
        zero = np.abs(latents) < _DEAD_ZONE * steps
        noise = np.where(zero, latents**2, steps**2 / 12)
        fresh = (quantizer.sensitivity[:, None, None] * noise).sum(axis=0)
        return np.asarray((1 - self._loss) * fresh + self._loss * self._error(latents, self._held), np.float64)

    def error_after(self, latents: NDArray[np.float32], update: CellUpdate) -> NDArray[np.float64]:
        """Return (rows, columns) of the update's block, whose latents are given: the expected error once it is sent."""
        held = self._held[(slice(None), *update.block.window)]
        fresh = self._codec.quantizer.dequantize(update.values, update.quality)
        return (1 - self._loss) * self._error(latents, fresh) + self._loss * self._error(latents, held)

    @property
    def told_share(self) -> float:
        """Share of the cells of which any version was sent."""
        return float((self._quality >= 0).mean())

    @property
    def next_tag(self) -> int:
        """Version tag of the next update: the one that was used longest ago."""
        return self._next_tag

    def pass_tag(self) -> None:
        """Take note that the next tag was used for something that is not believed to be held."""
        self._next_tag = (self._next_tag + 1) % CELL_TAGS

    def sent(self, update: CellUpdate, now_ns: int) -> None:
        """Take note of an update that goes on the air."""
        window = update.block.window
        cells = (slice(None), *window)
        repeated = (self._quality[window] == update.quality) & np.all(self._values[cells] == update.values, axis=0)
        self._missing[window] = np.where(repeated, self._missing[window] * self._loss, self._loss)
        self._before[cells] = np.where(repeated, self._before[cells], self._held[cells])
        self._held[cells] = self._codec.quantizer.dequantize(update.values, update.quality)
        self._values[cells] = update.values
        self._quality[window] = update.quality
        self._next_tag = (update.tag + 1) % CELL_TAGS
        self._sent_ns[window] = now_ns

    def _error(self, latents: NDArray[np.float32], held: NDArray[np.float32]) -> NDArray[np.float64]:
        weights = self._codec.quantizer.sensitivity[:, None, None]
        return np.asarray((weights * (latents - held) ** 2).sum(axis=0), np.float64)

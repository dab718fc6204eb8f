"""Quantization of latents with rate-distortion optimization, and its inverse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pantel_codec import SYMBOL_LIMIT, EntropyModel, Step

__all__ = ["Quantized", "Quantizer"]


@dataclass(frozen=True, slots=True, eq=False)
class Quantized:
    """What quantization of a block gave.

    Attributes:
        symbols: (channels, rows, columns) int64.
        bits: (groups,) float64, ideal cost of each group.
        gain: (groups,) float64, squared error that each group removes, in the units of lambda times bits.
    """

    symbols: NDArray[np.int64]
    bits: NDArray[np.float64]
    gain: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Quantizer:
    """Steps of each quality, and what an encoder knows of their price.

    Attributes:
        steps: (qualities, channels) float32, quantizer step of each channel.
        rate_weight: (qualities,) float32, lambda of training: squared error per pixel value for a bit per pixel.
        sensitivity: (channels,) float32, sum of squared errors over 0..1 pixel values for a unit error in a latent.
    """

    steps: NDArray[np.float32]
    rate_weight: NDArray[np.float32]
    sensitivity: NDArray[np.float32]

    def quantize(
        self,
        latents: NDArray[np.float32],
        model: EntropyModel,
        quality: int,
        *,
        groups: range | None = None,
        strength: float = 1.0,
        importance: NDArray[np.float32] | None = None,
    ) -> Quantized:
        """Choose symbols of a block by rate-distortion optimization, symbol by symbol in coding order.

        Each symbol is the candidate among the nearest integer, its neighbour towards zero, zero and the prediction
        with the least distortion + lambda * bits.

        Args:
            latents: (channels, rows, columns) float32.
            model: The entropy model that will code the symbols.
            quality: Index of the quantizer.
            groups: The groups to be coded; all by default.
            strength: Factor on lambda; 0 rounds to the nearest integer.
            importance: (rows, columns) float32, weight of each cell's distortion; 1 by default.
        """
        channels, rows, columns = latents.shape
        groups = range(len(model.groups)) if groups is None else groups
        targets = (latents / self.steps[quality][:, None, None]).reshape(channels, -1).astype(np.float64)
        np.clip(targets, -SYMBOL_LIMIT, SYMBOL_LIMIT, out=targets)
        # SSE of a symbol off by one, over the three colours, against lambda per bit of one pixel's mean square.
        worth = self.sensitivity * self.steps[quality] ** 2 / 3.0
        weight = np.ones(rows * columns) if importance is None else importance.ravel().astype(np.float64)
        price = strength * float(self.rate_weight[quality])
        bits = np.zeros(len(model.groups))
        gain = np.zeros(len(model.groups))

        def choose(step: Step) -> NDArray[np.int64]:
            target = targets[step.channels, step.cells]
            cell_worth = worth[step.channels, None] * weight[step.cells]
            symbols: NDArray[np.int64] = np.rint(target).astype(np.int64)
            if price > 0:
                undecided = np.nonzero(symbols | step.center)  # else zero is nearest and predicted: the usual case
                t, w, table, center = (x[undecided] for x in (target, cell_worth, step.table, step.center))
                candidates = _candidates(symbols[undecided], center)
                cost = w * (candidates - t) ** 2 + price * model.bits(table, candidates - center)
                best = cost.argmin(axis=0)
                symbols[undecided] = np.take_along_axis(candidates, best[None], axis=0)[0]
            bits[step.group] += model.step_bits(step, symbols).sum()
            gain[step.group] += (cell_worth * (target**2 - (symbols - target) ** 2)).sum()
            return symbols

        symbols = model.walk(rows, columns, quality, groups, choose)
        return Quantized(symbols, bits, gain)

    def levels_worth_coding(self, quantized: Quantized, quality: int, strength: float = 1.0) -> int:
        """Return how many levels pay for their bits: after the last of them, none does.

        Args:
            quantized: What `quantize` gave.
            quality: The quality that it was given.
            strength: The strength that it was given.
        """
        price = strength * float(self.rate_weight[quality])
        total = np.cumsum(quantized.gain - price * quantized.bits)
        return 1 + int(np.argmax(total))

    def dequantize(self, symbols: NDArray[np.int64], quality: int) -> NDArray[np.float32]:
        """Return the latents (channels, rows, columns) that symbols of one quality stand for."""
        latents: NDArray[np.float32] = symbols.astype(np.float32) * self.steps[quality][:, None, None]
        return latents


def _candidates(nearest: NDArray[np.int64], center: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return (4, n): the nearest integers, their neighbours towards zero, zeros, and the predictions."""
    return np.stack([nearest, nearest - np.sign(nearest), np.zeros_like(nearest), center])

"""Quantization of latents with rate-distortion optimization, and its inverse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pantel_codec import EntropyModel, Step

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
        groups = groups or range(len(model.groups))
        scaled = (latents / self.steps[quality][:, None, None]).reshape(channels, -1).astype(np.float64)
        # SSE of a symbol off by one, over the three colours, against lambda per bit of one pixel's mean square.
        unit = self.sensitivity * self.steps[quality] ** 2 / 3.0
        weight = np.ones(rows * columns) if importance is None else importance.ravel().astype(np.float64)
        price = strength * float(self.rate_weight[quality])
        bits = np.zeros(len(model.groups))
        gain = np.zeros(len(model.groups))

        def choose(step: Step) -> NDArray[np.int64]:
            target = scaled[step.channels][:, step.cells]
            worth = unit[step.channels, None] * weight[step.cells]
            nearest = np.rint(target)
            shorter = nearest - np.sign(nearest)
            best = nearest.astype(np.int64)
            best_bits = model.step_bits(step, best)
            best_cost = worth * (nearest - target) ** 2 + price * best_bits
            if price > 0:
                for candidate in (shorter, np.zeros_like(nearest), step.center.astype(np.float64)):
                    symbols = candidate.astype(np.int64)
                    cost_bits = model.step_bits(step, symbols)
                    cost = worth * (candidate - target) ** 2 + price * cost_bits
                    better = cost < best_cost
                    best = np.where(better, symbols, best)
                    best_bits = np.where(better, cost_bits, best_bits)
                    best_cost = np.where(better, cost, best_cost)
            bits[step.group] += best_bits.sum()
            gain[step.group] += float((worth * (target**2 - (best - target) ** 2)).sum())
            return best

        symbols = model.walk(rows, columns, quality, groups, choose)
        return Quantized(symbols, bits, gain)

    def levels_worth_coding(self, quantized: Quantized, quality: int, strength: float = 1.0) -> int:
        """Return how many levels pay for their bits: after the last of them, none does."""
        price = strength * float(self.rate_weight[quality])
        total = np.cumsum(quantized.gain - price * quantized.bits)
        return 1 + int(np.argmax(total))

    def dequantize(self, symbols: NDArray[np.int64], quality: int) -> NDArray[np.float32]:
        """Return the latents (channels, rows, columns) that symbols of one quality stand for."""
        return (symbols * self.steps[quality][:, None, None]).astype(np.float32)

"""Quantization of latents with rate-distortion optimization, and its inverse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pantel_codec import VALUE_LIMIT, VALUE_ONE, Base, EntropyModel, Step

__all__ = ["Quantized", "Quantizer"]

_LIMIT_STEPS = VALUE_LIMIT // VALUE_ONE - 1  # whole steps around any mean stay within the limit


@dataclass(frozen=True, slots=True, eq=False)
class Quantized:
    """What quantization of a block gave.

    Attributes:
        values: (channels, rows, columns) int64, in 1/256 of a quantizer step; as `EntropyModel.walk` returns them.
        levels: Number of groups that are coded; values of the others are zero.
        bits: (groups,) float64, ideal cost of each group.
        gain: (groups,) float64, squared error that each group removes, in the units of lambda times bits.
        cell_bits: (rows, columns) float64, ideal cost of each cell.
    """

    values: NDArray[np.int64]
    levels: int
    bits: NDArray[np.float64]
    gain: NDArray[np.float64]
    cell_bits: NDArray[np.float64]


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
        strength: float = 1.0,
        importance: NDArray[np.float32] | None = None,
        base: Base | None = None,
        at_least: int | None = None,
    ) -> Quantized:
        """Choose residuals of a block by rate-distortion optimization, one by one in coding order.

        Each is the candidate among the nearest integer, its neighbour towards zero, and zero (the prediction) with the
        least distortion + lambda * bits.

        Args:
            latents: (channels, rows, columns) float32.
            model: The entropy model that will code the residuals.
            quality: Index of the quantizer.
            strength: Factor on lambda; 0 rounds to the nearest integer.
            importance: (rows, columns) float32, weight of each cell's distortion; 1 by default.
            base: What the block refines, if it does.
            at_least: Levels that are coded in any case; those behind them only up to the last that pays for its bits
                and for those before it. By default all are coded.
        """
        channels, rows, columns = latents.shape
        targets = (latents / self.steps[quality][:, None, None]).reshape(channels, -1).astype(np.float64)
        np.clip(targets, -_LIMIT_STEPS, _LIMIT_STEPS, out=targets)
        # SSE of a value off by a step, over the three colours, against lambda per bit of one pixel's mean square.
        worth = self.sensitivity * self.steps[quality] ** 2 / 3.0
        weight = np.ones(rows * columns) if importance is None else importance.ravel().astype(np.float64)
        price = strength * float(self.rate_weight[quality])
        groups = len(model.groups)
        bits, gain = np.zeros((2, groups))
        cell_bits = np.zeros((groups, rows * columns))

        def choose(step: Step) -> NDArray[np.int64]:
            target = targets[step.channels, step.cells]
            cell_worth = worth[step.channels, None] * weight[step.cells]
            distance = target - step.mean / VALUE_ONE
            residual: NDArray[np.int64] = np.rint(distance).astype(np.int64)
            if price > 0:
                undecided = np.nonzero(residual)  # the usual case is the nearest integer and the cheapest: zero
                d, w, table = (x[undecided] for x in (distance, cell_worth, step.table))
                candidates = _candidates(residual[undecided])
                cost = w * (candidates - d) ** 2 + price * model.bits(table, candidates)
                best = cost.argmin(axis=0)
                residual[undecided] = np.take_along_axis(candidates, best[None], axis=0)[0]
            taken = model.bits(step.table, residual)
            bits[step.group] += taken.sum()
            cell_bits[step.group, step.cells] += taken.sum(axis=0)
            gain[step.group] += (cell_worth * (target**2 - (residual - distance) ** 2)).sum()
            return residual

        values = model.walk(rows, columns, quality, groups, choose, base=base)
        levels = groups
        if at_least is not None:
            levels = at_least + int(np.argmax(np.cumsum(gain - price * bits)[at_least - 1 :]))
        values[sum(model.groups[:levels]) :] = 0
        bits[levels:] = gain[levels:] = cell_bits[levels:] = 0
        return Quantized(values, levels, bits, gain, cell_bits.sum(axis=0).reshape(rows, columns))

    def dequantize(self, values: NDArray[np.int64], quality: int) -> NDArray[np.float32]:
        """Return the latents (channels, rows, columns) that values of one quality stand for."""
        latents: NDArray[np.float32] = values.astype(np.float32) * (self.steps[quality] / VALUE_ONE)[:, None, None]
        return latents


def _candidates(nearest: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return (3, n): the nearest integers, their neighbours towards zero, and zeros."""
    return np.stack([nearest, nearest - np.sign(nearest), np.zeros_like(nearest)])

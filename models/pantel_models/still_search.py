"""Chooses quality, strength of optimization and values of a still picture so that they fill a budget."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pantel_codec import EntropyModel, still_overhead_bits
from pantel_models.quantizer import Quantizer
from pantel_models.rate_search import last_fitting

__all__ = ["Choice", "StillSearch"]

# Strength of the rate-distortion optimization at which qualities are compared. Measured on Kodak: from 0.2 to 0.5
# PSNR and MS-SSIM hardly differ, at 1 they are 0.15 dB and 0.01 lower.
_STRENGTH = 0.3
_PER_OCTAVE = 20
_WEAKER = range(1, 5 * _PER_OCTAVE)  # weaknesses: steps below the above strength
_STRONGER = range(-7 * _PER_OCTAVE, 0)

# What a search begins with: measured on photographs, at that strength.
_CELL_BITS = 1.5  # of the coarsest quality
_GROWTH_PER_QUALITY = 0.128  # of the size's natural logarithm
_GROWTH_PER_WEAKNESS = 0.01

_GOOD_QUALITY = 0.85  # share of the budget from which on weaker optimization fills the rest
_FULL = 0.99  # share of the budget from which on it counts as filled
_NEARLY_FULL = 0.97  # share, or two bytes less, from which on it is left at that


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Symbols of a picture, and the information in a payload of them.

    Attributes:
        quality: Index of the quantizer.
        weakness: By how many steps the optimization was weakened.
        levels: Number of refinement levels that are present.
        values: (channels, rows, columns) int64, in 1/256 of a quantizer step.
        size_bits: Estimated information of the whole payload [bit].
    """

    quality: int
    weakness: int
    levels: int
    values: NDArray[np.int64]
    size_bits: float


class StillSearch:
    """Searches the values of one picture."""

    def __init__(
        self,
        entropy: EntropyModel,
        quantizer: Quantizer,
        latents: NDArray[np.float32],
        importance: NDArray[np.float32] | None,
    ) -> None:
        """Prepare the search.

        Args:
            entropy: The entropy model that will code the residuals.
            quantizer: Steps and prices.
            latents: (channels, rows, columns) float32.
            importance: (rows, columns) float32, weight of each cell's distortion; None weighs all alike.
        """
        self._entropy = entropy
        self._quantizer = quantizer
        self._latents = latents
        self._importance = np.ones(latents.shape[1:], np.float32) if importance is None else importance
        energy = np.tensordot(quantizer.sensitivity, latents**2, 1) * self._importance
        self._rank = np.argsort(np.argsort(-energy, axis=None)).reshape(energy.shape)  # 0 where most is to be said

    def smallest(self) -> Choice:
        """Return the coarsest values there are."""
        return self._attempt(0, _STRONGER.start)

    def fill(self, limit_bits: float) -> Choice | None:
        """Return the finest quality that fits, with the optimization weakened until it fills the budget.

        Returns:
            None when not even the coarsest quality and the strongest optimization fit.
        """
        typical_bits = self._rank.size * _CELL_BITS
        finest = last_fitting(
            lambda quality: self._attempt(quality, 0),
            range(self._entropy.qualities),
            limit_bits,
            guess=math.log(max(limit_bits, 1.0) / typical_bits) / _GROWTH_PER_QUALITY,
            growth=_GROWTH_PER_QUALITY,
            enough_bits=_GOOD_QUALITY * limit_bits,
        )
        quality, weaknesses, guess = 0, _STRONGER, -0.5 * _PER_OCTAVE
        if finest is not None:
            quality, weaknesses = finest.quality, _WEAKER
            guess = math.log(limit_bits / finest.size_bits) / _GROWTH_PER_WEAKNESS
        weakest = last_fitting(
            lambda weakness: self._attempt(quality, weakness),
            weaknesses,
            limit_bits,
            guess=guess,
            growth=_GROWTH_PER_WEAKNESS,
            enough_bits=_full(limit_bits),
        )
        best = weakest or finest
        if best is None or best.size_bits >= min(_NEARLY_FULL * limit_bits, limit_bits - 16.0):
            return best
        partly = self._weaken_partly(best, limit_bits)
        return partly if partly is not None and partly.size_bits > best.size_bits else best

    def _weaken_partly(self, choice: Choice, limit_bits: float) -> Choice | None:
        """Return the choice with the optimization weakened in some of the cells; None when that never fits.

        Sizes can jump, most of all small ones, because one symbol makes others cheaper: this goes a part of the way.
        """
        cells = self._rank.size
        return last_fitting(
            lambda favoured: self._attempt(choice.quality, choice.weakness, favoured),
            range(1, cells + 1),
            limit_bits,
            guess=cells / 4,
            growth=_GROWTH_PER_WEAKNESS * _PER_OCTAVE / cells,
            enough_bits=_full(limit_bits),
        )

    def _attempt(self, quality: int, weakness: int, favoured: int = 0) -> Choice:
        """Quantize with a strength that lies so many steps below the usual one.

        Args:
            quality: Index of the quantizer.
            weakness: Steps below the usual strength.
            favoured: Number of cells that get half that strength.
        """
        strength = _STRENGTH * 2 ** (-weakness / _PER_OCTAVE)
        importance = self._importance * np.where(self._rank < favoured, np.float32(2), np.float32(1))
        result = self._quantizer.quantize(
            self._latents, self._entropy, quality, strength=strength, importance=importance, at_least=1
        )
        size_bits = still_overhead_bits(self._entropy) + float(result.bits.sum())
        return Choice(quality, weakness, result.levels, result.values, size_bits)


def _full(limit_bits: float) -> float:
    """Return the size from which on a payload counts as filled: one byte below the limit, or one per cent."""
    return min(_FULL * limit_bits, limit_bits - 8.0)

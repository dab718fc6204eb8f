"""Context model: an integer network that predicts mean and scale of every symbol.

Range encoder and decoder must derive the same probabilities on every machine. All numbers here are integers
held in float64: products and sums of integers are exact below 2**53 in any order of summation, so BLAS may do the
work. The trained bounds keep accumulators below 2**45.

The structure is that of a checkerboard context model (He et al., "Checkerboard context model for efficient learned
image compression", 2021) over channel groups, fed with nothing but symbols of the same payload.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pantel_codec.errors import SymbolError

__all__ = ["KNOWN_LIMIT", "ContextNetwork", "Prediction"]

KNOWN_LIMIT = 31  # symbols are clipped to this magnitude before they serve as context
ACTIVATION_BITS = 8  # fractional bits of activations and of both outputs
WEIGHT_BITS = 10  # fractional bits of weights
_ACTIVATION_LIMIT = float(1 << 20)


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What the context tells of the symbols of one group in one phase, fixed point with 8 fractional bits.

    Attributes:
        mean: (channels, n) float64 holding integers, in 1/256 of a symbol.
        log_scale: (channels, n) float64 holding integers, natural logarithm of a logistic's scale in 1/256.
    """

    mean: NDArray[np.float64]
    log_scale: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ContextNetwork:
    """The network of one channel group: 3x3 convolution, two pointwise layers.

    Attributes:
        spatial: (9 * inputs, width) float64 integers; taps row by row, inputs fastest.
        bias: (qualities, 2, width) float64 integers: of each quality and checkerboard phase.
        hidden: (width, width), hidden_bias: (width,), head: (width, 2 * channels), head_bias: (2 * channels,).
    """

    spatial: NDArray[np.float64]
    bias: NDArray[np.float64]
    hidden: NDArray[np.float64]
    hidden_bias: NDArray[np.float64]
    head: NDArray[np.float64]
    head_bias: NDArray[np.float64]

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.int32]], group: int) -> ContextNetwork:
        """Take the network of one group out of the integer arrays of an artefact.

        Raises:
            SymbolError: An array is missing.
        """
        names = ("spatial", "bias", "hidden", "hidden_bias", "head", "head_bias")
        try:
            return cls(*(np.asarray(arrays[f"context{group}_{name}"], np.float64) for name in names))
        except KeyError as error:
            raise SymbolError(f"the entropy model lacks the array {error}") from error

    def predict(
        self, known: NDArray[np.float64], planes: NDArray[np.float64], quality: int, cells: NDArray[np.intp], phase: int
    ) -> Prediction:
        """Predict the symbols of the given cells.

        Args:
            known: (channels so far, rows, columns): symbols known, zero where not.
            planes: (planes, rows, columns): 1 where a group of a cell is known.
            quality: Index of the quantizer.
            cells: (n,) flat indices of the cells to predict.
            phase: 0 for the first half of the checkerboard, 1 for the second.
        """
        clipped = np.clip(known, -KNOWN_LIMIT, KNOWN_LIMIT)
        x = np.concatenate([clipped, np.abs(clipped), planes])  # (inputs, rows, columns)
        rows, columns = x.shape[1:]
        padded = np.zeros((rows + 2, columns + 2, x.shape[0]))
        padded[1:-1, 1:-1] = x.transpose(1, 2, 0)
        row, column = np.divmod(cells, columns)
        taps = [padded[row + dy, column + dx] for dy in range(3) for dx in range(3)]
        x = np.concatenate(taps, axis=1) @ self.spatial + self.bias[quality, phase]  # weight bits only
        x = _activate(x, WEIGHT_BITS - ACTIVATION_BITS)
        x = _activate(x @ self.hidden + self.hidden_bias, WEIGHT_BITS)
        out = _shift(x @ self.head + self.head_bias, WEIGHT_BITS).T
        channels = out.shape[0] // 2
        return Prediction(out[:channels], out[channels:])


def _shift(x: NDArray[np.float64], bits: int) -> NDArray[np.float64]:
    """Divide by 2**bits and round half up: exact in float64."""
    return np.floor(x / float(1 << bits) + 0.5)


def _activate(x: NDArray[np.float64], bits: int) -> NDArray[np.float64]:
    return np.clip(_shift(x, bits), 0.0, _ACTIVATION_LIMIT)

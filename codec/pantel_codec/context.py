"""Context model: an integer network that predicts mean and scale of every symbol.

Range encoder and decoder must derive the same probabilities on every machine. All numbers here are integers held in
float64: products and sums of integers are exact below 2**53 in any order of summation, so BLAS may do the work.
`ContextNetwork.from_arrays` refuses weights with which an accumulator could get there.

The structure is that of a checkerboard context model (He et al., "Checkerboard context model for efficient learned
image compression", 2021) over channel groups, fed with nothing but symbols of the same block:

```
3x3 cells around each cell --> spatial --> ReLU --> hidden --> ReLU --> head --> mean, log scale
    (values, magnitudes, known?)
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pantel_codec.errors import SymbolError

__all__ = ["ACTIVATION_BITS", "KNOWN_LIMIT", "WEIGHT_BITS", "ContextNetwork", "KnownSymbols", "Prediction"]

KNOWN_LIMIT = 31
"""Symbols are clipped to this magnitude before they serve as context."""

ACTIVATION_BITS = 8
"""Fractional bits of the activations and of both outputs."""

WEIGHT_BITS = 10
"""Fractional bits of the weights."""

_TAPS = 9
_ACTIVATION_LIMIT = float(1 << 20)
_EXACT_LIMIT = float(1 << 52)  # leaves a bit for the rounding half


class KnownSymbols:
    """What is known of the symbols of a block, in the form in which the networks look at it.

    A cell has for each group the clipped values of its channels, their magnitudes, and one number that is 1 where the
    group is known: so what the groups before one say stands together. A border of unknown cells surrounds the block.

    Attributes:
        phases: Flat indices of the cells of the two halves of the checkerboard, (n,) each. The first half holds the
            cells whose row and column have an even sum; a block of one cell has no second half.
    """

    def __init__(self, groups: tuple[int, ...], rows: int, columns: int) -> None:
        """Begin with nothing known.

        Args:
            groups: Channels of each group.
            rows: Height of the block in cells.
            columns: Width of the block in cells.
        """
        self._starts = np.cumsum([0, *(_inputs(channels) for channels in groups)]).tolist()
        self._features = np.zeros(((rows + 2) * (columns + 2), self._starts[-1]))
        row, column = np.divmod(np.arange(rows * columns), columns)
        odd = (row + column) % 2
        self.phases = (np.flatnonzero(odd == 0), np.flatnonzero(odd == 1))
        stride = columns + 2
        self._inside = (row + 1) * stride + column + 1
        offsets = np.add.outer(np.arange(-1, 2) * stride, np.arange(-1, 2)).ravel()
        self._taps = tuple(self._inside[cells, None] + offsets for cells in self.phases)

    def learn(self, group: int, phase: int, symbols: NDArray[np.int64]) -> None:
        """Take note of the symbols (channels, n) of a group in one half of the checkerboard."""
        start, stop = self._starts[group : group + 2]
        values = np.clip(symbols.T, -KNOWN_LIMIT, KNOWN_LIMIT)
        features = np.ones((len(values), stop - start))
        channels = values.shape[1]
        features[:, :channels] = values
        features[:, channels:-1] = np.abs(values)
        self._features[self._inside[self.phases[phase]], start:stop] = features

    def around(self, group: int, phase: int) -> NDArray[np.float64]:
        """Return what a network of a group may see of the 3x3 cells around each cell of one half.

        In the first half nothing of the group itself is known, so only the groups before it are returned.

        Returns:
            (n, 9 * inputs) float64 holding integers; taps row by row, inputs fastest.
        """
        inputs = self._starts[group + phase]
        taps = self._taps[phase]
        return self._features[:, :inputs].take(taps, axis=0).reshape(len(taps), _TAPS * inputs)


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What the context tells of the symbols of one group in one half, fixed point with 8 fractional bits.

    Attributes:
        mean: (channels, n) float64 holding integers, in 1/256 of a symbol.
        log_scale: (channels, n) float64 holding integers, natural logarithm of a logistic's scale in 1/256.
    """

    mean: NDArray[np.float64]
    log_scale: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ContextNetwork:
    """The network of one channel group: a 3x3 convolution and two pointwise layers.

    Weights are float64 holding integers with 10 fractional bits.

    Attributes:
        group: Index of the group.
        spatial: Weights of the convolution for each half, (9 * inputs, width), inputs as `KnownSymbols.around` gives
            them.
        bias: (qualities, 2, width), 10 fractional bits: of each quality and half.
        hidden: (width, width).
        hidden_bias: (width,), 18 fractional bits.
        head: (width, 2 * channels), means first.
        head_bias: (2 * channels,), 18 fractional bits.
    """

    group: int
    spatial: tuple[NDArray[np.float64], NDArray[np.float64]]
    bias: NDArray[np.float64]
    hidden: NDArray[np.float64]
    hidden_bias: NDArray[np.float64]
    head: NDArray[np.float64]
    head_bias: NDArray[np.float64]

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, NDArray[np.int32]], group: int, groups: tuple[int, ...]
    ) -> ContextNetwork:
        """Take the network of one group out of the integer arrays of an artefact.

        Args:
            arrays: Holds `context{group}_{layer}` for each of the layers.
            group: Index of the group.
            groups: Channels of each group.

        Raises:
            SymbolError: An array is missing, has the wrong shape, or holds weights that could lose exactness.
        """
        names = ("spatial", "bias", "hidden", "hidden_bias", "head", "head_bias")
        try:
            layers = [np.asarray(arrays[f"context{group}_{name}"], np.float64) for name in names]
        except KeyError as error:
            raise SymbolError(f"the entropy model lacks the array {error}") from error
        spatial, bias, hidden, hidden_bias, head, head_bias = layers
        width, outputs = hidden_bias.size, 2 * groups[group]
        inputs = sum(_inputs(channels) for channels in groups[: group + 1])
        shapes = [(_TAPS * inputs, width), (*bias.shape[:1], 2, width), (width, width), (width,)]
        shapes += [(width, outputs), (outputs,)]
        if bias.size == 0 or [layer.shape for layer in layers] != shapes:
            raise SymbolError(f"the arrays of context network {group} do not fit together")
        _check_exact(spatial, bias, KNOWN_LIMIT)
        _check_exact(hidden, hidden_bias, _ACTIVATION_LIMIT)
        _check_exact(head, head_bias, _ACTIVATION_LIMIT)
        ordered = spatial.reshape(_TAPS, inputs, width)[:, _input_order(groups[: group + 1])]
        before = ordered[:, : inputs - _inputs(groups[group])]
        halves = (before.reshape(-1, width), ordered.reshape(-1, width))
        return cls(group, halves, bias, hidden, hidden_bias, head, head_bias)

    def predict(self, known: KnownSymbols, quality: int, phase: int) -> Prediction:
        """Predict the symbols of the group in one half of the checkerboard.

        Args:
            known: The symbols coded before.
            quality: Index of the quantizer.
            phase: 0 for the first half, 1 for the second.
        """
        x = known.around(self.group, phase) @ self.spatial[phase] + self.bias[quality, phase]  # weight bits only
        x = _activate(x, WEIGHT_BITS - ACTIVATION_BITS)  # (n, width)
        x = _activate(x @ self.hidden + self.hidden_bias, WEIGHT_BITS)
        out = _shift(x @ self.head + self.head_bias, WEIGHT_BITS).T  # (2 * channels, n)
        channels = len(out) // 2
        return Prediction(out[:channels], out[channels:])


def _inputs(channels: int) -> int:
    """Return how many numbers a cell tells of a group: values, magnitudes, known or not."""
    return 2 * channels + 1


def _input_order(groups: tuple[int, ...]) -> list[int]:
    """Return where an artefact keeps each input.

    An artefact orders the inputs by kind: values of all channels, magnitudes of all, then one plane for each group.
    """
    order: list[int] = []
    start, channels = 0, sum(groups)
    for group, size in enumerate(groups):
        values = range(start, start + size)
        order += [*values, *(channels + value for value in values), 2 * channels + group]
        start += size
    return order


def _check_exact(weights: NDArray[np.float64], bias: NDArray[np.float64], input_limit: float) -> None:
    largest = float(np.abs(weights).sum(axis=0).max() * input_limit + np.abs(bias).max())
    if not largest < _EXACT_LIMIT:
        raise SymbolError("the weights of a context network are too large to be exact in float64")


def _shift(x: NDArray[np.float64], bits: int) -> NDArray[np.float64]:
    """Divide by 2**bits and round half up, in place: exact in float64."""
    x *= 1.0 / (1 << bits)
    x += 0.5
    return np.floor(x, out=x)


def _activate(x: NDArray[np.float64], bits: int) -> NDArray[np.float64]:
    x = _shift(x, bits)
    return np.clip(x, 0.0, _ACTIVATION_LIMIT, out=x)

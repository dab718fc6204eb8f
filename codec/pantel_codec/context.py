"""Context model: an integer network that predicts mean and scale of every latent.

Range encoder and decoder must derive the same probabilities on every machine. All numbers here are integers held in
float64: products and sums of integers are exact below 2**53 in any order of summation, so BLAS may do the work.
`ContextNetwork.from_arrays` refuses weights with which an accumulator could get there.

Channel groups are coded coarse first, each in the stages of `pantel_codec.stages`, and the network of a group is fed
with nothing but values of the same block, in 1/256 of a quantizer step:

```
3x3 cells around each cell --> spatial --> ReLU --> hidden --> ReLU --> head --> mean, log scale
    (values, magnitudes, known?)
```

Of cells that are refined both sides hold a coarser version, the **base**. Networks of their own see it beside the
values coded before, and predict by how much each latent differs from it.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pantel_codec.errors import SymbolError
from pantel_codec.stages import REFINEMENT_STAGES, Stage, stages_of

__all__ = ["ACTIVATION_BITS", "KNOWN_LIMIT", "WEIGHT_BITS", "Base", "ContextNetwork", "KnownValues", "Prediction"]

KNOWN_LIMIT = 31
"""Values are clipped to so many quantizer steps before they serve as context."""

ACTIVATION_BITS = 8
"""Fractional bits of the values, the activations and both outputs."""

WEIGHT_BITS = 10
"""Fractional bits of the weights."""

_TAPS = 9
_BORDER = 2  # the largest dilation
_ONE = float(1 << ACTIVATION_BITS)
_KNOWN_LIMIT = KNOWN_LIMIT * _ONE
_ACTIVATION_LIMIT = float(1 << 20)
_EXACT_LIMIT = float(1 << 52)  # leaves a bit for the rounding half


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Where the cells of a stage lie in a block.

    Attributes:
        cells: (n,) flat indices within the block.
        taps: (n, 9) flat indices of each cell and its neighbours within the block and its border.
    """

    cells: NDArray[np.intp]
    taps: NDArray[np.intp]


@lru_cache(maxsize=256)  # an encoder tries many blocks of the same few sizes
def _places(stage: Stage, rows: int, columns: int) -> _Places:
    """Return the places of a stage in a block of that size; shared, so read-only."""
    cells = np.flatnonzero(stage.mask(rows, columns))
    row, column = np.divmod(cells, columns)
    stride = columns + 2 * _BORDER
    around = np.add.outer(np.arange(-1, 2) * stride, np.arange(-1, 2)).ravel() * stage.dilation
    taps = ((row + _BORDER) * stride + column + _BORDER)[:, None] + around
    cells.flags.writeable = taps.flags.writeable = False
    return _Places(cells, taps)


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """The coarser version of a block of cells that is refined.

    Attributes:
        values: (channels, rows, columns) int64, in 1/256 of a quantizer step; zero in groups that are not held.
        level: (rows, columns) uint8, number of groups held, 1 at least.
        quality: Index of the quantizer.
    """

    values: NDArray[np.int64]
    level: NDArray[np.uint8]
    quality: int

    @property
    def checksum(self) -> int:
        """Number below 256 that tells whether two sides hold the same."""
        octets = self.level.astype(np.uint8).tobytes() + self.values.astype("<i4").tobytes()
        return zlib.crc32(octets) & 0xFF


class KnownValues:
    """What is known of the values of a block, in the form in which the networks look at it.

    A cell has for each group the clipped values of its channels, their magnitudes, and one number that is 1 (in
    values, 256) where the group is known: so what the groups before one say stands together. If the block is refined,
    the same of its base stands before that, ordered by kind. A border of unknown cells surrounds the block.

    Attributes:
        cells: For each group and stage the flat indices of its cells, (n,); empty where a small block has none.
        base: What the block refines, with values in steps of the quality at hand; None if nothing.
    """

    def __init__(self, groups: tuple[int, ...], rows: int, columns: int, base: Base | None = None) -> None:
        """Begin with nothing known but the base.

        Args:
            groups: Channels of each group.
            rows: Height of the block in cells.
            columns: Width of the block in cells.
            base: What the block refines, with values in steps of the quality at hand.
        """
        of_base = 0 if base is None else _base_inputs(groups)
        self._starts = (of_base + np.cumsum([0, *(_inputs(channels) for channels in groups)])).tolist()
        self._features = np.zeros(((rows + 2 * _BORDER) * (columns + 2 * _BORDER), self._starts[-1]))
        self._places = [
            [_places(stage, rows, columns) for stage in (stages_of(group) if base is None else REFINEMENT_STAGES)]
            for group in range(len(groups))
        ]
        self.cells = [[places.cells for places in of_group] for of_group in self._places]
        self.base = base
        ends = np.cumsum(groups).tolist()
        self._channels = [slice(end - channels, end) for end, channels in zip(ends, groups, strict=True)]
        if base is not None:
            grid = self._features.reshape(rows + 2 * _BORDER, columns + 2 * _BORDER, -1)
            inner = grid[_BORDER:-_BORDER, _BORDER:-_BORDER]
            clipped = np.clip(base.values, -_KNOWN_LIMIT, _KNOWN_LIMIT).transpose(1, 2, 0)
            channels = sum(groups)
            inner[..., :channels] = clipped
            inner[..., channels : 2 * channels] = np.abs(clipped)
            inner[..., 2 * channels : of_base] = (base.level[..., None] > np.arange(len(groups))) * _ONE

    def learn(self, group: int, stage: int, values: NDArray[np.int64]) -> None:
        """Take note of the values (channels, n) of a group in one stage."""
        start, stop = self._starts[group : group + 2]
        clipped = np.minimum(np.maximum(values.T, -_KNOWN_LIMIT), _KNOWN_LIMIT)
        features = np.full((len(clipped), stop - start), _ONE)
        channels = clipped.shape[1]
        features[:, :channels] = clipped
        features[:, channels:-1] = np.abs(clipped)
        themselves = self._places[group][stage].taps[:, _TAPS // 2]  # the middle one of each cell's taps
        self._features[themselves, start:stop] = features

    def base_values(self, group: int, stage: int) -> NDArray[np.int64] | int:
        """Return the values (channels, n) that the base has of a group in the cells of a stage; 0 without a base."""
        if self.base is None:
            return 0
        rows, columns = np.divmod(self.cells[group][stage], self.base.level.shape[1])
        values: NDArray[np.int64] = self.base.values[self._channels[group], rows, columns]
        return values

    def around(self, group: int, stage: int) -> NDArray[np.float64]:
        """Return what the network of a group may see of the nine cells at and around each cell of a stage.

        In the first stage nothing of the group itself is known, so only the groups before it are returned.

        Returns:
            (n, 9 * inputs) float64 holding integers; taps row by row, inputs fastest.
        """
        inputs = self._starts[group + (stage > 0)]
        taps = self._places[group][stage].taps
        features: NDArray[np.float64] = self._features[:, :inputs].take(taps, axis=0)
        return features.reshape(len(taps), _TAPS * inputs)


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What the context tells of the latents of one group in one stage, fixed point with 8 fractional bits.

    Attributes:
        mean: (channels, n) float64 holding integers, in 1/256 of a quantizer step.
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
        spatial: Weights of the convolution for each stage, (9 * inputs, width), inputs as `KnownValues.around` gives
            them.
        bias: (qualities, stages, width), 18 fractional bits: of each quality and stage.
        base_bias: (qualities, width), 18 fractional bits: of each quality of a base; None in a network that sees none.
        hidden: (width, width).
        hidden_bias: (width,), 18 fractional bits.
        head: (width, 2 * channels), means first.
        head_bias: (2 * channels,), 18 fractional bits.
    """

    group: int
    spatial: tuple[NDArray[np.float64], ...]
    bias: NDArray[np.float64]
    hidden: NDArray[np.float64]
    hidden_bias: NDArray[np.float64]
    head: NDArray[np.float64]
    head_bias: NDArray[np.float64]
    base_bias: NDArray[np.float64] | None = None

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, NDArray[np.int32]], group: int, groups: tuple[int, ...], *, refining: bool = False
    ) -> ContextNetwork:
        """Take the network of one group out of the integer arrays of an artefact.

        Args:
            arrays: Holds `context{group}_{layer}` for each of the layers; `spatial` (dilations, 9 * inputs, width) has
                the weights of each dilation that the group's stages have, the smallest first.
            group: Index of the group.
            groups: Channels of each group.
            refining: Whether to take the one for cells that are refined, `refinement{group}_{layer}`.

        Raises:
            SymbolError: An array is missing, has the wrong shape, or holds weights that could lose exactness.
        """
        kind = "refinement" if refining else "context"
        names = ["spatial", "bias", "hidden", "hidden_bias", "head", "head_bias", *["base_bias"] * refining]
        try:
            layers = [np.asarray(arrays[f"{kind}{group}_{name}"], np.float64) for name in names]
        except KeyError as error:
            raise SymbolError(f"the entropy model lacks the array {error}") from error
        spatial, bias, hidden, hidden_bias, head, head_bias, *rest = layers
        width, outputs = hidden_bias.size, 2 * groups[group]
        order = _input_order(groups[: group + 1])
        if refining:
            order = [*range(len(order), len(order) + _base_inputs(groups)), *order]
        inputs = len(order)
        stages = REFINEMENT_STAGES if refining else stages_of(group)
        dilations = sorted({stage.dilation for stage in stages})
        shapes = [(len(dilations), _TAPS * inputs, width), (*bias.shape[:1], len(stages), width)]
        shapes += [(width, width), (width,)]
        shapes += [(width, outputs), (outputs,)]
        shapes += [(*bias.shape[:1], width)] * refining
        if bias.size == 0 or [layer.shape for layer in layers] != shapes:
            raise SymbolError(f"the arrays of {kind} network {group} do not fit together")
        base_bias = rest[0] if refining else None
        largest_bias = np.abs(bias).max() + (0.0 if base_bias is None else np.abs(base_bias).max())
        for weights in spatial:
            _check_exact(weights, largest_bias, _KNOWN_LIMIT)
        _check_exact(hidden, np.abs(hidden_bias).max(), _ACTIVATION_LIMIT)
        _check_exact(head, np.abs(head_bias).max(), _ACTIVATION_LIMIT)
        ordered = spatial.reshape(-1, _TAPS, inputs, width)[:, :, order]
        of_stage = [ordered[dilations.index(stage.dilation)] for stage in stages]
        of_stage[0] = of_stage[0][:, : inputs - _inputs(groups[group])]
        convolutions = tuple(weights.reshape(-1, width) for weights in of_stage)
        return cls(group, convolutions, bias, hidden, hidden_bias, head, head_bias, base_bias)

    def predict(self, known: KnownValues, quality: int, stage: int) -> Prediction:
        """Predict the latents of the group in one stage.

        Args:
            known: The values coded before.
            quality: Index of the quantizer.
            stage: Index of the stage.
        """
        bias = self.bias[quality, stage]
        if self.base_bias is not None and known.base is not None:
            bias = bias + self.base_bias[known.base.quality]
        x = _activate(known.around(self.group, stage) @ self.spatial[stage] + bias)  # (n, width)
        x = _activate(x @ self.hidden + self.hidden_bias)
        out = _shift(x @ self.head + self.head_bias).T  # (2 * channels, n)
        channels = len(out) // 2
        return Prediction(known.base_values(self.group, stage) + out[:channels], out[channels:])


def _inputs(channels: int) -> int:
    """Return how many numbers a cell tells of a group: values, magnitudes, known or not."""
    return 2 * channels + 1


def _base_inputs(groups: tuple[int, ...]) -> int:
    """Return how many numbers a cell tells of its base: values of all channels, magnitudes, which groups are held."""
    return 2 * sum(groups) + len(groups)


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


def _check_exact(weights: NDArray[np.float64], largest_bias: float, input_limit: float) -> None:
    largest = float(np.abs(weights).sum(axis=0).max() * input_limit + largest_bias)
    if not largest < _EXACT_LIMIT:
        raise SymbolError("the weights of a context network are too large to be exact in float64")


def _shift(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take off the fractional bits of the weights, rounding half up, in place: exact in float64."""
    x *= 1.0 / (1 << WEIGHT_BITS)
    x += 0.5
    return np.floor(x, out=x)


def _activate(x: NDArray[np.float64]) -> NDArray[np.float64]:
    x = _shift(x)
    np.maximum(x, 0.0, out=x)
    return np.minimum(x, _ACTIVATION_LIMIT, out=x)

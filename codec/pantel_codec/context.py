"""Context model: an integer network that predicts mean and scale of every latent.

Range encoder and decoder must derive the same probabilities on every machine. All numbers here are integers held in
float64: products and sums of integers are exact below 2**53 in any order of summation, so BLAS may do the work.
`ContextNetwork.from_arrays` refuses weights with which an accumulator could get there.

Channel groups are coded coarse first, each in the stages of `pantel_codec.stages`, and in each stage slice by slice
(`pantel_codec.slices`). The network of a slice is fed with nothing but values of the same block, in 1/256 of a
quantizer step:

```
3x3 or 5x5 cells around each cell --> spatial --> ReLU --> hidden --> ReLU --> head --> mean, log scale
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
from pantel_codec.slices import ChannelSlices
from pantel_codec.stages import REFINEMENT_STAGES, Stage, stages_of

__all__ = ["ACTIVATION_BITS", "KNOWN_LIMIT", "WEIGHT_BITS", "Base", "ContextNetwork", "KnownValues", "Prediction"]

KNOWN_LIMIT = 31
"""Values are clipped to so many quantizer steps before they serve as context."""

ACTIVATION_BITS = 8
"""Fractional bits of the values, the activations and both outputs."""

WEIGHT_BITS = 10
"""Fractional bits of the weights."""

_REACHES = (1, 2)  # cells that a network may look in each direction, times the dilation
_BORDER = 4  # the largest reach times the largest dilation
_ONE = float(1 << ACTIVATION_BITS)
_KNOWN_LIMIT = KNOWN_LIMIT * _ONE
_ACTIVATION_LIMIT = float(1 << 20)
_EXACT_LIMIT = float(1 << 52)  # leaves a bit for the rounding half


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Where the cells of a stage lie in a block.

    Attributes:
        cells: (n,) flat indices within the block.
        bordered: (n,) flat indices of the same cells within the block and its border.
    """

    cells: NDArray[np.intp]
    bordered: NDArray[np.intp]


@lru_cache(maxsize=256)  # an encoder tries many blocks of the same few sizes
def _places(stage: Stage, rows: int, columns: int) -> _Places:
    """Return the places of a stage in a block of that size; shared, so read-only."""
    cells = np.flatnonzero(stage.mask(rows, columns))
    row, column = np.divmod(cells, columns)
    bordered = (row + _BORDER) * (columns + 2 * _BORDER) + column + _BORDER
    cells.flags.writeable = bordered.flags.writeable = False
    return _Places(cells, bordered)


@lru_cache(maxsize=256)
def _taps(stage: Stage, rows: int, columns: int, reach: int) -> NDArray[np.intp]:
    """Return (n, taps) flat indices, within the block and its border, of what lies around each cell of a stage."""
    offsets = np.arange(-reach, reach + 1) * stage.dilation
    around = np.add.outer(offsets * (columns + 2 * _BORDER), offsets).ravel()
    taps: NDArray[np.intp] = _places(stage, rows, columns).bordered[:, None] + around
    taps.flags.writeable = False
    return taps


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

    A cell has for each slice the clipped values of its channels, their magnitudes, and one number that is 1 (in
    values, 256) where the slice is known: so what the slices before one say stands together. If the block is refined,
    the same of its base stands before that, ordered by kind. A border of unknown cells surrounds the block.

    Attributes:
        cells: For each group and stage the flat indices of its cells, (n,); empty where a small block has none.
        base: What the block refines, with values in steps of the quality at hand; None if nothing.
    """

    def __init__(self, slices: ChannelSlices, rows: int, columns: int, base: Base | None = None) -> None:
        """Begin with nothing known but the base.

        Args:
            slices: How the channels are cut.
            rows: Height of the block in cells.
            columns: Width of the block in cells.
            base: What the block refines, with values in steps of the quality at hand.
        """
        of_base = 0 if base is None else _base_inputs(slices)
        self._slices = slices
        self._starts = (of_base + np.cumsum([0, *(_inputs(channels) for channels in slices.sizes)])).tolist()
        self._features = np.zeros(((rows + 2 * _BORDER) * (columns + 2 * _BORDER), self._starts[-1]))
        self._size = rows, columns
        groups = range(slices.groups[-1] + 1)
        self._stages = [stages_of(group) if base is None else REFINEMENT_STAGES for group in groups]
        self._places = [[_places(stage, rows, columns) for stage in stages] for stages in self._stages]
        self.cells = [[places.cells for places in of_group] for of_group in self._places]
        self.base = base
        if base is not None:
            grid = self._features.reshape(rows + 2 * _BORDER, columns + 2 * _BORDER, -1)
            inner = grid[_BORDER:-_BORDER, _BORDER:-_BORDER]
            clipped = np.clip(base.values, -_KNOWN_LIMIT, _KNOWN_LIMIT).transpose(1, 2, 0)
            channels = sum(slices.sizes)
            inner[..., :channels] = clipped
            inner[..., channels : 2 * channels] = np.abs(clipped)
            inner[..., 2 * channels : of_base] = (base.level[..., None] > np.array(groups)) * _ONE

    def learn(self, index: int, stage: int, values: NDArray[np.int64]) -> None:
        """Take note of the values (channels, n) of a slice in one stage."""
        start, stop = self._starts[index : index + 2]
        clipped = np.minimum(np.maximum(values.T, -_KNOWN_LIMIT), _KNOWN_LIMIT)
        features = np.full((len(clipped), stop - start), _ONE)
        channels = clipped.shape[1]
        features[:, :channels] = clipped
        features[:, channels:-1] = np.abs(clipped)
        self._features[self._places[self._slices.groups[index]][stage].bordered, start:stop] = features

    def base_values(self, index: int, stage: int) -> NDArray[np.int64] | int:
        """Return the values (channels, n) that the base has of a slice in the cells of a stage; 0 without a base."""
        if self.base is None:
            return 0
        rows, columns = np.divmod(self.cells[self._slices.groups[index]][stage], self.base.level.shape[1])
        values: NDArray[np.int64] = self.base.values[self._slices.channels(index), rows, columns]
        return values

    def around(self, index: int, stage: int, reach: int) -> NDArray[np.float64]:
        """Return what the network of a slice may see of the cells at and around each cell of a stage.

        That are all slices up to the last of its group; in the first stage, where nothing of itself and of those behind
        it is known, only those before it.

        Args:
            index: Index of the slice.
            stage: Index of the stage.
            reach: How many cells it looks in each direction; those between them are left out by the dilation.

        Returns:
            (n, taps * inputs) float64 holding integers; taps row by row, inputs fastest.
        """
        group = self._slices.groups[index]
        inputs = self._starts[self._slices.of_group(group).stop if stage else index]
        taps = _taps(self._stages[group][stage], *self._size, reach)
        features: NDArray[np.float64] = self._features[:, :inputs].take(taps, axis=0)
        return features.reshape(len(taps), taps.shape[1] * inputs)


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What the context tells of the latents of one slice in one stage, fixed point with 8 fractional bits.

    Attributes:
        mean: (channels, n) float64 holding integers, in 1/256 of a quantizer step.
        log_scale: (channels, n) float64 holding integers, natural logarithm of a logistic's scale in 1/256.
    """

    mean: NDArray[np.float64]
    log_scale: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ContextNetwork:
    """The network of one slice: a convolution of 3x3 or 5x5 cells and two pointwise layers.

    Weights are float64 holding integers with 10 fractional bits.

    Attributes:
        index: Index of the slice.
        reach: How many cells the convolution looks in each direction: 1 or 2.
        spatial: Weights of the convolution for each stage, (taps * inputs, width), inputs as `KnownValues.around`
            gives them.
        bias: (qualities, stages, width), 18 fractional bits: of each quality and stage.
        base_bias: (qualities, width), 18 fractional bits: of each quality of a base; None in a network that sees none.
        hidden: (width, width).
        hidden_bias: (width,), 18 fractional bits.
        head: (width, 2 * channels), means first.
        head_bias: (2 * channels,), 18 fractional bits.
    """

    index: int
    reach: int
    spatial: tuple[NDArray[np.float64], ...]
    bias: NDArray[np.float64]
    hidden: NDArray[np.float64]
    hidden_bias: NDArray[np.float64]
    head: NDArray[np.float64]
    head_bias: NDArray[np.float64]
    base_bias: NDArray[np.float64] | None = None

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, NDArray[np.int32]], index: int, slices: ChannelSlices, *, refining: bool = False
    ) -> ContextNetwork:
        """Take the network of one slice out of the integer arrays of an artefact.

        Args:
            arrays: Holds `context{index}_{layer}` for each of the layers; `spatial` (dilations, taps * inputs, width)
                has the weights of each dilation that the group's stages have, the smallest first; 9 or 25 taps.
            index: Index of the slice.
            slices: How the channels are cut.
            refining: Whether to take the one for cells that are refined, `refinement{index}_{layer}`.

        Raises:
            SymbolError: An array is missing, has the wrong shape, or holds weights that could lose exactness.
        """
        kind = "refinement" if refining else "context"
        names = ["spatial", "bias", "hidden", "hidden_bias", "head", "head_bias", *["base_bias"] * refining]
        try:
            layers = [np.asarray(arrays[f"{kind}{index}_{name}"], np.float64) for name in names]
        except KeyError as error:
            raise SymbolError(f"the entropy model lacks the array {error}") from error
        spatial, bias, hidden, hidden_bias, head, head_bias, *rest = layers
        width, outputs = hidden_bias.size, 2 * slices.sizes[index]
        group = slices.groups[index]
        known = slices.sizes[: slices.of_group(group).stop]
        order = _input_order(known)
        if refining:
            order = [*range(len(order), len(order) + _base_inputs(slices)), *order]
        inputs = len(order)
        stages = REFINEMENT_STAGES if refining else stages_of(group)
        dilations = sorted({stage.dilation for stage in stages})
        reach = next((reach for reach in _REACHES if spatial.shape[1:2] == (_taps_of(reach) * inputs,)), _REACHES[0])
        taps = _taps_of(reach)
        shapes = [(len(dilations), taps * inputs, width), (*bias.shape[:1], len(stages), width)]
        shapes += [(width, width), (width,)]
        shapes += [(width, outputs), (outputs,)]
        shapes += [(*bias.shape[:1], width)] * refining
        if bias.size == 0 or [layer.shape for layer in layers] != shapes:
            raise SymbolError(f"the arrays of {kind} network {index} do not fit together")
        base_bias = rest[0] if refining else None
        largest_bias = np.abs(bias).max() + (0.0 if base_bias is None else np.abs(base_bias).max())
        for weights in spatial:
            _check_exact(weights, largest_bias, _KNOWN_LIMIT)
        _check_exact(hidden, np.abs(hidden_bias).max(), _ACTIVATION_LIMIT)
        _check_exact(head, np.abs(head_bias).max(), _ACTIVATION_LIMIT)
        ordered = spatial.reshape(-1, taps, inputs, width)[:, :, order]
        of_stage = [ordered[dilations.index(stage.dilation)] for stage in stages]
        of_stage[0] = of_stage[0][:, : inputs - sum(map(_inputs, known[index:]))]
        convolutions = tuple(weights.reshape(-1, width) for weights in of_stage)
        return cls(index, reach, convolutions, bias, hidden, hidden_bias, head, head_bias, base_bias)

    def macs(self, stage: int) -> int:
        """Return the multiply-accumulates for each cell of a stage."""
        return self.spatial[stage].size + self.hidden.size + self.head.size

    def predict(self, known: KnownValues, quality: int, stage: int) -> Prediction:
        """Predict the latents of the slice in one stage.

        Args:
            known: The values coded before.
            quality: Index of the quantizer.
            stage: Index of the stage.
        """
        bias = self.bias[quality, stage]
        if self.base_bias is not None and known.base is not None:
            bias = bias + self.base_bias[known.base.quality]
        x = _activate(known.around(self.index, stage, self.reach) @ self.spatial[stage] + bias)  # (n, width)
        x = _activate(x @ self.hidden + self.hidden_bias)
        out = _shift(x @ self.head + self.head_bias).T  # (2 * channels, n)
        channels = len(out) // 2
        return Prediction(known.base_values(self.index, stage) + out[:channels], out[channels:])


def _taps_of(reach: int) -> int:
    """Return how many cells a convolution sees that looks so many in each direction."""
    return (2 * reach + 1) ** 2


def _inputs(channels: int) -> int:
    """Return how many numbers a cell tells of a slice: values, magnitudes, known or not."""
    return 2 * channels + 1


def _base_inputs(slices: ChannelSlices) -> int:
    """Return how many numbers a cell tells of its base: values of all channels, magnitudes, which groups are held."""
    return 2 * sum(slices.sizes) + slices.groups[-1] + 1


def _input_order(sizes: tuple[int, ...]) -> list[int]:
    """Return where an artefact keeps each input.

    An artefact orders the inputs by kind: values of all channels, magnitudes of all, then one plane for each slice.
    """
    order: list[int] = []
    start, channels = 0, sum(sizes)
    for index, size in enumerate(sizes):
        values = range(start, start + size)
        order += [*values, *(channels + value for value in values), 2 * channels + index]
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

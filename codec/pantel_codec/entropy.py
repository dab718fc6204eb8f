"""Entropy model: walks over the latents of a block of cells in coding order and says how each is coded.

A block is a rectangle of cells and a range of channel groups. Each group is coded in the stages of
`pantel_codec.stages`. A latent's **value** is its predicted mean plus a whole number of quantizer steps, its
**residual**: where nothing is coded, the prediction is left. What a step can know is decided before its residuals are;
so one walk serves the encoder, the decoder and the quantizer, which differ only in the `Visitor` that names residuals:

```
context of what is known --> Step (mean and table of each latent) --> Visitor --> residuals --> values --> context ...
```

Values and means are integers, in 1/256 of a quantizer step: exact on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pantel_codec.coding_table import CodingTable
from pantel_codec.context import ACTIVATION_BITS, ContextNetwork, KnownValues, Prediction
from pantel_codec.errors import SymbolError

__all__ = [
    "ALPHABET",
    "RESIDUAL_LIMIT",
    "SCALE_LEVELS",
    "VALUE_LIMIT",
    "VALUE_ONE",
    "EntropyModel",
    "Step",
    "Visitor",
]

VALUE_ONE = 1 << ACTIVATION_BITS
"""What a quantizer step is in values and means."""

VALUE_LIMIT = 2047 * VALUE_ONE
"""Largest magnitude of a value; bounds what noise can make a decoder believe."""

RESIDUAL_LIMIT = 16
"""Residuals of this magnitude and above are escaped."""

ALPHABET = 2 * RESIDUAL_LIMIT + 1
"""Symbols of a coding table: the residuals -16 to 16."""

SCALE_LEVELS = 48
"""Buckets of the predicted scale, 1/8 neper wide, the first from exp(-3) on."""

_LOWEST_LOG_SCALE = -3
_SCALE_LEVELS_PER_NEPER = 8
_LOG_SCALE_LIMIT = 16  # beyond all buckets, and small enough for int64


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """The latents that are coded together: one channel group in one stage.

    Attributes:
        group: Index of the channel group.
        channels: The channels of the group.
        cells: (n,) flat indices of the cells within the block.
        mean: (channels, n) int64, predicted value.
        table: (channels, n) int64, index of the coding table of the residual.
    """

    group: int
    channels: slice
    cells: NDArray[np.intp]
    mean: NDArray[np.int64]
    table: NDArray[np.int64]

    def residual(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the residuals (channels, n) of the step in a block of values (channels of the model, cells).

        Raises:
            SymbolError: The values were made for another context.
        """
        residual, rest = np.divmod(values[self.channels, self.cells] - self.mean, VALUE_ONE)
        if rest.any():
            raise SymbolError("these values cannot be coded here: they do not lie whole steps from their predictions")
        return residual


Visitor = Callable[[Step], NDArray[np.int64]]
"""Names the residuals (channels, n) of a step: reads, writes or chooses them, no value beyond `VALUE_LIMIT`."""


class EntropyModel:
    """Integer probability model of an artefact.

    Attributes:
        groups: Latent channels of each refinement level, coarse first.
        qualities: Number of quantizers.
        tables: Coding tables of residuals, by the level of the predicted scale.
        cost_bits: (tables, 33) float64, cost of each residual; for decisions of an encoder, and for bounds.
    """

    def __init__(self, arrays: Mapping[str, NDArray[np.int32]]) -> None:
        """Build the model from the integer arrays of an artefact.

        Args:
            arrays: `groups`, (groups,): channels of each; `residual_counts`, (48, 33): see `tables`;
                `context{group}_{layer}`: see `ContextNetwork.from_arrays`.

        Raises:
            SymbolError: An array is missing or does not fit.
        """
        try:
            self.groups = tuple(int(channels) for channels in arrays["groups"])
            counts = arrays["residual_counts"]
        except KeyError as error:
            raise SymbolError(f"the entropy model lacks the array {error}") from error
        if not self.groups or min(self.groups) < 1:
            raise SymbolError(f"channel groups of {self.groups} channels cannot be coded")
        if counts.shape != (SCALE_LEVELS, ALPHABET):
            raise SymbolError(f"residual counts have shape {counts.shape}")
        self._networks = tuple(
            ContextNetwork.from_arrays(arrays, group, self.groups) for group in range(len(self.groups))
        )
        self.qualities = self._networks[0].bias.shape[0]
        if any(network.bias.shape[0] != self.qualities for network in self._networks):
            raise SymbolError("the context networks were made for different numbers of qualities")
        self.tables = tuple(CodingTable.from_counts(row) for row in counts)
        self.cost_bits = np.stack([table.cost_bits for table in self.tables])

    @property
    def channels(self) -> int:
        """Number of latent channels of a cell."""
        return sum(self.groups)

    def group_slice(self, group: int) -> slice:
        """Return the channels of a group."""
        start = sum(self.groups[:group])
        return slice(start, start + self.groups[group])

    def walk(self, rows: int, columns: int, quality: int, groups: range, visitor: Visitor) -> NDArray[np.int64]:
        """Visit the latents of a block in coding order and return their values.

        Args:
            rows: Height of the block in cells.
            columns: Width of the block in cells.
            quality: Index of the quantizer.
            groups: The groups that are coded; the context of coarser ones is unknown.
            visitor: Names the residuals of each step.

        Returns:
            (channels, rows, columns) int64, in 1/256 step; zero in groups that are not coded.

        Raises:
            SymbolError: There is no such quality, or there are no such groups.
        """
        if not 0 <= quality < self.qualities:
            raise SymbolError(f"quality {quality} is not one of {self.qualities}")
        if not 0 <= groups.start < groups.stop <= len(self.groups):
            raise SymbolError(f"{groups} does not name some of {len(self.groups)} channel groups")
        values = np.zeros((self.channels, rows * columns), np.int64)
        known = KnownValues(self.groups, rows, columns)
        for group in groups:
            channels = self.group_slice(group)
            for stage, cells in enumerate(known.cells[group]):
                if cells.size == 0:  # small blocks have no cells of some stages
                    continue
                prediction = self._networks[group].predict(known, quality, stage)
                step = _step(group, channels, cells, prediction)
                named = step.mean + visitor(step) * VALUE_ONE
                values[channels, cells] = named
                known.learn(group, stage, named)
        return values.reshape(-1, rows, columns)

    def bits(self, table: NDArray[np.int64], residual: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the ideal cost in bits of residuals, each coded with the table of that index; any one shape."""
        index = np.minimum(np.maximum(residual, -RESIDUAL_LIMIT), RESIDUAL_LIMIT) + RESIDUAL_LIMIT
        bits: NDArray[np.float64] = self.cost_bits.ravel().take(table * ALPHABET + index)
        excess = np.abs(residual) - RESIDUAL_LIMIT
        escaped = excess >= 0
        if escaped.any():
            exponent = np.frexp(excess[escaped] + 1)[1] - 1  # the logarithm to base 2, rounded down
            bits[escaped] += 2 * exponent + 1
        return bits


def _step(group: int, channels: slice, cells: NDArray[np.intp], prediction: Prediction) -> Step:
    """Turn a prediction into means and tables, in integers."""
    above = _within(prediction.log_scale, _LOG_SCALE_LIMIT * VALUE_ONE) - _LOWEST_LOG_SCALE * VALUE_ONE
    level = np.minimum(np.maximum(above * _SCALE_LEVELS_PER_NEPER >> ACTIVATION_BITS, 0), SCALE_LEVELS - 1)
    return Step(group, channels, cells, _within(prediction.mean, VALUE_LIMIT), level)


def _within(x: NDArray[np.float64], limit: int) -> NDArray[np.int64]:
    """Return integers held in float64 as integers, none beyond the limit (np.clip is slow on small arrays)."""
    return np.minimum(np.maximum(x, -limit), limit).astype(np.int64)

"""Entropy model: walks over the latents of a block of cells in coding order and says how each is coded.

A block is a rectangle of cells with some of their channel groups, from the coarsest on. Each group is coded in the
stages of `pantel_codec.stages`, in each of them slice by slice (`pantel_codec.slices`). A latent's **value** is its
predicted mean plus a whole number of quantizer steps, its **residual**: where nothing is coded, the prediction is left.
What a step can know is decided before its residuals are; so one walk serves the encoder, the decoder and the quantizer,
which differ only in the `Visitor` that names residuals:

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
from pantel_codec.context import ACTIVATION_BITS, Base, ContextNetwork, KnownValues, Prediction
from pantel_codec.errors import SymbolError
from pantel_codec.slices import ChannelSlices

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
    """The latents that are coded together: one slice of a channel group in one stage.

    Attributes:
        group: Index of the channel group.
        channels: The channels of the slice.
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
        refines: Whether it can code cells by a coarser version of them.
        tables: Coding tables of residuals, by the level of the predicted scale; then those of cells that are refined.
        cost_bits: (tables, 33) float64, cost of each residual; for decisions of an encoder, and for bounds.
    """

    def __init__(self, arrays: Mapping[str, NDArray[np.int32]]) -> None:
        """Build the model from the integer arrays of an artefact.

        Args:
            arrays: `groups`, (groups,): channels of each; `residual_counts`, (48, 33): see `tables`;
                `context{index}_{layer}`: see `ContextNetwork.from_arrays`; `slices`, (slices,): channels of each, if
                they are not the groups. If cells can be refined, also `refinement_counts`,
                `refinement{group}_{layer}`, and `steps` (qualities, channels) float32.

        Raises:
            SymbolError: An array is missing or does not fit.
        """
        try:
            self.groups = tuple(int(channels) for channels in arrays["groups"])
            counts = [arrays["residual_counts"]]
        except KeyError as error:
            raise SymbolError(f"the entropy model lacks the array {error}") from error
        if not self.groups or min(self.groups) < 1:
            raise SymbolError(f"channel groups of {self.groups} channels cannot be coded")
        self.refines = "refinement_counts" in arrays
        if self.refines:
            counts.append(arrays["refinement_counts"])
        if any(table.shape != (SCALE_LEVELS, ALPHABET) for table in counts):
            raise SymbolError(f"residual counts have shapes {[table.shape for table in counts]}")
        # Cells for themselves, and cells that are refined: there each group is one slice.
        self._slices = ChannelSlices.of(self.groups, np.asarray(arrays.get("slices", self.groups)).tolist())
        self._refinement_slices = ChannelSlices.of(self.groups, self.groups)
        self._networks = _networks(arrays, self._slices, refining=False)
        self._refinement_networks = _networks(arrays, self._refinement_slices, refining=True) if self.refines else ()
        networks = (*self._networks, *self._refinement_networks)
        self.qualities = networks[0].bias.shape[0]
        if any(network.bias.shape[0] != self.qualities for network in networks):
            raise SymbolError("the context networks were made for different numbers of qualities")
        self._steps = self._quantizer_steps(arrays) if self.refines else None
        self.tables = tuple(CodingTable.from_counts(row) for table in counts for row in table)
        self.cost_bits = np.stack([table.cost_bits for table in self.tables])

    def _quantizer_steps(self, arrays: Mapping[str, NDArray[np.int32]]) -> NDArray[np.float64]:
        steps = np.asarray(arrays.get("steps", 0), np.float64)
        if steps.shape != (self.qualities, self.channels) or not steps.min() > 0:
            raise SymbolError("the quantizer steps do not fit the entropy model")
        return steps

    @property
    def channels(self) -> int:
        """Number of latent channels of a cell."""
        return sum(self.groups)

    def walk(
        self, rows: int, columns: int, quality: int, levels: int, visitor: Visitor, *, base: Base | None = None
    ) -> NDArray[np.int64]:
        """Visit the latents of a block in coding order and return their values.

        Args:
            rows: Height of the block in cells.
            columns: Width of the block in cells.
            quality: Index of the quantizer.
            levels: Number of channel groups that are coded, from the coarsest on.
            visitor: Names the residuals of each step.
            base: What the block refines; None if it is coded for itself.

        Returns:
            (channels, rows, columns) int64, in 1/256 step; zero in groups that are not coded.

        Raises:
            SymbolError: There is no such quality, there are no such groups, or the base does not fit.
        """
        if not 0 <= quality < self.qualities:
            raise SymbolError(f"quality {quality} is not one of {self.qualities}")
        if not 1 <= levels <= len(self.groups):
            raise SymbolError(f"{levels} is no number of some of {len(self.groups)} channel groups")
        first_table, slices, networks = 0, self._slices, self._networks
        if base is not None:
            base, first_table = self._rescaled(base, (rows, columns), quality, levels), SCALE_LEVELS
            slices, networks = self._refinement_slices, self._refinement_networks
        values = np.zeros((self.channels, rows * columns), np.int64)
        known = KnownValues(slices, rows, columns, base)
        for group in range(levels):
            for stage, cells in enumerate(known.cells[group]):
                if cells.size == 0:  # small blocks have no cells of some stages
                    continue
                for index in slices.of_group(group):
                    channels = slices.channels(index)
                    prediction = networks[index].predict(known, quality, stage)
                    step = _step(group, channels, cells, prediction, first_table)
                    named = step.mean + visitor(step) * VALUE_ONE
                    values[channels, cells] = named
                    known.learn(index, stage, named)
        return values.reshape(-1, rows, columns)

    def walk_macs(self, rows: int, columns: int, levels: int) -> int:
        """Return the multiply-accumulates of the context networks in a walk over cells coded for themselves."""
        known = KnownValues(self._slices, rows, columns)
        return sum(
            self._networks[index].macs(stage) * cells.size
            for group in range(levels)
            for stage, cells in enumerate(known.cells[group])
            for index in self._slices.of_group(group)
        )

    def _rescaled(self, base: Base, shape: tuple[int, int], quality: int, levels: int) -> Base:
        """Return a base with values in steps of another quality.

        Each is the nearest integer to `value * (old step / new step)` in double precision, half to even.
        """
        if self._steps is None:
            raise SymbolError("this entropy model refines nothing")
        if base.values.shape != (self.channels, *shape) or base.level.shape != shape:
            raise SymbolError(f"a base of {base.level.shape} cells is none of a block of {shape}")
        if not (0 <= base.quality < self.qualities and 1 <= base.level.min() <= base.level.max() <= levels):
            raise SymbolError(f"a base of quality {base.quality} and {base.level.max()} levels cannot be refined so")
        ratio = self._steps[base.quality] / self._steps[quality]
        values = _within(np.rint(base.values * ratio[:, None, None]), VALUE_LIMIT)
        return Base(values, base.level, base.quality)

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


def _networks(
    arrays: Mapping[str, NDArray[np.int32]], slices: ChannelSlices, *, refining: bool
) -> tuple[ContextNetwork, ...]:
    """Take the networks of all slices out of the arrays of an artefact."""
    return tuple(
        ContextNetwork.from_arrays(arrays, index, slices, refining=refining) for index in range(len(slices.sizes))
    )


def _step(group: int, channels: slice, cells: NDArray[np.intp], prediction: Prediction, first_table: int) -> Step:
    """Turn a prediction into means and tables, in integers."""
    above = _within(prediction.log_scale, _LOG_SCALE_LIMIT * VALUE_ONE) - _LOWEST_LOG_SCALE * VALUE_ONE
    level = np.minimum(np.maximum(above * _SCALE_LEVELS_PER_NEPER >> ACTIVATION_BITS, 0), SCALE_LEVELS - 1)
    return Step(group, channels, cells, _within(prediction.mean, VALUE_LIMIT), first_table + level)


def _within(x: NDArray[np.float64], limit: int) -> NDArray[np.int64]:
    """Return integers held in float64 as integers, none beyond the limit (np.clip is slow on small arrays)."""
    return np.minimum(np.maximum(x, -limit), limit).astype(np.int64)

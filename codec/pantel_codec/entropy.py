"""Entropy model: walks over the symbols of a block of cells in coding order and says how each is coded.

A block is a rectangle of cells and a range of channel groups. Each group is coded in two steps, the two halves of
a checkerboard. What a step can know is decided before its symbols are; so one walk serves the encoder, the decoder
and the quantizer, which differ only in the `Visitor` that names the symbols of a step:

```
context of what is known --> Step (table and centre of each symbol) --> Visitor --> symbols --> context ...
```
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pantel_codec.context import ACTIVATION_BITS, ContextNetwork
from pantel_codec.errors import BitstreamError, SymbolError
from pantel_codec.range_coder import CodingTable, RangeDecoder, RangeEncoder

__all__ = ["RESIDUAL_LIMIT", "SCALE_LEVELS", "EntropyModel", "PrefixReader", "Reader", "Step", "Visitor", "Writer"]

RESIDUAL_LIMIT = 16  # residuals of this magnitude and above are escaped
ALPHABET = 2 * RESIDUAL_LIMIT + 1
SCALE_LEVELS = 48  # logarithmic buckets of 1/8 neper from a scale of exp(-3)
OFFSET_LEVELS = 8  # eighths of a symbol between the predicted mean and the nearest integer
_SYMBOL_LIMIT = 2047  # no encoder produces more; bounds what noise can make a decoder believe
_ONE = 1 << ACTIVATION_BITS


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """The symbols that are coded together: one channel group in one half of the checkerboard.

    Attributes:
        group: Index of the channel group.
        channels: The channels of the group.
        cells: (n,) flat indices of the cells within the block.
        center: (channels, n) int64, predicted symbol.
        table: (channels, n) int64, index of the coding table.
    """

    group: int
    channels: slice
    cells: NDArray[np.intp]
    center: NDArray[np.int64]
    table: NDArray[np.int64]


Visitor = Callable[[Step], NDArray[np.int64]]
"""Names the symbols (channels, n) of a step: reads them, writes them or chooses them."""


class EntropyModel:
    """Integer probability model of an artefact.

    Attributes:
        groups: Latent channels of each refinement level, coarse first.
        qualities: Number of quantizers.
        tables: Coding tables by index, `scale level * 8 + offset level`.
        cost_bits: (tables, 33) float64, cost of each residual; for decisions of an encoder only.
    """

    def __init__(self, arrays: Mapping[str, NDArray[np.int32]]) -> None:
        """Build the model from integer arrays as `EntropyModel.arrays` of the workshop wrote them.

        Raises:
            SymbolError: An array is missing or does not fit.
        """
        try:
            self.groups = tuple(int(n) for n in arrays["groups"])
            counts = arrays["residual_counts"]
        except KeyError as error:
            raise SymbolError(f"the entropy model lacks the array {error}") from error
        if counts.shape != (SCALE_LEVELS * OFFSET_LEVELS, ALPHABET):
            raise SymbolError(f"residual counts have shape {counts.shape}")
        self.networks = tuple(ContextNetwork.from_arrays(arrays, g) for g in range(len(self.groups)))
        self.qualities = self.networks[0].bias.shape[0]
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

    def walk(
        self, rows: int, columns: int, quality: int, groups: range, visitor: Visitor
    ) -> NDArray[np.int64]:
        """Visit the symbols of a block in coding order and return them.

        Args:
            rows: Height of the block in cells.
            columns: Width of the block in cells.
            quality: Index of the quantizer.
            groups: The groups that are coded; the context of coarser ones is unknown.
            visitor: Names the symbols of each step.

        Returns:
            (channels, rows, columns) int64; zero in groups that are not coded.
        """
        symbols = np.zeros((self.channels, rows, columns), np.int64)
        for _ in self.steps(symbols, quality, groups, visitor):
            pass
        return symbols

    def steps(
        self, symbols: NDArray[np.int64], quality: int, groups: range, visitor: Visitor
    ) -> Iterator[Step]:
        """Do the walk of `walk` step by step into `symbols`; yields each step after its visit."""
        rows, columns = symbols.shape[1:]
        parity = np.add.outer(np.arange(rows), np.arange(columns)).ravel() % 2
        known = np.zeros(symbols.shape)
        complete = np.zeros((len(self.groups), rows, columns))
        for group in groups:
            channels = self.group_slice(group)
            flat = symbols[channels].reshape(self.groups[group], -1)
            for phase in (0, 1):
                cells = np.flatnonzero(parity == phase)
                if cells.size == 0:  # a single cell has no second phase
                    continue
                prediction = self.networks[group].predict(
                    known[: channels.stop], complete[: group + 1], quality, cells, phase
                )
                step = _step(group, channels, cells, prediction.mean, prediction.log_scale)
                flat[:, cells] = np.clip(visitor(step), -_SYMBOL_LIMIT, _SYMBOL_LIMIT)
                symbols[channels] = flat.reshape(-1, rows, columns)
                known[channels] = symbols[channels]
                complete[group].flat[cells] = 1
                yield step

    def step_bits(self, step: Step, symbols: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the ideal cost in bits of the symbols (channels, n) of a step, each."""
        residual = symbols - step.center
        index = np.clip(residual, -RESIDUAL_LIMIT, RESIDUAL_LIMIT) + RESIDUAL_LIMIT
        bits = self.cost_bits[step.table, index]
        excess = np.abs(residual) - RESIDUAL_LIMIT
        escaped = excess >= 0
        if escaped.any():
            bits[escaped] += 2 * np.floor(np.log2(excess[escaped] + 1)) + 1
        return bits


def _step(
    group: int, channels: slice, cells: NDArray[np.intp], mean: NDArray[np.float64], log_scale: NDArray[np.float64]
) -> Step:
    """Turn a prediction into centres and tables, in integers."""
    limit = float(_SYMBOL_LIMIT * _ONE)
    fixed_mean = np.clip(mean, -limit, limit).astype(np.int64)
    center = (fixed_mean + _ONE // 2) >> ACTIVATION_BITS
    offset = (fixed_mean - (center << ACTIVATION_BITS) + _ONE // 2) * OFFSET_LEVELS >> ACTIVATION_BITS
    fixed_scale = np.clip(log_scale, -16.0 * _ONE, 16.0 * _ONE).astype(np.int64) + 3 * _ONE
    level = np.clip(fixed_scale * 8 >> ACTIVATION_BITS, 0, SCALE_LEVELS - 1)
    return Step(group, channels, cells, center, level * OFFSET_LEVELS + offset)


def _runs(table: NDArray[np.int64]) -> tuple[NDArray[np.intp], list[tuple[int, int, int]]]:
    """Order the symbols of a step, the most uncertain first, and cut the order into runs of one table.

    The order makes a truncated bitstream lose what matters least.

    Returns:
        The order (channels * n,) and the runs (table, start, stop).
    """
    flat = table.ravel()
    order = np.argsort(-flat, kind="stable")
    ordered = flat[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    stops = np.append(starts[1:], ordered.size)
    return order, [(int(ordered[a]), int(a), int(b)) for a, b in zip(starts, stops, strict=True)]


class Writer:
    """Visitor that writes given symbols with a range encoder."""

    def __init__(self, model: EntropyModel, symbols: NDArray[np.int64], encoder: RangeEncoder) -> None:
        self._model = model
        self._symbols = symbols.reshape(symbols.shape[0], -1)
        self._encoder = encoder

    def __call__(self, step: Step) -> NDArray[np.int64]:
        """Write the symbols of one step."""
        symbols = self._symbols[step.channels][:, step.cells]
        order, runs = _runs(step.table)
        residual = (symbols - step.center).ravel()[order]
        index = (np.clip(residual, -RESIDUAL_LIMIT, RESIDUAL_LIMIT) + RESIDUAL_LIMIT).astype(np.int32)
        for table, start, stop in runs:
            self._encoder.encode(index[start:stop], self._model.tables[table])
        for excess in np.abs(residual[np.abs(residual) >= RESIDUAL_LIMIT]) - RESIDUAL_LIMIT:
            _write_exp_golomb(self._encoder, int(excess))
        return symbols


class Reader:
    """Visitor that reads symbols with a range decoder."""

    def __init__(self, model: EntropyModel, decoder: RangeDecoder) -> None:
        self._model = model
        self._decoder = decoder

    def __call__(self, step: Step) -> NDArray[np.int64]:
        """Read the symbols of one step.

        Raises:
            BitstreamError: An escaped value is out of range: the bytes are damaged.
        """
        order, runs = _runs(step.table)
        index = np.concatenate([self._decoder.decode(stop - start, self._model.tables[t]) for t, start, stop in runs])
        residual = index.astype(np.int64) - RESIDUAL_LIMIT
        for i in np.flatnonzero(np.abs(residual) == RESIDUAL_LIMIT):
            residual[i] += np.sign(residual[i]) * _read_exp_golomb(self._decoder)
        result = np.empty(order.size, np.int64)
        result[order] = residual
        return result.reshape(step.center.shape) + step.center


class PrefixReader:
    """Visitor that reads what is certain of a truncated bitstream.

    One decoder continues the missing bytes with zeros, the other with ones. Up to the first symbol on which they
    differ every continuation decodes alike; from there on each symbol becomes its prediction.

    Attributes:
        exhausted: The end of what is certain has been reached.
        certain: For each step visited, the fraction of its symbols that are certain.
    """

    def __init__(self, model: EntropyModel, zeros: RangeDecoder, ones: RangeDecoder) -> None:
        self._readers = (Reader(model, zeros), Reader(model, ones))
        self.exhausted = False
        self.certain: list[float] = []

    def __call__(self, step: Step) -> NDArray[np.int64]:
        """Read the symbols of one step as far as they are certain."""
        if self.exhausted:
            self.certain.append(0.0)
            return step.center
        try:
            first, second = (reader(step) for reader in self._readers)
        except BitstreamError:  # only padding can make an intact prefix look damaged
            self.exhausted = True
            self.certain.append(0.0)
            return step.center
        order, _ = _runs(step.table)
        differ = np.flatnonzero(first.ravel()[order] != second.ravel()[order])
        count = int(differ[0]) if differ.size else order.size
        self.exhausted = bool(differ.size)
        self.certain.append(count / order.size)
        result = step.center.ravel().copy()
        result[order[:count]] = first.ravel()[order[:count]]
        return result.reshape(step.center.shape)


def _write_exp_golomb(encoder: RangeEncoder, value: int) -> None:
    """Write value >= 0 as an Exp-Golomb code of order 0 in equiprobable bits."""
    zeros = (value + 1).bit_length() - 1
    # Cut exactly as the reader cuts it: two codes of one bit are not one code of two bits to a range coder.
    for _ in range(zeros):
        encoder.encode_bits(0, 1)
    encoder.encode_bits(1, 1)
    encoder.encode_bits(value + 1 - (1 << zeros), zeros)


def _read_exp_golomb(decoder: RangeDecoder) -> int:
    zeros = 0
    while decoder.decode_bits(1) == 0:
        zeros += 1
        if zeros > 12:
            raise BitstreamError("an escaped symbol is out of range: the bytes are damaged")
    return (1 << zeros | decoder.decode_bits(zeros)) - 1

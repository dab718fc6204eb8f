"""Visitors that write and read the residuals of a walk with the range coder."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pantel_codec.entropy import RESIDUAL_LIMIT, VALUE_LIMIT, VALUE_ONE, EntropyModel, Step
from pantel_codec.errors import BitstreamError, SymbolError
from pantel_codec.range_coder import RangeDecoder, RangeEncoder

__all__ = ["InformationBound", "PrefixReader", "Reader", "Writer", "read_exp_golomb", "write_exp_golomb"]

_MAX_EXCESS_BITS = (
    2 * VALUE_LIMIT // VALUE_ONE - RESIDUAL_LIMIT + 1
).bit_length() - 1  # of the largest Exp-Golomb code


class InformationBound:
    """How much more information the bytes of a payload can hold.

    A range decoder finds symbols in any bytes, and never stops. Symbols that carry more information than there are
    bytes show that the bytes are damaged, cut off or noise, and spare the work of decoding the rest.
    """

    def __init__(self, size_bytes: int, slack_bits: float) -> None:
        """Begin with all that `size_bytes` and the slack that the encoder promises to keep can hold."""
        self._left_bits = 8.0 * size_bytes + slack_bits

    def spend(self, bits: float) -> None:
        """Take note of information that was decoded.

        Raises:
            BitstreamError: It is more than the bytes can hold.
        """
        self._left_bits -= bits
        if self._left_bits < 0:
            raise BitstreamError("more symbols than the bytes can hold: they were damaged or cut off")


class Writer:
    """Visitor that writes given values with a range encoder."""

    def __init__(self, model: EntropyModel, values: NDArray[np.int64], encoder: RangeEncoder) -> None:
        """Take the values (channels, rows, columns) of a block, as an earlier walk has made them.

        Raises:
            SymbolError: A value is too large.
        """
        if np.abs(values).max(initial=0) > VALUE_LIMIT:
            raise SymbolError(f"a value is larger than {VALUE_LIMIT}")
        self._model = model
        self._values = values.reshape(values.shape[0], -1)
        self._encoder = encoder

    def __call__(self, step: Step) -> NDArray[np.int64]:
        """Write the residuals of one step.

        Raises:
            SymbolError: The values were made in another context, or for another quality.
        """
        residual = step.residual(self._values)
        order, runs = _runs(step.table)
        ordered = residual.ravel()[order]
        index = (np.clip(ordered, -RESIDUAL_LIMIT, RESIDUAL_LIMIT) + RESIDUAL_LIMIT).astype(np.int32)
        for table, start, stop in runs:
            self._encoder.encode(index[start:stop], self._model.tables[table])
        for i in _escaped(ordered):
            write_exp_golomb(self._encoder, abs(int(ordered[i])) - RESIDUAL_LIMIT)
        return residual


class Reader:
    """Visitor that reads residuals with a range decoder."""

    def __init__(self, model: EntropyModel, decoder: RangeDecoder, bound: InformationBound | None = None) -> None:
        """Read with a decoder, as long as there can be information; without a bound, for ever."""
        self._model = model
        self._decoder = decoder
        self._bound = bound

    def __call__(self, step: Step) -> NDArray[np.int64]:
        """Read the residuals of one step.

        Raises:
            BitstreamError: A value is out of range, or there is no information left: the bytes are damaged.
        """
        order, runs = _runs(step.table)
        ordered = _read_residuals(self._model, self._decoder, runs)
        for i in _escaped(ordered):
            ordered[i] += np.sign(ordered[i]) * read_exp_golomb(self._decoder)
        residual = _restore(ordered, order).reshape(step.mean.shape)
        if self._bound is not None:
            self._bound.spend(float(self._model.bits(step.table, residual).sum()))
        if np.abs(step.mean + residual * VALUE_ONE).max() > VALUE_LIMIT:
            raise BitstreamError("a value is out of range: the bytes are damaged")
        return residual


class PrefixReader:
    """Visitor that reads what is certain of a truncated bitstream.

    One decoder continues the missing bytes with zeros, the other with ones. Up to the first residual on which they
    differ every continuation decodes alike; from there on each value becomes its prediction.

    Attributes:
        exhausted: The end of what is certain has been reached.
        groups: Number of channel groups of which anything is certain.
    """

    def __init__(self, model: EntropyModel, zeros: RangeDecoder, ones: RangeDecoder) -> None:
        """Read with two decoders of the same bytes, padded with zeros and with ones."""
        self._model = model
        self._decoders = (zeros, ones)
        self.exhausted = False
        self.groups = 0

    def __call__(self, step: Step) -> NDArray[np.int64]:
        """Read the residuals of one step as far as they are certain."""
        if self.exhausted:
            return np.zeros_like(step.mean)
        order, runs = _runs(step.table)
        ordered, other = (_read_residuals(self._model, decoder, runs) for decoder in self._decoders)
        differ = np.flatnonzero(ordered != other)
        count = int(differ[0]) if differ.size else ordered.size
        if count > 0:
            self.groups = step.group + 1
        self.exhausted = count < ordered.size
        ordered[count:] = 0
        for i in _escaped(ordered):
            excess = self._read_excess()
            if excess is None:  # what is left is sign and least magnitude
                break
            ordered[i] += np.sign(ordered[i]) * excess
        residual = _restore(ordered, order).reshape(step.mean.shape)
        # Only bytes that no encoder wrote lead beyond the limit.
        return np.where(np.abs(step.mean + residual * VALUE_ONE) > VALUE_LIMIT, 0, residual)

    def _read_excess(self) -> int | None:
        """Read an escaped residual's excess; None when it is not certain any more."""
        if self.exhausted:
            return None
        try:
            values = {read_exp_golomb(decoder) for decoder in self._decoders}
        except BitstreamError:  # only padding can make an intact prefix look damaged
            values = set()
        self.exhausted = len(values) != 1
        return None if self.exhausted else values.pop()


def _runs(table: NDArray[np.int64]) -> tuple[NDArray[np.intp], list[tuple[int, int, int]]]:
    """Order the residuals of a step, the most uncertain first, and cut the order into runs of one table.

    The order makes a truncated bitstream lose what matters least.

    Returns:
        The order (channels * n,) and the runs (table, start, stop).
    """
    flat = table.ravel().astype(np.int16)  # which numpy sorts several times as fast
    order = np.argsort(-flat, kind="stable")
    ordered = flat[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    stops = np.append(starts[1:], ordered.size)
    return order, list(zip(ordered[starts].tolist(), starts.tolist(), stops.tolist(), strict=True))


def _read_residuals(model: EntropyModel, decoder: RangeDecoder, runs: list[tuple[int, int, int]]) -> NDArray[np.int64]:
    """Read the residuals of a step, in the order of the runs; escaped ones as plus or minus 16."""
    index = np.concatenate([decoder.decode(stop - start, model.tables[table]) for table, start, stop in runs])
    return index.astype(np.int64) - RESIDUAL_LIMIT


def _escaped(residual: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return where residuals are escaped: their excess follows the step, in the same order."""
    return np.flatnonzero(np.abs(residual) >= RESIDUAL_LIMIT)


def _restore(ordered: NDArray[np.int64], order: NDArray[np.intp]) -> NDArray[np.int64]:
    """Undo the ordering of a step."""
    values = np.empty_like(ordered)
    values[order] = ordered
    return values


def write_exp_golomb(encoder: RangeEncoder, value: int) -> None:
    """Write value >= 0 as an Exp-Golomb code of order 0 in equiprobable bits."""
    zeros = (value + 1).bit_length() - 1
    # Cut exactly as the reader cuts it: two codes of one bit are not one code of two bits to a range coder.
    for _ in range(zeros):
        encoder.encode_bits(0, 1)
    encoder.encode_bits(1, 1)
    encoder.encode_bits(value + 1 - (1 << zeros), zeros)


def read_exp_golomb(decoder: RangeDecoder) -> int:
    """Read what `write_exp_golomb` wrote.

    Raises:
        BitstreamError: The number is larger than any that is ever written.
    """
    zeros = 0
    while decoder.decode_bits(1) == 0:
        zeros += 1
        if zeros > _MAX_EXCESS_BITS:
            raise BitstreamError("an escaped symbol is out of range: the bytes are damaged")
    return (1 << zeros | decoder.decode_bits(zeros)) - 1

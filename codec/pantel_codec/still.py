"""The `.ptl` container: one still picture in a header of 4 octets and one range-coded payload.

| bits | header field                                         |
|------|------------------------------------------------------|
| 3    | version, 1                                           |
| 10   | width - 1 in pixels                                  |
| 10   | height - 1 in pixels                                 |
| 1    | grey: the picture has no colour                      |
| 8    | model tag: first octet of the artefact's hash        |

The payload holds the scale (equiprobable), the quality (5 bits), the number of refinement levels less 1
(equiprobable), the residuals of all cells level by level, and a check (8 bits). Any prefix of a file decodes to what
is certain of it.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pantel_codec.coding_table import CodingTable
from pantel_codec.entropy import EntropyModel, Step
from pantel_codec.errors import BitstreamError, ContainerError, SymbolError
from pantel_codec.range_coder import RangeDecoder, make_decoder, make_encoder
from pantel_codec.surface import SCALES, grid_of
from pantel_codec.symbol_coding import InformationBound, PrefixReader, Reader, Writer

__all__ = [
    "HEADER_BYTES",
    "MAX_SIDE_PX",
    "MIN_SIDE_PX",
    "StillHeader",
    "StillValues",
    "read_still",
    "still_overhead_bits",
    "write_still",
]

HEADER_BYTES = 4
MIN_SIDE_PX = 32
MAX_SIDE_PX = 1024
_VERSION = 1
_QUALITY_BITS = 5
_CHECK_BITS = 8
_SLACK_BITS = 8.0  # an intact payload carries at most this much more information than its bytes can hold
_TOLERANCE_BITS = 0.01  # for the floating-point sums of encoder and decoder


@dataclass(frozen=True, slots=True)
class StillHeader:
    """What a decoder must know before the payload.

    Attributes:
        width_px: 1 to 1024.
        height_px: 1 to 1024.
        grey: The picture has no colour.
        model_tag: First octet of the artefact's hash.
    """

    width_px: int
    height_px: int
    grey: bool
    model_tag: int

    def to_bytes(self) -> bytes:
        """Return the 4 octets.

        Raises:
            ContainerError: The size does not fit.
        """
        if not (1 <= self.width_px <= MAX_SIDE_PX and 1 <= self.height_px <= MAX_SIDE_PX):
            raise ContainerError(f"a .ptl picture has at most {MAX_SIDE_PX} pixels a side; scale it down")
        if not 0 <= self.model_tag <= 255:
            raise ContainerError(f"a model tag is one octet, not {self.model_tag}")
        value = _VERSION << 29 | (self.width_px - 1) << 19 | (self.height_px - 1) << 9
        return (value | self.grey << 8 | self.model_tag).to_bytes(HEADER_BYTES, "big")

    @classmethod
    def from_bytes(cls, data: bytes) -> StillHeader:
        """Read the header of a file.

        Raises:
            ContainerError: Too short, or of another version.
        """
        if len(data) < HEADER_BYTES:
            raise ContainerError(f"{len(data)} bytes are too few for a .ptl file; it was cut off or is something else")
        value = int.from_bytes(data[:HEADER_BYTES], "big")
        if value >> 29 != _VERSION:
            raise ContainerError("not a .ptl file of version 1; take a newer pantel or another file")
        width_px, height_px = (value >> 19 & 1023) + 1, (value >> 9 & 1023) + 1
        return cls(width_px, height_px, grey=bool(value >> 8 & 1), model_tag=value & 255)

    def cells(self, scale: int) -> tuple[int, int]:
        """Return the rows and columns of the cells that cover the picture at a scale."""
        return grid_of(self.width_px, self.height_px, scale)


@dataclass(frozen=True, slots=True, eq=False)
class StillValues:
    """A still picture as values of its latents.

    Attributes:
        header: The container's header.
        scale: Of the picture that was coded: so many times was it halved.
        quality: Index of the quantizer.
        levels: Number of refinement levels that are present.
        values: (channels, rows, columns) int64, in 1/256 of a quantizer step.
        complete: Whether all of the file was there.
    """

    header: StillHeader
    scale: int
    quality: int
    levels: int
    values: NDArray[np.int64]
    complete: bool = True


def still_overhead_bits(model: EntropyModel) -> float:
    """Return what a payload holds beside its residuals [bit]."""
    return math.log2(SCALES) + _QUALITY_BITS + math.log2(len(model.groups)) + _CHECK_BITS


def still_information_bits(still: StillValues, model: EntropyModel) -> float:
    """Return the size of a file by the probabilities of the model alone, header and check included [bit].

    That is the cross-entropy: no range coder gets below it but by rounding.
    """
    flat = still.values.reshape(model.channels, -1)
    total = 8.0 * HEADER_BYTES + still_overhead_bits(model)

    def count(step: Step) -> NDArray[np.int64]:
        nonlocal total
        residual = step.residual(flat)
        total += float(model.bits(step.table, residual).sum())
        return residual

    model.walk(*still.header.cells(still.scale), still.quality, still.levels, count)
    return total


def write_still(still: StillValues, model: EntropyModel) -> bytes:
    """Return the file of a picture.

    Raises:
        ContainerError: The header's fields are out of range.
        SymbolError: The values do not fit the header or the model.
    """
    header = still.header.to_bytes()
    rows, columns = still.header.cells(still.scale)
    if still.values.shape != (model.channels, rows, columns):
        raise SymbolError(f"values of shape {still.values.shape} are not those of {still.header}, scale {still.scale}")
    if still.values[sum(model.groups[: still.levels]) :].any():
        raise SymbolError(f"there are values beyond the {still.levels} levels to be written")
    encoder = make_encoder()
    encoder.encode([still.scale], CodingTable.uniform(SCALES))
    encoder.encode_bits(still.quality, _QUALITY_BITS)
    encoder.encode([still.levels - 1], CodingTable.uniform(len(model.groups)))
    writer = Writer(model, still.values, encoder)
    model.walk(rows, columns, still.quality, still.levels, writer)
    encoder.encode_bits(_check(header, still.values), _CHECK_BITS)
    payload = encoder.to_bytes()
    # A final interval may hold a much shorter number, which would look like a truncated file.
    return header + payload.ljust(math.ceil((encoder.information_bits - _SLACK_BITS) / 8), b"\0")


def read_still(data: bytes, model: EntropyModel) -> StillValues:
    """Return the values of a file, or what is certain of a truncated one.

    Raises:
        ContainerError: No header that this version reads.
        BitstreamError: The payload is damaged.
    """
    header = StillHeader.from_bytes(data)
    payload = data[HEADER_BYTES:]
    return _read_whole(header, payload, model) or _read_prefix(header, payload, model)


def _read_fields(decoder: RangeDecoder, model: EntropyModel) -> tuple[int, int, int]:
    """Return scale, quality and levels."""
    scale = int(decoder.decode(1, CodingTable.uniform(SCALES))[0])
    quality = decoder.decode_bits(_QUALITY_BITS)
    levels = 1 + int(decoder.decode(1, CodingTable.uniform(len(model.groups)))[0])
    return scale, quality, levels


def _read_whole(header: StillHeader, payload: bytes, model: EntropyModel) -> StillValues | None:
    """Read a file that should be complete; None when it is not."""
    decoder = make_decoder(payload)
    fields = _read_fields(decoder, model)
    bound = InformationBound(len(payload), _SLACK_BITS + _TOLERANCE_BITS)
    try:
        bound.spend(still_overhead_bits(model))
        reader = Reader(model, decoder, bound)
        values = _walk(header, model, fields, reader)
    except BitstreamError:
        return None
    intact = decoder.decode_bits(_CHECK_BITS) == _check(header.to_bytes(), values)
    return StillValues(header, *fields, values) if intact else None


def _read_prefix(header: StillHeader, payload: bytes, model: EntropyModel) -> StillValues:
    """Read what is certain of a truncated file."""
    zeros, ones = make_decoder(payload, padding=0), make_decoder(payload, padding=1)
    fields = _read_fields(zeros, model)
    if fields != _read_fields(ones, model):
        raise BitstreamError("too little of the file is left to show anything; fetch it again")
    reader = PrefixReader(model, zeros, ones)
    values = _walk(header, model, fields, reader)
    if not reader.exhausted and zeros.decode_bits(_CHECK_BITS) == ones.decode_bits(_CHECK_BITS):
        raise BitstreamError("the file is damaged: its check does not match; fetch it again")
    # Even a few residuals of a level, with predictions for the others, are better than none (by up to 4 dB).
    values[sum(model.groups[: reader.groups]) :] = 0
    scale, quality, _ = fields
    return StillValues(header, scale, quality, reader.groups, values, complete=False)


def _walk(
    header: StillHeader, model: EntropyModel, fields: tuple[int, int, int], visitor: Reader | PrefixReader
) -> NDArray[np.int64]:
    scale, quality, levels = fields
    if quality >= model.qualities:
        raise BitstreamError("the file is damaged: no such quality; fetch it again")
    return model.walk(*header.cells(scale), quality, levels, visitor)


def _check(header: bytes, values: NDArray[np.int64]) -> int:
    """Return the check: the low octet of the CRC-32 over header and values, 32 bits each, lowest octet first."""
    return zlib.crc32(values.astype("<i4").tobytes(), zlib.crc32(header)) & 0xFF

"""The `.ptl` container: one still picture in a header of 4 octets and one range-coded payload.

| bits | field                                                |
|------|------------------------------------------------------|
| 3    | version, 1                                           |
| 10   | width - 1 in pixels                                  |
| 10   | height - 1 in pixels                                 |
| 1    | grey: the picture has no colour                      |
| 8    | model tag: first octet of the artefact's hash        |

The payload holds the quality (5 bits), the number of refinement levels, the symbols of all cells level by level and
a check of 8 bits. Any prefix of a file decodes to what is certain of it.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pantel_codec.entropy import EntropyModel, PrefixReader, Reader, Writer
from pantel_codec.errors import BitstreamError, ContainerError
from pantel_codec.range_coder import CodingTable, RangeDecoder, make_decoder, make_encoder
from pantel_codec.scene import cells_across

__all__ = ["HEADER_BYTES", "MAX_SIDE_PX", "MIN_SIDE_PX", "StillHeader", "StillSymbols", "read_still", "write_still"]

HEADER_BYTES = 4
MIN_SIDE_PX = 32
MAX_SIDE_PX = 1024
_VERSION = 1
_QUALITY_BITS = 5
_CHECK_BITS = 8
_SLACK_BITS = 8.0  # an intact payload carries at most this much more information than its bytes can hold


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
        value = _VERSION << 29 | self.width_px - 1 << 19 | self.height_px - 1 << 9 | self.grey << 8 | self.model_tag
        return value.to_bytes(HEADER_BYTES, "big")

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
        return cls((value >> 19 & 1023) + 1, (value >> 9 & 1023) + 1, bool(value >> 8 & 1), value & 255)

    @property
    def rows(self) -> int:
        """Height in cells."""
        return cells_across(self.height_px)

    @property
    def columns(self) -> int:
        """Width in cells."""
        return cells_across(self.width_px)


@dataclass(frozen=True, slots=True, eq=False)
class StillSymbols:
    """A still picture as symbols.

    Attributes:
        header: The container's header.
        quality: Index of the quantizer.
        levels: Number of refinement levels that are present.
        symbols: (channels, rows, columns) int64.
        complete: Whether all of the file was there.
    """

    header: StillHeader
    quality: int
    levels: int
    symbols: NDArray[np.int64]
    complete: bool = True


def write_still(still: StillSymbols, model: EntropyModel) -> bytes:
    """Return the file of a picture."""
    header = still.header.to_bytes()
    encoder = make_encoder()
    encoder.encode_bits(still.quality, _QUALITY_BITS)
    encoder.encode([still.levels - 1], CodingTable.uniform(len(model.groups)))
    writer = Writer(model, still.symbols, encoder)
    model.walk(still.header.rows, still.header.columns, still.quality, range(still.levels), writer)
    encoder.encode_bits(_check(header, still.symbols), _CHECK_BITS)
    payload = encoder.to_bytes()
    # A final interval that happens to hold a much shorter number would look like a truncated file.
    needed = int(np.ceil((encoder.information_bits - _SLACK_BITS) / 8))
    return header + payload.ljust(needed, b"\0")


def read_still(data: bytes, model: EntropyModel) -> StillSymbols:
    """Return the symbols of a file, or what is certain of a truncated one.

    Raises:
        ContainerError: No header that this version reads.
        BitstreamError: The payload is damaged.
    """
    header = StillHeader.from_bytes(data)
    payload = data[HEADER_BYTES:]
    try:
        whole = _read_whole(header, payload, model)
    except BitstreamError:
        whole = None
    return whole or _read_prefix(header, payload, model)


def _read_fields(decoder: RangeDecoder, model: EntropyModel) -> tuple[int, int]:
    quality = decoder.decode_bits(_QUALITY_BITS)
    if quality >= model.qualities:
        raise BitstreamError("the file is damaged: no such quality")
    return quality, 1 + int(decoder.decode(1, CodingTable.uniform(len(model.groups)))[0])


def _read_whole(header: StillHeader, payload: bytes, model: EntropyModel) -> StillSymbols | None:
    """Read a file that should be complete; None when it is not."""
    decoder = make_decoder(payload)
    quality, levels = _read_fields(decoder, model)
    symbols = np.zeros((model.channels, header.rows, header.columns), np.int64)
    bits = _QUALITY_BITS + float(np.log2(len(model.groups))) + _CHECK_BITS
    limit = 8 * len(payload) + _SLACK_BITS + 0.01
    for step in model.steps(symbols, quality, range(levels), Reader(model, decoder)):
        coded = symbols[step.channels].reshape(len(step.center), -1)[:, step.cells]
        bits += float(model.step_bits(step, coded).sum())
        if bits > limit:
            return None
    intact = decoder.decode_bits(_CHECK_BITS) == _check(header.to_bytes(), symbols)
    return StillSymbols(header, quality, levels, symbols) if intact else None


def _read_prefix(header: StillHeader, payload: bytes, model: EntropyModel) -> StillSymbols:
    """Read what is certain of a truncated file."""
    zeros, ones = make_decoder(payload, padding=0), make_decoder(payload, padding=1)
    fields = _read_fields(zeros, model)
    if fields != _read_fields(ones, model):
        raise BitstreamError("too little of the file is left to show anything; fetch it again")
    quality, levels = fields
    reader = PrefixReader(model, zeros, ones)
    symbols = model.walk(header.rows, header.columns, quality, range(levels), reader)
    if not reader.exhausted and (zeros.decode_bits(_CHECK_BITS) == ones.decode_bits(_CHECK_BITS)):
        raise BitstreamError("the file is damaged: its check does not match; fetch it again")
    # A level counts as present when most of it arrived; the generator paints the rest.
    certain = np.array(reader.certain).reshape(levels, -1).mean(axis=1)
    present = int(np.count_nonzero(certain > 0.5))
    symbols[sum(model.groups[:present]) :] = 0
    return StillSymbols(header, quality, present, symbols, complete=False)


def _check(header: bytes, symbols: NDArray[np.int64]) -> int:
    return zlib.crc32(symbols.astype("<i2").tobytes(), zlib.crc32(header)) & 0xFF

"""How a patch of contours is written and read: the step of its raster, the part that it covers, its samples."""

from __future__ import annotations

from pantel_codec.coding_table import CodingTable
from pantel_codec.contours import (
    MAX_CONTOUR_SAMPLES,
    ContourPatch,
    contour_bits,
    raster_shape,
    read_samples,
    write_samples,
)
from pantel_codec.errors import BitstreamError, SymbolError
from pantel_codec.surface import Block
from pantel_codec.symbol_coding import InformationBound
from pantel_codec.syntax_fields import FieldReader, FieldWriter

__all__ = ["read_patch", "write_patch"]

_STEPS = CodingTable.from_counts([30, 60, 60, 50, 20, 10, 4, 2])
_EXTENTS = CodingTable.from_counts([10, 8, 10])
_WHOLE, _ROWS, _RECTANGLE = range(3)


def write_patch(fields: FieldWriter, patch: ContourPatch, area_px: tuple[float, float]) -> None:
    """Write a patch of a raster over an area of known width and height.

    Raises:
        SymbolError: It does not lie on the raster, or has more samples than a patch may.
    """
    rows, columns = raster_shape(*area_px, patch.step)
    block = patch.block
    if patch.samples.shape != (block.rows, block.columns):
        raise SymbolError(f"samples of shape {patch.samples.shape} are not those of {block}")
    if block.rows * block.columns > MAX_CONTOUR_SAMPLES:
        raise SymbolError(f"a patch has at most {MAX_CONTOUR_SAMPLES} samples, not those of {block}")
    extent = _RECTANGLE
    if (block.column, block.columns) == (0, columns):
        extent = _WHOLE if (block.row, block.rows) == (0, rows) else _ROWS
    fields.symbol(patch.step, _STEPS)
    fields.symbol(extent, _EXTENTS)
    if extent == _RECTANGLE:
        _write_range(fields, block.column, block.columns, columns)
    if extent != _WHOLE:
        _write_range(fields, block.row, block.rows, rows)
    write_samples(fields.encoder, patch.samples)


def read_patch(fields: FieldReader, area_px: tuple[float, float], bound: InformationBound) -> ContourPatch:
    """Read what `write_patch` wrote.

    Raises:
        BitstreamError: The bytes are damaged.
    """
    step = fields.symbol(_STEPS)
    extent = fields.symbol(_EXTENTS)
    height, width = raster_shape(*area_px, step)
    column, columns = _read_range(fields, width) if extent == _RECTANGLE else (0, width)
    row, rows = _read_range(fields, height) if extent != _WHOLE else (0, height)
    if rows * columns > MAX_CONTOUR_SAMPLES:
        raise BitstreamError("contours of more samples than a patch may have: the bytes are damaged")
    samples = read_samples(fields.decoder, rows, columns)
    bound.spend(float(contour_bits(samples).sum()))
    return ContourPatch(step, Block(column, row, columns, rows), samples)


def _write_range(fields: FieldWriter, start: int, count: int, limit: int) -> None:
    fields.uniform(start, limit)
    fields.uniform(count - 1, limit - start)


def _read_range(fields: FieldReader, limit: int) -> tuple[int, int]:
    start = fields.uniform(limit)
    return start, 1 + fields.uniform(limit - start)

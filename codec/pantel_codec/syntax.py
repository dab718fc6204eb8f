"""Syntax of a scene payload: a sequence of elements in one range-coded stream.

A payload needs no other payload to be decoded. Each element begins with its kind:

| kind   | fields, with their bits                                        | meaning                              |
|--------|----------------------------------------------------------------|--------------------------------------|
| end    |                                                                | nothing follows                      |
| coarse | surface, block, quality 5, levels, tag 4, symbols              | cells from their coarsest level on   |
| refine | surface, block, quality 5, first level, levels, tag 4, symbols | further levels of cells of that tag  |
| object | raster, class 7                                                | a sprite's identity                  |
| pose   | id 6, age 5, x 11, y 11, width 10, height 10                   | a knot of its trajectory             |
| forget | id 6                                                           | a sprite is gone                     |

* raster: id 6, columns - 1 3, rows - 1 3.
* surface: one bit, 0 for the background; 1 for a sprite, then its raster, so that the symbols can be read even when
  the sprite is not known yet.
* block: column, row, columns - 1, rows - 1, each an equiprobable number below what the surface leaves possible.
* levels - 1, first level - 1: equiprobable numbers below what the model's levels leave possible.
* x, y, width, height: half pixels. age: steps of 0.1 s before the packet's capture time.

Noise is soon refused: a payload cannot carry more information than its bytes hold, and cannot tell more cells than a
surface has (`_MIN_CELLS` at least).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from pantel_codec.coding_table import CodingTable
from pantel_codec.elements import CellElement, Element, ForgetElement, ObjectElement, PoseElement, Raster
from pantel_codec.entropy import EntropyModel
from pantel_codec.errors import BitstreamError, SymbolError
from pantel_codec.range_coder import RangeDecoder, RangeEncoder, make_decoder, make_encoder
from pantel_codec.scene import Block, CellUpdate, cells_across
from pantel_codec.symbol_coding import InformationBound, Reader, Writer

__all__ = ["SceneSyntax"]

_END, _COARSE, _REFINE, _OBJECT, _POSE, _FORGET = range(6)
_KINDS = CodingTable.from_counts([64, 96, 64, 16, 60, 4])
_QUALITY_BITS, _TAG_BITS, _ID_BITS, _CLASS_BITS, _RASTER_BITS = 5, 4, 6, 7, 3
_AGE_BITS, _POSITION_BITS, _SIZE_BITS = 5, 11, 10
_HALF_PX = 2

_SLACK_BITS = 64.0  # a payload carries at most this much more information than its bytes can hold
_MIN_ELEMENT_BITS = 11.0  # no element carries less
_MIN_CELLS = 256  # even a small picture may have many sprites


class SceneSyntax:
    """Reads and writes payloads of one stream: picture size and entropy model are agreed beforehand."""

    def __init__(self, model: EntropyModel, width_px: int, height_px: int) -> None:
        self.model = model
        self._columns = cells_across(width_px)
        self._rows = cells_across(height_px)
        self._max_cell_levels = max(self._columns * self._rows, _MIN_CELLS) * len(model.groups)

    def write(self, elements: Iterable[Element]) -> bytes:
        """Return the payload of these elements.

        Raises:
            SymbolError: A field is out of range, or the elements tell more cells than a payload may.
        """
        encoder = make_encoder()
        room = self._max_cell_levels
        for element in elements:
            room -= _cell_levels(element)
            if room < 0:
                raise SymbolError("more cells than one payload may tell: send them in several")
            self._write_element(encoder, element)
        encoder.encode([_END], _KINDS)
        payload = encoder.to_bytes()
        # A final interval may hold a much shorter number, which the reader would take for too few bytes.
        return payload.ljust(math.ceil((encoder.information_bits - _SLACK_BITS) / 8), b"\0")

    def read(self, payload: bytes) -> list[Element]:
        """Return the elements of a payload; bytes beyond its end are padding.

        Raises:
            BitstreamError: The bytes are no payload of this stream.
        """
        decoder = make_decoder(payload)
        bound = InformationBound(len(payload), _SLACK_BITS)
        room = self._max_cell_levels
        elements: list[Element] = []
        while (kind := int(decoder.decode(1, _KINDS)[0])) != _END:
            bound.spend(_MIN_ELEMENT_BITS)
            element = self._read_element(decoder, kind, bound, room)
            room -= _cell_levels(element)
            elements.append(element)
        return elements

    def _write_element(self, encoder: RangeEncoder, element: Element) -> None:
        match element:
            case CellElement(update, raster):
                encoder.encode([_REFINE if update.groups.start else _COARSE], _KINDS)
                self._write_cells(encoder, update, raster)
            case ObjectElement(raster, class_id):
                encoder.encode([_OBJECT], _KINDS)
                _write_raster(encoder, raster)
                encoder.encode_bits(class_id, _CLASS_BITS)
            case PoseElement():
                encoder.encode([_POSE], _KINDS)
                _write_pose(encoder, element)
            case ForgetElement(sprite_id):
                encoder.encode([_FORGET], _KINDS)
                encoder.encode_bits(sprite_id, _ID_BITS)

    def _read_element(self, decoder: RangeDecoder, kind: int, bound: InformationBound, room: int) -> Element:
        if kind == _OBJECT:
            return ObjectElement(_read_raster(decoder), decoder.decode_bits(_CLASS_BITS))
        if kind == _POSE:
            return _read_pose(decoder)
        if kind == _FORGET:
            return ForgetElement(decoder.decode_bits(_ID_BITS))
        raster = _read_raster(decoder) if decoder.decode_bits(1) else None
        return CellElement(self._read_cells(decoder, kind, raster, bound, room), raster)

    def _write_cells(self, encoder: RangeEncoder, update: CellUpdate, raster: Raster | None) -> None:
        block, groups, levels = update.block, update.groups, len(self.model.groups)
        if update.symbols.shape != (self.model.channels, block.rows, block.columns):
            raise SymbolError(f"symbols of shape {update.symbols.shape} are not those of {block}")
        encoder.encode_bits(raster is not None, 1)
        if raster is not None:
            _write_raster(encoder, raster)
        columns, rows = self._surface_size(raster)
        _write_uniform(encoder, block.column, columns)
        _write_uniform(encoder, block.row, rows)
        _write_uniform(encoder, block.columns - 1, columns - block.column)
        _write_uniform(encoder, block.rows - 1, rows - block.row)
        encoder.encode_bits(update.quality, _QUALITY_BITS)
        if groups.start:
            _write_uniform(encoder, groups.start - 1, levels - 1)
        _write_uniform(encoder, len(groups) - 1, levels - groups.start)
        encoder.encode_bits(update.tag, _TAG_BITS)
        writer = Writer(self.model, update.symbols, encoder)
        self.model.walk(block.rows, block.columns, update.quality, groups, writer)

    def _read_cells(
        self, decoder: RangeDecoder, kind: int, raster: Raster | None, bound: InformationBound, room: int
    ) -> CellUpdate:
        columns, rows = self._surface_size(raster)
        column = _read_uniform(decoder, columns)
        row = _read_uniform(decoder, rows)
        width = 1 + _read_uniform(decoder, columns - column)
        height = 1 + _read_uniform(decoder, rows - row)
        quality = decoder.decode_bits(_QUALITY_BITS)
        if quality >= self.model.qualities:
            raise BitstreamError(f"quality {quality} does not exist: the bytes are damaged")
        levels = len(self.model.groups)
        first = 1 + _read_uniform(decoder, levels - 1) if kind == _REFINE else 0
        groups = range(first, first + 1 + _read_uniform(decoder, levels - first))
        tag = decoder.decode_bits(_TAG_BITS)
        if width * height * len(groups) > room:
            raise BitstreamError("more cells than one payload may tell: the bytes are damaged")
        symbols = self.model.walk(height, width, quality, groups, Reader(self.model, decoder, bound))
        return CellUpdate(Block(column, row, width, height), quality, groups, tag, symbols)

    def _surface_size(self, raster: Raster | None) -> tuple[int, int]:
        """Return columns and rows of the surface that cells belong to."""
        return (self._columns, self._rows) if raster is None else (raster.columns, raster.rows)


def _cell_levels(element: Element) -> int:
    """Return how many levels of cells an element tells."""
    if not isinstance(element, CellElement):
        return 0
    block = element.update.block
    return block.rows * block.columns * len(element.update.groups)


def _write_raster(encoder: RangeEncoder, raster: Raster) -> None:
    encoder.encode_bits(raster.sprite_id, _ID_BITS)
    encoder.encode_bits(raster.columns - 1, _RASTER_BITS)
    encoder.encode_bits(raster.rows - 1, _RASTER_BITS)


def _read_raster(decoder: RangeDecoder) -> Raster:
    sprite_id = decoder.decode_bits(_ID_BITS)
    return Raster(sprite_id, 1 + decoder.decode_bits(_RASTER_BITS), 1 + decoder.decode_bits(_RASTER_BITS))


def _write_pose(encoder: RangeEncoder, pose: PoseElement) -> None:
    encoder.encode_bits(pose.sprite_id, _ID_BITS)
    encoder.encode_bits(pose.age_steps, _AGE_BITS)
    for value in (pose.x, pose.y):
        encoder.encode_bits(_half_pixels(value), _POSITION_BITS)
    for value in (pose.width, pose.height):
        encoder.encode_bits(_half_pixels(value), _SIZE_BITS)


def _half_pixels(value_px: float) -> int:
    if not math.isfinite(value_px):
        raise SymbolError(f"{value_px} is no position or size in pixels")
    return round(value_px * _HALF_PX)


def _read_pose(decoder: RangeDecoder) -> PoseElement:
    sprite_id = decoder.decode_bits(_ID_BITS)
    age_steps = decoder.decode_bits(_AGE_BITS)
    x, y = (decoder.decode_bits(_POSITION_BITS) / _HALF_PX for _ in range(2))
    width, height = (decoder.decode_bits(_SIZE_BITS) / _HALF_PX for _ in range(2))
    return PoseElement(sprite_id, age_steps, x, y, width, height)


def _write_uniform(encoder: RangeEncoder, value: int, size: int) -> None:
    if not 0 <= value < size:
        raise SymbolError(f"field value {value} is not below {size}")
    encoder.encode([value], CodingTable.uniform(size))


def _read_uniform(decoder: RangeDecoder, size: int) -> int:
    if size < 1:
        raise BitstreamError("a level that this model does not have: the bytes are damaged")
    return int(decoder.decode(1, CodingTable.uniform(size))[0])

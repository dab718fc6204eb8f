"""Syntax of a scene payload: a sequence of elements in one range-coded stream.

A payload needs no other payload to be decoded. Each element begins with its kind:

| kind   | fields, with their bits                                                       | meaning                     |
|--------|-------------------------------------------------------------------------------|-----------------------------|
| end    |                                                                               | nothing follows             |
| coarse | block, quality 5, levels, tag 4, symbols                                      | cells from their coarsest on|
| refine | block, quality 5, first level, levels, tag 4, symbols                         | further levels of that tag  |
| sprite | id 5, new 1, class, knot, width 7, margins, core of a thumbnail               | an object and how it looks  |
| look   | id 5, shape, part 1, core or detail of a thumbnail                            | how a known object looks    |
| pose   | id 5, knot                                                                    | where it was, and how large |
| step   | id 5, age, x 6, y 6, height 4                                                 | the low digits of that      |
| forget | id 5, age                                                                     | it is gone                  |
| tone   | age, gains of red, green, blue: 6 each                                        | how bright the background is|
| seed   | as coarse                                                                     | cells for who holds nothing |

* block: column, row, columns - 1, rows - 1, each an equiprobable number below what the picture leaves possible.
* levels - 1, first level - 1: equiprobable numbers below what the model's levels leave possible.
* knot: age, x, y, height 7. age: steps of 0.1 s before the packet's time stamp. x, y: pixels from 64 left of and
  above the picture on. width, height: sixteenths of an octave from 4 pixels on.

Noise is soon refused: a payload cannot carry more information than its bytes hold, and cannot tell more cells than a
picture has (`_MIN_CELLS` at least).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from pantel_codec.coding_table import CodingTable
from pantel_codec.elements import (
    MAX_SPRITES,
    STEP_RANGE_PX,
    STEP_SIZES,
    CellElement,
    Element,
    ForgetElement,
    Knot,
    LookElement,
    PoseElement,
    SpriteElement,
    StepElement,
    ToneElement,
)
from pantel_codec.entropy import EntropyModel
from pantel_codec.errors import BitstreamError, SymbolError
from pantel_codec.range_coder import RangeDecoder, RangeEncoder, make_decoder, make_encoder
from pantel_codec.scene import Block, CellUpdate, cells_across
from pantel_codec.symbol_coding import InformationBound, Reader, Writer
from pantel_codec.thumbnail import THUMBNAIL_SHAPES, Part, ThumbnailModel, shape_of
from pantel_codec.tone import TONE_LIMIT
from pantel_codec.trajectory import SIZE_CODES

__all__ = ["SceneSyntax"]

_END, _COARSE, _REFINE, _SPRITE, _LOOK, _POSE, _STEP, _FORGET, _TONE, _SEED = range(10)
_KINDS = CodingTable.from_counts([44, 28, 2, 36, 16, 36, 58, 22, 6, 8])
_QUALITY_BITS, _TAG_BITS = 5, 4
_POSITION_MARGIN_PX = 64

# Ages, in steps of 0.1 s: a sender waits for hindsight, and a small computer has looked at a frame for 0.15 s.
_AGES = CodingTable.from_counts([2, 4, 8, 8, 16, 96, 64, 16, 8, 4, 4, 4, 4, 4, 4, 32])
_MARGINS = CodingTable.from_counts([80, 24, 12, 12])
# What a camera in the field is put up for is more likely than furniture: unknown, then COCO's classes from person on.
_CLASSES = CodingTable.from_counts([48, 96, 12, 96, 12, 2, 24, 2, 24, 2, *[1] * 6, 4, 4, 2, 2, 2, *[1] * 108])

_SLACK_BITS = 64.0  # a payload carries at most this much more information than its bytes can hold
_MIN_ELEMENT_BITS = 7.0  # no element carries less
_MIN_CELLS = 256  # even a small picture may have many sprites


class SceneSyntax:
    """Reads and writes payloads of one stream: picture size and entropy model are agreed beforehand."""

    def __init__(self, model: EntropyModel, thumbnails: ThumbnailModel, width_px: int, height_px: int) -> None:
        self.model = model
        self.thumbnails = thumbnails
        self._size_px = (width_px, height_px)
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
            case CellElement(update, seed):
                if seed and update.groups.start:
                    raise SymbolError("a seed begins with the coarsest level")
                encoder.encode([_SEED if seed else _REFINE if update.groups.start else _COARSE], _KINDS)
                self._write_cells(encoder, update)
            case SpriteElement():
                encoder.encode([_SPRITE], _KINDS)
                self._write_sprite(encoder, element)
            case LookElement(sprite_id, shape, thumbnail):
                encoder.encode([_LOOK], _KINDS)
                _write_uniform(encoder, sprite_id, MAX_SPRITES)
                _write_uniform(encoder, shape, THUMBNAIL_SHAPES)
                _write_uniform(encoder, thumbnail.part, len(Part))
                self.thumbnails.write(encoder, shape, thumbnail)
            case StepElement():
                encoder.encode([_STEP], _KINDS)
                _write_step(encoder, element)
            case PoseElement(sprite_id, knot):
                encoder.encode([_POSE], _KINDS)
                _write_uniform(encoder, sprite_id, MAX_SPRITES)
                self._write_knot(encoder, knot)
            case ToneElement(age_steps, gains):
                encoder.encode([_TONE], _KINDS)
                encoder.encode([age_steps], _AGES)
                for gain in gains:
                    _write_uniform(encoder, gain + TONE_LIMIT, 2 * TONE_LIMIT + 1)
            case ForgetElement(sprite_id, age_steps):
                encoder.encode([_FORGET], _KINDS)
                _write_uniform(encoder, sprite_id, MAX_SPRITES)
                encoder.encode([age_steps], _AGES)

    def _read_element(self, decoder: RangeDecoder, kind: int, bound: InformationBound, room: int) -> Element:
        if kind in _SHORT_READERS:
            return _SHORT_READERS[kind](decoder)
        if kind == _POSE:
            return PoseElement(_read_uniform(decoder, MAX_SPRITES), self._read_knot(decoder))
        if kind == _LOOK:
            return self._read_look(decoder, bound)
        if kind == _SPRITE:
            return self._read_sprite(decoder, bound)
        return CellElement(self._read_cells(decoder, kind, bound, room), seed=kind == _SEED)

    def _read_look(self, decoder: RangeDecoder, bound: InformationBound) -> LookElement:
        sprite_id, shape = _read_uniform(decoder, MAX_SPRITES), _read_uniform(decoder, THUMBNAIL_SHAPES)
        part = Part(_read_uniform(decoder, len(Part)))
        return LookElement(sprite_id, shape, self.thumbnails.read(decoder, shape, part, bound))

    def _write_sprite(self, encoder: RangeEncoder, element: SpriteElement) -> None:
        if element.core.part is not Part.CORE:
            raise SymbolError("a sprite becomes known with the core of its thumbnail")
        _write_uniform(encoder, element.sprite_id, MAX_SPRITES)
        _write_uniform(encoder, int(element.new), 2)
        encoder.encode([element.class_id], _CLASSES)
        self._write_knot(encoder, element.knot)
        _write_uniform(encoder, element.width_code, SIZE_CODES)
        encoder.encode(list(element.margins), _MARGINS)
        self.thumbnails.write(encoder, shape_of(element.width_code, element.knot.height_code), element.core)

    def _read_sprite(self, decoder: RangeDecoder, bound: InformationBound) -> SpriteElement:
        sprite_id = _read_uniform(decoder, MAX_SPRITES)
        new = bool(_read_uniform(decoder, 2))
        class_id = int(decoder.decode(1, _CLASSES)[0])
        knot = self._read_knot(decoder)
        width_code = _read_uniform(decoder, SIZE_CODES)
        left, above, right, below = decoder.decode(4, _MARGINS).tolist()
        core = self.thumbnails.read(decoder, shape_of(width_code, knot.height_code), Part.CORE, bound)
        return SpriteElement(sprite_id, new, class_id, width_code, (left, above, right, below), knot, core)

    def _write_knot(self, encoder: RangeEncoder, knot: Knot) -> None:
        encoder.encode([knot.age_steps], _AGES)
        for value, side_px in zip((knot.x, knot.y), self._size_px, strict=True):
            _write_uniform(encoder, value + _POSITION_MARGIN_PX, side_px + 2 * _POSITION_MARGIN_PX)
        _write_uniform(encoder, knot.height_code, SIZE_CODES)

    def _read_knot(self, decoder: RangeDecoder) -> Knot:
        age_steps = int(decoder.decode(1, _AGES)[0])
        x, y = (
            _read_uniform(decoder, side_px + 2 * _POSITION_MARGIN_PX) - _POSITION_MARGIN_PX for side_px in self._size_px
        )
        return Knot(age_steps, x, y, _read_uniform(decoder, SIZE_CODES))

    def _write_cells(self, encoder: RangeEncoder, update: CellUpdate) -> None:
        block, groups, levels = update.block, update.groups, len(self.model.groups)
        if update.symbols.shape != (self.model.channels, block.rows, block.columns):
            raise SymbolError(f"symbols of shape {update.symbols.shape} are not those of {block}")
        columns, rows = self._columns, self._rows
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

    def _read_cells(self, decoder: RangeDecoder, kind: int, bound: InformationBound, room: int) -> CellUpdate:
        columns, rows = self._columns, self._rows
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


def _cell_levels(element: Element) -> int:
    """Return how many levels of cells an element tells."""
    if not isinstance(element, CellElement):
        return 0
    block = element.update.block
    return block.rows * block.columns * len(element.update.groups)


def _read_tone(decoder: RangeDecoder) -> ToneElement:
    age_steps = int(decoder.decode(1, _AGES)[0])
    red, green, blue = (_read_uniform(decoder, 2 * TONE_LIMIT + 1) - TONE_LIMIT for _ in range(3))
    return ToneElement(age_steps, (red, green, blue))


def _read_forget(decoder: RangeDecoder) -> ForgetElement:
    return ForgetElement(_read_uniform(decoder, MAX_SPRITES), int(decoder.decode(1, _AGES)[0]))


def _write_step(encoder: RangeEncoder, step: StepElement) -> None:
    _write_uniform(encoder, step.sprite_id, MAX_SPRITES)
    encoder.encode([step.age_steps], _AGES)
    _write_uniform(encoder, step.x, STEP_RANGE_PX)
    _write_uniform(encoder, step.y, STEP_RANGE_PX)
    _write_uniform(encoder, step.height_code, STEP_SIZES)


def _read_step(decoder: RangeDecoder) -> StepElement:
    sprite_id, age_steps = _read_uniform(decoder, MAX_SPRITES), int(decoder.decode(1, _AGES)[0])
    x, y = (_read_uniform(decoder, STEP_RANGE_PX) for _ in range(2))
    return StepElement(sprite_id, age_steps, x, y, _read_uniform(decoder, STEP_SIZES))


def _write_uniform(encoder: RangeEncoder, value: int, size: int) -> None:
    if not 0 <= value < size:
        raise SymbolError(f"field value {value} is not below {size}")
    encoder.encode([value], CodingTable.uniform(size))


def _read_uniform(decoder: RangeDecoder, size: int) -> int:
    if size < 1:
        raise BitstreamError("a level that this model does not have: the bytes are damaged")
    return int(decoder.decode(1, CodingTable.uniform(size))[0])


_SHORT_READERS: dict[int, Callable[[RangeDecoder], Element]] = {
    _STEP: _read_step,
    _TONE: _read_tone,
    _FORGET: _read_forget,
}

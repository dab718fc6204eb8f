"""Syntax of a scene payload: a sequence of elements in one range-coded stream.

A payload needs no other payload to be decoded. Elements:

| kind     | fields                                                          | meaning                               |
|----------|-----------------------------------------------------------------|---------------------------------------|
| end      |                                                                 | nothing follows                       |
| coarse   | surface, block, quality 5 bits, levels, tag 4, symbols          | cells from their coarsest level on    |
| refine   | surface, block, quality 5, first level, levels, tag 4, symbols  | further levels of cells of that tag   |
| object   | id 6, class 7, columns 3, rows 3                                | a sprite's identity and raster        |
| pose     | id 6, age 5, x 10, y 10, width 9, height 9                      | a knot of its trajectory              |
| forget   | id 6                                                            | a sprite is gone                      |

`surface` is one bit for the background, or a sprite's id and its raster, so that the symbols can be read even when
the sprite is not known yet. Positions and sizes of poses are in half pixels. `age` counts back from the packet's
capture time in steps of 0.1 s.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pantel_codec.entropy import EntropyModel, Reader, Writer
from pantel_codec.errors import BitstreamError, SymbolError
from pantel_codec.range_coder import CodingTable, RangeDecoder, RangeEncoder, make_decoder, make_encoder
from pantel_codec.scene import Block, CellUpdate, Pose, Scene, Sprite, Surface, cells_across

__all__ = [
    "CellElement",
    "Element",
    "ForgetElement",
    "ObjectElement",
    "PoseElement",
    "Raster",
    "SceneSyntax",
    "apply_element",
]

AGE_STEP_NS = 100_000_000
_END, _COARSE, _REFINE, _OBJECT, _POSE, _FORGET = range(6)
_KINDS = CodingTable.from_counts([16, 96, 64, 16, 60, 4])
_QUALITY_BITS, _TAG_BITS, _ID_BITS, _CLASS_BITS, _RASTER_BITS = 5, 4, 6, 7, 3
_AGE_BITS, _POSITION_BITS, _SIZE_BITS = 5, 11, 10
_HALF_PX = 2


@dataclass(frozen=True, slots=True)
class Raster:
    """A sprite's surface: its id and size in cells."""

    sprite_id: int
    columns: int
    rows: int


@dataclass(frozen=True, slots=True, eq=False)
class CellElement:
    """New cells of the background (`raster` None) or of a sprite."""

    update: CellUpdate
    raster: Raster | None = None


@dataclass(frozen=True, slots=True)
class ObjectElement:
    """Identity of a sprite."""

    raster: Raster
    class_id: int


@dataclass(frozen=True, slots=True)
class PoseElement:
    """A knot of a sprite's trajectory, `age_steps` of 0.1 s before the packet's capture time; pixels."""

    sprite_id: int
    age_steps: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class ForgetElement:
    """A sprite is gone."""

    sprite_id: int


Element = CellElement | ObjectElement | PoseElement | ForgetElement


class SceneSyntax:
    """Reads and writes payloads of one stream: picture size and entropy model are agreed beforehand."""

    def __init__(self, model: EntropyModel, width_px: int, height_px: int) -> None:
        self.model = model
        self._columns = cells_across(width_px)
        self._rows = cells_across(height_px)

    def write(self, elements: Iterable[Element]) -> bytes:
        """Return the payload of these elements.

        Raises:
            SymbolError: A field is out of range.
        """
        encoder = make_encoder()
        for element in elements:
            self._write_element(encoder, element)
        encoder.encode([_END], _KINDS)
        return encoder.to_bytes()

    def read(self, payload: bytes) -> list[Element]:
        """Return the elements of a payload; bytes beyond its end are padding.

        Raises:
            BitstreamError: The bytes are no payload of this stream.
        """
        decoder = make_decoder(payload)
        elements: list[Element] = []
        budget = 8 * len(payload) + 64  # noise must not make a decoder work for ever
        while (kind := int(decoder.decode(1, _KINDS)[0])) != _END:
            elements.append(self._read_element(decoder, kind))
            if len(elements) > budget:
                raise BitstreamError("a payload without an end: the bytes are damaged")
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

    def _read_element(self, decoder: RangeDecoder, kind: int) -> Element:
        match kind:
            case 1 | 2:
                return self._read_cells(decoder, refine=kind == _REFINE)
            case 3:
                return ObjectElement(_read_raster(decoder), decoder.decode_bits(_CLASS_BITS))
            case 4:
                return _read_pose(decoder)
            case _:
                return ForgetElement(decoder.decode_bits(_ID_BITS))

    def _write_cells(self, encoder: RangeEncoder, update: CellUpdate, raster: Raster | None) -> None:
        encoder.encode_bits(raster is not None, 1)
        columns, rows = self._columns, self._rows
        if raster is not None:
            _write_raster(encoder, raster)
            columns, rows = raster.columns, raster.rows
        block, levels = update.block, len(self.model.groups)
        _write_uniform(encoder, block.column, columns)
        _write_uniform(encoder, block.row, rows)
        _write_uniform(encoder, block.columns - 1, columns - block.column)
        _write_uniform(encoder, block.rows - 1, rows - block.row)
        encoder.encode_bits(update.quality, _QUALITY_BITS)
        if update.groups.start:
            _write_uniform(encoder, update.groups.start - 1, levels - 1)
        _write_uniform(encoder, len(update.groups) - 1, levels - update.groups.start)
        encoder.encode_bits(update.tag, _TAG_BITS)
        writer = Writer(self.model, update.symbols, encoder)
        self.model.walk(block.rows, block.columns, update.quality, update.groups, writer)

    def _read_cells(self, decoder: RangeDecoder, *, refine: bool) -> CellElement:
        raster = _read_raster(decoder) if decoder.decode_bits(1) else None
        columns, rows = (raster.columns, raster.rows) if raster else (self._columns, self._rows)
        levels = len(self.model.groups)
        column = _read_uniform(decoder, columns)
        row = _read_uniform(decoder, rows)
        width = 1 + _read_uniform(decoder, columns - column)
        height = 1 + _read_uniform(decoder, rows - row)
        quality = decoder.decode_bits(_QUALITY_BITS)
        if quality >= self.model.qualities:
            raise BitstreamError(f"quality {quality} does not exist: the bytes are damaged")
        first = 1 + _read_uniform(decoder, levels - 1) if refine else 0
        last = first + 1 + _read_uniform(decoder, levels - first)
        tag = decoder.decode_bits(_TAG_BITS)
        groups = range(first, last)
        symbols = self.model.walk(height, width, quality, groups, Reader(self.model, decoder))
        return CellElement(CellUpdate(Block(column, row, width, height), quality, groups, tag, symbols), raster)


def apply_element(scene: Scene, element: Element, time_ns: int) -> int:
    """Apply an element that was captured at `time_ns` to a scene; return how many cells or objects changed.

    What names a sprite that is not known is dropped, except its cells: they make it known with class 0.
    """
    match element:
        case CellElement(update, None):
            return scene.background.apply(update, time_ns)
        case CellElement(update, raster):
            assert raster is not None
            return _sprite(scene, raster, 0).surface.apply(update, time_ns)
        case ObjectElement(raster, class_id):
            _sprite(scene, raster, class_id).class_id = class_id
            return 1
        case PoseElement():
            sprite = scene.sprites.get(element.sprite_id)
            if sprite is None:
                return 0
            when = time_ns - element.age_steps * AGE_STEP_NS
            sprite.add_pose(Pose(when, element.x, element.y, element.width, element.height))
            return 1
        case ForgetElement(sprite_id):
            return int(scene.sprites.pop(sprite_id, None) is not None)


def _sprite(scene: Scene, raster: Raster, class_id: int) -> Sprite:
    """Return the sprite of a raster, made anew when it is unknown or has another raster."""
    sprite = scene.sprites.get(raster.sprite_id)
    if sprite is None or (sprite.surface.columns, sprite.surface.rows) != (raster.columns, raster.rows):
        sprite = Sprite(class_id, Surface(raster.columns, raster.rows, scene.groups))
        scene.sprites[raster.sprite_id] = sprite
    return sprite


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
    for value, bits in _pose_fields(pose):
        encoder.encode_bits(round(value * _HALF_PX), bits)


def _pose_fields(pose: PoseElement) -> list[tuple[float, int]]:
    return [
        (pose.x, _POSITION_BITS),
        (pose.y, _POSITION_BITS),
        (pose.width, _SIZE_BITS),
        (pose.height, _SIZE_BITS),
    ]


def _read_pose(decoder: RangeDecoder) -> PoseElement:
    sprite_id = decoder.decode_bits(_ID_BITS)
    age = decoder.decode_bits(_AGE_BITS)
    x, y = (decoder.decode_bits(_POSITION_BITS) / _HALF_PX for _ in range(2))
    width, height = (decoder.decode_bits(_SIZE_BITS) / _HALF_PX for _ in range(2))
    return PoseElement(sprite_id, age, x, y, width, height)


def _write_uniform(encoder: RangeEncoder, value: int, size: int) -> None:
    if not 0 <= value < size:
        raise SymbolError(f"field value {value} is not below {size}")
    encoder.encode([value], CodingTable.uniform(size))


def _read_uniform(decoder: RangeDecoder, size: int) -> int:
    return int(decoder.decode(1, CodingTable.uniform(size))[0])

"""Syntax of a scene payload: a sequence of elements in one range-coded stream.

A payload needs no other payload to be decoded, but for cells that are refined: these say how they differ from what was
told of them before, and who does not hold that can read nothing from there on. So they come last. Each element begins
with its kind:

| kind   | fields, with their bits                                                       | meaning                     |
|--------|-------------------------------------------------------------------------------|-----------------------------|
| end    |                                                                               | nothing follows             |
| cells  | scale, block, quality, levels, residuals                                      | cells for themselves        |
| refine | scale, block, quality, levels, quality and checksum 8 of the base, residuals  | cells by what they were     |
| sprite | id 5, news, class, knot, width, margins, past, core of a thumbnail            | an object and how it looks  |
| look   | id 5, shape, part 1, core or detail of a thumbnail                            | how a known object looks    |
| pose   | id 5, knot                                                                    | where it was, and how large |
| step   | id 5, age, x 6, y 6, height 4                                                 | the low digits of that      |
| forget | id 5, age                                                                     | it is gone                  |
| tone   | age, gains of red, green, blue: 6 each                                        | how bright the background is|
| seed   | as cells                                                                      | cells for who holds nothing |
| contour| patch                                                                         | contours of the background  |
| outline| id 5, news, class, knot, width, past, patch                                   | an object and its contours  |
| link   | number, pose                                                                  | a mosaic's place in another |
| texture| id 5, version 2, columns and rows 4 each, then as cells                       | cells over a sprite's raster|

* scale: by a table, another for seeds.
* block: column, row, each equiprobable in the picture; columns and rows, by a table, as one symbol if they reach to the
  picture's border.
* levels - 1: equiprobable numbers below the model's levels.
* knot: age, x, y, height. age: steps of 0.1 s before the packet's time stamp; whether it is that of the element before,
  else which. x, y: pixels from 64 left of and above the picture on. width, height: sixteenths of an octave from 4
  pixels on, the width by how much more than the height.
* news: whether it is a known object, a new one, or a new one with a past: how much earlier, where from there, how
  much larger.
* patch: see `pantel_codec.contour_fields`.

Contours came later than the rest. A payload that tells any begins with a symbol of its own, and its kinds have other
probabilities. To who does not know that symbol it is `end`, and no payload without contours begins with it. The same
goes for payloads of a camera that moves: behind that symbol they tell where it looks (`pantel_codec.camera_fields`),
and their cells are those of a mosaic. And for payloads that tell textures: behind it they say whether the camera moves.

Noise is soon refused: a payload cannot carry more information than its bytes hold, and cannot tell more cells than a
picture has (`_MIN_CELLS` at least).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from pantel_codec.camera import CameraElement, LinkElement
from pantel_codec.camera_fields import read_camera, read_link, write_camera, write_link
from pantel_codec.cell_fields import CellFields
from pantel_codec.contour_fields import read_patch, write_patch
from pantel_codec.contours import MAX_CONTOUR_BITS
from pantel_codec.elements import (
    MAX_SPRITES,
    STEP_RANGE_PX,
    STEP_SIZES,
    CellElement,
    ContourElement,
    Element,
    ForgetElement,
    Knot,
    LookElement,
    MissingBase,
    OutlineElement,
    PoseElement,
    SpriteElement,
    StepElement,
    ToneElement,
)
from pantel_codec.entropy import EntropyModel
from pantel_codec.errors import BitstreamError, SymbolError
from pantel_codec.mosaic import Mosaics
from pantel_codec.range_coder import make_decoder, make_encoder
from pantel_codec.scene import outline_size_px
from pantel_codec.surface import Background, grid_of
from pantel_codec.symbol_coding import InformationBound
from pantel_codec.syntax_fields import (
    CLASSES,
    FIRST,
    KINDS_OF_MOVING_CAMERA,
    KINDS_WITH_CONTOURS,
    KINDS_WITH_TEXTURES,
    MARGINS,
    NEWS,
    FieldReader,
    FieldWriter,
)
from pantel_codec.texture import TextureElement
from pantel_codec.thumbnail import THUMBNAIL_SHAPES, Part, ThumbnailModel, shape_of
from pantel_codec.tone import TONE_LIMIT

__all__ = ["SceneSyntax"]

_END, _CELLS, _REFINE, _SPRITE, _LOOK, _POSE, _STEP, _FORGET, _TONE, _SEED, _CONTOUR, _OUTLINE, _LINK = range(13)
_TEXTURE = 13
_WITH_TEXTURES, _WITH_CONTOURS, _OF_MOVING_CAMERA = 1, 2, 3  # as the first symbol
_KNOWN, _NEW, _NEW_WITH_PAST = range(3)

_SLACK_BITS = 64.0  # a payload carries at most this much more information than its bytes can hold
_MIN_ELEMENT_BITS = 5.0  # no element carries less
_MIN_CELLS = 256  # even a small picture may have many sprites


class SceneSyntax:
    """Reads and writes payloads of one stream: picture size and entropy model are agreed beforehand."""

    def __init__(self, model: EntropyModel, thumbnails: ThumbnailModel, width_px: int, height_px: int) -> None:
        self.model = model
        self.thumbnails = thumbnails
        self._size_px = (width_px, height_px)
        self._cells = CellFields(model, width_px, height_px)
        self._max_cell_levels = max(math.prod(grid_of(width_px, height_px, 0)), _MIN_CELLS) * len(model.groups)

    def write(self, elements: Iterable[Element]) -> bytes:
        """Return the payload of these elements.

        Raises:
            SymbolError: A field is out of range, the elements tell more cells than a payload may, one that all can
                read stands behind cells that are refined, or contours take more bits than they may.
        """
        elements = list(elements)
        encoder = make_encoder()
        fields = FieldWriter(encoder, self._size_px)
        camera = elements[0] if elements and isinstance(elements[0], CameraElement) else None
        if any(isinstance(element, TextureElement) for element in elements):
            fields.symbol(_WITH_TEXTURES, FIRST)
            fields.kinds = KINDS_WITH_TEXTURES
            fields.uniform(int(camera is not None), 2)
        elif camera is not None:
            fields.symbol(_OF_MOVING_CAMERA, FIRST)
            fields.kinds = KINDS_OF_MOVING_CAMERA
        elif any(isinstance(element, ContourElement | OutlineElement) for element in elements):
            fields.symbol(_WITH_CONTOURS, FIRST)
            fields.kinds = KINDS_WITH_CONTOURS
        if camera is not None:
            fields.mosaic = camera.mosaic
            write_camera(fields, camera, self._size_px)
            del elements[0]
        room = self._max_cell_levels
        refined = False
        for element in elements:
            room -= _cell_levels(element)
            if room < 0:
                raise SymbolError("more cells than one payload may tell: send them in several")
            if refined > (refined := _is_refined(element)):
                raise SymbolError("cells that are refined come last")
            self._write_element(fields, element)
        fields.kind(_END)
        payload = encoder.to_bytes()
        # A final interval may hold a much shorter number, which the reader would take for too few bytes.
        return payload.ljust(math.ceil((encoder.information_bits - _SLACK_BITS) / 8), b"\0")

    def read(
        self, payload: bytes, background: Background | None = None, mosaics: Mosaics | None = None
    ) -> list[Element]:
        """Return the elements of a payload; bytes beyond its end are padding.

        Args:
            payload: What was received.
            background: What is held of the background; None if nothing. If cells are refined of which something else is
                held, the last element is a `MissingBase`.
            mosaics: The same of the mosaics.

        Raises:
            BitstreamError: The bytes are no payload of this stream.
        """
        fields = FieldReader(make_decoder(payload), self._size_px)
        bound = InformationBound(len(payload), _SLACK_BITS)
        room = self._max_cell_levels
        elements: list[Element] = []
        first = fields.symbol(FIRST)
        if first not in _KINDS:  # that was part of something else
            fields = FieldReader(make_decoder(payload), self._size_px)
        else:
            fields.kinds = _KINDS[first]
        if first == _OF_MOVING_CAMERA or (first == _WITH_TEXTURES and fields.uniform(2)):
            camera = read_camera(fields, self._size_px)
            fields.mosaic = camera.mosaic
            background = None if mosaics is None else mosaics.background(camera.mosaic)
            elements.append(camera)
        while (kind := fields.kind()) != _END:
            bound.spend(_MIN_ELEMENT_BITS)
            element = self._read_element(fields, kind, bound, room, background)
            elements.append(element)
            if isinstance(element, MissingBase):
                break
            room -= _cell_levels(element)
        return elements

    def _write_element(self, fields: FieldWriter, element: Element) -> None:
        match element:
            case CellElement():
                self._write_cells(fields, element)
            case TextureElement():
                fields.kind(_TEXTURE)
                self._cells.write_texture(fields, element)
            case ContourElement() | OutlineElement():
                before_bits = fields.encoder.information_bits
                self._write_contours(fields, element)
                if fields.encoder.information_bits - before_bits > MAX_CONTOUR_BITS:
                    raise SymbolError(f"contours of more than {MAX_CONTOUR_BITS} bits: take less, or a coarser raster")
            case LinkElement():
                if element.mosaic != fields.mosaic:
                    raise SymbolError("a link of another mosaic than the payload's")
                fields.kind(_LINK)
                write_link(fields, element, self._size_px)
            case MissingBase():
                raise SymbolError("cells that could not be read cannot be written")
            case CameraElement():
                raise SymbolError("where the camera looks is told once, at the beginning")
            case ToneElement(age_steps, gains):
                fields.kind(_TONE)
                fields.age(age_steps)
                for gain in gains:
                    fields.uniform(gain + TONE_LIMIT, 2 * TONE_LIMIT + 1)
            case _:
                self._write_of_sprite(fields, element)

    def _write_of_sprite(
        self, fields: FieldWriter, element: SpriteElement | LookElement | StepElement | PoseElement | ForgetElement
    ) -> None:
        match element:
            case SpriteElement():
                fields.kind(_SPRITE)
                self._write_sprite(fields, element)
            case LookElement(sprite_id, shape, thumbnail):
                fields.kind(_LOOK)
                fields.uniform(sprite_id, MAX_SPRITES)
                fields.uniform(shape, THUMBNAIL_SHAPES)
                fields.uniform(thumbnail.part, len(Part))
                self.thumbnails.write(fields.encoder, shape, thumbnail)
            case StepElement(sprite_id, age_steps, x, y, height_code):
                fields.kind(_STEP)
                fields.uniform(sprite_id, MAX_SPRITES)
                fields.age(age_steps)
                fields.uniform(x, STEP_RANGE_PX)
                fields.uniform(y, STEP_RANGE_PX)
                fields.uniform(height_code, STEP_SIZES)
            case PoseElement(sprite_id, knot):
                fields.kind(_POSE)
                fields.uniform(sprite_id, MAX_SPRITES)
                fields.knot(knot)
            case ForgetElement(sprite_id, age_steps):
                fields.kind(_FORGET)
                fields.uniform(sprite_id, MAX_SPRITES)
                fields.age(age_steps)

    def _read_element(
        self, fields: FieldReader, kind: int, bound: InformationBound, room: int, background: Background | None
    ) -> Element:
        if kind in _SHORT_READERS:
            return _SHORT_READERS[kind](fields)
        if kind in {_CELLS, _REFINE, _SEED}:
            return self._cells.read(fields, bound, room, background, seed=kind == _SEED, refined=kind == _REFINE)
        if kind == _TEXTURE:
            return self._cells.read_texture(fields, bound, room)
        readers: dict[int, Callable[[FieldReader, InformationBound], Element]] = {
            _SPRITE: self._read_sprite,
            _LOOK: self._read_look,
            _CONTOUR: self._read_contour,
            _OUTLINE: self._read_outline,
            _LINK: self._read_link,
        }
        return readers[kind](fields, bound)

    def _read_contour(self, fields: FieldReader, bound: InformationBound) -> ContourElement:
        return ContourElement(read_patch(fields, self._size_px, bound))

    def _read_link(self, fields: FieldReader, bound: InformationBound) -> LinkElement:
        del bound  # it is short
        if fields.mosaic is None:
            raise BitstreamError("a link of no mosaic: the bytes are damaged")
        return read_link(fields, fields.mosaic, self._size_px)

    def _read_look(self, fields: FieldReader, bound: InformationBound) -> LookElement:
        sprite_id, shape = fields.uniform(MAX_SPRITES), fields.uniform(THUMBNAIL_SHAPES)
        part = Part(fields.uniform(len(Part)))
        return LookElement(sprite_id, shape, self.thumbnails.read(fields.decoder, shape, part, bound))

    def _write_contours(self, fields: FieldWriter, element: ContourElement | OutlineElement) -> None:
        if isinstance(element, ContourElement):
            fields.kind(_CONTOUR)
            write_patch(fields, element.patch, self._size_px)
            return
        fields.kind(_OUTLINE)
        self._write_introduction(fields, element)
        if element.past is not None:
            fields.past(element.past, element.knot)
        write_patch(fields, element.patch, outline_size_px(element.width_code, element.knot.height_code))

    def _write_introduction(self, fields: FieldWriter, element: SpriteElement | OutlineElement) -> None:
        """Write what makes an object known, but for its past."""
        if element.past is not None and not element.new:
            raise SymbolError("only a new object is told with a past")
        fields.uniform(element.sprite_id, MAX_SPRITES)
        fields.symbol(_KNOWN if not element.new else _NEW if element.past is None else _NEW_WITH_PAST, NEWS)
        fields.symbol(element.class_id, CLASSES)
        fields.knot(element.knot)
        fields.width(element.width_code, element.knot.height_code, element.class_id)

    def _read_introduction(self, fields: FieldReader) -> tuple[int, int, int, Knot, int]:
        """Read it: id, news, class, knot and width."""
        sprite_id, news = fields.uniform(MAX_SPRITES), fields.symbol(NEWS)
        class_id = fields.symbol(CLASSES)
        knot = fields.knot()
        return sprite_id, news, class_id, knot, fields.width(knot.height_code, class_id)

    def _write_sprite(self, fields: FieldWriter, element: SpriteElement) -> None:
        if element.core.part is not Part.CORE:
            raise SymbolError("a sprite becomes known with the core of its thumbnail")
        self._write_introduction(fields, element)
        for margin in element.margins:
            fields.symbol(margin, MARGINS)
        if element.past is not None:
            fields.past(element.past, element.knot)
        shape = shape_of(element.width_code, element.knot.height_code)
        self.thumbnails.write(fields.encoder, shape, element.core)

    def _read_sprite(self, fields: FieldReader, bound: InformationBound) -> SpriteElement:
        sprite_id, news, class_id, knot, width_code = self._read_introduction(fields)
        left, above, right, below = (fields.symbol(MARGINS) for _ in range(4))
        past = fields.past(knot) if news == _NEW_WITH_PAST else None
        core = self.thumbnails.read(fields.decoder, shape_of(width_code, knot.height_code), Part.CORE, bound)
        margins = (left, above, right, below)
        return SpriteElement(sprite_id, news != _KNOWN, class_id, width_code, margins, knot, core, past)

    def _read_outline(self, fields: FieldReader, bound: InformationBound) -> OutlineElement:
        sprite_id, news, class_id, knot, width_code = self._read_introduction(fields)
        past = fields.past(knot) if news == _NEW_WITH_PAST else None
        patch = read_patch(fields, outline_size_px(width_code, knot.height_code), bound)
        return OutlineElement(sprite_id, news != _KNOWN, class_id, width_code, knot, patch, past)

    def _write_cells(self, fields: FieldWriter, element: CellElement) -> None:
        if element.seed and element.base is not None:
            raise SymbolError("a seed is for who holds nothing that could be refined")
        fields.kind(_SEED if element.seed else _CELLS if element.base is None else _REFINE)
        self._cells.write(fields, element)


def _is_refined(element: Element) -> bool:
    return isinstance(element, CellElement) and element.base is not None


def _cell_levels(element: Element) -> int:
    """Return how many levels of cells an element tells."""
    if not isinstance(element, CellElement | TextureElement):
        return 0
    block = element.update.block
    return block.rows * block.columns * element.update.levels


def _read_tone(fields: FieldReader) -> ToneElement:
    age_steps = fields.age()
    red, green, blue = (fields.uniform(2 * TONE_LIMIT + 1) - TONE_LIMIT for _ in range(3))
    return ToneElement(age_steps, (red, green, blue))


def _read_forget(fields: FieldReader) -> ForgetElement:
    return ForgetElement(fields.uniform(MAX_SPRITES), fields.age())


def _read_step(fields: FieldReader) -> StepElement:
    sprite_id, age_steps = fields.uniform(MAX_SPRITES), fields.age()
    x, y = (fields.uniform(STEP_RANGE_PX) for _ in range(2))
    return StepElement(sprite_id, age_steps, x, y, fields.uniform(STEP_SIZES))


def _read_pose(fields: FieldReader) -> PoseElement:
    return PoseElement(fields.uniform(MAX_SPRITES), fields.knot())


_KINDS = {
    _WITH_TEXTURES: KINDS_WITH_TEXTURES,
    _WITH_CONTOURS: KINDS_WITH_CONTOURS,
    _OF_MOVING_CAMERA: KINDS_OF_MOVING_CAMERA,
}

_SHORT_READERS: dict[int, Callable[[FieldReader], Element]] = {
    _POSE: _read_pose,
    _STEP: _read_step,
    _TONE: _read_tone,
    _FORGET: _read_forget,
}

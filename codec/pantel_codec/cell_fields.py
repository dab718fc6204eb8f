"""How cells are written and read: which ones, how finely, for themselves or by what they were, their residuals."""

from __future__ import annotations

from pantel_codec.camera import mosaic_size_px
from pantel_codec.coding_table import CodingTable
from pantel_codec.context import Base
from pantel_codec.elements import MAX_SPRITES, CellElement, MissingBase
from pantel_codec.entropy import EntropyModel
from pantel_codec.errors import BitstreamError, SymbolError
from pantel_codec.surface import CELL_PX, SCALES, Background, Block, CellUpdate, grid_of
from pantel_codec.symbol_coding import InformationBound, Reader, Writer
from pantel_codec.syntax_fields import (
    BASE_QUALITIES,
    CELL_SCALES,
    QUALITIES,
    SEED_SCALES,
    FieldReader,
    FieldWriter,
)
from pantel_codec.texture import TEXTURE_SIDES, TextureElement
from pantel_codec.thumbnail import THUMBNAIL_VERSIONS

__all__ = ["CellFields"]

_CHECKSUMS = 256

_Grids = tuple[tuple[int, int], ...]  # rows and columns of cells at each scale


class CellFields:
    """Fields of cells of one stream's pictures, mosaics and textures."""

    def __init__(self, model: EntropyModel, width_px: int, height_px: int) -> None:
        self._model = model
        self._grids = _grids(width_px, height_px)
        self._mosaic_grids = _grids(*mosaic_size_px(width_px, height_px))

    def write(self, fields: FieldWriter, element: CellElement) -> None:
        """Write all of cells but the kind of their element.

        Raises:
            SymbolError: They do not fit.
        """
        if element.mosaic != fields.mosaic:
            raise SymbolError("cells of another mosaic than the payload's")
        scales = SEED_SCALES if element.seed else CELL_SCALES
        self._write(fields, element.update, element.base, self._grids_of(fields.mosaic), scales)

    def read(
        self,
        fields: FieldReader,
        bound: InformationBound,
        room: int,
        background: Background | None,
        *,
        seed: bool = False,
        refined: bool = False,
    ) -> CellElement | MissingBase:
        """Read what `write` wrote.

        Args:
            fields: Reads them.
            bound: What the payload can hold.
            room: How many levels of cells it may still tell.
            background: What is held of what the cells are of; None if nothing is.
            seed: Whether they are told as a seed.
            refined: Whether they are told by what they were.

        Raises:
            BitstreamError: The bytes are damaged.
        """
        scales = SEED_SCALES if seed else CELL_SCALES
        block, scale = self._read_block(fields, self._grids_of(fields.mosaic), scales)
        quality, levels = self._read_fineness(fields, block, room)
        base = None
        if refined:
            told = fields.symbol(BASE_QUALITIES), fields.uniform(_CHECKSUMS)
            base = background.scales[scale].base(block) if background is not None and self._model.refines else None
            if base is None or told != (base.quality, base.checksum) or base.level.max() > levels:
                return MissingBase(block)
        reader = Reader(self._model, fields.decoder, bound)
        try:
            values = self._model.walk(block.rows, block.columns, quality, levels, reader, base=base)
        except BitstreamError:
            if base is None:
                raise
            return MissingBase(block)  # one wrong base in 256 has the right checksum
        return CellElement(CellUpdate(block, quality, levels, values, scale), seed, base, fields.mosaic)

    def write_texture(self, fields: FieldWriter, element: TextureElement) -> None:
        """Write all of a texture but the kind of its element.

        Raises:
            SymbolError: It does not fit.
        """
        fields.uniform(element.sprite_id, MAX_SPRITES)
        fields.uniform(element.version, THUMBNAIL_VERSIONS)
        fields.uniform(element.columns - 1, TEXTURE_SIDES)
        fields.uniform(element.rows - 1, TEXTURE_SIDES)
        self._write(fields, element.update, None, _grids(*element.size_px), CELL_SCALES)

    def read_texture(self, fields: FieldReader, bound: InformationBound, room: int) -> TextureElement:
        """Read what `write_texture` wrote.

        Args:
            fields: Reads it.
            bound: What the payload can hold.
            room: How many levels of cells it may still tell.

        Raises:
            BitstreamError: The bytes are damaged.
        """
        sprite_id, version = fields.uniform(MAX_SPRITES), fields.uniform(THUMBNAIL_VERSIONS)
        columns, rows = (1 + fields.uniform(TEXTURE_SIDES) for _ in range(2))
        block, scale = self._read_block(fields, _grids(columns * CELL_PX, rows * CELL_PX), CELL_SCALES)
        quality, levels = self._read_fineness(fields, block, room)
        reader = Reader(self._model, fields.decoder, bound)
        values = self._model.walk(block.rows, block.columns, quality, levels, reader)
        return TextureElement(sprite_id, version, columns, rows, CellUpdate(block, quality, levels, values, scale))

    def _write(
        self, fields: FieldWriter, update: CellUpdate, base: Base | None, grids: _Grids, scales: CodingTable
    ) -> None:
        block = update.block
        if update.values.shape != (self._model.channels, block.rows, block.columns):
            raise SymbolError(f"values of shape {update.values.shape} are not those of {block}")
        if not 0 <= update.scale < SCALES:
            raise SymbolError(f"{update.scale} is none of {SCALES} scales")
        rows, columns = grids[update.scale]
        fields.symbol(update.scale, scales)
        fields.uniform(block.column, columns)
        fields.uniform(block.row, rows)
        fields.side(block.columns, columns - block.column)
        fields.side(block.rows, rows - block.row)
        fields.symbol(update.quality, QUALITIES)
        fields.uniform(update.levels - 1, len(self._model.groups))
        if base is not None:
            fields.symbol(base.quality, BASE_QUALITIES)
            fields.uniform(base.checksum, _CHECKSUMS)
        writer = Writer(self._model, update.values, fields.encoder)
        self._model.walk(block.rows, block.columns, update.quality, update.levels, writer, base=base)

    def _read_block(self, fields: FieldReader, grids: _Grids, scales: CodingTable) -> tuple[Block, int]:
        """Read which cells are told, and of which scale."""
        scale = fields.symbol(scales)
        rows, columns = grids[scale]
        column, row = fields.uniform(columns), fields.uniform(rows)
        width = fields.side(columns - column)
        return Block(column, row, width, fields.side(rows - row)), scale

    def _read_fineness(self, fields: FieldReader, block: Block, room: int) -> tuple[int, int]:
        """Read at which quality they are told, and how many levels of them."""
        quality = fields.symbol(QUALITIES)
        if quality >= self._model.qualities:
            raise BitstreamError(f"quality {quality} does not exist: the bytes are damaged")
        levels = 1 + fields.uniform(len(self._model.groups))
        if block.columns * block.rows * levels > room:
            raise BitstreamError("more cells than one payload may tell: the bytes are damaged")
        return quality, levels

    def _grids_of(self, mosaic: int | None) -> _Grids:
        """Return the rows and columns of cells of a mosaic, or of the background before all mosaics, at each scale."""
        return self._grids if mosaic is None else self._mosaic_grids


def _grids(width_px: int, height_px: int) -> _Grids:
    return tuple(grid_of(width_px, height_px, scale) for scale in range(SCALES))

"""How cells are written and read: which ones, how finely, for themselves or by what they were, their residuals."""

from __future__ import annotations

from pantel_codec.camera import mosaic_size_px
from pantel_codec.elements import CellElement, MissingBase
from pantel_codec.entropy import EntropyModel
from pantel_codec.errors import BitstreamError, SymbolError
from pantel_codec.surface import SCALES, Background, Block, CellUpdate, grid_of
from pantel_codec.symbol_coding import InformationBound, Reader, Writer
from pantel_codec.syntax_fields import (
    BASE_QUALITIES,
    CELL_SCALES,
    QUALITIES,
    SEED_SCALES,
    FieldReader,
    FieldWriter,
)

__all__ = ["CellFields"]

_CHECKSUMS = 256


class CellFields:
    """Fields of cells of one stream's pictures and mosaics."""

    def __init__(self, model: EntropyModel, width_px: int, height_px: int) -> None:
        self._model = model
        self._grids = tuple(grid_of(width_px, height_px, scale) for scale in range(SCALES))
        self._mosaic_grids = tuple(grid_of(*mosaic_size_px(width_px, height_px), scale) for scale in range(SCALES))

    def write(self, fields: FieldWriter, element: CellElement) -> None:
        """Write all of cells but the kind of their element.

        Raises:
            SymbolError: They do not fit.
        """
        update, base = element.update, element.base
        block = update.block
        if update.values.shape != (self._model.channels, block.rows, block.columns):
            raise SymbolError(f"values of shape {update.values.shape} are not those of {block}")
        if element.mosaic != fields.mosaic:
            raise SymbolError("cells of another mosaic than the payload's")
        rows, columns = self._grid(fields.mosaic, update.scale)
        fields.symbol(update.scale, SEED_SCALES if element.seed else CELL_SCALES)
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
        scale = fields.symbol(SEED_SCALES if seed else CELL_SCALES)
        rows, columns = self._grid(fields.mosaic, scale)
        column = fields.uniform(columns)
        row = fields.uniform(rows)
        width = fields.side(columns - column)
        height = fields.side(rows - row)
        block = Block(column, row, width, height)
        quality = fields.symbol(QUALITIES)
        if quality >= self._model.qualities:
            raise BitstreamError(f"quality {quality} does not exist: the bytes are damaged")
        levels = 1 + fields.uniform(len(self._model.groups))
        if width * height * levels > room:
            raise BitstreamError("more cells than one payload may tell: the bytes are damaged")
        base = None
        if refined:
            told = fields.symbol(BASE_QUALITIES), fields.uniform(_CHECKSUMS)
            base = background.scales[scale].base(block) if background is not None and self._model.refines else None
            if base is None or told != (base.quality, base.checksum) or base.level.max() > levels:
                return MissingBase(block)
        reader = Reader(self._model, fields.decoder, bound)
        try:
            values = self._model.walk(height, width, quality, levels, reader, base=base)
        except BitstreamError:
            if base is None:
                raise
            return MissingBase(block)  # one wrong base in 256 has the right checksum
        return CellElement(CellUpdate(block, quality, levels, values, scale), seed, base, fields.mosaic)

    def _grid(self, mosaic: int | None, scale: int) -> tuple[int, int]:
        """Return the rows and columns of cells of a mosaic, or of the background before all mosaics."""
        return self._grids[scale] if mosaic is None else self._mosaic_grids[scale]

"""Textures: cells over the raster of a sprite, which show more of it than a thumbnail can.

A thumbnail has so many coefficients, however many bits there are. Where it has told what it can, cells of a raster of
the sprite's own go on, as those of the background do: the sprite keeps the mask of its thumbnail, and takes its colours
from the cells as far as any were told. A texture belongs to one core; with the next one it is gone.
"""

from __future__ import annotations

from dataclasses import dataclass

from pantel_codec.scene import Sprite
from pantel_codec.surface import CELL_PX, Background, CellUpdate

__all__ = ["TEXTURE_SIDES", "TextureElement", "apply_texture"]

TEXTURE_SIDES = 16
"""A texture has at most so many cells in a row, or in a column."""


@dataclass(frozen=True, slots=True, eq=False)
class TextureElement:
    """Cells of a known sprite's texture.

    Attributes:
        sprite_id: Below `MAX_SPRITES`.
        version: Of the core that they belong to.
        columns, rows: Of the whole texture, up to `TEXTURE_SIDES`; it covers the raster of the sprite.
        update: The cells.
    """

    sprite_id: int
    version: int
    columns: int
    rows: int
    update: CellUpdate

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the texture."""
        return self.columns * CELL_PX, self.rows * CELL_PX


def apply_texture(sprite: Sprite, element: TextureElement, groups: tuple[int, ...], time_ns: int) -> int:
    """Apply cells to a sprite and return how many of them changed; none if they belong to another look.

    Args:
        sprite: What is known of it.
        element: The cells; of no use if the sprite has a look of a later time, or a texture of another size does.
        groups: Channels of each refinement level.
        time_ns: When they were captured.

    Raises:
        SymbolError: They do not fit their texture.
    """
    if element.version != sprite.core.version or time_ns < sprite.look_ns:
        return 0
    texture = sprite.texture
    if texture is None or (texture.width_px, texture.height_px) != element.size_px:
        if texture is not None and max(int(surface.time_ns.max()) for surface in texture.scales) > time_ns:
            return 0
        texture = sprite.texture = Background(*element.size_px, groups)
    return texture.apply(element.update, time_ns)

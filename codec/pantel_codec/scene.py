"""The scene that sender and receiver share: background, sprites and their poses.

```
Scene
 +-- background: Background     what does not move, in cells
 +-- mosaics: Mosaics           the same while the camera looks around
 +-- tone: ToneCurve            how bright that is at which time
 +-- sprites: id -> Sprite
 |    +-- core, detail: Thumbnail   what it looks like
 |    +-- texture: Background       the same in cells, where there was air for more
 |    +-- trajectory: Trajectory    where it was, and how large, at which time
 +-- drawing: Drawing               contours of what does not move
 +-- outlines: id -> Outline
      +-- drawing: Drawing          contours of an object
      +-- trajectory: Trajectory    as of a sprite
```

Nothing here reads a clock: whoever applies an element says when it was captured. The background shows what was told
last; sprites can be asked where they were at any time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pantel_codec.contours import Drawing
from pantel_codec.mosaic import Mosaics
from pantel_codec.surface import Background
from pantel_codec.thumbnail import Thumbnail, shape_of
from pantel_codec.tone import ToneCurve
from pantel_codec.trajectory import Trajectory, size_px

__all__ = [
    "LOOK_AGE_NS",
    "MARGINS",
    "OUTLINE_MARGIN",
    "Appearance",
    "Margins",
    "Outline",
    "Scene",
    "Sprite",
    "outline_size_px",
]

MARGINS = (0.08, 0.3, 0.6, 1.0)
"""By how much a thumbnail's raster can be larger than its object on one side, as shares of the object's side."""

Margins = tuple[int, int, int, int]
"""Indices of `MARGINS`: left, top, right, bottom."""

OUTLINE_MARGIN = 1 / 16
"""By how much the raster of an object's contours is larger than the object on every side, as a share of that side."""


LOOK_AGE_NS = 550_000_000
"""About how old what a packet tells of a sprite's look is at the packet's time stamp."""

_MOST_LOOKS = 32


@dataclass(frozen=True, slots=True, eq=False)
class Appearance:
    """How a sprite looked at a time; attributes are those of `Sprite`."""

    width_code: int
    height_code: int
    margins: Margins
    core: Thumbnail
    detail: Thumbnail | None
    texture: Background | None
    look_ns: int

    @property
    def shape(self) -> int:
        """Tall, square or wide, see `shape_of`."""
        return shape_of(self.width_code, self.height_code)


@dataclass(slots=True, eq=False)
class Sprite:
    """A tracked object with an appearance of its own.

    Attributes:
        class_id: What it is: 0 if that is not known, else one more than its number among COCO's 80 classes.
        width_code: Width of the object when it was told, see `trajectory.size_px`.
        height_code: Its height.
        margins: By how much the thumbnail's raster is larger than the object on the left, above, on the right and
            below: indices of `MARGINS`. It holds what belongs to the object, such as its shadow.
        core: What it looks like.
        detail: The rest of what it looks like, of the same version; None while that is not known.
        texture: What cells show of it, see `pantel_codec.texture`; None while none are known.
        look_ns: Time stamp of the packet that told how it looks.
        trajectory: Where it was when.
        earlier: How it looked before, the newest last.
    """

    class_id: int
    width_code: int
    height_code: int
    margins: Margins
    core: Thumbnail
    look_ns: int
    trajectory: Trajectory = field(default_factory=Trajectory)
    detail: Thumbnail | None = None
    texture: Background | None = None
    earlier: list[Appearance] = field(default_factory=list)

    @property
    def shape(self) -> int:
        """Tall, square or wide, see `shape_of`."""
        return shape_of(self.width_code, self.height_code)

    @property
    def newest(self) -> Appearance:
        """How it looked last."""
        return Appearance(
            self.width_code, self.height_code, self.margins, self.core, self.detail, self.texture, self.look_ns
        )

    def keep(self, known: Sprite) -> None:
        """Remember how the same object looked before."""
        self.earlier = [*known.earlier, known.newest][-_MOST_LOOKS:]

    def at(self, time_ns: int) -> Appearance:
        """Return how it looked at the time nearest to a time of capture, of equally near ones at the later."""
        looks = (self.newest, *reversed(self.earlier))
        return min(looks, key=lambda look: abs(look.look_ns - LOOK_AGE_NS - time_ns))


def outline_size_px(width_code: int, height_code: int) -> tuple[float, float]:
    """Return the width and height of the area over which an object's contours are drawn [px].

    Raises:
        SymbolError: One is no code of a size.
    """
    scale = 1 + 2 * OUTLINE_MARGIN  # exact, and so is the product: rasters must not differ between machines
    return scale * size_px(width_code), scale * size_px(height_code)


@dataclass(slots=True, eq=False)
class Outline:
    """A tracked object of which contours are known.

    Attributes:
        class_id: What it is, see `Sprite`.
        width_code: Width of the object when it was told, see `trajectory.size_px`.
        height_code: Its height.
        told_ns: When contours were told last.
        drawing: Its contours, over its box and `OUTLINE_MARGIN` around it.
        trajectory: Where it was when.
    """

    class_id: int
    width_code: int
    height_code: int
    told_ns: int
    drawing: Drawing
    trajectory: Trajectory = field(default_factory=Trajectory)


class Scene:
    """All that a receiver knows of what a camera sees.

    Attributes:
        width_px, height_px: Size of the picture.
        groups: Channels of each refinement level.
        background: What does not move.
        mosaics: The same, since the camera moves.
        tone: How bright the background is, compared with how it was told.
        sprites: Tracked objects by id, as they look.
        drawing: Contours of what does not move.
        outlines: Tracked objects by id, as they are drawn; one may be a sprite as well.
    """

    def __init__(self, width_px: int, height_px: int, groups: tuple[int, ...]) -> None:
        self.width_px = width_px
        self.height_px = height_px
        self.groups = groups
        self.background = Background(width_px, height_px, groups)
        self.mosaics = Mosaics(width_px, height_px, groups)
        self.tone = ToneCurve()
        self.sprites: dict[int, Sprite] = {}
        self.drawing = Drawing(width_px, height_px)
        self.outlines: dict[int, Outline] = {}

    def forget(self, time_ns: int) -> None:
        """Drop the objects that will not be seen at this time or later, unless more is told of them."""
        for objects in (self.sprites, self.outlines):
            for sprite_id in [key for key, known in objects.items() if known.trajectory.forgotten(time_ns)]:
                del objects[sprite_id]

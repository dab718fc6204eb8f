"""Draws a scene as it was at a time: as a picture, or as lines where nothing but contours was told."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pantel_codec import CELL_PX, NEVER, Appearance, Background, Drawing, Outline, Scene, Sight, Sprite, Thumbnail
from pantel_device.frame import Box
from pantel_device.rendering.composition import paste, place, pose_box, raster_box
from pantel_device.rendering.exposure import exposed
from pantel_device.rendering.layers import LayerPainter, told_ns
from pantel_device.rendering.line_drawing import draw_lines, lines_of, outline_area, placed, silhouette
from pantel_device.rendering.textured_look import textured
from pantel_models import SceneCodec
from pantel_models.thumbnails import Look

__all__ = ["Renderer", "Rendering", "ShownObject"]

_PAPER = (250, 248, 242)
_PENCIL = (128, 128, 132)  # what does not move
_INK = (12, 12, 24)  # objects
_BACKGROUND = -1  # is no id of an object


@dataclass(frozen=True, slots=True)
class ShownObject:
    """An object in a picture.

    Attributes:
        sprite_id: Its id in the stream; another object may have it later.
        class_id: What it is, see `pantel_codec.Sprite`.
        box: Where it is shown.
        looks_ns: When it looked as it is shown.
        known_ns: Capture time of the newest pose that was told; before the picture's time where it is only expected.
    """

    sprite_id: int
    class_id: int
    box: Box
    looks_ns: int
    known_ns: int


@dataclass(frozen=True, slots=True, eq=False)
class Rendering:
    """A picture of a scene.

    Attributes:
        pixels: (H, W, 3) uint8, RGB.
        objects: What is shown in front of the background, the farthest first.
        cell_age_s: (rows, columns) float32: how much older than the picture each cell of the background is [s]; 0 for
            cells that are newer and for blank paper, inf for those that were never received and are only painted.
    """

    pixels: NDArray[np.uint8]
    objects: tuple[ShownObject, ...]
    cell_age_s: NDArray[np.float32]


@dataclass(slots=True, eq=False)
class _KnownLook:
    """How a sprite looks, and what that was made of.

    Attributes:
        core, detail: Its thumbnail.
        plain: How that looks.
        look: With the texture.
        texture: That, and in which state.
    """

    core: Thumbnail
    detail: Thumbnail | None
    plain: Look
    look: Look
    texture: tuple[Background, int] | None = None


class Renderer:
    """Draws one scene.

    The generator runs only when the background has changed; for every picture what a moving camera has left behind is
    laid where it belongs, and the sprites are warped to their places and blended over it. What stands lower in the
    picture is nearer, so it hides what stands higher.

    Contours are drawn over that as lines, those of objects in a stronger ink. Where nothing but contours was told they
    are drawn on paper, and an object hides what its own enclose.
    """

    def __init__(self, codec: SceneCodec, scene: Scene) -> None:
        self._codec = codec
        self._scene = scene
        self._size_px = scene.width_px, scene.height_px
        self._painter = LayerPainter(codec)
        self._looks: dict[int, _KnownLook] = {}
        self._lines: dict[int, tuple[Drawing, int, NDArray[np.float32]]] = {}

    def draw(self, time_ns: int) -> Rendering:
        """Return the picture at a time of capture; mid-grey where nothing at all is known."""
        scene = self._scene
        sight = scene.mosaics.sight(scene.background, time_ns)
        shown_ns = told_ns(sight, self._size_px)
        on_paper = not (shown_ns > NEVER).any() and bool(scene.drawing.patches or scene.outlines)
        picture = self._paper() if on_paper else self._painted(sight, time_ns)
        draw_lines(picture, self._lines_of(_BACKGROUND, scene.drawing), _PENCIL)
        objects = self._visible(time_ns)
        for shown in objects:
            sprite, outline = scene.sprites.get(shown.sprite_id), scene.outlines.get(shown.sprite_id)
            if sprite is not None and not on_paper:
                seen = sprite.at(time_ns)
                look = self._look(shown.sprite_id, sprite.class_id, seen)
                paste(picture, place(look, raster_box(shown.box, seen.margins), self._size_px))
            if outline is not None:
                lines = placed(
                    self._lines_of(shown.sprite_id, outline.drawing), outline.drawing, outline_area(shown.box)
                )
                if on_paper:
                    window, enclosed = silhouette(lines, self._size_px)
                    picture[window][enclosed] = _PAPER
                draw_lines(picture, lines, _INK)
        if on_paper:
            shown_ns = _drawn_ns(scene.drawing, shown_ns.shape, time_ns)
        return Rendering(picture, objects, _age_s(shown_ns, time_ns))

    def _paper(self) -> NDArray[np.uint8]:
        return np.full((self._size_px[1], self._size_px[0], 3), _PAPER, np.uint8)

    def _painted(self, sight: Sight, time_ns: int) -> NDArray[np.uint8]:
        """Return the background as its cells show it."""
        return exposed(self._painter.paint(sight, self._size_px), self._scene.tone.at(time_ns)).copy()

    def _visible(self, time_ns: int) -> tuple[ShownObject, ...]:
        """Return the objects that are seen; of one that is a sprite and an outline, where the sprite is."""
        objects = []
        known_objects: dict[int, Sprite | Outline] = {**self._scene.outlines, **self._scene.sprites}
        for sprite_id, known in known_objects.items():
            pose = known.trajectory.at(time_ns)
            if pose is not None:
                seen = known.at(time_ns) if isinstance(known, Sprite) else known
                box = pose_box(pose, seen.width_code, seen.height_code)
                known_ns = known.trajectory.knots[-1].time_ns
                looks_ns = seen.told_ns if isinstance(seen, Outline) else seen.look_ns
                objects.append(ShownObject(sprite_id, known.class_id, box, looks_ns, known_ns))
        return tuple(sorted(objects, key=lambda shown: shown.box.y1))

    def _lines_of(self, key: int, drawing: Drawing) -> NDArray[np.float32]:
        """Return the lines of a drawing, made once for every change."""
        known = self._lines.get(key)
        if known is None or known[0] is not drawing or known[1] != drawing.revision:
            known = self._lines[key] = drawing, drawing.revision, lines_of(drawing)
        return known[2]

    def _look(self, sprite_id: int, class_id: int, seen: Appearance) -> Look:
        """Return how a sprite looks, decoded once for every thumbnail and every change of its texture."""
        known = self._looks.get(sprite_id)
        if known is None or known.core is not seen.core or known.detail is not seen.detail:
            plain = self._codec.thumbnails.decode(seen.core, seen.detail, seen.shape, class_id)
            known = self._looks[sprite_id] = _KnownLook(seen.core, seen.detail, plain, plain)
        texture = None if seen.texture is None else (seen.texture, seen.texture.revision)
        if known.texture != texture:
            known.texture = texture
            known.look = known.plain if texture is None else textured(self._codec, known.plain, texture[0])
        return known.look


def _drawn_ns(drawing: Drawing, shape: tuple[int, ...], now_ns: int) -> NDArray[np.int64]:
    """Return (rows, columns) of cells: when the contours were told that are drawn at their centres.

    Blank paper is not made up, and never old: it has the time now.
    """
    drawn_ns = np.full(shape, now_ns)
    for time_ns, patch in drawing.patches:
        left, upper, right, lower = (math.ceil(edge / CELL_PX - 0.5) for edge in patch.edges_px)
        drawn_ns[upper:lower, left:right] = time_ns
    return drawn_ns


def _age_s(told_ns: NDArray[np.int64], time_ns: int) -> NDArray[np.float32]:
    known = told_ns > NEVER
    age_s = np.maximum(time_ns - np.where(known, told_ns, time_ns), 0) / 1e9
    return np.where(known, age_s, np.inf).astype(np.float32)

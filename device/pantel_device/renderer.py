"""Draws a scene as it was at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pantel_codec import NEVER, Background, Scene, Sprite, Thumbnail
from pantel_device.composition import paste, place, pose_box, raster_box
from pantel_device.exposure import exposed
from pantel_device.frame import Box
from pantel_models import SceneCodec
from pantel_models.thumbnails import Look

__all__ = ["Renderer", "Rendering", "ShownObject"]


@dataclass(frozen=True, slots=True)
class ShownObject:
    """A sprite in a picture.

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
        objects: The sprites in it, the farthest first.
        cell_age_s: (rows, columns) float32: how much older than the picture each cell of the background is [s]; 0 for
            cells that are newer, inf for those that were never received and are only painted.
    """

    pixels: NDArray[np.uint8]
    objects: tuple[ShownObject, ...]
    cell_age_s: NDArray[np.float32]


class Renderer:
    """Draws one scene.

    The generator runs only when the background has changed; for every picture the sprites are warped to their places
    and blended over it. What stands lower in the picture is nearer, so it hides what stands higher.
    """

    def __init__(self, codec: SceneCodec, scene: Scene) -> None:
        self._codec = codec
        self._scene = scene
        self._revision = -1
        self._background = np.zeros((0, 0, 3), np.uint8)
        self._looks: dict[int, tuple[Thumbnail, Thumbnail | None, Look]] = {}

    def draw(self, time_ns: int) -> Rendering:
        """Return the picture at a time of capture; mid-grey where nothing at all is known."""
        scene = self._scene
        if self._revision != scene.background.revision:
            self._background = self._codec.synthesise(scene.background)
            self._revision = scene.background.revision
        picture = exposed(self._background, scene.tone.at(time_ns)).copy()
        objects = self._visible(time_ns)
        for shown in objects:
            sprite = scene.sprites[shown.sprite_id]
            look = self._look(shown.sprite_id, sprite)
            paste(picture, place(look, raster_box(shown.box, sprite.margins), (scene.width_px, scene.height_px)))
        return Rendering(picture, objects, _cell_age_s(scene.background, time_ns))

    def _visible(self, time_ns: int) -> tuple[ShownObject, ...]:
        objects = []
        for sprite_id, sprite in self._scene.sprites.items():
            pose = sprite.trajectory.at(time_ns)
            if pose is not None:
                box = pose_box(pose, sprite.width_code, sprite.height_code)
                known_ns = sprite.trajectory.knots[-1].time_ns
                objects.append(ShownObject(sprite_id, sprite.class_id, box, sprite.look_ns, known_ns))
        return tuple(sorted(objects, key=lambda shown: shown.box.y1))

    def _look(self, sprite_id: int, sprite: Sprite) -> Look:
        """Return how a sprite looks, decoded once for every thumbnail."""
        known = self._looks.get(sprite_id)
        if known is None or known[0] is not sprite.core or known[1] is not sprite.detail:
            look = self._codec.thumbnails.decode(sprite.core, sprite.detail, sprite.shape, sprite.class_id)
            known = sprite.core, sprite.detail, look
            self._looks[sprite_id] = known
        return known[2]


def _cell_age_s(background: Background, time_ns: int) -> NDArray[np.float32]:
    shown_ns = background.shown_ns()
    known = shown_ns > NEVER
    age_s = np.maximum(time_ns - np.where(known, shown_ns, time_ns), 0) / 1e9
    return np.where(known, age_s, np.inf).astype(np.float32)

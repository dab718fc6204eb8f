"""Elements: what one scene payload can say, and what each does to a scene."""

from __future__ import annotations

from dataclasses import dataclass

from pantel_codec.scene import CellUpdate, Pose, Scene, Sprite, Surface

__all__ = [
    "AGE_STEP_NS",
    "CellElement",
    "Element",
    "ForgetElement",
    "ObjectElement",
    "PoseElement",
    "Raster",
    "apply_element",
]

AGE_STEP_NS = 100_000_000
"""Poses count their age in steps of 0.1 s."""

_UNKNOWN_CLASS = 0


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


def apply_element(scene: Scene, element: Element, time_ns: int) -> int:
    """Apply an element to a scene; return how many cells or objects changed.

    What names a sprite that is not known is dropped, except its cells: they make it known with class 0.

    Args:
        scene: What is known so far.
        element: What is new.
        time_ns: When it was captured.

    Raises:
        SymbolError: The element does not fit the scene; elements that `SceneSyntax` has read for it do.
    """
    match element:
        case CellElement(update, raster):
            surface = scene.background if raster is None else _sprite(scene, raster, _UNKNOWN_CLASS).surface
            return surface.apply(update, time_ns)
        case ObjectElement(raster, class_id):
            _sprite(scene, raster, class_id).class_id = class_id
            return 1
        case PoseElement():
            sprite = scene.sprites.get(element.sprite_id)
            if sprite is None:
                return 0
            when_ns = time_ns - element.age_steps * AGE_STEP_NS
            sprite.add_pose(Pose(when_ns, element.x, element.y, element.width, element.height))
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

"""Elements: what one scene payload can say, and what each does to a scene."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pantel_codec.camera import CameraElement, LinkElement
from pantel_codec.context import Base
from pantel_codec.contours import ContourPatch, Drawing
from pantel_codec.scene import Margins, Outline, Scene, Sprite, outline_size_px
from pantel_codec.surface import Block, CellUpdate
from pantel_codec.texture import TextureElement, apply_texture
from pantel_codec.thumbnail import Part, Thumbnail
from pantel_codec.tone import TONE_STEPS_PER_OCTAVE, Tone
from pantel_codec.trajectory import SIZE_CODES, Pose, Trajectory, size_code, size_px

__all__ = [
    "AGE_STEP_NS",
    "MAX_SPRITES",
    "PAST_RANGE_PX",
    "PAST_RANGE_SIZES",
    "STEP_RANGE_PX",
    "STEP_SIZES",
    "CellElement",
    "ContourElement",
    "Element",
    "ForgetElement",
    "Knot",
    "LookElement",
    "MissingBase",
    "OutlineElement",
    "PoseElement",
    "SpriteElement",
    "StepElement",
    "ToneElement",
    "apply_element",
    "completed_knot",
]

AGE_STEP_NS = 100_000_000
"""Knots count their age in steps of 0.1 s."""

MAX_SPRITES = 32
"""A sprite's id is below this."""

PAST_RANGE_PX = 63
"""A new object's earlier knot is at most so far away, in x and in y."""

PAST_RANGE_SIZES = 15
"""Its size is at most so many codes away."""

STEP_RANGE_PX = 64
"""Steps tell positions modulo this."""

STEP_SIZES = 16
"""Steps tell sizes modulo this."""


@dataclass(frozen=True, slots=True, eq=False)
class CellElement:
    """New cells of the background.

    Attributes:
        update: The cells.
        seed: Whether they are meant only for who holds nothing of them, having joined late or missed them.
        base: What the cells were before, if they are told by how they differ from that; None if for themselves.
        mosaic: Number of the mosaic that they are cells of; None if of the background before all mosaics.
    """

    update: CellUpdate
    seed: bool = False
    base: Base | None = None
    mosaic: int | None = None


@dataclass(frozen=True, slots=True)
class MissingBase:
    """Cells told by how they differ from what was never received: nothing from there on can be read.

    Attributes:
        block: The cells.
    """

    block: Block


@dataclass(frozen=True, slots=True)
class Knot:
    """A pose `age_steps` of 0.1 s before the packet's time stamp: centre [px], code of the height."""

    age_steps: int
    x: int
    y: int
    height_code: int


@dataclass(frozen=True, slots=True, eq=False)
class SpriteElement:
    """What a sprite is, how it looks, and a knot of its trajectory.

    Attributes:
        sprite_id: Below `MAX_SPRITES`.
        new: Whether it is another object than the one that had this id before.
        class_id: See `Sprite`.
        width_code, margins: See `Sprite`.
        knot: Where it was when it looked so.
        core: How it looked.
        past: An earlier knot of a new object, so that it has a velocity; not farther than `PAST_RANGE_PX` and
            `PAST_RANGE_SIZES` away.
    """

    sprite_id: int
    new: bool
    class_id: int
    width_code: int
    margins: Margins
    knot: Knot
    core: Thumbnail
    past: Knot | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LookElement:
    """How a known sprite looks now, or more of how it looks; its raster keeps the proportions it was told with.

    Attributes:
        sprite_id: Below `MAX_SPRITES`.
        shape: Of its raster, see `shape_of`: the symbols can be read by who does not know the sprite.
        thumbnail: A new core, or detail of the core that the sprite has.
    """

    sprite_id: int
    shape: int
    thumbnail: Thumbnail


@dataclass(frozen=True, slots=True, eq=False)
class ContourElement:
    """Contours of a part of the background.

    Attributes:
        patch: On a raster over the picture.
    """

    patch: ContourPatch


@dataclass(frozen=True, slots=True, eq=False)
class OutlineElement:
    """What an object is, contours of it, and a knot of its trajectory.

    Attributes:
        sprite_id, new, class_id, width_code, knot, past: See `SpriteElement`.
        patch: On a raster over the object, see `outline_size_px`. It joins those that were told of the same object with
            the same width and height; others are dropped.
    """

    sprite_id: int
    new: bool
    class_id: int
    width_code: int
    knot: Knot
    patch: ContourPatch
    past: Knot | None = None


@dataclass(frozen=True, slots=True)
class PoseElement:
    """A knot of an object's trajectory."""

    sprite_id: int
    knot: Knot


@dataclass(frozen=True, slots=True)
class StepElement:
    """A knot of an object's trajectory, of which only the low digits are told.

    Its centre is the one nearest to where the trajectory leads that has these remainders by `STEP_RANGE_PX`; its height
    likewise by `STEP_SIZES`. So nothing needs to have arrived lately, only enough to guess to within half the range.
    """

    sprite_id: int
    age_steps: int
    x: int
    y: int
    height_code: int


@dataclass(frozen=True, slots=True)
class ToneElement:
    """How bright the background is, `age_steps` of 0.1 s before the packet's time stamp.

    Attributes:
        age_steps: Age.
        gains: Of red, green and blue, in steps of 1/32 octave.
    """

    age_steps: int
    gains: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class ForgetElement:
    """An object has been gone since `age_steps` of 0.1 s before the packet's time stamp."""

    sprite_id: int
    age_steps: int


Element = (
    CameraElement
    | LinkElement
    | CellElement
    | MissingBase
    | SpriteElement
    | LookElement
    | TextureElement
    | PoseElement
    | StepElement
    | ForgetElement
    | ToneElement
    | ContourElement
    | OutlineElement
)
"""What a payload can tell, one of these classes."""


def apply_element(scene: Scene, element: Element, time_ns: int) -> int:
    """Apply an element to a scene; return how many cells or objects changed.

    What names an object that is not known is dropped, except what makes it known.

    Args:
        scene: What is known so far.
        element: What is new.
        time_ns: The packet's time stamp, on whatever clock the scene is kept.

    Raises:
        SymbolError: The element does not fit the scene; elements that `SceneSyntax` has read for it do.
    """
    match element:
        case CameraElement() | LinkElement() | ToneElement() | ContourElement():
            return _apply_around(scene, element, time_ns)
        case CellElement(update=update, seed=seed, mosaic=mosaic):
            background = scene.background if mosaic is None else scene.mosaics.background(mosaic)
            return 0 if background is None else background.apply(update, time_ns, only_missing=seed)
        case MissingBase():
            return 0
        case SpriteElement():
            return _apply_sprite(scene, element, time_ns)
        case TextureElement(sprite_id=sprite_id):
            sprite = scene.sprites.get(sprite_id)
            return 0 if sprite is None else apply_texture(sprite, element, scene.groups, time_ns)
        case _:
            return _apply_to_object(scene, element, time_ns)


def _apply_around(
    scene: Scene, element: CameraElement | LinkElement | ToneElement | ContourElement, time_ns: int
) -> int:
    """Apply what is told of the camera, or of the background but its cells."""
    match element:
        case CameraElement(age_steps=age_steps):
            scene.mosaics.place(element, time_ns, time_ns - age_steps * AGE_STEP_NS)
            return 1
        case LinkElement():
            return int(scene.mosaics.connect(element))
        case ToneElement(age_steps=age_steps):
            red, green, blue = (gain / TONE_STEPS_PER_OCTAVE for gain in element.gains)
            scene.tone.add(Tone(time_ns - age_steps * AGE_STEP_NS, (red, green, blue)))
            return 1
        case ContourElement(patch=patch):
            return int(scene.drawing.add(patch, time_ns))


def _apply_sprite(scene: Scene, element: SpriteElement, time_ns: int) -> int:
    known = scene.sprites.get(element.sprite_id)
    if known is not None and known.look_ns > time_ns:
        return 0  # the packet came late
    trajectory = Trajectory() if known is None or element.new else known.trajectory
    trajectory.add(_pose(element.knot, time_ns))
    if element.past is not None:
        trajectory.add(_pose(element.past, time_ns))
    sprite = Sprite(
        element.class_id,
        element.width_code,
        element.knot.height_code,
        element.margins,
        element.core,
        time_ns,
        trajectory,
    )
    if known is not None and not element.new:
        sprite.keep(known)
    if known is not None and not element.new and known.shape == sprite.shape and known.core.is_like(element.core):
        sprite.detail, sprite.texture = known.detail, known.texture  # told again for those who had missed it
    scene.sprites[element.sprite_id] = sprite
    return 1


def _apply_to_object(
    scene: Scene,
    element: OutlineElement | LookElement | PoseElement | StepElement | ForgetElement,
    time_ns: int,
) -> int:
    """Apply what is told of an object that may be known; poses are those of its sprite and of its outline alike."""
    sprite, outline = scene.sprites.get(element.sprite_id), scene.outlines.get(element.sprite_id)
    if isinstance(element, OutlineElement):
        return _apply_outline(scene, outline, element, time_ns)
    if isinstance(element, LookElement):
        return 0 if sprite is None else int(_change_look(sprite, element.shape, element.thumbnail, time_ns))
    trajectories = [known.trajectory for known in (sprite, outline) if known is not None]
    moved = [_change_trajectory(each, element, time_ns) for each in trajectories]
    return int(any(moved))


def _apply_outline(scene: Scene, known: Outline | None, element: OutlineElement, time_ns: int) -> int:
    codes = element.width_code, element.knot.height_code
    if known is not None and not element.new and (known.width_code, known.height_code) == codes:
        outline = known
    elif known is not None and known.told_ns > time_ns:
        return 0  # the packet came late
    else:
        trajectory = Trajectory() if known is None or element.new else known.trajectory
        outline = Outline(element.class_id, *codes, time_ns, Drawing(*outline_size_px(*codes)), trajectory)
    changed = outline.drawing.add(element.patch, time_ns)
    outline.told_ns = max(outline.told_ns, time_ns)
    outline.trajectory.add(_pose(element.knot, time_ns))
    if element.past is not None:
        outline.trajectory.add(_pose(element.past, time_ns))
    scene.outlines[element.sprite_id] = outline
    return int(changed)


def _change_trajectory(
    trajectory: Trajectory, element: PoseElement | StepElement | ForgetElement, time_ns: int
) -> bool:
    """Apply what is told of where a known object is; return whether it was of use."""
    match element:
        case PoseElement(knot=knot):
            trajectory.add(_pose(knot, time_ns))
        case StepElement():
            completed = completed_knot(trajectory, element, time_ns)
            if completed is None:
                return False
            trajectory.add(_pose(completed, time_ns))
        case ForgetElement(age_steps=age_steps):
            trajectory.end(time_ns - age_steps * AGE_STEP_NS)
    return True


def _change_look(sprite: Sprite, shape: int, thumbnail: Thumbnail, time_ns: int) -> bool:
    if shape != sprite.shape or sprite.look_ns > time_ns:
        return False
    if thumbnail.part is Part.DETAIL and thumbnail.version != sprite.core.version:
        return False
    sprite.keep(sprite)
    if thumbnail.part is Part.CORE:
        sprite.core, sprite.detail, sprite.texture = thumbnail, None, None
    else:
        sprite.detail = thumbnail
    sprite.look_ns = time_ns
    return True


def completed_knot(trajectory: Trajectory, step: StepElement, time_ns: int) -> Knot | None:
    """Return the knot that a step stands for; None where the trajectory does not say where the object might be.

    Args:
        trajectory: What is known of it.
        step: What was told.
        time_ns: The packet's time stamp.
    """
    expected = trajectory.expected(time_ns - step.age_steps * AGE_STEP_NS)
    if expected is None:
        return None
    x, y = (_nearest(value, told, STEP_RANGE_PX) for value, told in ((expected.x, step.x), (expected.y, step.y)))
    height_code = _nearest(size_code(expected.height), step.height_code, STEP_SIZES)
    return Knot(step.age_steps, x, y, min(max(height_code, 0), SIZE_CODES - 1))


def _nearest(expected: float, remainder: int, modulus: int) -> int:
    """Return the number of that remainder that is nearest to what is expected."""
    return remainder + modulus * math.floor((expected - remainder) / modulus + 0.5)


def _pose(knot: Knot, time_ns: int) -> Pose:
    return Pose(time_ns - knot.age_steps * AGE_STEP_NS, knot.x, knot.y, size_px(knot.height_code))

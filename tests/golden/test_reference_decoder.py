"""A second decoder, written from `docs/codec.md` alone, finds the same values and elements."""

from collections.abc import Sequence
from dataclasses import astuple, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.golden.reference_decoder import Cells, Held, Reference

from pantel_codec import (
    Background,
    CameraElement,
    CameraPose,
    CellElement,
    ContourElement,
    ContourPatch,
    Element,
    EntropyModel,
    ForgetElement,
    Knot,
    LinkElement,
    LookElement,
    OutlineElement,
    PoseElement,
    SceneSyntax,
    SpriteElement,
    StepElement,
    StillHeader,
    StillValues,
    TextureElement,
    Thumbnail,
    ThumbnailModel,
    ToneElement,
    write_still,
)


@pytest.mark.parametrize(
    ("size_px", "scale", "quality", "levels"), [((100, 75), 0, 1, 2), ((100, 75), 1, 4, 3), ((9, 90), 2, 0, 1)]
)
def test_the_documented_decoder_finds_the_same_values(
    request: pytest.FixtureRequest, size_px: tuple[int, int], scale: int, quality: int, levels: int
) -> None:
    model, arrays, make = (request.getfixturevalue(name) for name in ("model", "arrays", "golden_values"))
    header = StillHeader(*size_px, grey=False, model_tag=7)
    values = make(*header.cells(scale), quality, levels)
    data = write_still(StillValues(header, scale, quality, levels, values), model)
    assert Reference(arrays).still(data) == (scale, quality, levels, values.tolist())


def plain(element: Element) -> Any:  # noqa: C901, PLR0911 - one for each kind
    """Return an element as the reference decoder does."""
    match element:
        case CellElement(update, seed, base):
            block, values = update.block, update.values.tolist()
            place = (block.column, block.row, block.columns, block.rows)
            told = "seed" if seed else "cells", update.scale, place, update.quality, update.levels
            return *told, base is not None, values
        case SpriteElement(sprite_id, new, class_id, width_code, margins, knot, core, past):
            places = plain_knot(knot), None if past is None else plain_knot(past)
            return "sprite", sprite_id, new, class_id, width_code, margins, *places, plain_thumbnail(core)
        case TextureElement(sprite_id, version, columns, rows, update):
            return "texture", sprite_id, version, columns, rows, *plain(CellElement(update))[1:]
        case LookElement(sprite_id, shape, thumbnail):
            return "look", sprite_id, shape, plain_thumbnail(thumbnail)
        case PoseElement(sprite_id, knot):
            return "pose", sprite_id, plain_knot(knot)
        case StepElement(sprite_id, age_steps, x, y, height_code):
            return "step", sprite_id, age_steps, x, y, height_code
        case ForgetElement(sprite_id, age_steps):
            return "forget", sprite_id, age_steps
        case CameraElement(number, age_steps, pose):
            return "camera", number, age_steps, None if pose is None else astuple(pose)
        case LinkElement(_, parent, pose):
            return "link", 8 if parent is None else parent, astuple(pose)
        case ToneElement(age_steps, gains):
            return "tone", age_steps, gains
        case ContourElement(patch):
            return "contour", plain_patch(patch)
        case OutlineElement(sprite_id, new, class_id, width_code, knot, patch, past):
            places = plain_knot(knot), None if past is None else plain_knot(past)
            return "outline", sprite_id, new, class_id, width_code, *places, plain_patch(patch)


def plain_knot(knot: Knot) -> tuple[int, ...]:
    return knot.age_steps, knot.x, knot.y, knot.height_code


def plain_patch(patch: ContourPatch) -> Any:
    block = patch.block
    return patch.step, (block.column, block.row, block.columns, block.rows), patch.samples.astype(int).tolist()


def plain_thumbnail(thumbnail: Thumbnail) -> Any:
    return int(thumbnail.part), thumbnail.quality, thumbnail.version, thumbnail.symbols.tolist()


def test_the_documented_decoder_finds_the_same_elements(
    arrays: dict[str, NDArray[np.int32]],
    model: EntropyModel,
    thumbnails: ThumbnailModel,
    golden_elements: Sequence[Element],
    golden_background: Background,
) -> None:
    payload = SceneSyntax(model, thumbnails, 320, 240).write(golden_elements)
    held = plain_background(golden_background)
    assert Reference(arrays).scene(payload, 320, 240, held) == [plain(element) for element in golden_elements]


def test_the_documented_decoder_finds_the_same_contours(
    arrays: dict[str, NDArray[np.int32]],
    model: EntropyModel,
    thumbnails: ThumbnailModel,
    golden_contours: Sequence[Element],
) -> None:
    payload = SceneSyntax(model, thumbnails, 320, 240).write(golden_contours)
    assert Reference(arrays).scene(payload, 320, 240, {}) == [plain(element) for element in golden_contours]


@pytest.mark.parametrize("held", [None, CameraPose(-70, 33, -5, 9)])
def test_the_documented_decoder_finds_where_the_camera_looks(
    held: CameraPose | None,
    arrays: dict[str, NDArray[np.int32]],
    model: EntropyModel,
    thumbnails: ThumbnailModel,
    golden_elements: Sequence[Element],
) -> None:
    elements: list[Element] = [CameraElement(5, 0 if held is None else 3, held)]
    elements += [LinkElement(5, parent, CameraPose(96, -96, 24, -32)) for parent in (None, 4)]
    elements += [
        replace(element, mosaic=5) if isinstance(element, CellElement) else element
        for element in golden_elements
        if not (isinstance(element, CellElement) and element.base is not None)
    ]
    payload = SceneSyntax(model, thumbnails, 320, 240).write(elements)
    assert Reference(arrays).scene(payload, 320, 240, {}) == [plain(element) for element in elements]


@pytest.mark.parametrize("moving", [False, True])
def test_the_documented_decoder_finds_the_same_textures(
    moving: bool,
    arrays: dict[str, NDArray[np.int32]],
    model: EntropyModel,
    thumbnails: ThumbnailModel,
    golden_elements: Sequence[Element],
) -> None:
    others = [element for element in golden_elements if not isinstance(element, CellElement)]
    told = [element.update for element in golden_elements if isinstance(element, CellElement) and element.base is None]
    fitting = [each for each in told if each.scale == 0 and each.block.column + each.block.columns <= 16]
    elements: list[Element] = [CameraElement(2)] if moving else []
    elements += [TextureElement(number, 3, 16, 15, update) for number, update in enumerate(fitting)]
    elements += others
    assert fitting
    payload = SceneSyntax(model, thumbnails, 320, 240).write(elements)
    assert Reference(arrays).scene(payload, 320, 240, {}) == [plain(element) for element in elements]


def plain_background(background: Background) -> Held:
    """Return what is held of each cell as the reference decoder keeps it."""
    ends = np.cumsum(background.scales[0].groups).tolist()
    return {
        (scale, (int(r), int(c))): Cells(
            int(surface.quality[r, c]),
            [
                surface.values[end - size : end, r, c].tolist()
                for end, size in list(zip(ends, surface.groups, strict=True))[: surface.level[r, c]]
            ],
        )
        for scale, surface in enumerate(background.scales)
        for r, c in np.argwhere(surface.level > 0)
    }

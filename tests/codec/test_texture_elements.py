"""Payloads that tell textures: read as they were written, and empty to who does not know them; what they do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.codec.comparison import plain

from pantel_codec import (
    LOOK_AGE_NS,
    MAX_SPRITES,
    TEXTURE_SIDES,
    THUMBNAIL_VERSIONS,
    BitstreamError,
    Block,
    CameraElement,
    CellUpdate,
    Element,
    EntropyModel,
    Knot,
    LookElement,
    Part,
    PoseElement,
    Scene,
    SceneSyntax,
    SpriteElement,
    SymbolError,
    TextureElement,
    Thumbnail,
    ThumbnailModel,
    apply_element,
    make_decoder,
    shape_of,
)
from pantel_codec.syntax import _END
from pantel_codec.syntax_fields import KINDS

WIDTH_PX, HEIGHT_PX = 100, 75
GROUPS = (2, 3, 4)
SECOND_NS = 1_000_000_000


@pytest.fixture(scope="module")
def syntax(model: EntropyModel, thumbnails: ThumbnailModel) -> SceneSyntax:
    return SceneSyntax(model, thumbnails, WIDTH_PX, HEIGHT_PX)


@pytest.fixture(scope="module")
def texture(values_of: Callable[..., NDArray[np.int64]]) -> Callable[..., TextureElement]:
    """Return a function that makes a texture of which the right column is told."""

    def make(sprite_id: int = 4, version: int = 1, columns: int = 3, rows: int = 5) -> TextureElement:
        values = values_of(np.ones((sum(GROUPS), rows, 1), np.int64), 2, 1, None)
        return TextureElement(
            sprite_id, version, columns, rows, CellUpdate(Block(columns - 1, 0, 1, rows), 2, 1, values)
        )

    return make


@pytest.fixture(scope="module")
def sprite(thumbnails: ThumbnailModel) -> Callable[..., SpriteElement]:
    """Return a function that introduces an object with a core of a version."""

    def make(version: int = 1, *, new: bool = True) -> SpriteElement:
        size = thumbnails.members[shape_of(40, 44)][Part.CORE].size
        core = Thumbnail(Part.CORE, 2, version, np.zeros(size, np.int32))
        return SpriteElement(4, new, 1, 40, (0, 0, 0, 0), Knot(0, 50, 30, 44), core)

    return make


def look(thumbnails: ThumbnailModel, part: Part, version: int) -> LookElement:
    shape = shape_of(40, 44)
    size = thumbnails.members[shape][part].size
    return LookElement(4, shape, Thumbnail(part, 3, version, np.ones(size, np.int32)))


numbers, versions = st.integers(0, MAX_SPRITES - 1), st.integers(0, THUMBNAIL_VERSIONS - 1)
sides = st.integers(1, TEXTURE_SIDES)


@given(st.tuples(numbers, versions, sides, sides), st.booleans(), st.integers(0, 20))
def test_elements_come_back_and_zeros_may_follow(
    syntax: SceneSyntax,
    texture: Callable[..., TextureElement],
    told: tuple[int, int, int, int],
    moving: bool,
    padding: int,
) -> None:
    elements: list[Element] = [CameraElement(6)] if moving else []
    elements += [PoseElement(4, Knot(5, 20, 30, 44)), texture(*told)]
    payload = syntax.write(elements)
    assert plain(syntax.read(payload + bytes(padding))) == plain(elements)
    assert payload[0] == 0
    assert payload[1] > 0
    assert make_decoder(payload).decode(1, KINDS)[0] == _END  # empty to who knows no textures


def test_the_octets_are_those_of_the_format(syntax: SceneSyntax, texture: Callable[..., TextureElement]) -> None:
    assert syntax.write([texture(9, 2, 4, 3)]).hex() == "006df33eb7f054714e"


@given(st.integers(1, 255), st.binary(max_size=40))
def test_whatever_comes_is_read_or_refused(
    syntax: SceneSyntax, sprite: Callable[..., SpriteElement], second: int, noise: bytes
) -> None:
    scene = Scene(WIDTH_PX, HEIGHT_PX, GROUPS)
    for sprite_id in range(MAX_SPRITES):
        apply_element(scene, replace(sprite(version=sprite_id % 4), sprite_id=sprite_id), 0)
    try:
        elements = syntax.read(bytes([0, second]) + noise)
    except BitstreamError:
        return
    for element in elements:
        apply_element(scene, element, SECOND_NS)


@pytest.mark.parametrize("wrong", [{"sprite_id": MAX_SPRITES}, {"version": 4}, {"columns": 17}, {"rows": 0}])
def test_what_is_out_of_range_is_not_written(
    syntax: SceneSyntax, texture: Callable[..., TextureElement], wrong: dict[str, int]
) -> None:
    with pytest.raises(SymbolError):
        syntax.write([replace(texture(), **wrong)])  # type: ignore[arg-type]


def test_more_than_a_payload_may_tell_is_refused(
    syntax: SceneSyntax, values_of: Callable[..., NDArray[np.int64]]
) -> None:
    values = values_of(np.zeros((sum(GROUPS), 16, 16), np.int64), 2, 1, None)
    update = CellUpdate(Block(0, 0, 16, 16), 2, 1, values)
    with pytest.raises(SymbolError, match="more cells"):
        syntax.write([TextureElement(number, 0, 16, 16, update) for number in range(4)])


def test_cells_join_the_texture_of_a_known_look(
    texture: Callable[..., TextureElement], sprite: Callable[..., SpriteElement]
) -> None:
    scene = Scene(WIDTH_PX, HEIGHT_PX, GROUPS)
    assert apply_element(scene, texture(), SECOND_NS) == 0  # nobody knows it
    apply_element(scene, sprite(), SECOND_NS)
    assert apply_element(scene, texture(version=2), SECOND_NS) == 0  # another look
    assert scene.sprites[4].texture is None
    assert apply_element(scene, texture(), SECOND_NS) == 5
    known = scene.sprites[4].texture
    assert known is not None
    assert (known.width_px, known.height_px) == (48, 80)
    apply_element(scene, texture(), 2 * SECOND_NS)
    assert scene.sprites[4].texture is known
    apply_element(scene, texture(columns=4), 2 * SECOND_NS)
    assert scene.sprites[4].texture is not known


def test_late_cells_are_those_of_another_look_or_of_less_worth(
    texture: Callable[..., TextureElement], sprite: Callable[..., SpriteElement]
) -> None:
    scene = Scene(WIDTH_PX, HEIGHT_PX, GROUPS)
    apply_element(scene, sprite(), 20 * SECOND_NS)
    assert apply_element(scene, texture(), 19 * SECOND_NS) == 0  # of who had the id before
    apply_element(scene, texture(), 22 * SECOND_NS)
    assert apply_element(scene, texture(columns=4), 21 * SECOND_NS) == 0  # of another size, and older
    known = scene.sprites[4].texture
    assert known is not None
    assert known.width_px == 48


def test_a_texture_stays_until_the_next_core(
    thumbnails: ThumbnailModel, texture: Callable[..., TextureElement], sprite: Callable[..., SpriteElement]
) -> None:
    scene = Scene(WIDTH_PX, HEIGHT_PX, GROUPS)
    apply_element(scene, sprite(), SECOND_NS)
    apply_element(scene, texture(), SECOND_NS)
    known = scene.sprites[4].texture
    apply_element(scene, look(thumbnails, Part.DETAIL, 1), 2 * SECOND_NS)
    assert scene.sprites[4].texture is known
    apply_element(scene, sprite(new=False), 3 * SECOND_NS)  # told again for those who had missed it
    assert scene.sprites[4].texture is known
    apply_element(scene, look(thumbnails, Part.CORE, 2), 4 * SECOND_NS)
    assert scene.sprites[4].texture is None


def test_a_sprite_looks_as_it_did_at_the_nearest_time(
    thumbnails: ThumbnailModel, texture: Callable[..., TextureElement], sprite: Callable[..., SpriteElement]
) -> None:
    scene = Scene(WIDTH_PX, HEIGHT_PX, GROUPS)
    apply_element(scene, sprite(), SECOND_NS)
    apply_element(scene, texture(), SECOND_NS)
    apply_element(scene, look(thumbnails, Part.CORE, 2), 5 * SECOND_NS)
    seen = scene.sprites[4]
    middle_ns = 3 * SECOND_NS - LOOK_AGE_NS
    assert [seen.at(time_ns).core.version for time_ns in (0, middle_ns - 1, middle_ns, 60 * SECOND_NS)] == [1, 1, 2, 2]
    assert seen.at(0).texture is not None
    assert seen.at(middle_ns).texture is None
    apply_element(scene, sprite(version=3), 9 * SECOND_NS)  # another object has its id now
    assert scene.sprites[4].at(0).core.version == 3


def test_looks_of_long_ago_are_dropped(thumbnails: ThumbnailModel, sprite: Callable[..., SpriteElement]) -> None:
    scene = Scene(WIDTH_PX, HEIGHT_PX, GROUPS)
    apply_element(scene, sprite(), 0)
    for count in range(100):
        apply_element(scene, look(thumbnails, Part.CORE, count % 4), count * SECOND_NS)
    assert len(scene.sprites[4].earlier) == 32

"""The renderer: sprites between their knots, nearer ones in front, a background that is painted when it changes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import (
    Background,
    Block,
    CellElement,
    CellUpdate,
    ForgetElement,
    Knot,
    LookElement,
    Margins,
    Part,
    PoseElement,
    Scene,
    SpriteElement,
    Thumbnail,
    ToneElement,
    apply_element,
    shape_of,
    size_code,
)
from pantel_device.rendering.composition import paste, place, raster_box
from pantel_device.rendering.exposure import exposed
from pantel_device.rendering.renderer import Renderer
from pantel_models import SceneCodec, find_artefact

_WIDTH, _HEIGHT = 96, 64
_S = 1_000_000_000
_LIGHT, _DARK = (235, 230, 225), (20, 20, 25)
_PERSON, _CAR = 1, 3

_Introduce = Callable[..., SpriteElement]


class _CountingCodec(SceneCodec):
    """A scene codec that counts how often its generator paints a background."""

    painted = 0

    def synthesise(self, background: Background, scale: int = 0) -> NDArray[np.uint8]:
        self.painted += 1
        return super().synthesise(background, scale)


@pytest.fixture(scope="module")
def counting() -> _CountingCodec:
    return _CountingCodec(find_artefact())


@pytest.fixture
def scene(counting: _CountingCodec) -> Scene:
    return Scene(_WIDTH, _HEIGHT, counting.entropy.groups)


@pytest.fixture
def renderer(counting: _CountingCodec, scene: Scene) -> Renderer:
    return Renderer(counting, scene)


@pytest.fixture
def introduce(dress: Callable[..., Thumbnail]) -> _Introduce:
    """Return a function that makes a sprite of one colour."""

    def make(
        sprite_id: int,
        place: tuple[int, int],
        *,
        colour: tuple[int, int, int] = _LIGHT,
        size_px: tuple[int, int] = (16, 24),
        class_id: int = _PERSON,
        margins: Margins = (0, 0, 0, 0),
    ) -> SpriteElement:
        codes = size_code(size_px[0]), size_code(size_px[1])
        core = dress(colour, codes, class_id=class_id)
        return SpriteElement(sprite_id, True, class_id, codes[0], margins, Knot(0, *place, codes[1]), core)

    return make


def _centre_x(pixels: NDArray[np.uint8], bare: NDArray[np.uint8]) -> float:
    """Return where the mean of what differs from a bare background lies [px]."""
    weight = np.abs(pixels.astype(float) - bare).sum(axis=(0, 2))
    return float((weight * (np.arange(weight.size) + 0.5)).sum() / weight.sum())


def test_between_two_knots_an_object_moves_by_fractions_of_pixels(
    renderer: Renderer, scene: Scene, introduce: _Introduce
) -> None:
    bare = renderer.draw(0).pixels
    apply_element(scene, introduce(3, (40, 32)), 0)
    apply_element(scene, PoseElement(3, Knot(0, 42, 32, size_code(24))), _S)
    places = []
    for tenth in range(11):
        rendering = renderer.draw(tenth * _S // 10)
        (shown,) = rendering.objects
        assert (shown.box.x0 + shown.box.x1) / 2 == pytest.approx(40 + tenth / 5)
        places.append(_centre_x(rendering.pixels, bare))
    # Its mask need not be centred, but it stays what it is.
    assert np.array(places) - places[0] == pytest.approx(np.arange(11) / 5, abs=0.1)
    assert places[0] == pytest.approx(40, abs=2)


@pytest.mark.parametrize("class_id", [_PERSON, _CAR])
def test_an_object_looks_as_its_thumbnail_says_where_its_pose_says(
    class_id: int, renderer: Renderer, scene: Scene, counting: _CountingCodec, introduce: _Introduce
) -> None:
    expected = renderer.draw(0).pixels.copy()
    sprite = introduce(0, (48, 32), size_px=(20, 32), class_id=class_id, margins=(0, 1, 2, 0))
    apply_element(scene, sprite, 0)
    rendering = renderer.draw(0)
    (shown,) = rendering.objects
    assert shown.box.y1 - shown.box.y0 == pytest.approx(32, rel=0.03)
    assert shown.box.x1 - shown.box.x0 == pytest.approx(20, rel=0.05)
    look = counting.thumbnails.decode(sprite.core, None, shape_of(sprite.width_code, sprite.knot.height_code), class_id)
    paste(expected, place(look, raster_box(shown.box, sprite.margins), (_WIDTH, _HEIGHT)))
    np.testing.assert_array_equal(rendering.pixels, expected)
    assert rendering.pixels[26:38, 44:52].mean() > 170


def test_detail_is_shown(
    renderer: Renderer, scene: Scene, counting: _CountingCodec, introduce: _Introduce, dress: Callable[..., Thumbnail]
) -> None:
    expected = renderer.draw(0).pixels.copy()
    sprite = introduce(0, (48, 32))
    shape = shape_of(sprite.width_code, sprite.knot.height_code)
    detail = dress(_DARK, (sprite.width_code, sprite.knot.height_code), part=Part.DETAIL)
    apply_element(scene, sprite, 0)
    coarse = renderer.draw(0)
    apply_element(scene, LookElement(0, shape, detail), _S)
    raster = raster_box(coarse.objects[0].box, sprite.margins)
    look = counting.thumbnails.decode(sprite.core, detail, shape, _PERSON)
    paste(expected, place(look, raster, (_WIDTH, _HEIGHT)))
    np.testing.assert_array_equal(renderer.draw(0).pixels, expected)
    assert not np.array_equal(coarse.pixels, expected)


def test_what_stands_lower_hides_what_stands_higher(renderer: Renderer, scene: Scene, introduce: _Introduce) -> None:
    apply_element(scene, introduce(0, (48, 36), colour=_DARK), 0)  # told first, and nearer
    apply_element(scene, introduce(1, (48, 30), colour=_LIGHT), 0)
    rendering = renderer.draw(0)
    assert [shown.sprite_id for shown in rendering.objects] == [1, 0]
    assert rendering.pixels[36, 48].mean() < 80
    assert rendering.pixels[21, 48].mean() > 170  # where only the farther one is


def test_the_generator_runs_only_when_the_background_has_changed(
    renderer: Renderer, scene: Scene, counting: _CountingCodec, introduce: _Introduce
) -> None:
    counting.painted = 0
    apply_element(scene, introduce(0, (48, 32)), 0)
    for tenth in range(10):
        renderer.draw(tenth * _S // 10)
    apply_element(scene, ToneElement(0, (-8, -8, -8)), _S)
    renderer.draw(_S)
    assert counting.painted == 1
    values = np.ones((counting.entropy.channels, 1, 1), np.int64)
    update = CellUpdate(Block(0, 0, 1, 1), 5, 1, values)
    for _ in range(2):  # the same again changes nothing
        apply_element(scene, CellElement(update), _S)
        renderer.draw(2 * _S)
    assert counting.painted == 2


def test_the_tone_is_of_the_background(renderer: Renderer, scene: Scene) -> None:
    bright = renderer.draw(0).pixels
    apply_element(scene, ToneElement(0, (-16, -8, 0)), _S)
    apply_element(scene, ToneElement(0, (0, 0, 0)), 3 * _S)
    assert np.array_equal(renderer.draw(_S).pixels, exposed(bright, (-0.5, -0.25, 0)))
    assert np.array_equal(renderer.draw(2 * _S).pixels, exposed(bright, (-0.25, -0.125, 0)))
    assert np.array_equal(renderer.draw(3 * _S).pixels, bright)


def test_objects_are_reported_with_what_is_known_of_them(
    renderer: Renderer, scene: Scene, introduce: _Introduce
) -> None:
    apply_element(scene, introduce(7, (40, 32)), _S)
    apply_element(scene, PoseElement(7, Knot(1, 44, 32, size_code(24))), 3 * _S)
    (shown,) = renderer.draw(2 * _S).objects
    assert (shown.sprite_id, shown.class_id) == (7, 1)
    assert (shown.looks_ns, shown.known_ns) == (_S, 3 * _S - _S // 10)
    assert shown.box.y1 - shown.box.y0 == pytest.approx(24, rel=0.03)
    assert renderer.draw(_S - 1).objects == ()  # not yet there
    (later,) = renderer.draw(4 * _S).objects
    assert later.known_ns < 4 * _S  # only expected
    apply_element(scene, ForgetElement(7, 0), 5 * _S)
    assert renderer.draw(5 * _S).objects == ()
    assert len(renderer.draw(5 * _S - 1).objects) == 1


def test_a_new_look_is_drawn_at_once(renderer: Renderer, scene: Scene, introduce: _Introduce) -> None:
    sprite = introduce(0, (48, 32))
    apply_element(scene, sprite, 0)
    before = renderer.draw(0).pixels[32, 48].mean()
    dark = introduce(0, (48, 32), colour=_DARK)
    apply_element(scene, LookElement(0, shape_of(sprite.width_code, sprite.knot.height_code), dark.core), _S)
    after = renderer.draw(0).pixels[32, 48].mean()
    assert before > after + 100


def test_the_age_of_cells(renderer: Renderer, scene: Scene, counting: _CountingCodec) -> None:
    values = np.zeros((counting.entropy.channels, 1, 2), np.int64)
    update = CellUpdate(Block(1, 2, 2, 1), 5, 1, values)
    apply_element(scene, CellElement(update), 4 * _S)
    age_s = renderer.draw(7 * _S).cell_age_s
    assert age_s.shape == (4, 6)
    assert age_s.dtype == np.float32
    assert age_s[2, 1:3].tolist() == [3, 3]
    assert np.isinf(age_s).sum() == 4 * 6 - 2
    assert renderer.draw(3 * _S).cell_age_s[2, 1] == 0  # known before the time that is shown
    apply_element(scene, CellElement(update), 6 * _S)  # the same again: nothing has changed but how old it is
    assert renderer.draw(7 * _S).cell_age_s[2, 1:3].tolist() == [1, 1]


def test_drawing_changes_no_earlier_picture(renderer: Renderer, scene: Scene, introduce: _Introduce) -> None:
    first = renderer.draw(0).pixels
    kept = first.copy()
    apply_element(scene, introduce(0, (48, 32)), 0)
    renderer.draw(0)
    assert np.array_equal(first, kept)

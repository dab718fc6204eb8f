"""The renderer with contours: a drawing on paper where nothing else is known, lines over the picture elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from pantel_codec import (
    Block,
    CellElement,
    CellUpdate,
    ContourElement,
    ContourPatch,
    ForgetElement,
    Knot,
    OutlineElement,
    PoseElement,
    Scene,
    SpriteElement,
    Thumbnail,
    apply_element,
    outline_size_px,
    raster_shape,
    size_code,
)
from pantel_device.rendering.renderer import _INK, _PAPER, Renderer
from pantel_models import SceneCodec

WIDTH, HEIGHT = 96, 64
SECOND_NS = 1_000_000_000
CODES = size_code(16), size_code(32)
FRAME = 2, 1  # of the square that is drawn of an object, in samples from its raster's edge


@pytest.fixture
def scene(codec: SceneCodec) -> Scene:
    return Scene(WIDTH, HEIGHT, codec.entropy.groups)


@pytest.fixture
def renderer(codec: SceneCodec, scene: Scene) -> Renderer:
    return Renderer(codec, scene)


def horizon() -> ContourElement:
    """Return a line across the picture, at 33 pixels from its upper edge."""
    rows, columns = raster_shape(WIDTH, HEIGHT, 1)
    samples = np.zeros((rows, columns), np.bool_)
    samples[16] = True
    return ContourElement(ContourPatch(1, Block(0, 0, columns, rows), samples))


def frame(x: int, y: int, *, sprite_id: int = 1, age_steps: int = 0) -> OutlineElement:
    """Return an object whose contours are a rectangle."""
    rows, columns = raster_shape(*outline_size_px(*CODES), 1)
    samples = np.zeros((rows, columns), np.bool_)
    samples[1:-1, 1:-1] = True
    samples[2:-2, 2:-2] = False
    knot = Knot(age_steps, x, y, CODES[1])
    return OutlineElement(sprite_id, True, 1, CODES[0], knot, ContourPatch(1, Block(0, 0, columns, rows), samples))


def test_contours_are_drawn_on_paper(scene: Scene, renderer: Renderer) -> None:
    apply_element(scene, horizon(), SECOND_NS)
    rendering = renderer.draw(3 * SECOND_NS)
    assert (rendering.pixels[:30] == _PAPER).all()
    assert (rendering.pixels[36:] == _PAPER).all()
    assert (rendering.pixels[32:34, 4:-4].min(axis=0) < 200).all()
    assert rendering.objects == ()
    assert (rendering.cell_age_s == 2).all()


def test_an_object_hides_what_its_contours_enclose_and_is_darker(scene: Scene, renderer: Renderer) -> None:
    apply_element(scene, horizon(), SECOND_NS)
    line = renderer.draw(SECOND_NS).pixels[32:34, 4:-4].min()
    apply_element(scene, frame(40, 34), SECOND_NS)
    rendering = renderer.draw(SECOND_NS)
    assert (rendering.pixels[24:44, 38:43] == _PAPER).all()
    assert (rendering.pixels[32:34, 60] < 200).any()
    assert rendering.pixels.min() < line
    assert rendering.pixels.min() <= max(_INK) + 40
    shown = rendering.objects[0]
    assert (shown.sprite_id, shown.class_id, shown.looks_ns, shown.known_ns) == (1, 1, SECOND_NS, SECOND_NS)
    assert shown.box.x0 < 40 < shown.box.x1


def test_objects_move_and_go(scene: Scene, renderer: Renderer) -> None:
    apply_element(scene, frame(20, 34), SECOND_NS)
    apply_element(scene, PoseElement(1, Knot(0, 60, 34, CODES[1])), 2 * SECOND_NS)
    halfway = renderer.draw(3 * SECOND_NS // 2)
    columns = np.flatnonzero((halfway.pixels < 128).any(axis=(0, 2)))
    assert columns.mean() == pytest.approx(39.5, abs=1)
    apply_element(scene, ForgetElement(1, 0), 3 * SECOND_NS)
    gone = renderer.draw(3 * SECOND_NS)
    assert gone.objects == ()
    assert (gone.pixels == _PAPER).all()


def test_what_stands_lower_is_nearer(scene: Scene, renderer: Renderer) -> None:
    apply_element(scene, frame(40, 24, sprite_id=2), SECOND_NS)
    far = renderer.draw(SECOND_NS).pixels
    apply_element(scene, frame(46, 38), SECOND_NS)
    both = renderer.draw(SECOND_NS)
    assert [shown.sprite_id for shown in both.objects] == [2, 1]
    right_edge = 30, slice(45, 48)
    assert (far[right_edge] < 128).any()
    assert (both.pixels[right_edge] == _PAPER).all()


def test_later_contours_are_drawn(scene: Scene, renderer: Renderer) -> None:
    apply_element(scene, horizon(), SECOND_NS)
    before = renderer.draw(SECOND_NS).pixels
    empty = ContourPatch(3, Block(0, 0, 12, 16), np.zeros((16, 12), np.bool_))
    apply_element(scene, ContourElement(empty), 2 * SECOND_NS)
    rendering = renderer.draw(2 * SECOND_NS)
    assert (rendering.pixels[:, :46] == _PAPER).all()
    np.testing.assert_array_equal(rendering.pixels[:, 52:], before[:, 52:])
    assert set(rendering.cell_age_s.ravel()) == {0, 1}


def test_blank_paper_is_not_made_up(scene: Scene, renderer: Renderer) -> None:
    corner = ContourPatch(3, Block(0, 0, 4, 4), np.eye(4, dtype=np.bool_))
    apply_element(scene, ContourElement(corner), SECOND_NS)
    assert np.isfinite(renderer.draw(SECOND_NS).cell_age_s).all()


def test_contours_lie_over_a_picture(
    codec: SceneCodec, scene: Scene, renderer: Renderer, dress: Callable[..., Thumbnail]
) -> None:
    values = np.zeros((codec.entropy.channels, 4, 6), np.int64)
    apply_element(scene, CellElement(CellUpdate(Block(0, 0, 6, 4), 12, 1, values)), SECOND_NS)
    knot = Knot(0, 40, 34, CODES[1])
    sprite = SpriteElement(1, True, 1, CODES[0], (0, 0, 0, 0), knot, dress((200, 40, 40), CODES))
    apply_element(scene, sprite, SECOND_NS)
    picture = renderer.draw(SECOND_NS).pixels
    apply_element(scene, frame(40, 34), SECOND_NS)
    drawn = renderer.draw(SECOND_NS)
    changed = (drawn.pixels != picture).any(axis=2)
    assert changed.any()
    assert not changed[28:40, 38:43].any()  # what it encloses is still to be seen
    assert len(drawn.objects) == 1

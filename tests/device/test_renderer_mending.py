"""The last step of the perceptual view: what is composed is mended, but for lines, and in no other view."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from pantel_codec import (
    Block,
    CellElement,
    CellUpdate,
    Knot,
    Scene,
    SpriteElement,
    Thumbnail,
    apply_element,
    shape_of,
    size_code,
)
from pantel_device.composition import hide, paste, place, raster_box
from pantel_device.renderer import Renderer
from pantel_models import Artefact, SceneCodec, View, load_scene_codec

_WIDTH, _HEIGHT = 96, 64


@pytest.fixture
def tell(dress: Callable[..., Thumbnail]) -> Callable[[SceneCodec], Scene]:
    """Return a function that tells a scene: one cell of the background, and a sprite."""

    def told(codec: SceneCodec) -> Scene:
        scene = Scene(_WIDTH, _HEIGHT, codec.entropy.groups)
        values = np.ones((codec.entropy.channels, 1, 1), np.int64)
        apply_element(scene, CellElement(CellUpdate(Block(0, 0, 1, 1), 5, 1, values)), 0)
        codes = size_code(16), size_code(24)
        core = dress((20, 20, 25), codes, class_id=1)
        knot = Knot(0, 48, 32, codes[1])
        apply_element(scene, SpriteElement(3, True, 1, codes[0], (0, 0, 0, 0), knot, core), 0)
        return scene

    return told


def test_a_picture_is_mended_where_sprites_are(
    mended_view: Artefact, two_views: Artefact, tell: Callable[[SceneCodec], Scene]
) -> None:
    plain, mending = (load_scene_codec(each, view=View.PERCEPTUAL) for each in (two_views, mended_view))
    before = Renderer(plain, tell(plain)).draw(0)
    scene = tell(mending)
    after = Renderer(mending, scene).draw(0)
    sprite, (shown,) = scene.sprites[3], after.objects
    cover = np.zeros((_HEIGHT, _WIDTH), np.float32)
    look = mending.thumbnails.decode(sprite.core, None, shape_of(sprite.width_code, sprite.height_code), 1)
    hide(cover, place(look, raster_box(shown.box, sprite.margins), (_WIDTH, _HEIGHT)))
    assert cover.max() > 0.5
    expected = np.rint(np.clip(before.pixels + 0.25 * 255 * cover[..., None], 0, 255))
    assert np.abs(after.pixels - expected).max() <= 1
    assert np.array_equal(after.pixels[cover == 0], before.pixels[cover == 0])


def test_the_same_is_drawn_again(mended_view: Artefact, tell: Callable[[SceneCodec], Scene]) -> None:
    codec = load_scene_codec(mended_view, view=View.PERCEPTUAL)
    renderer = Renderer(codec, tell(codec))
    first = renderer.draw(0).pixels
    assert np.array_equal(renderer.draw(0).pixels, first)
    assert np.array_equal(Renderer(codec, tell(codec)).draw(0).pixels, first)


def test_the_faithful_view_is_left_as_it_is(
    mended_view: Artefact, two_views: Artefact, tell: Callable[[SceneCodec], Scene]
) -> None:
    with_mender, without = (load_scene_codec(each) for each in (mended_view, two_views))
    drawn = [Renderer(codec, tell(codec)).draw(0).pixels for codec in (with_mender, without)]
    assert np.array_equal(drawn[0], drawn[1])


def test_where_nothing_was_told_nothing_is_mended(mended_view: Artefact, tell: Callable[[SceneCodec], Scene]) -> None:
    codec = load_scene_codec(mended_view, view=View.PERCEPTUAL)
    scene = tell(codec)
    bare = Scene(_WIDTH, _HEIGHT, codec.entropy.groups)
    bare.sprites.update(scene.sprites)
    expected = Renderer(codec, Scene(_WIDTH, _HEIGHT, codec.entropy.groups)).draw(0).pixels.copy()
    rendering = Renderer(codec, bare).draw(0)
    sprite, (shown,) = scene.sprites[3], rendering.objects
    look = codec.thumbnails.decode(sprite.core, None, shape_of(sprite.width_code, sprite.height_code), 1)
    paste(expected, place(look, raster_box(shown.box, sprite.margins), (_WIDTH, _HEIGHT)))
    assert np.array_equal(rendering.pixels, expected)


def test_what_two_sprites_hide() -> None:
    from pantel_device.composition import Placed
    from pantel_device.frame import Box

    cover = np.zeros((4, 6), np.float32)
    for columns in (slice(0, 4), slice(2, 6)):
        alpha = np.full((4, 4, 1), 0.5, np.float32)
        hide(cover, Placed(Box(0, 0, 4, 4), (slice(0, 4), columns), np.zeros((4, 4, 3), np.float32), alpha))
    assert cover[0].tolist() == [0.5, 0.5, 0.75, 0.75, 0.5, 0.5]

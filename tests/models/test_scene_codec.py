"""The networks of the shipped models, run by themselves."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import Background, Block, CellUpdate
from pantel_models import (
    Artefact,
    Enlarger,
    SceneCodec,
    StillCodec,
    View,
    enlarged,
    find_artefact,
    load_scene_codec,
    reduced,
)
from pantel_models.flat_areas import without_grain

Photograph = Callable[[int, int], NDArray[np.uint8]]


def test_latents_of_a_picture_do_not_depend_on_how_its_cells_are_filled(codec: StillCodec) -> None:
    rng = np.random.default_rng(1)
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[:40, :50] = rng.integers(0, 256, (40, 50, 3))
    pixels[40:] = pixels[39]
    pixels[:, 50:] = pixels[:, 49:50]
    contours = np.zeros((48, 64), np.uint8)
    whole = codec.codec.analyse(pixels, contours)
    cut = codec.codec.analyse(pixels[:40, :50], contours[:40, :50])
    assert whole.dtype == np.float32
    assert whole.shape == (codec.codec.entropy.channels, 3, 4)
    np.testing.assert_array_equal(cut, whole)


@pytest.fixture
def photo() -> NDArray[np.uint8]:
    """A smooth picture of 96x64 pixels."""
    rng = np.random.default_rng(2)
    patches = rng.integers(90, 166, (2, 3, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(patches, (96, 64), interpolation=cv2.INTER_CUBIC), np.uint8)


def tell(codec: SceneCodec, background: Background, photo: NDArray[np.uint8], scale: int, block: Block) -> None:
    """Let a background hold a block of a picture's cells."""
    small = reduced(photo, scale)
    latents = codec.analyse(small, np.zeros(small.shape[:2], np.uint8))[:, *block.window]
    values = codec.quantizer.quantize(latents, codec.entropy, 20).values
    background.apply(CellUpdate(block, 20, len(codec.entropy.groups), values, scale), time_ns=0)


def error(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(np.abs(one.astype(int) - other).mean())


def test_coarse_cells_are_the_picture_enlarged(codec: StillCodec, photo: NDArray[np.uint8]) -> None:
    scene_codec = codec.codec
    background = Background(96, 64, scene_codec.entropy.groups)
    tell(scene_codec, background, photo, 1, Block(0, 0, 3, 2))
    halved = scene_codec.synthesise(background, scale=1)
    assert halved.shape == (32, 48, 3)
    picture = scene_codec.synthesise(background)
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, scene_codec.enlarge(halved, (96, 64)))
    assert error(picture, photo) < 6


def test_missing_cells_show_what_coarser_ones_hold(codec: StillCodec, photo: NDArray[np.uint8]) -> None:
    scene_codec = codec.codec
    background = Background(96, 64, scene_codec.entropy.groups)
    tell(scene_codec, background, photo, 0, Block(0, 0, 3, 4))
    alone = scene_codec.synthesise(background)
    tell(scene_codec, background, photo[::-1], 2, Block(0, 0, 2, 1))
    tell(scene_codec, background, photo, 1, Block(0, 0, 3, 2))
    both = scene_codec.synthesise(background)
    assert error(both[:, :40], alone[:, :40]) < 1
    assert error(both[:, 64:], photo[:, 64:]) < 0.5 * error(alone[:, 64:], photo[:, 64:])


def test_without_an_enlarger_of_its_own_the_perceptual_view_paints_anew(
    two_views: Artefact, photo: NDArray[np.uint8]
) -> None:
    artefact = replace(two_views, files={k: v for k, v in two_views.files.items() if k != "perceptual_enlarger"})
    pictures = []
    for view in View:
        scene_codec = load_scene_codec(artefact, view=view)
        background = Background(96, 64, scene_codec.entropy.groups)
        tell(scene_codec, background, photo, 1, Block(0, 0, 3, 2))
        halved = scene_codec.synthesise(background, scale=1)
        pictures.append((scene_codec.synthesise(background), scene_codec.enlarge(halved, (96, 64))))
    (faithful, its_halved), (perceptual, other_halved) = pictures
    np.testing.assert_array_equal(faithful, its_halved)
    assert error(perceptual, other_halved) > 20  # the model of this test paints negatives, here twice


def test_what_lies_below_missing_cells_is_known_as_latents(codec: StillCodec, photo: NDArray[np.uint8]) -> None:
    scene_codec = codec.codec
    background = Background(96, 64, scene_codec.entropy.groups)
    assert not scene_codec.underlying(background).any()
    tell(scene_codec, background, photo, 1, Block(0, 0, 3, 2))
    shown = scene_codec.analyse(scene_codec.synthesise(background), np.zeros((64, 96), np.uint8))
    np.testing.assert_array_equal(scene_codec.underlying(background), shown)


@pytest.mark.parametrize("scale", [0, 1, 2])
def test_a_picture_is_averaged_and_interpolated(scale: int) -> None:
    pixels = np.full((31, 17, 3), 60, np.uint8)
    pixels[:16] = 180
    small = reduced(pixels, scale)
    assert small.shape == (-(-31 >> scale), -(-17 >> scale), 3)
    assert abs(int(small.mean()) - int(pixels.mean())) <= 1
    back = enlarged(small, (17, 31))
    assert back.shape == pixels.shape
    assert error(back, pixels) < 12


def test_the_enlarger_mends_what_interpolation_does_not(codec: StillCodec, photograph: Photograph) -> None:
    original = photograph(256, 192)
    background = Background(256, 192, codec.codec.entropy.groups)
    tell(codec.codec, background, original, 1, Block(0, 0, 8, 6))
    small = codec.codec.synthesise(background, scale=1)
    ours, smooth = codec.codec.enlarge(small, (256, 192)), enlarged(small, (256, 192))
    assert ours.shape == smooth.shape == original.shape
    assert error(ours, original) < error(smooth, original)
    assert error(ours, smooth) < 8  # it is no other picture


@pytest.mark.parametrize("size_px", [(63, 47), (64, 47), (33, 32)])
def test_pictures_of_odd_sizes_lie_where_they_lay(
    codec: StillCodec, photograph: Photograph, size_px: tuple[int, int]
) -> None:
    width, height = size_px
    original = photograph(width, height)
    for picture in (codec.codec.enlarge(reduced(original, 1), size_px), enlarged(reduced(original, 1), size_px)):
        assert picture.shape == original.shape
        moved = [error(np.roll(picture, step, axis=1)[:, 2:-2], original[:, 2:-2]) for step in (-1, 0, 1)]
        assert min(moved) == moved[1]


def test_without_an_enlarger_pictures_are_interpolated() -> None:
    artefact = find_artefact()
    plain = SceneCodec(replace(artefact, files={k: v for k, v in artefact.files.items() if k != "enlarger"}))
    small = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 9
    np.testing.assert_array_equal(plain.enlarge(small, (6, 4)), enlarged(small, (6, 4)))


def test_the_perceptual_view_paints_a_whole_coarse_picture_once(photograph: Photograph) -> None:
    """What is not whole, or coarser, is painted again at the finest scale."""
    codec = load_scene_codec(find_artefact(), view=View.PERCEPTUAL)
    enlarger = Enlarger(find_artefact(), "perceptual_enlarger")
    original = photograph(90, 70)
    for scale, block, once in (
        (1, Block(0, 0, 3, 3), True),
        (1, Block(0, 0, 2, 3), False),
        (2, Block(0, 0, 2, 2), False),
    ):
        background = Background(90, 70, codec.entropy.groups)
        tell(codec, background, original, scale, block)
        expected = without_grain(enlarger(codec._synthesised(background, 1))[:70, :90])
        assert np.array_equal(codec.synthesise(background), expected) == once


def test_an_empty_background_is_a_picture(codec: StillCodec) -> None:
    assert codec.codec.synthesise(Background(47, 30, codec.codec.entropy.groups)).shape == (30, 47, 3)


def test_the_view_chooses_the_generator_and_nothing_else(two_views: Artefact) -> None:
    faithful, perceptual = (load_scene_codec(two_views, view=view) for view in View)
    assert (faithful.view, perceptual.view) == (View.FAITHFUL, View.PERCEPTUAL)
    background = Background(48, 32, faithful.entropy.groups)
    pictures = [codec._synthesised(background, 0).astype(int) for codec in (faithful, perceptual)]
    assert np.abs(pictures[0] + pictures[1] - 255).max() <= 1  # one is the negative of the other
    pixels, contours = np.full((16, 32, 3), 90, np.uint8), np.zeros((16, 32), np.uint8)
    np.testing.assert_array_equal(faithful.analyse(pixels, contours), perceptual.analyse(pixels, contours))


def test_without_a_perceptual_generator_the_faithful_one_paints(one_view: Artefact) -> None:
    faithful, instead = (load_scene_codec(one_view, view=view) for view in View)
    assert instead.view is View.FAITHFUL
    background = Background(48, 32, faithful.entropy.groups)
    np.testing.assert_array_equal(instead.synthesise(background), faithful.synthesise(background))


def test_codecs_are_shared_by_view(two_views: Artefact) -> None:
    assert load_scene_codec(two_views, view=View.PERCEPTUAL) is load_scene_codec(two_views, view=View.PERCEPTUAL)
    assert load_scene_codec(two_views, view=View.PERCEPTUAL) is not load_scene_codec(two_views)
    assert load_scene_codec(two_views) is load_scene_codec(two_views, view=View.FAITHFUL)
    assert load_scene_codec(two_views).view is View.FAITHFUL

"""The networks of the shipped models, run by themselves."""

import numpy as np

from pantel_codec import Block, CellUpdate, Surface
from pantel_models import Artefact, StillCodec, View, load_scene_codec


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


def test_a_surface_of_one_quality_is_drawn_like_a_block(codec: StillCodec) -> None:
    scene_codec = codec.codec
    groups = scene_codec.entropy.groups
    rng = np.random.default_rng(2)
    values = np.rint(rng.laplace(0, 256, (sum(groups), 4, 5))).astype(np.int64)
    values[sum(groups[:2]) :] = 0
    surface = Surface(5, 4, groups)
    surface.apply(CellUpdate(Block(0, 0, 5, 4), 11, 2, values), time_ns=0)
    picture = scene_codec.synthesise(surface)
    assert picture.shape == (64, 80, 3)
    assert picture.dtype == np.uint8
    difference = picture.astype(int) - scene_codec.synthesise_block(values, 11, levels=2)
    assert np.abs(difference).max() <= 1


def test_an_empty_surface_is_a_picture(codec: StillCodec) -> None:
    assert codec.codec.synthesise(Surface(3, 2, codec.codec.entropy.groups)).shape == (32, 48, 3)


def test_the_view_chooses_the_generator_and_nothing_else(two_views: Artefact) -> None:
    faithful, perceptual = (load_scene_codec(two_views, view=view) for view in View)
    assert (faithful.view, perceptual.view) == (View.FAITHFUL, View.PERCEPTUAL)
    surface = Surface(3, 2, faithful.entropy.groups)
    pictures = [codec.synthesise(surface).astype(int) for codec in (faithful, perceptual)]
    assert np.abs(pictures[0] + pictures[1] - 255).max() <= 1  # one is the negative of the other
    pixels, contours = np.full((16, 32, 3), 90, np.uint8), np.zeros((16, 32), np.uint8)
    np.testing.assert_array_equal(faithful.analyse(pixels, contours), perceptual.analyse(pixels, contours))


def test_without_a_perceptual_generator_the_faithful_one_paints(one_view: Artefact) -> None:
    faithful, instead = (load_scene_codec(one_view, view=view) for view in View)
    assert instead.view is View.FAITHFUL
    surface = Surface(3, 2, faithful.entropy.groups)
    np.testing.assert_array_equal(instead.synthesise(surface), faithful.synthesise(surface))


def test_codecs_are_shared_by_view(two_views: Artefact) -> None:
    assert load_scene_codec(two_views, view=View.PERCEPTUAL) is load_scene_codec(two_views, view=View.PERCEPTUAL)
    assert load_scene_codec(two_views, view=View.PERCEPTUAL) is not load_scene_codec(two_views)
    assert load_scene_codec(two_views).view is View.FAITHFUL

"""Flat areas of generated pictures have no grain, and everything else stays."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import Background, Block, CellUpdate
from pantel_models import View, contour_map, find_artefact, load_scene_codec
from pantel_models.flat_areas import without_grain


def grained(levels: float, mean: float = 120.0) -> NDArray[np.uint8]:
    noise = np.random.default_rng(1).normal(0, levels, (48, 64, 1))
    return np.clip(np.rint(mean + noise), 0, 255).astype(np.uint8).repeat(3, axis=2)


def deviation(pixels: NDArray[np.uint8]) -> float:
    return float(pixels[8:-8, 8:-8].std())


@pytest.mark.parametrize("mean", [8.0, 120.0, 250.0])
def test_faint_grain_goes(mean: float) -> None:
    pixels = grained(2.0, mean)
    smooth = without_grain(pixels)
    assert deviation(smooth) < 0.6 * deviation(pixels)
    assert abs(float(smooth.mean()) - float(pixels.mean())) < 0.2


def test_texture_stays() -> None:
    pixels = grained(12.0)
    assert deviation(without_grain(pixels)) > 0.98 * deviation(pixels)


def test_an_edge_between_flat_areas_stays_as_sharp() -> None:
    pixels = grained(0.0)
    pixels[:, 32:] = 180
    np.testing.assert_array_equal(without_grain(pixels), pixels)


@pytest.mark.parametrize("size", [(1, 1), (3, 200)])
def test_pictures_of_any_size_are_taken(size: tuple[int, int]) -> None:
    pixels = np.full((*size, 3), 77, np.uint8)
    np.testing.assert_array_equal(without_grain(pixels), pixels)


def test_only_the_perceptual_view_is_smoothed() -> None:
    rows, columns = np.mgrid[:64, :96].astype(np.float32)
    scene = np.stack([120 + rows / 4, 130 + columns / 8, 150 - rows / 4], axis=2)
    pixels = np.asarray(cv2.GaussianBlur(scene, (0, 0), 2), np.uint8)
    artefact = find_artefact()
    shown = {}
    for view in View:
        codec = load_scene_codec(artefact, view=view)
        latents = codec.analyse(pixels, contour_map(pixels))
        values = codec.quantizer.quantize(latents, codec.entropy, 12).values
        background = Background(96, 64, codec.entropy.groups)
        background.apply(CellUpdate(Block(0, 0, 6, 4), 12, len(codec.entropy.groups), values), 0)
        shown[view] = codec.synthesise(background), codec._synthesised(background, 0)
    np.testing.assert_array_equal(*shown[View.FAITHFUL])
    np.testing.assert_array_equal(shown[View.PERCEPTUAL][0], without_grain(shown[View.PERCEPTUAL][1]))
    assert (shown[View.PERCEPTUAL][0] != shown[View.PERCEPTUAL][1]).any()

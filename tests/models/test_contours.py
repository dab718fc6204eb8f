"""The contour map: where it finds contours, and what the mask does; and the raster on which they are sent."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_models import contour_map, contour_raster


def square(low: int, high: int, *, noise: int = 0) -> NDArray[np.uint8]:
    """Return a picture (64, 64, 3) of a bright square on a dark ground."""
    picture = np.full((64, 64, 3), low, np.int64)
    picture[16:48, 16:48] = high
    if noise:
        picture += np.random.default_rng(1).integers(-noise, noise + 1, (64, 64, 1))
    return picture.clip(0, 255).astype(np.uint8)


def test_contours_follow_the_edge() -> None:
    contours = contour_map(square(40, 200))
    assert contours.dtype == np.uint8
    assert set(np.unique(contours)) == {0, 1}
    row, column = np.nonzero(contours)
    distance = np.minimum.reduce([abs(row - 15.5), abs(row - 47.5), abs(column - 15.5), abs(column - 47.5)])
    assert distance.max() <= 2
    assert 100 <= contours.sum() <= 140  # the outline has 128 pixels


def test_the_mask_limits_them() -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[:32] = 255
    contours = contour_map(square(40, 200), mask)
    assert contours[:32].any()
    assert not contours[32:].any()


def test_an_empty_mask_gives_none() -> None:
    assert not contour_map(square(40, 200), np.zeros((64, 64), np.uint8)).any()


@pytest.mark.parametrize("level", [0, 5, 250])
def test_neither_night_nor_snow_turns_into_noise(level: int) -> None:
    assert not contour_map(square(level, level, noise=5)).any()


def test_a_snowfield_shows_its_edges() -> None:
    assert contour_map(square(250, 130)).any()


def test_a_greater_strength_leaves_weak_contours_out() -> None:
    picture = square(100, 140)
    assert contour_map(picture).any()
    assert not contour_map(picture, strength=4.0).any()


def test_samples_are_set_where_they_cover_contours() -> None:
    contours = np.zeros((12, 16), np.uint8)
    contours[5, 2:14] = 1
    raster = contour_raster(contours, (6, 8), 2.0)
    assert raster.dtype == np.bool_
    expected = np.zeros((6, 8), np.bool_)
    expected[2, 1:7] = True
    np.testing.assert_array_equal(raster, expected)


def test_a_raster_may_lie_anywhere() -> None:
    contours = np.zeros((12, 16), np.uint8)
    contours[5, 2:14] = 1
    raster = contour_raster(contours, (3, 20), 1.5, origin_px=(-3.25, 4.0))
    assert raster[0].sum() == 0
    np.testing.assert_array_equal(np.flatnonzero(raster[1]), range(3, 12))
    assert not contour_raster(contours, (3, 3), 2.0, origin_px=(100.0, 100.0)).any()


def test_specks_are_left_out_and_what_touches_by_a_corner_is_none() -> None:
    contours = np.zeros((8, 8), np.uint8)
    contours[1, 1] = contours[4, 4] = contours[5, 5] = 1
    raster = contour_raster(contours, (8, 8), 1.0)
    np.testing.assert_array_equal(np.argwhere(raster), [[4, 4], [5, 5]])

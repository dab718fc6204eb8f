"""The contour map: where it finds contours, and what the mask does."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_models import contour_map


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

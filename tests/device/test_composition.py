"""Where sprites are placed in a picture, and how they are laid over it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pantel_codec import MARGINS, Pose, size_code
from pantel_device.composition import paste, place, pose_box, raster_box
from pantel_device.frame import Box
from pantel_models.thumbnails import RASTER_PX, Look

_SIZE_PX = (64, 48)


def _disc(radius: float = 12.0) -> Look:
    """Return a white disc in the middle of the raster, its edge a sample wide."""
    y, x = np.mgrid[:RASTER_PX, :RASTER_PX] + 0.5 - RASTER_PX / 2
    alpha = np.clip(radius - np.hypot(x, y) + 0.5, 0, 1).astype(np.float32)
    return Look(np.full((RASTER_PX, RASTER_PX, 3), 255, np.float32), alpha)


def _pasted(look: Look, box: Box) -> NDArray[np.uint8]:
    picture = np.zeros((*_SIZE_PX[::-1], 3), np.uint8)
    paste(picture, place(look, box, _SIZE_PX))
    return picture


def _centre(picture: NDArray[np.uint8]) -> tuple[float, float]:
    weight = picture[..., 0].astype(float)
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]] + 0.5
    return float((weight * x).sum() / weight.sum()), float((weight * y).sum() / weight.sum())


def test_an_object_is_as_large_as_it_was_told() -> None:
    width_code, height_code = size_code(20), size_code(50)
    box = pose_box(Pose(0, 100, 60, 50), width_code, height_code)
    assert (box.x0 + box.x1) / 2 == 100
    assert (box.y0 + box.y1) / 2 == 60
    assert box.y1 - box.y0 == 50
    assert box.x1 - box.x0 == pytest.approx(20, rel=0.05)


def test_it_keeps_its_proportions_when_it_grows() -> None:
    small, large = (pose_box(Pose(0, 100, 60, height), size_code(20), size_code(50)) for height in (25, 100))
    assert (large.x1 - large.x0) / (small.x1 - small.x0) == pytest.approx(4)


def test_the_raster_reaches_as_far_as_its_margins_say() -> None:
    raster = raster_box(Box(100, 50, 120, 90), (0, 1, 2, 3))
    sides = 100 - raster.x0, 50 - raster.y0, raster.x1 - 120, raster.y1 - 90
    assert sides == pytest.approx((20 * MARGINS[0], 40 * MARGINS[1], 20 * MARGINS[2], 40 * MARGINS[3]))


@given(x=st.floats(20, 44), y=st.floats(16, 32))
def test_fractions_of_pixels_count(x: float, y: float) -> None:
    picture = _pasted(_disc(), Box(x - 12, y - 12, x + 12, y + 12))
    assert _centre(picture) == pytest.approx((x, y), abs=0.06)


@given(edges=st.tuples(*[st.floats(-150, 150)] * 4))
def test_sprites_anywhere_stay_inside_the_picture(edges: tuple[float, float, float, float]) -> None:
    x0, y0, width, height = edges
    box = Box(x0, y0, x0 + abs(width) + 1, y0 + abs(height) + 1)
    placed = place(_disc(), box, _SIZE_PX)
    rows, columns = placed.window
    assert 0 <= rows.start <= rows.stop <= _SIZE_PX[1]
    assert 0 <= columns.start <= columns.stop <= _SIZE_PX[0]
    assert placed.colour.shape == (rows.stop - rows.start, columns.stop - columns.start, 3)
    assert placed.alpha.shape == (*placed.colour.shape[:2], 1)
    assert _pasted(_disc(), box).shape == (48, 64, 3)


def test_half_transparent_is_half_way_between() -> None:
    look = Look(np.full((RASTER_PX, RASTER_PX, 3), 200, np.float32), np.full((RASTER_PX, RASTER_PX), 0.5, np.float32))
    picture = np.full((48, 64, 3), 100, np.uint8)
    paste(picture, place(look, Box(10, 10, 30, 30), _SIZE_PX))
    assert (picture[12:28, 12:28] == 150).all()
    assert (picture[:9] == 100).all()

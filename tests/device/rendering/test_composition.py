"""Where sprites are placed in a picture, and how they are laid over it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pantel_codec import MARGINS, Pose, size_code
from pantel_device.frame import Box
from pantel_device.rendering.composition import paste, place, pose_box, raster_box
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


@given(width=st.floats(6, 30), height=st.floats(6, 30), corner=st.tuples(st.floats(2, 12), st.floats(2, 12)))
def test_a_fine_pattern_shown_small_is_grey(width: float, height: float, corner: tuple[float, float]) -> None:
    """Each pixel is the mean of all samples that it covers, not of some of them."""
    checkers = 255 * (np.indices((RASTER_PX, RASTER_PX)).sum(axis=0) % 2).astype(np.float32)
    look = Look(np.repeat(checkers[..., None], 3, axis=2), np.ones((RASTER_PX, RASTER_PX), np.float32))
    x, y = corner
    placed = place(look, Box(x, y, x + width, y + height), _SIZE_PX)
    assert (placed.alpha == 1).all()
    assert placed.colour == pytest.approx(np.full_like(placed.colour, 127.5), abs=13)


@given(width=st.floats(3, 150), height=st.floats(3, 150), corner=st.tuples(st.floats(-20, 12), st.floats(-20, 12)))
def test_what_is_transparent_has_no_colour(width: float, height: float, corner: tuple[float, float]) -> None:
    """A red disc cut out of a green raster has a red edge, whatever its size and place."""
    alpha = _disc().alpha
    red, green = np.array([(250, 20, 30), (0, 255, 0)], np.float32)
    colour = np.where(alpha[..., None] > 0, red, green)
    x, y = corner
    placed = place(Look(colour, alpha), Box(x, y, x + width, y + height), _SIZE_PX)
    shown = placed.colour[placed.alpha[..., 0] > 0.02]
    np.testing.assert_allclose(shown, np.broadcast_to(red, shown.shape), atol=0.5)


def test_a_sprite_as_large_as_its_raster_is_shown_as_it_is() -> None:
    rng = np.random.default_rng(1)
    colour = rng.uniform(0, 255, (RASTER_PX, RASTER_PX, 3)).astype(np.float32)
    alpha = rng.uniform(0.1, 1, (RASTER_PX, RASTER_PX)).astype(np.float32)
    placed = place(Look(colour, alpha), Box(8, 4, 8 + RASTER_PX, 4 + RASTER_PX), (RASTER_PX + 16, RASTER_PX + 8))
    assert placed.window == (slice(4, 4 + RASTER_PX), slice(8, 8 + RASTER_PX))
    np.testing.assert_allclose(placed.colour, colour, atol=0.01)
    np.testing.assert_allclose(placed.alpha[..., 0], alpha, atol=1e-4)


def test_where_a_shrunk_sprite_lies_does_not_depend_on_how_much_it_shrinks() -> None:
    for side in (5.0, 9.5, 20.0, 31.7, 63.9, 64.1, 100.0):
        picture = np.zeros((128, 160, 3), np.uint8)
        box = Box(70.3 - side / 2, 60.8 - side / 2, 70.3 + side / 2, 60.8 + side / 2)
        paste(picture, place(_disc(), box, (160, 128)))
        assert _centre(picture) == pytest.approx((70.3, 60.8), abs=0.1)


def _area_means(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return (count, ...) means over equal shares of the first axis; what a share cuts counts as far as it covers."""
    size = len(values)
    means = []
    for share in range(count):
        low, high = share * size / count, (share + 1) * size / count
        cover = np.clip(np.minimum(high, np.arange(size) + 1) - np.maximum(low, np.arange(size)), 0, None)
        means.append(np.tensordot(cover, values, axes=(0, 0)) / cover.sum())
    return np.array(means)


def _lines(values: NDArray[np.float64], low: float, high: float, pixels: range) -> NDArray[np.float64]:
    """Return what pixels show of samples that are spread from low to high; linear between, constant beyond."""
    shown = []
    for pixel in pixels:
        place = (pixel + 0.5 - low) / (high - low) * len(values) - 0.5
        below = int(np.floor(place))
        first, second = (values[min(max(index, 0), len(values) - 1)] for index in (below, below + 1))
        shown.append(first + (place - below) * (second - first))
    return np.array(shown)


@pytest.mark.parametrize("box", [Box(10.25, 5.5, 30.5, 40.75), Box(-20.5, 3.25, 50, 80.5), Box(4, 7, 5.5, 9)])
def test_a_raster_is_placed_as_the_page_on_the_codec_says(box: Box) -> None:
    rng = np.random.default_rng(5)
    alpha = rng.uniform(0, 1, (RASTER_PX, RASTER_PX)).astype(np.float32)
    look = Look(rng.uniform(0, 255, (RASTER_PX, RASTER_PX, 3)).astype(np.float32), alpha)
    placed = place(look, box, _SIZE_PX)
    rows, columns = (
        range(max(0, int(np.floor(low))), min(limit, int(np.ceil(high))))
        for low, high, limit in ((box.y0, box.y1, _SIZE_PX[1]), (box.x0, box.x1, _SIZE_PX[0]))
    )
    assert placed.window == (slice(rows.start, rows.stop), slice(columns.start, columns.stop))
    planes = np.concatenate([look.colour * alpha[..., None], alpha[..., None]], axis=2).astype(np.float64)
    for low, high, pixels in ((box.y0, box.y1, rows), (box.x0, box.x1, columns)):
        count = min(RASTER_PX, max(2, int(np.ceil(high - low))))
        # First the rows; then the same with the columns, which have come to the front.
        planes = _lines(_area_means(planes, count), low, high, pixels).swapaxes(0, 1)
    np.testing.assert_allclose(placed.alpha, planes[..., 3:], atol=0.03)  # OpenCV places by 1/32 of a sample
    np.testing.assert_allclose(placed.alpha * placed.colour, planes[..., :3], atol=6)

"""Backgrounds laid over each other: what the nearest does not hold is seen in those behind it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import CELL_PX, NEVER, Background, Block, CellUpdate, Layer, Sight
from pantel_device.rendering.layers import LayerPainter, pixel_matrix, told_ns
from pantel_models import SceneCodec, contour_map

_SIZE_PX = (160, 112)
_S = 1_000_000_000


def _held(codec: SceneCodec, picture: NDArray[np.uint8], block: Block | None = None, time_ns: int = _S) -> Background:
    """Return a background of which a picture is held, or a block of its cells."""
    height, width = picture.shape[:2]
    background = Background(width, height, codec.entropy.groups)
    latents = codec.analyse(picture, contour_map(picture))
    block = block or Block(0, 0, latents.shape[2], latents.shape[1])
    quantized = codec.quantizer.quantize(latents[:, *block.window], codec.entropy, 5)
    background.apply(CellUpdate(block, 5, quantized.levels, quantized.values), time_ns)
    return background


def _moved(x: float, y: float) -> NDArray[np.float64]:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def _sight(*layers: Layer, placed: NDArray[np.float64] | None = None) -> Sight:
    """Return the sight of a picture that lies in the last layer."""
    return Sight(layers[-1].background, np.eye(3) if placed is None else placed, layers)


@pytest.fixture(scope="module")
def street(codec: SceneCodec, street: NDArray[np.uint8]) -> Background:
    return _held(codec, street)


def test_a_background_in_its_place_is_shown_as_it_is(codec: SceneCodec, street: Background) -> None:
    painted = LayerPainter(codec).paint(_sight(Layer(street, np.eye(3))), _SIZE_PX)
    np.testing.assert_array_equal(painted, codec.synthesise(street))


def test_a_background_is_carried_along(codec: SceneCodec, street: Background) -> None:
    painted = LayerPainter(codec).paint(_sight(Layer(street, np.eye(3)), placed=_moved(10, -4)), _SIZE_PX)
    np.testing.assert_array_equal(painted[4:, :-10], codec.synthesise(street)[:-4, 10:])
    np.testing.assert_array_equal(painted[:4], painted[[4]].repeat(4, axis=0))  # beyond it, its border


def test_a_background_is_painted_anew_only_when_it_changes(codec: SceneCodec, street: Background) -> None:
    painter = LayerPainter(codec)
    sight = _sight(Layer(street, np.eye(3)))
    canvas = painter.canvas(sight)
    assert painter.paint(sight, _SIZE_PX) is canvas
    assert painter.canvas(_sight(*sight.layers, placed=_moved(3, 0))) is canvas
    street.scales[0].revision += 1
    assert painter.canvas(sight) is not canvas


def test_where_the_nearest_holds_nothing_the_next_one_is_seen(codec: SceneCodec, street: Background) -> None:
    red = np.full((112, 160, 3), (200, 30, 30), np.uint8)
    nearest = _held(codec, red, Block(0, 0, 5, 7))
    painted = LayerPainter(codec).paint(_sight(Layer(nearest, np.eye(3)), Layer(street, np.eye(3))), _SIZE_PX)
    behind = codec.synthesise(street)
    np.testing.assert_array_equal(painted[:, 5 * CELL_PX + 5 :], behind[:, 5 * CELL_PX + 5 :])
    np.testing.assert_array_equal(painted[:, : 5 * CELL_PX - 5], codec.synthesise(nearest)[:, : 5 * CELL_PX - 5])


def test_a_layer_that_lies_elsewhere_hides_only_what_it_covers(codec: SceneCodec, street: Background) -> None:
    red = _held(codec, np.full((112, 160, 3), (200, 30, 30), np.uint8))
    painted = LayerPainter(codec).paint(_sight(Layer(red, _moved(100, 0)), Layer(street, np.eye(3))), _SIZE_PX)
    np.testing.assert_array_equal(painted[:, :55], codec.synthesise(red)[:, 100:155])
    np.testing.assert_array_equal(painted[:, 65:], codec.synthesise(street)[:, 65:])


def test_the_age_of_a_cell_is_that_of_what_is_seen_there(codec: SceneCodec) -> None:
    red = np.full((112, 160, 3), (200, 30, 30), np.uint8)
    older, newer = _held(codec, red), _held(codec, red, Block(2, 1, 2, 2), time_ns=3 * _S)
    sight = Sight(newer, np.eye(3), (Layer(newer, _moved(16, 0)), Layer(older, _moved(0, 32))))
    shown_ns = told_ns(sight, _SIZE_PX)
    assert (shown_ns[1:3, 1:3] == 3 * _S).all()
    assert (shown_ns[:5] > NEVER).all()
    assert (shown_ns[5:] == NEVER).all()
    assert (shown_ns == 3 * _S).sum() == 4
    moved = told_ns(Sight(newer, _moved(-16, 0), sight.layers), _SIZE_PX)
    np.testing.assert_array_equal(moved[:, 1:], shown_ns[:, :-1])
    assert (moved[:, 0] == NEVER).all()


def test_points_are_mapped_as_opencv_counts_pixels() -> None:
    matrix = pixel_matrix(_moved(3, 0), (10, 6), (20, 6))
    np.testing.assert_allclose(matrix @ np.array([4.5, 2.5, 1.0]), (9.5 + 3, 2.5))

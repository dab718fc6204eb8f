"""What should be drawn of a frame, and how wrong lines are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import Drawing
from pantel_device.frame import Box, Observation
from pantel_device.scene_encoding.contours.line_view import LineView, drawn, drawn_over, far_from, line_error
from pantel_models import contour_map

SECOND_NS = 1_000_000_000


def across(row: int, *, columns: slice = slice(0, 40)) -> NDArray[np.uint8]:
    lines = np.zeros((30, 40), np.uint8)
    lines[row, columns] = 1
    return lines


def test_distances_end_at_four_pixels() -> None:
    far = far_from(across(10))
    np.testing.assert_allclose(far[10:16, 7], [0, 0.25, 0.5, 0.75, 1, 1], atol=0.02)
    assert (far_from(np.zeros((3, 3), np.uint8)) == 1).all()


def test_lines_are_as_wrong_as_they_are_far_apart() -> None:
    assert line_error(across(10), across(10)).sum() == 0
    assert line_error(across(10), across(12)).sum() == pytest.approx(40, rel=0.02)  # half of each
    assert line_error(across(10), across(20)).sum() == 80
    assert line_error(across(10), np.zeros((30, 40), np.uint8)).sum() == 40
    assert line_error(np.zeros((30, 40), np.uint8), across(10)).sum() == 40


def test_an_object_hides_what_its_lines_enclose() -> None:
    corners = [(5.5, 5.5), (15.5, 5.5), (15.5, 15.5), (5.5, 15.5)]
    square = np.array(list(zip(corners, [*corners[1:], corners[0]], strict=True)), np.float32)
    over = drawn_over(across(10), square)
    assert not over[10, 6:15].any()
    assert over[10, 16:].all()
    assert over[5, 5:16].all()
    assert not drawn(Drawing(40, 30)).any()


def test_contours_are_those_of_what_moves_and_else_of_the_background(
    street: NDArray[np.uint8],
    paint: Callable[..., NDArray[np.uint8]],
    observe: Callable[..., Observation],
) -> None:
    figure = Box(40, 40, 60, 90)
    observation = observe(paint(street, figure), street, SECOND_NS)
    view = LineView(observation, SECOND_NS + 430_000_000)
    assert view.age_steps == 5
    assert view.now_ns == SECOND_NS
    inside = np.zeros(view.moving.shape, np.bool_)
    inside[36:94, 36:64] = True
    assert view.moving[42:88, 42:58].all()
    assert not view.moving[~inside].any()
    assert view.objects.any()
    assert not view.objects[~inside].any()
    np.testing.assert_array_equal(view.background, contour_map(street))
    np.testing.assert_array_equal(view.expected[~inside], view.background[~inside])
    np.testing.assert_array_equal(view.expected[view.moving], view.objects[view.moving])
    assert LineView(observation, SECOND_NS, strength=10.0).background.sum() < view.background.sum()


def test_another_finder_is_asked_for_the_background_and_for_what_moves(
    street: NDArray[np.uint8],
    paint: Callable[..., NDArray[np.uint8]],
    observe: Callable[..., Observation],
) -> None:
    frame = paint(street, Box(40, 40, 60, 90))
    observation = observe(frame, street, SECOND_NS)
    asked: list[tuple[NDArray[np.uint8], bool, float]] = []

    def everywhere(
        pixels: NDArray[np.uint8], mask: NDArray[np.uint8] | None = None, *, strength: float = 1.0
    ) -> NDArray[np.uint8]:
        asked.append((pixels, mask is None, strength))
        return np.ones(pixels.shape[:2], np.uint8)

    view = LineView(observation, SECOND_NS, 3.0, everywhere)
    assert [rest for _, *rest in asked] == [[True, 3.0], [False, 1.0]]
    np.testing.assert_array_equal(asked[0][0], street)
    np.testing.assert_array_equal(asked[1][0], frame)
    assert view.expected.all()
    np.testing.assert_array_equal(view.objects > 0, view.moving)

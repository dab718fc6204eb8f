"""Polygons: those that go around an area, and those that cover less than their corners promise."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pantel_device.observer.polygon import check_polygon

_Corners = list[tuple[float, float]]

_SQUARE: _Corners = [(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)]


@pytest.mark.parametrize(
    "corners",
    [
        _SQUARE,
        _SQUARE[::-1],
        [*_SQUARE, _SQUARE[0]],  # closed, as some programs write it
        [(0.0, 0.0), (0.5, 0.0), (1.0, 0.0), (1.0, 1.0)],  # a corner on an edge
        [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 0.1), (0.0, 1.0)],
    ],
)
def test_corners_in_order_are_taken(corners: _Corners) -> None:
    check_polygon(corners)


@pytest.mark.parametrize(
    "corners",
    [
        [(0.2, 0.2), (0.8, 0.8), (0.8, 0.2), (0.2, 0.8)],
        [(0.2, 0.2), (0.5, 0.5), (0.8, 0.8), (0.8, 0.2), (0.5, 0.5), (0.2, 0.8)],  # crosses in a corner
        [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 0.0), (0.0, 1.0)],  # touches its first edge
        [(0.0, 0.0), (1.0, 0.0), (0.5, 0.0), (0.5, 1.0)],  # goes back on it
        [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)],  # a line
    ],
)
def test_edges_that_meet_are_refused(corners: _Corners) -> None:
    with pytest.raises(
        ValueError, match=r"crosses or touches itself; give the corners in their order around the zone$"
    ):
        check_polygon(corners)


@pytest.mark.parametrize("corners", [3 * [(0.5, 0.5)], [(0.5, 0.5), (0.501, 0.5), (0.5, 0.501)]])
def test_specks_are_refused(corners: _Corners) -> None:
    with pytest.raises(ValueError, match="covers almost nothing of the picture"):
        check_polygon(corners)


@given(st.permutations(_SQUARE))
def test_a_square_is_taken_in_either_direction_and_refused_across(corners: _Corners) -> None:
    in_order = {corners[0], corners[2]} in ({_SQUARE[0], _SQUARE[2]}, {_SQUARE[1], _SQUARE[3]})
    with nullcontext() if in_order else pytest.raises(ValueError, match="crosses or touches itself"):
        check_polygon(corners)

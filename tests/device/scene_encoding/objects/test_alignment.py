"""The knot that is told of a known object is the one at which its look fits the picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import Knot, Part, Sprite, Thumbnail, Trajectory, size_code
from pantel_device.frame import Box, Observation, Track
from pantel_device.rendering.composition import raster_box
from pantel_device.scene_encoding.objects.alignment import aligned_knot
from pantel_device.scene_encoding.objects.object_view import ObjectView
from pantel_device.scene_encoding.objects.sprite_belief import SpriteBelief
from pantel_device.scene_encoding.objects.sprite_case import SpriteCase
from pantel_device.scene_encoding.objects.track_knots import knot_pose
from pantel_models.thumbnails import Look

_PICTURE_PX = (160, 112)
_S = 1_000_000_000
_CENTRE = (60, 50)
_HALF_PX = (8, 16)
_TIGHT = (0, 0, 0, 0)  # margins
_BOX = Box(_CENTRE[0] - _HALF_PX[0], _CENTRE[1] - _HALF_PX[1], _CENTRE[0] + _HALF_PX[0], _CENTRE[1] + _HALF_PX[1])
_PAINTED = raster_box(_BOX, _TIGHT)
"""Where the figure is, which fills its raster."""

_CORE = Thumbnail(Part.CORE, 3, 0, np.zeros(4, np.int32))

_Case = Callable[[tuple[float, float]], SpriteCase]


@pytest.fixture
def tracked_at(
    street: NDArray[np.uint8],
    paint: Callable[..., NDArray[np.uint8]],
    observe: Callable[..., Observation],
    walk: Callable[..., Track],
) -> _Case:
    """Return a function that makes the case of a figure whose tracker has its centre somewhere else."""

    def make(centre: tuple[float, float]) -> SpriteCase:
        track = walk(lambda _: centre, _S)
        view = ObjectView(observe(paint(street, _PAINTED), street, _S, [track]), track, [track.box, _PAINTED])
        return SpriteCase(_S, 0, _S, track, view, 0.0, view.bare_error(), 0.0, None)

    return make


@pytest.fixture
def belief(figure: Look) -> SpriteBelief:
    """Return a figure that the receiver knows as it is painted."""
    width, height = (size_code(2 * half) for half in _HALF_PX)
    trajectory = Trajectory()
    trajectory.add(knot_pose(Knot(0, *_CENTRE, height), 0))
    return SpriteBelief(3, Sprite(1, width, height, _TIGHT, _CORE, 0, trajectory), figure, figure, 0, 0.0)


@pytest.mark.parametrize("wrong_by", [(0, 0), (2, 0), (-2, 1), (0, -3)])
def test_the_knot_is_where_the_look_fits(tracked_at: _Case, belief: SpriteBelief, wrong_by: tuple[int, int]) -> None:
    case = tracked_at((_CENTRE[0] + wrong_by[0], _CENTRE[1] + wrong_by[1]))
    knot, _ = aligned_knot(case, belief, _PICTURE_PX)
    # The painted figure ends at whole pixels, the sprite does not.
    assert abs(knot.x - _CENTRE[0]) <= 1
    assert abs(knot.y - _CENTRE[1]) <= 1
    assert abs(knot.height_code - size_code(2 * _HALF_PX[1])) <= 1


def test_the_error_is_that_of_the_knot(tracked_at: _Case, belief: SpriteBelief) -> None:
    case = tracked_at((_CENTRE[0] + 2, _CENTRE[1]))
    knot, error = aligned_knot(case, belief, _PICTURE_PX)
    assert error == case.view.error(belief.look, belief.box_of(knot_pose(knot, case.stamp_ns)), belief.sprite.margins)
    tracked = belief.box_of(knot_pose(case.knot(_PICTURE_PX, belief.sprite), case.stamp_ns))
    assert error < 0.5 * case.view.error(belief.look, tracked, belief.sprite.margins)


def test_the_search_goes_on_from_the_payload_before(tracked_at: _Case, belief: SpriteBelief) -> None:
    case = tracked_at((_CENTRE[0] + 4, _CENTRE[1] + 4))  # farther than one search goes
    _, error = aligned_knot(case, belief, _PICTURE_PX)
    offset = belief.offset
    _, less = aligned_knot(case, belief, _PICTURE_PX)
    assert belief.offset != offset
    assert less < error


def test_it_does_not_go_far(tracked_at: _Case, belief: SpriteBelief) -> None:
    case = tracked_at((_CENTRE[0] + 12, _CENTRE[1]))
    for _ in range(3):
        knot, _ = aligned_knot(case, belief, _PICTURE_PX)
    assert abs(knot.x - (_CENTRE[0] + 12)) <= 4
    assert max(map(abs, belief.offset)) <= 4


def test_a_knot_tells_where_the_look_was_at_its_own_time(
    tracked_at: _Case, belief: SpriteBelief, walk: Callable[..., Track]
) -> None:
    """Knots are dated in tenths of a second, before the frame; the object goes on until that is taken."""
    track = walk(lambda time_s: (_CENTRE[0] + 60 * (time_s - 1), _CENTRE[1]), _S)
    case = replace(tracked_at(_CENTRE), track=track, stamp_ns=_S - _S // 20)  # 50 ms
    knot, _ = aligned_knot(case, belief, _PICTURE_PX)
    assert abs(knot.x - (_CENTRE[0] - 3)) <= 1


def test_a_look_that_fits_nowhere_is_not_pushed_away(tracked_at: _Case, belief: SpriteBelief) -> None:
    belief.look = Look(255 - belief.look.colour, belief.look.alpha)
    knot, _ = aligned_knot(tracked_at(_CENTRE), belief, _PICTURE_PX)
    assert abs(knot.x - _CENTRE[0]) <= 3  # a fifth of 16 pixels

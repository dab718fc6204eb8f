"""One object at the time of a payload: its knots and the places of its sprite."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_codec import SIZE_CODES, size_code, size_px
from pantel_device.frame import Box, Observation, Track
from pantel_device.rendering.composition import raster_box
from pantel_device.scene_encoding.objects.object_view import ObjectView
from pantel_device.scene_encoding.objects.sprite_case import SpriteCase

_SECOND_NS = 1_000_000_000
_TENTH_NS = _SECOND_NS // 10
_PICTURE_PX = (160, 112)
_TIGHT = (0, 0, 0, 0)


@pytest.fixture
def case_at(
    street: NDArray[np.uint8], observe: Callable[..., Observation], walk: Callable[..., Track]
) -> Callable[..., SpriteCase]:
    def make(
        seconds: float, speed_px: float = 20.0, since_s: float = 0.0, size_px: tuple[int, int] = (16, 32)
    ) -> SpriteCase:
        now_ns = round(seconds * _SECOND_NS)
        since_ns = round(since_s * _SECOND_NS)
        track = walk(lambda t: (40 + speed_px * t, 56.0), now_ns, since_ns=since_ns, size_px=size_px)
        view = ObjectView(observe(street, street, now_ns, [track]), track, [track.box])
        return SpriteCase(now_ns + 4 * _TENTH_NS, 4, now_ns, track, view, 1.0, 2.0, 1.0, None)

    return make


def test_a_knot_is_where_the_object_was(case_at: Callable[..., SpriteCase]) -> None:
    case = case_at(1.0)
    knot = case.knot(_PICTURE_PX)
    assert (knot.age_steps, knot.x, knot.y) == (4, 60, 56)
    assert size_px(knot.height_code) == pytest.approx(32, rel=0.03)
    assert size_code(case.width_px) == size_code(16)


def test_a_knot_far_outside_stays_tellable(case_at: Callable[..., SpriteCase]) -> None:
    assert case_at(30.0).knot(_PICTURE_PX).x == _PICTURE_PX[0] + 63


def test_a_knot_beside_the_object_is_tellable_too(case_at: Callable[..., SpriteCase]) -> None:
    case = case_at(1.0)
    knot, beside = case.knot(_PICTURE_PX), case.knot(_PICTURE_PX, offset=(3, -2, 1))
    assert (beside.x - knot.x, beside.y - knot.y, beside.height_code - knot.height_code) == (3, -2, 1)
    assert case_at(30.0).knot(_PICTURE_PX, offset=(4, 4, 3)).x == _PICTURE_PX[0] + 63
    assert case_at(30.0, speed_px=-20.0).knot(_PICTURE_PX, offset=(-4, 0, 0)).x == -63
    assert case_at(1.0, size_px=(4, 4)).knot(_PICTURE_PX, offset=(0, 0, -3)).height_code == 0
    assert case_at(1.0, size_px=(990, 990)).knot(_PICTURE_PX, offset=(0, 0, 3)).height_code == SIZE_CODES - 1


def test_a_knot_is_older_than_the_frame_by_less_than_a_tenth(case_at: Callable[..., SpriteCase]) -> None:
    """What is at its place at the knot's time has moved on when the frame is taken."""
    case, box = case_at(1.0), Box(10, 20, 30, 40)
    assert case.now(box) == box
    earlier = replace(case, stamp_ns=case.stamp_ns - _TENTH_NS // 2)  # 20 px/s for 50 ms
    assert earlier.now(box) == Box(11, 20, 31, 40)
    assert earlier.knot(_PICTURE_PX).x == 59


def test_a_new_object_has_a_past(case_at: Callable[..., SpriteCase]) -> None:
    case = case_at(1.0)
    past = case.past(case.knot(_PICTURE_PX), _PICTURE_PX)
    assert past is not None
    assert past.age_steps > 4
    assert past.x < 60


def test_who_is_too_new_or_too_fast_has_none(case_at: Callable[..., SpriteCase]) -> None:
    for case in (case_at(1.0, since_s=0.9), case_at(1.0, speed_px=100.0)):
        assert case.past(case.knot(_PICTURE_PX), _PICTURE_PX) is None


def test_shown_errors_are_what_is_to_be_expected(case_at: Callable[..., SpriteCase]) -> None:
    assert replace(case_at(1.0), missing=0.25).shown == pytest.approx(0.25 * 2.0 + 0.75 * 1.0)


def test_a_sprite_is_judged_by_the_frame_before_as_well(case_at: Callable[..., SpriteCase]) -> None:
    now = case_at(1.0)
    box = now.track.box
    assert now.places(box, _TIGHT) == [(now.view, raster_box(box, _TIGHT))]
    before = case_at(0.6, size_px=(8, 16))
    (_, here), (view, there) = replace(now, earlier=before).places(box, _TIGHT)
    assert view is before.view
    assert here == raster_box(box, _TIGHT)
    # Where it was, as large as it was, with the proportions of the sprite.
    expected = raster_box(Box(48, 48, 56, 64), _TIGHT)
    assert [there.x0, there.y0, there.x1, there.y1] == pytest.approx(
        [expected.x0, expected.y0, expected.x1, expected.y1]
    )


def test_what_fits_beside_the_object_is_judged_beside_it_before(case_at: Callable[..., SpriteCase]) -> None:
    now, before = case_at(1.0), case_at(0.6)
    true = now.track.box
    beside = Box(true.x0 + 3, true.y0 - 2, true.x1 + 3, true.y1 - 2)
    (_, here), (_, there) = replace(now, earlier=before).places(beside, _TIGHT)
    assert (here.x0 - there.x0, here.y0 - there.y0) == pytest.approx((8, 0))
    alone = replace(now, earlier=before).places(now.track.box, _TIGHT)[1][1]
    assert (there.x0 - alone.x0, there.y0 - alone.y0) == pytest.approx((3, -2))

"""What the sender believes of an object: steps that a receiver completes rightly, and doubts that grow."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from pantel_codec import (
    AGE_STEP_NS,
    STEP_RANGE_PX,
    STEP_SIZES,
    Knot,
    Part,
    Sprite,
    StepElement,
    Thumbnail,
    Trajectory,
    completed_knot,
    size_code,
)
from pantel_device.scene_encoding.audience import Audience
from pantel_device.scene_encoding.objects.sprite_belief import SpriteBelief, as_step
from pantel_device.scene_encoding.objects.track_knots import knot_pose
from pantel_models.thumbnails import RASTER_PX, Look

_S = 1_000_000_000
_LOOK = Look(np.zeros((RASTER_PX, RASTER_PX, 3), np.float32), np.zeros((RASTER_PX, RASTER_PX), np.float32))
_CORE = Thumbnail(Part.CORE, 3, 0, np.zeros(4, np.int32))


def _knot(x: float, y: float, age_steps: int = 2) -> Knot:
    return Knot(age_steps, round(x), round(y), size_code(40))


def _belief(stamps_ns: Iterable[int], speed_px_s: float = 20.0) -> SpriteBelief:
    """Return an object that has been told again and again while it moved east."""
    trajectory = Trajectory()
    for stamp_ns in stamps_ns:
        trajectory.add(knot_pose(_knot(50 + speed_px_s * stamp_ns / _S, 60), stamp_ns))
    sprite = Sprite(1, size_code(16), size_code(40), (0, 0, 0, 0), _CORE, 0, trajectory)
    return SpriteBelief(3, sprite, _LOOK, _LOOK, 0, 0.05)


_OFTEN = range(0, 3 * _S, _S // 2)


def test_a_step_is_completed_by_who_missed_the_newest_knot() -> None:
    belief = _belief(_OFTEN)
    stamp_ns = 3 * _S
    knot = _knot(50 + 60, 60)
    step = belief.step(knot, stamp_ns)
    assert isinstance(step, StepElement)
    trajectory = belief.sprite.trajectory
    for known in (trajectory, trajectory.without_newest()):
        assert completed_knot(known, step, stamp_ns) == knot


@pytest.mark.parametrize(
    "knot",
    [
        _knot(110 + STEP_RANGE_PX, 60),
        _knot(110, 60 - STEP_RANGE_PX),
        Knot(2, 110, 60, size_code(40) + STEP_SIZES),
    ],
)
def test_what_nobody_could_expect_is_told_whole(knot: Knot) -> None:
    assert _belief(_OFTEN).step(knot, 3 * _S) is None


def test_a_step_that_would_mislead_who_missed_a_knot_is_told_whole() -> None:
    belief = _belief(_OFTEN)
    trajectory = belief.sprite.trajectory
    # The newest knot told of a leap; who missed it looks for the object in its old place.
    trajectory.add(knot_pose(_knot(105 - STEP_RANGE_PX, 60), 11 * _S // 4))
    stamp_ns = 3 * _S
    expected = trajectory.at(stamp_ns - 2 * AGE_STEP_NS)
    assert expected is not None
    knot = _knot(expected.x, expected.y)
    step = as_step(3, knot)
    assert completed_knot(trajectory, step, stamp_ns) == knot
    assert completed_knot(trajectory.without_newest(), step, stamp_ns) != knot
    assert belief.step(knot, stamp_ns) is None


def test_a_whole_knot_is_due_now_and_then() -> None:
    belief = _belief(range(0, 30 * _S, _S // 2))
    assert belief.step(_knot(50 + 20 * 30, 60), 30 * _S) is None


def test_the_doubt_whether_a_receiver_knows_the_object_grows() -> None:
    belief = _belief(_OFTEN)
    doubts = [belief.missing_at(second * _S, Audience(0.1, 120.0)) for second in (0, 10, 100, 1000)]
    assert doubts[0] == belief.missing
    assert doubts == sorted(doubts)
    assert doubts[1] < doubts[2] < doubts[3] < 1
    assert belief.missing_at(1000 * _S, Audience(0.0, 120.0)) == belief.missing


def test_where_it_is_shown() -> None:
    belief = _belief(_OFTEN)
    box = belief.box_at(2 * _S)
    assert box is not None
    assert (box.x0 + box.x1) / 2 == pytest.approx(50 + 20 * 2 + 20 * 2 * AGE_STEP_NS / _S, abs=0.6)
    assert (box.y0 + box.y1) / 2 == 60
    assert belief.box_at(100 * _S) is None


def test_a_new_core_replaces_the_detail_of_the_old_one() -> None:
    belief = _belief(_OFTEN)
    detail = Thumbnail(Part.DETAIL, 3, 0, np.zeros(4, np.int32))
    belief.update_look(detail, _LOOK, _S)
    assert (belief.sprite.core, belief.sprite.detail, belief.sprite.look_ns) == (_CORE, detail, _S)
    core = Thumbnail(Part.CORE, 3, belief.next_version, np.zeros(4, np.int32))
    belief.update_look(core, _LOOK, 2 * _S)
    assert (belief.sprite.core, belief.sprite.detail, belief.sprite.look_ns) == (core, None, 2 * _S)
    assert core.version == 1

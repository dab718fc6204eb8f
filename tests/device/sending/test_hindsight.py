"""What is told was seen a moment ago, with what has been learned since."""

from __future__ import annotations

import numpy as np
import pytest

from pantel_device.frame import Frame, Observation, Track, TrackPoint
from pantel_device.sending.hindsight import Hindsight

_STEP_NS = 100_000_000
_DELAY_NS = 300_000_000


def observation(index: int, *tracks: Track) -> Observation:
    plane = np.zeros((48, 64), np.uint8)
    pixels = np.zeros((48, 64, 3), np.uint8)
    frame = Frame(index, index * _STEP_NS, pixels)
    return Observation(frame, (), plane > 0, plane > 0, pixels.copy(), (0.0, 0.0, 0.0), plane.copy(), tracks)


def track(track_id: int, first: int, last: int, *, x: float = 0.0) -> Track:
    history = tuple(TrackPoint(k * _STEP_NS, x + k, 20.0, 8.0, 16.0) for k in range(first, last + 1))
    return Track(track_id, "person", first * _STEP_NS, history, travelled=True)


def test_the_first_frame_is_told_at_once() -> None:
    hindsight, first = Hindsight(_DELAY_NS), observation(0)
    assert hindsight.look(first) is first


def test_later_frames_are_told_when_they_are_old_enough() -> None:
    hindsight = Hindsight(_DELAY_NS)
    told = [hindsight.look(observation(k)).frame.index for k in range(7)]
    assert told == [0, 0, 0, 0, 1, 2, 3]


def test_after_a_gap_the_newest_frame_that_is_old_enough_is_told() -> None:
    hindsight = Hindsight(_DELAY_NS)
    told = [hindsight.look(observation(k)).frame.index for k in (0, 1, 2, 9, 10)]
    assert told == [0, 0, 0, 2, 2]


def test_without_delay_everything_is_told_at_once() -> None:
    hindsight = Hindsight(0)
    assert [hindsight.look(observation(k)).frame.index for k in range(3)] == [0, 1, 2]


def test_objects_are_where_they_turned_out_to_have_been() -> None:
    hindsight = Hindsight(_DELAY_NS)
    for k in range(4):
        hindsight.look(observation(k, track(1, 0, k)))
    told = hindsight.look(observation(4, track(1, 0, 4, x=0.5)))
    (known,) = told.tracks
    assert told.frame.index == 1
    assert known.history[-1].time_ns == _STEP_NS
    assert known.box.x0 == pytest.approx(1.5 - 4)


def test_an_object_that_is_recognized_later_was_there_before_and_one_that_came_later_was_not() -> None:
    hindsight = Hindsight(_DELAY_NS)
    for k in range(4):
        hindsight.look(observation(k))
    told = hindsight.look(observation(4, track(1, 0, 4), track(2, 3, 4)))
    assert [each.track_id for each in told.tracks] == [1]
    assert told.frame.pixels.shape == (48, 64, 3)

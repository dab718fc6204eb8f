"""Objects that cross: identities are those of the camera, and switches are counted as they happen."""

from __future__ import annotations

import pytest

from pantel_bench.eyes.crossing import CROSSING_OBJECTS, TrueBoxes, _matched, counted_frames, score_crossing
from pantel_device.cameras.synthetic import SyntheticCamera
from pantel_device.frame import Box, Track, TrackPoint


def _track(track_id: int, box: Box) -> Track:
    centre = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    return Track(track_id, "", 0, (TrackPoint(0, *centre, box.x1 - box.x0, box.y1 - box.y0),), True)


def test_the_camera_knows_who_is_who() -> None:
    camera = SyntheticCamera((320, 240), 10, seed=3, objects=CROSSING_OBJECTS)
    seen: dict[int, Box] = {}
    for k in range(0, 600, 5):
        camera.capture(k * 100_000_000)
        truth = camera.identified(k * 100_000_000)
        assert tuple(truth.values()) == camera.truth(k * 100_000_000)
        for number, box in truth.items():
            if number in seen and k:
                assert abs(box.y1 - seen[number].y1) < 8  # nobody changes places
        seen = truth
    assert set(range(CROSSING_OBJECTS)) >= set(seen)


def test_who_was_followed_before_stays_matched_while_it_fits() -> None:
    truth = {0: Box(10, 10, 30, 50), 1: Box(20, 10, 40, 50)}
    tracks = (_track(7, Box(20, 10, 40, 50)), _track(8, Box(11, 10, 31, 50)))
    assert _matched(truth, tracks, {}) == {1: 7, 0: 8}
    assert _matched(truth, tracks, {0: 8, 1: 7}) == {0: 8, 1: 7}
    near = {0: Box(10, 10, 30, 50), 1: Box(15, 10, 35, 50)}
    assert _matched(near, (_track(7, near[1]), _track(8, near[0])), {0: 7}) == {0: 7, 1: 8}


def test_a_track_follows_one_object_alone() -> None:
    truth = {0: Box(10, 10, 30, 50), 1: Box(12, 10, 32, 50)}
    assert _matched(truth, (_track(7, Box(12, 10, 32, 50)),), {0: 7, 1: 7}) == {1: 7}


def test_what_reaches_beyond_the_picture_is_compared_where_it_is_seen() -> None:
    assert _matched({0: Box(0, 10, 10, 50)}, (_track(7, Box(-30, 10, 10, 50)),), {}) == {0: 7}


def test_true_boxes_are_those_of_who_is_to_be_seen() -> None:
    camera = SyntheticCamera((320, 240), 10, seed=3, objects=CROSSING_OBJECTS)
    eyes = TrueBoxes(camera)
    counts = []
    for k in range(0, 300, 5):
        frame = camera.capture(k * 100_000_000)
        assert frame is not None
        eyes.now_ns = frame.time_ns
        found, truth = eyes.detect(frame.pixels), camera.truth(frame.time_ns)
        assert all(any(box.iou(other) == pytest.approx(1.0) for other in truth) for box in found)
        counts.append((len(found), len(truth)))
    assert any(found < there for found, there in counts)  # some hide others
    assert sum(found for found, _ in counts) > 0.6 * sum(there for _, there in counts)


@pytest.mark.parametrize(("seconds", "frames"), [(1.0, -40), (5.0, 0), (5.099, 0), (5.1, 1), (5.19, 1), (60.0, 550)])
def test_only_whole_frames_after_the_settling_count(seconds: float, frames: int) -> None:
    assert counted_frames(seconds) == frames


@pytest.mark.slow
def test_with_true_boxes_hardly_anybody_is_taken_for_another() -> None:
    blind = score_crossing("none", lambda _: None, 40.0, 1, lambda: None, detect_every=5)
    seeing = score_crossing("true boxes", TrueBoxes, 40.0, 1, lambda: None, detect_every=1)
    assert seeing.switches < blind.switches / 3
    assert seeing.followed > 0.93


@pytest.mark.slow
def test_the_shipped_tracker_follows_most_of_the_time() -> None:
    frames: list[None] = []
    scores = score_crossing("none", lambda _: None, 20.0, 0, lambda: frames.append(None), detect_every=5)
    assert len(frames) == 200
    assert scores.seconds == 15.0
    assert scores.followed > 0.5
    assert scores.switches_per_minute == pytest.approx(60 * scores.switches / 15)

"""The tracker: who is who from frame to frame, and where, on pictures of plain differences."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_device.frame import Box, Track
from pantel_device.observer.camera_motion import CameraMotion
from pantel_device.observer.tracker import Tracker

_WIDTH, _HEIGHT = 320, 240
_TENTH_NS = 100_000_000


def _difference(boxes: Sequence[Box]) -> NDArray[np.uint8]:
    """Return a difference picture in which each box is a pattern of its own that moves with it."""
    difference = np.zeros((_HEIGHT, _WIDTH), np.uint8)
    for box in boxes:
        rows, columns = np.mgrid[: round(box.y1 - box.y0), : round(box.x1 - box.x0)]
        pattern = 120 + 50 * np.sin(columns / 3) * np.cos(rows / 4 + box.y1 - box.y0)
        y0, x0 = round(box.y0), round(box.x0)
        top, left = max(-y0, 0), max(-x0, 0)
        part = pattern[top : max(_HEIGHT - y0, 0), left : max(_WIDTH - x0, 0)]
        difference[y0 + top :, x0 + left :][: part.shape[0], : part.shape[1]] = part
    return difference


def _blobs(moving: NDArray[np.bool_]) -> list[Box]:
    """Return boxes around the connected parts of a mask."""
    _, _, statistics, _ = cv2.connectedComponentsWithStats(moving.astype(np.uint8))
    return [Box(x, y, x + width, y + height) for x, y, width, height, _ in statistics[1:].tolist()]


class _Street:
    """A tracker and its time."""

    def __init__(self) -> None:
        self.tracker = Tracker()
        self.now_ns = 0

    def see(self, *boxes: Box, detections: Sequence[Box] | None = None) -> tuple[Track, ...]:
        """Show one more frame, in which these move."""
        self.now_ns += _TENTH_NS
        difference = _difference(boxes)
        moving = difference > 20
        return self.tracker.update(self.now_ns, difference, moving, _blobs(moving), detections)


def _box(x: float, y: float, width: float = 20, height: float = 50) -> Box:
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def _person(box: Box, score: float = 0.9) -> Box:
    x0, y0, x1, y1 = (
        min(max(edge, 0), limit)
        for edge, limit in zip((box.x0, box.y0, box.x1, box.y1), 2 * (_WIDTH, _HEIGHT), strict=True)
    )
    return Box(x0, y0, x1, y1, "person", score, "detector")


def test_an_object_keeps_its_identity_and_its_place() -> None:
    street = _Street()
    seen: list[Track] = []
    for step in range(30):
        truth = _box(40 + 4 * step, 100 + step)
        tracks = street.see(truth)
        seen += tracks
        if step >= 5:
            (track,) = tracks
            assert track.box.iou(truth) > 0.7
    assert len({track.track_id for track in seen}) == 1
    assert seen[-1].travelled
    times_ns = [point.time_ns for point in seen[-1].history]
    assert times_ns == [_TENTH_NS * (step + 1) for step in range(30)]


def test_names_come_from_the_detector_and_last() -> None:
    street = _Street()
    for step in range(20):
        truth = _box(40 + 4 * step, 100)
        tracks = street.see(truth, detections=[_person(truth)] if step % 5 == 0 else None)
    assert [track.label for track in tracks] == ["person"]


@pytest.mark.parametrize("interval", [1, 5])
def test_two_who_cross_stay_who_they_are(interval: int) -> None:
    street = _Street()
    ids: dict[str, set[int]] = {"eastbound": set(), "westbound": set()}
    for step in range(60):
        both = {"eastbound": _box(60 + 3 * step, 100), "westbound": _box(240 - 3 * step, 108, 24, 60)}
        detections = [_person(box) for box in both.values()] if step % interval == 0 else None
        tracks = street.see(*both.values(), detections=detections)
        if step in {20, 59}:
            for name, truth in both.items():
                near = [track for track in tracks if track.box.iou(truth) > 0.5]
                assert len(near) == 1
                ids[name].add(near[0].track_id)
    assert [len(each) for each in ids.values()] == [1, 1]
    assert ids["eastbound"] != ids["westbound"]


def test_who_leaves_the_picture_is_given_up() -> None:
    street = _Street()
    ids = set()
    for step in range(15):
        ids |= {track.track_id for track in street.see(_box(260 + 4 * step, 100))}
    assert len(ids) == 1
    for _ in range(12):
        tracks = street.see()
    assert tracks == ()


@pytest.mark.parametrize("detected", [True, False])
def test_the_border_cuts_the_picture_and_not_the_object(detected: bool) -> None:
    street = _Street()
    for step in range(36):
        truth = _box(200 + 4 * step, 100, 40, 60)
        if truth.x0 > _WIDTH - 10:
            break
        tracks = street.see(truth, detections=[_person(truth)] if detected else None)
        if truth.x1 > _WIDTH + 5:
            (track,) = tracks
            assert track.box.x1 - track.box.x0 == pytest.approx(40, rel=0.25)
            assert (track.box.x0 + track.box.x1) / 2 == pytest.approx(200 + 4 * step, abs=6)
    assert truth.x1 > _WIDTH + 25


def test_who_halts_stays_in_the_same_place() -> None:
    street = _Street()
    for step in range(15):
        (*_, track) = street.see(_box(60 + 4 * step, 100)) or (None,)
    assert track is not None
    halted = _box(60 + 4 * 14, 100)
    for _ in range(60):
        (again,) = street.see(halted)
        assert again.track_id == track.track_id
    assert again.box.iou(halted) > 0.85
    places = [(point.x, point.y) for point in again.history[-20:]]
    assert np.ptp(places, axis=0).max() < 1


def test_without_detections_no_size_runs_away() -> None:
    street = _Street()
    # Grown from one detection to the next, and then not detected any more: it must not go on growing.
    for step, height in enumerate((40, 44, 48, 52, 56)):
        street.see(
            _box(60 + 3 * step, 100, height / 2, height),
            detections=[_person(_box(60 + 3 * step, 100, height / 2, height))],
        )
    areas = []
    for step in range(5, 25):
        areas += [track.box.area_px for track in street.see(_box(60 + 3 * step, 100, 28, 56))]
    assert len(areas) >= 10
    assert max(areas) < 1.6 * 28 * 56
    assert min(areas) > 28 * 56 / 1.6


def test_an_unsure_detection_continues_a_track_and_begins_none() -> None:
    street = _Street()
    for step in range(10):
        assert street.see(detections=[_person(_box(60 + 3 * step, 100), score=0.1)]) == ()
    for step in range(30):
        truth = _box(60 + 3 * step, 100)
        tracks = street.see(detections=[_person(truth, score=0.9 if step < 5 else 0.1)])
    assert len(tracks) == 1
    assert tracks[0].box.iou(truth) > 0.7


def test_a_detector_and_motion_together_convince_at_once() -> None:
    walker, poster = _box(60, 100), _box(200, 100)
    street = _Street()
    (track,) = street.see(walker, detections=[_person(walker), _person(poster)])
    assert track.box.iou(walker) == pytest.approx(1, abs=0.01)


def test_two_boxes_of_one_object_make_one_track() -> None:
    street = _Street()
    for step in range(15):
        truth = _box(60 + 3 * step, 100)
        shifted = _box(62 + 3 * step, 101)
        tracks = street.see(truth, detections=[_person(truth), _person(shifted, 0.5)])
    assert len(tracks) == 1


def test_tracks_go_with_a_picture_that_moves_with_its_camera() -> None:
    street = _Street()
    pan = CameraMotion(np.array([[1.0, 0.0, -12.0], [0.0, 1.0, 0.0]]), 1.0)
    ids = set()
    for k in range(20):  # the object stands on the ground, and the picture pans faster than it is searched
        box = _box(280 - 12 * k, 120)
        street.now_ns += _TENTH_NS
        difference = _difference([box])
        moving = difference > 20
        tracks = street.tracker.update(
            street.now_ns,
            difference,
            moving,
            _blobs(moving),
            [_person(box)] if k % 5 == 0 else None,
            camera=pan if k else None,
        )
        if k >= 3:
            (track,) = tracks
            ids.add(track.track_id)
            assert track.box.iou(box) > 0.8
            assert not track.travelled
    assert ids == {1}


def test_who_vanishes_for_two_seconds_is_the_same_again() -> None:
    street = _Street()
    for k in range(15):
        tracks = street.see(_box(40 + 5 * k, 120))
    (before,) = tracks
    for _ in range(18):
        tracks = street.see()
    assert tracks == ()
    for k in range(33, 40):
        tracks = street.see(_box(40 + 5 * k, 120))
    assert [track.track_id for track in tracks] == [before.track_id]


def test_regions_that_join_and_part_again_keep_their_objects() -> None:
    street = _Street()
    numbers: list[dict[str, int]] = []
    for k in range(60):
        left, right = _box(40 + 4 * k, 120, 20, 60), _box(280 - 4 * k, 132, 24, 70)
        tracks = street.see(left, right)
        if k in {10, 59}:
            nearest = {
                name: max(tracks, key=lambda track, box=box: track.box.iou(box)).track_id  # type: ignore[misc]
                for name, box in (("left", left), ("right", right))
            }
            numbers.append(nearest)
    assert len(set(numbers[0].values())) == 2
    assert numbers[0] == numbers[1]


def test_a_detection_of_two_as_one_makes_nobody_larger() -> None:
    street = _Street()
    for k in range(40):
        left, right = _box(60 + 4 * k, 120, 20, 60), _box(250 - 4 * k, 124, 24, 66)
        joined = left.x1 > right.x0 and right.x1 > left.x0
        both = Box(min(left.x0, right.x0), left.y0, max(left.x1, right.x1), right.y1)
        detections = [_person(both)] if joined else [_person(left), _person(right)]
        tracks = street.see(left, right, detections=detections)
    assert len(tracks) == 2
    for truth in (left, right):
        assert max(track.box.iou(truth) for track in tracks) > 0.6
    assert {track.track_id for track in tracks} == {1, 2}


def test_a_pair_that_covers_each_other_wholly_for_a_second_is_still_two() -> None:
    street = _Street()
    for k in range(50):
        near, far = _box(60 + 4 * k, 126, 26, 66), _box(260 - 4 * k, 124, 24, 60)
        hidden = near.intersection_px(far) > 0.6 * far.area_px
        detections = [_person(near)] if hidden else [_person(near), _person(far)]
        tracks = street.see(far, near, detections=detections)
    who = {track.track_id: max((near, far), key=track.box.iou) for track in tracks}
    assert who == {1: near, 2: far}


@pytest.mark.parametrize(("score", "shown"), [(0.4, 0), (0.6, 1)])
def test_what_never_moves_is_told_if_the_detector_is_certain(score: float, shown: int) -> None:
    street = _Street()
    for _ in range(10):
        tracks = street.see(detections=[_person(_box(60, 100), score)])
    assert len(tracks) == shown
    for step in range(10):  # the same one walks
        walker = _box(60 + 4 * step, 100)
        tracks = street.see(walker, detections=[_person(walker, score)])
    assert len(tracks) == 1

"""Corners that are followed: where they are, where they were, and that none is invented."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.device.observer.views import View, frames

from pantel_device.observer.corner_tracks import CornerTracks, find_corners, track_corners
from pantel_device.observer.difference import working_picture


def _lumas(*pictures: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    return [np.ascontiguousarray(working_picture(frame.pixels)[..., 0]) for frame in frames(*pictures)]


def test_corners_keep_their_distance_from_each_other_and_from_those_taken() -> None:
    (luma,) = _lumas(View().picture())
    taken = find_corners(luma, 20, 10.0)
    new = find_corners(luma, 100, 10.0, taken)
    assert len(taken) == 20
    assert len(new) > 20
    points = np.concatenate([taken, new])
    apart = np.linalg.norm(points[:, None] - points, axis=2) + 1000 * np.eye(len(points))
    assert apart.min() >= 9.0


def test_a_picture_without_texture_has_no_corners() -> None:
    grey = np.full((240, 320), 90, np.uint8)
    corners = find_corners(grey, 50, 5.0)
    assert corners.shape == (0, 2)
    now, found = track_corners(grey, grey, corners)
    assert (now.shape, found.shape) == ((0, 2), (0,))


def test_what_leaves_the_picture_is_not_found() -> None:
    before, now = _lumas(View().picture(), View(x=275).picture())
    corners = find_corners(before, 150, 8.0)
    ends, found = track_corners(before, now, corners)
    assert found.any()
    assert (corners[found, 0] > 15).all()
    assert np.median(ends[found] - corners[found], axis=0) == pytest.approx([-15, 0], abs=0.2)


def test_the_past_of_a_corner_stays_its_own() -> None:
    steps = 8
    tracks = CornerTracks(count=150, apart_px=8.0, remembered=4)
    lumas = _lumas(*[View(x=250 + 3 * step).picture() for step in range(steps)])
    assert tracks.replenish(lumas[0]) > 50
    for before, now in pairwise(lumas):
        tracks.remember()
        tracks.follow(before, now)
        known = len(tracks.now)
        new = tracks.replenish(now)
        assert len(tracks.now) == known + new
        assert np.isnan(tracks.past[known:]).all()
    assert tracks.past.shape == (len(tracks.now), 4, 2)
    for age in range(4):
        known_then = ~np.isnan(tracks.past[:, age, 0])
        moved = tracks.now[known_then] - tracks.past[known_then, age]
        assert np.median(moved, axis=0) == pytest.approx([-3 * (age + 1), 0], abs=0.3)


def test_few_missing_corners_are_not_worth_a_search() -> None:
    (luma,) = _lumas(View().picture())
    tracks = CornerTracks(count=50, apart_px=5.0, remembered=2)
    assert tracks.replenish(luma) == 50
    tracks.now, tracks.past = tracks.now[:45], tracks.past[:45]
    assert tracks.replenish(luma) == 0

"""Which objects are told: classes, zones, size, time in view, and how many."""

from __future__ import annotations

import pytest

from pantel_device.frame import Box, Track, TrackPoint
from pantel_device.observer import RegionRules, Zone, ZoneKind
from pantel_device.observer.regions import UNKNOWN, Regions

_SIZE_PX = (320, 240)
_S = 1_000_000_000
_LEFT_HALF = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))


def _track(
    track_id: int,
    label: str = "person",
    *,
    x: float = 40,
    height: float = 40,
    began_s: float = 0,
    travelled: bool = True,
) -> Track:
    point = TrackPoint(10 * _S, x, 120, height / 2, height)
    return Track(track_id, label, round(began_s * _S), (point,), travelled)


def _chosen(rules: RegionRules, *tracks: Track) -> dict[int, float]:
    """Return the weights of the chosen tracks by their numbers."""
    return {track.track_id: track.weight for track in Regions(rules).choose(tracks, _SIZE_PX, 10 * _S)}


def _zone(weight: float) -> Zone:
    return Zone(name="yard", kind=ZoneKind.INTEREST, polygon=_LEFT_HALF, weight=weight)


def test_without_rules_everything_is_told_alike() -> None:
    assert _chosen(RegionRules(), _track(1), _track(2, ""), _track(3, "cat", travelled=False)) == {1: 1, 2: 1, 3: 1}


def test_classes_have_weights_and_those_of_no_weight_are_not_told() -> None:
    rules = RegionRules(class_weights={"person": 2.0, "cat": 0.0, UNKNOWN: 0.5})
    assert _chosen(rules, _track(1), _track(2, "cat"), _track(3, ""), _track(4, "car")) == {1: 2, 3: 0.5, 4: 1}


def test_zones_weigh_what_stands_in_them() -> None:
    rules = RegionRules(class_weights={"person": 2.0}, zones=[_zone(3.0)])
    assert _chosen(rules, _track(1, x=40), _track(2, x=280)) == {1: 6.0, 2: 2.0}


def test_what_stands_in_a_zone_of_no_weight_is_ignored() -> None:
    assert _chosen(RegionRules(zones=[_zone(0.0)]), _track(1, x=40), _track(2, x=280)) == {2: 1.0}


def test_small_objects_are_left_out() -> None:
    assert _chosen(RegionRules(min_height=0.1), _track(1, height=23), _track(2, height=25)) == {2: 1.0}


def test_an_object_is_told_when_it_has_been_there_for_some_time() -> None:
    assert _chosen(RegionRules(dwell_s=2.0), _track(1, began_s=8.5), _track(2, began_s=8.0)) == {2: 1.0}


def test_of_many_those_are_told_that_matter_most() -> None:
    rules = RegionRules(class_weights={"car": 4.0}, max_objects=2)
    tracks = [
        _track(1, height=30),
        _track(2, height=50),
        _track(3, "car", height=20),
        _track(4, height=60, travelled=False),
    ]
    assert sorted(_chosen(rules, *tracks)) == [2, 3]


def test_whoever_is_told_stays_told_until_another_matters_clearly_more() -> None:
    regions = Regions(RegionRules(max_objects=1))
    told = []
    for height in (40, 50, 70, 50, 40):  # of the second; the first is 45 high
        tracks = [_track(1, height=45), _track(2, height=height)]
        told += [track.track_id for track in regions.choose(tracks, _SIZE_PX, 10 * _S)]
    assert told == [1, 1, 2, 2, 2]


def test_boxes_follow_the_same_rules() -> None:
    regions = Regions(RegionRules(class_weights={"cat": 0.0}, zones=[_zone(0.0)], min_height=0.1))
    person, cat, speck, ignored = (
        Box(200, 50, 220, 100, "person"),
        Box(200, 50, 220, 100, "cat"),
        Box(200, 50, 220, 60),
        Box(20, 50, 40, 100, "person"),
    )
    assert regions.worth_boxing((person, cat, speck, ignored), _SIZE_PX) == (person,)


@pytest.mark.parametrize("count", [0, 1, 40])
def test_never_more_than_asked_for(count: int) -> None:
    rules = RegionRules(max_objects=3)
    assert len(_chosen(rules, *(_track(number) for number in range(count)))) == min(count, 3)

"""Alarms: who comes into a zone, who stays long enough, and who leaves."""

from __future__ import annotations

from pantel_device.frame import Track, TrackPoint, ZoneEvent
from pantel_device.observer import Zone, ZoneKind
from pantel_device.observer.alarms import AlarmWatch

_SIZE_PX = (320, 240)
_TENTH_NS = 100_000_000
_GATE = ((0.25, 0.0), (0.75, 0.0), (0.75, 1.0), (0.25, 1.0))


def _watch(dwell_s: float = 0.0, classes: tuple[str, ...] = ("person",)) -> AlarmWatch:
    other = Zone(name="yard", kind=ZoneKind.INTEREST, polygon=_GATE)
    return AlarmWatch([other, Zone(name="gate", kind=ZoneKind.ALARM, polygon=_GATE, classes=classes, dwell_s=dwell_s)])


def _track(k: int, x: float, label: str = "person", *, track_id: int = 1, travelled: bool = True) -> Track:
    return Track(track_id, label, 0, (TrackPoint(k * _TENTH_NS, x, 120, 20, 40),), travelled)


def _walked(watch: AlarmWatch, frames: int = 64, **track: object) -> list[ZoneEvent]:
    """Return the events of a walk through the picture in steps of 5 pixels."""
    events = []
    for k in range(frames):
        events += watch.look([_track(k, 5.0 * k, **track)], _SIZE_PX, k * _TENTH_NS)  # type: ignore[arg-type]
    return events


def test_whoever_walks_through_a_zone_raises_one_alarm_and_ends_it() -> None:
    watch = _watch()
    events = _walked(watch)
    for k in range(64, 100):
        events += watch.look([], _SIZE_PX, k * _TENTH_NS)
    assert [(event.zone, event.began, event.box.label) for event in events] == [
        ("gate", True, "person"),
        ("gate", False, "person"),
    ]
    assert events[0].time_ns == 16 * _TENTH_NS  # at 80 pixels
    assert events[0].box.x0 == 70


def test_who_is_hidden_for_a_moment_has_not_left() -> None:
    watch = _watch()
    events = []
    for k in range(60):
        tracks = [] if 20 <= k < 38 else [_track(k, 160)]
        events += watch.look(tracks, _SIZE_PX, k * _TENTH_NS)
    assert [event.began for event in events] == [True]


def test_other_classes_raise_nothing() -> None:
    assert _walked(_watch(), label="dog") == []
    assert _walked(_watch(), label="") == []


def test_without_classes_whatever_is_known_or_moves_raises_an_alarm() -> None:
    assert len(_walked(_watch(classes=()), label="dog")) == 1
    assert len(_walked(_watch(classes=()), label="")) == 1
    assert _walked(_watch(classes=()), label="", travelled=False) == []


def test_passing_by_is_not_staying() -> None:
    assert _walked(_watch(dwell_s=4.0)) == []  # the zone is crossed in 3.2 s
    assert [event.began for event in _walked(_watch(dwell_s=2.0), frames=48)] == [True]


def test_each_object_raises_its_own_alarm() -> None:
    watch = _watch()
    tracks = [_track(0, 100), _track(0, 200, track_id=2)]
    assert [event.track_id for event in watch.look(tracks, _SIZE_PX, 0)] == [1, 2]
    assert watch.look(tracks, _SIZE_PX, _TENTH_NS) == []

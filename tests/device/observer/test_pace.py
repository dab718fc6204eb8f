"""The detector's pace follows what the machine can bear."""

from __future__ import annotations

import pytest

from pantel_device.observer.pace import DetectorPace


def _pace(detector_s: float, rest_s: float, interval_s: float = 0.1) -> DetectorPace:
    pace = DetectorPace(interval_s, lambda: 0.0)
    for _ in range(5):
        pace.note(detector_s, rest_s)
    return pace


def test_the_first_frame_is_looked_at() -> None:
    assert DetectorPace(0.1, lambda: 0.0).every_frames == 1


@pytest.mark.parametrize(
    ("detector_s", "rest_s", "every"),
    [(0.010, 0.012, 1), (0.030, 0.020, 2), (0.070, 0.035, 7), (0.200, 0.020, 8), (0.070, 0.050, 20), (2.0, 0.02, 20)],
)
def test_slower_machines_look_less_often(detector_s: float, rest_s: float, every: int) -> None:
    assert _pace(detector_s, rest_s).every_frames == every


def test_on_average_the_observer_keeps_to_its_share() -> None:
    for detector_s in (0.01, 0.05, 0.2):
        for rest_s in (0.01, 0.03):
            assert rest_s + detector_s / _pace(detector_s, rest_s).every_frames <= 0.045 + 1e-9


def test_a_load_that_goes_away_is_forgotten() -> None:
    pace = _pace(0.2, 0.04)
    busy = pace.every_frames
    for _ in range(30):
        pace.note(0.01, 0.01)
    assert busy == 20
    assert pace.every_frames == 1


def test_one_slow_frame_changes_little() -> None:
    pace = _pace(0.02, 0.01)
    pace.note(None, 0.05)
    assert pace.every_frames <= 2

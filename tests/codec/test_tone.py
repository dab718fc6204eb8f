"""Tone: how bright the background is between what was told of it, before and behind."""

from __future__ import annotations

import pytest

from pantel_codec import Tone, ToneCurve


def curve(*tones: tuple[int, float]) -> ToneCurve:
    result = ToneCurve()
    for time_ns, octaves in tones:
        result.add(Tone(time_ns, (octaves, 2 * octaves, -octaves)))
    return result


def test_without_a_tone_the_background_is_as_it_was_told() -> None:
    assert ToneCurve().at(5) == (0, 0, 0)


@pytest.mark.parametrize(
    ("time_ns", "octaves"), [(0, 0.5), (100, 0.5), (125, 0.375), (150, 0.25), (200, 0.0), (300, 1.0), (400, 1.0)]
)
def test_gains_change_evenly_between_tones_and_stay_before_and_behind(time_ns: int, octaves: float) -> None:
    tones = curve((200, 0.0), (100, 0.5), (300, 1.0))
    assert tones.at(time_ns) == (octaves, 2 * octaves, -octaves)


def test_a_tone_of_the_same_time_replaces_the_older() -> None:
    assert curve((100, 0.5), (100, 0.25)).tones == [Tone(100, (0.25, 0.5, -0.25))]


def test_the_newest_32_are_kept() -> None:
    tones = curve(*((time_ns, 0.5) for time_ns in range(50)))
    assert [tone.time_ns for tone in tones.tones] == list(range(18, 50))

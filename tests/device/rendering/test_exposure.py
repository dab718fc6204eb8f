"""Exposure: measured between two pictures and applied to one, the two fit together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pantel_codec import TONE_LIMIT, TONE_STEPS_PER_OCTAVE
from pantel_device.frame import Box
from pantel_device.rendering.exposure import exposed, exposure_between

_LIMIT = TONE_LIMIT / TONE_STEPS_PER_OCTAVE
_octave = st.floats(-0.9, 0.5)


@given(octaves=st.tuples(_octave, _octave, _octave))
def test_what_is_applied_is_measured(street: NDArray[np.uint8], octaves: tuple[float, float, float]) -> None:
    assert exposure_between(exposed(street, octaves), street) == pytest.approx(octaves, abs=0.03)


@given(octaves=st.tuples(_octave, _octave, _octave))
def test_what_is_measured_makes_up_for_it(street: NDArray[np.uint8], octaves: tuple[float, float, float]) -> None:
    taken = exposed(street, octaves)
    red, green, blue = exposure_between(taken, street)
    back = exposed(taken, (-red, -green, -blue))
    unclipped = taken < 255
    assert np.abs(back.astype(int) - street)[unclipped].max() <= 6


def test_the_same_picture_is_exposed_alike(street: NDArray[np.uint8]) -> None:
    assert exposure_between(street, street) == (0.0, 0.0, 0.0)
    assert exposed(street, (0.0, 0.0, 0.0)) is street


def test_what_moves_does_not_count(street: NDArray[np.uint8], paint: Callable[..., NDArray[np.uint8]]) -> None:
    crowded = paint(street, Box(0, 0, 70, 112))  # more than 40 % of the picture
    dimmed = exposed(crowded, (-0.4, -0.3, -0.2))
    assert exposure_between(dimmed, street) == pytest.approx((-0.4, -0.3, -0.2), abs=0.05)


@pytest.mark.parametrize(("level", "octaves"), [(0, -_LIMIT), (255, _LIMIT)])
def test_it_goes_no_farther_than_can_be_told(level: int, octaves: float) -> None:
    blind, reference = np.full((16, 16, 3), level, np.uint8), np.full((16, 16, 3), 100, np.uint8)
    assert exposure_between(blind, reference) == pytest.approx([octaves] * 3)


def test_no_picture_is_changed(street: NDArray[np.uint8]) -> None:
    picture = street.copy()
    exposed(picture, (0.5, 0.5, 0.5))
    exposure_between(picture, street)
    assert np.array_equal(picture, street)

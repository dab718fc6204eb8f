"""The six wire formats: sizes, and markers that nothing imitates."""

from __future__ import annotations

from itertools import combinations, product

import pytest

from pantel_link import LengthClass, Preset, wire_format
from pantel_link.wire_format import MARKER_TOLERANCE_BITS, MAX_WIRE_OCTETS, WIRE_FORMATS

MARKERS = [each.marker for each in WIRE_FORMATS]


@pytest.mark.parametrize(
    ("preset", "length_class", "wire_octets", "payload_octets"),
    [
        (Preset.LIGHT, LengthClass.LIVE, 48, 35),
        (Preset.STANDARD, LengthClass.LIVE, 48, 33),
        (Preset.HEAVY, LengthClass.LIVE, 48, 21),
        (Preset.LIGHT, LengthClass.STILL, 131, 116),
        (Preset.STANDARD, LengthClass.STILL, 131, 112),
        (Preset.HEAVY, LengthClass.STILL, 131, 86),
    ],
)
def test_sizes(preset: Preset, length_class: LengthClass, wire_octets: int, payload_octets: int) -> None:
    found = wire_format(preset, length_class)
    assert (found.wire_octets, found.payload_octets) == (wire_octets, payload_octets)
    assert wire_octets <= MAX_WIRE_OCTETS


def test_markers_cannot_be_mistaken_for_one_another() -> None:
    for one, other in combinations(MARKERS, 2):
        assert (one ^ other).bit_count() >= 12 > 2 * MARKER_TOLERANCE_BITS


def test_a_marker_shifted_by_octets_is_far_from_every_marker() -> None:
    for one, other in product(MARKERS, repeat=2):
        assert ((one & 0xFFFF) ^ (other >> 8)).bit_count() >= 7
        assert ((one & 0xFF) ^ (other >> 16)).bit_count() >= 3


@pytest.mark.parametrize("idle", [0x000000, 0xFFFFFF, 0x555555, 0xAAAAAA])
def test_markers_differ_from_idle_lines(idle: int) -> None:
    for marker in MARKERS:
        assert marker.bit_count() == 12
        assert (marker ^ idle).bit_count() >= 8

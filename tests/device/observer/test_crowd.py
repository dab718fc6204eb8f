"""Boxes that are of several objects, or of a part of one: what they tell of each."""

from __future__ import annotations

import numpy as np

from pantel_device.frame import Box
from pantel_device.observer.crowd import edge_owners, fitted, neighbours

_PERSON = Box(100, 50, 120, 100)


def test_a_box_of_like_size_is_believed() -> None:
    values, told = fitted(_PERSON, Box(104, 52, 126, 100))
    np.testing.assert_allclose(values, [115, 76, 22, 48])
    assert told.all()


def test_of_a_pair_the_near_end_is_ones_own() -> None:
    values, told = fitted(_PERSON, Box(98, 50, 160, 101))  # somebody else stands on the right
    np.testing.assert_allclose(values, [108, 75.5, 20, 51])
    assert told.tolist() == [True, True, False, True]
    values, _ = fitted(_PERSON, Box(60, 50, 122, 101))
    assert values[0] == 112


def test_of_who_is_partly_hidden_the_seen_end_tells() -> None:
    values, told = fitted(_PERSON, Box(102, 50, 109, 99))
    assert values[0] == 112
    assert values[2] == 20
    assert told.tolist() == [True, True, False, True]


def test_ends_that_are_far_from_where_they_should_be_tell_nothing() -> None:
    _, told = fitted(_PERSON, Box(60, 50, 160, 100))
    assert told.tolist() == [False, True, False, True]


def test_neighbours_are_those_of_whom_a_box_holds_a_part() -> None:
    assert neighbours(_PERSON, [Box(115, 60, 140, 110)])
    assert not neighbours(_PERSON, [Box(119, 60, 140, 110)])
    assert not neighbours(_PERSON, [])


def test_edges_of_a_region_are_those_of_who_was_expected_there() -> None:
    members = {1: Box(100, 50, 120, 100), 2: Box(112, 60, 140, 110), 3: Box(200, 50, 220, 100)}
    owned = edge_owners(Box(98, 48, 143, 111), members)
    assert owned == {1: [(0, 108.0), (1, 73.0)], 2: [(0, 129.0), (1, 86.0)]}


def test_an_edge_that_nobody_was_expected_near_is_nobodys() -> None:
    assert edge_owners(Box(20, 48, 143, 140), {1: Box(100, 50, 120, 100)}) == {1: [(1, 73.0)]}
    assert edge_owners(Box(0, 0, 5, 5), {1: _PERSON}) == {}

"""Alarms first, then fair shares: everybody gets what the weights say, and nobody saves up."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pantel_link.traffic import FairShare, TrafficClass

ALARM, MESSAGE, SCENE, STILL, REPAIR = TrafficClass
WEIGHTS = {MESSAGE: 0.2, SCENE: 0.6, STILL: 0.2}


def shares(share: FairShare, wanting: set[TrafficClass], packets: int) -> dict[TrafficClass, int]:
    counted: Counter[TrafficClass] = Counter()
    for _ in range(packets):
        chosen = share.choose(wanting)
        assert chosen is not None
        share.charge(chosen, 48)
        counted[chosen] += 1
    return dict(counted)


def test_the_air_is_shared_by_weight() -> None:
    assert shares(FairShare(WEIGHTS), {MESSAGE, SCENE, STILL, REPAIR}, 100) == {MESSAGE: 20, SCENE: 60, STILL: 20}
    assert shares(FairShare(WEIGHTS), {SCENE, STILL}, 100) == {SCENE: 75, STILL: 25}


def test_who_was_silent_has_saved_nothing_up_and_does_not_wait_either() -> None:
    share = FairShare(WEIGHTS)
    shares(share, {SCENE}, 1000)
    assert shares(share, {SCENE, STILL}, 8) == {SCENE: 6, STILL: 2}
    share.charge(share.choose({MESSAGE, SCENE, STILL}) or SCENE, 48)
    assert shares(share, {MESSAGE, SCENE, STILL}, 10)[MESSAGE] in {2, 3}


def test_where_all_are_level_messages_go_first() -> None:
    assert FairShare(WEIGHTS).choose({STILL, SCENE, MESSAGE}) is MESSAGE


def test_repair_waits_until_nobody_else_has_anything_to_say() -> None:
    share = FairShare(WEIGHTS)
    assert share.choose({REPAIR, SCENE}) is SCENE
    assert share.choose({REPAIR}) is REPAIR
    assert share.choose(set()) is None


def test_alarms_go_first_whatever_the_others_have_had() -> None:
    share = FairShare(WEIGHTS)
    shares(share, {SCENE}, 1000)
    share.charge(STILL, 10_000)
    assert [share.choose({ALARM, MESSAGE, SCENE, STILL, REPAIR}) for _ in range(3)] == [ALARM] * 3
    assert shares(share, {ALARM, MESSAGE, SCENE, STILL}, 16) == {ALARM: 16}


def test_alarms_without_end_leave_every_other_packet_to_the_others() -> None:
    share = FairShare(WEIGHTS)
    shares(share, {ALARM, MESSAGE, SCENE, STILL}, 16)
    counted = shares(share, {ALARM, MESSAGE, SCENE, STILL}, 400)
    assert counted[ALARM] == 200
    assert {each: counted[each] for each in WEIGHTS} == pytest.approx({MESSAGE: 40, SCENE: 120, STILL: 40}, abs=2)
    assert shares(share, {ALARM, REPAIR}, 10) == {ALARM: 10}  # of what nobody else needs they may have all


@given(st.lists(st.tuples(st.sets(st.sampled_from(TrafficClass)), st.integers(20, 150)), max_size=300))
def test_alarms_have_at_most_what_the_others_had_and_a_burst(turns: list[tuple[set[TrafficClass], int]]) -> None:
    """Over any stretch in which somebody else always has something to say."""
    share = FairShare(WEIGHTS)
    balance, lowest = 0, 0  # of the others' octets less those of alarms
    for wanting, octets in turns:
        chosen = share.choose({*wanting, SCENE})
        assert chosen is not None
        share.charge(chosen, octets)
        balance += -octets if chosen is ALARM else octets
        lowest = max(lowest, balance)
        assert lowest - balance <= 768 + 150


def test_shares_must_be_positive() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        FairShare({SCENE: 0.0})

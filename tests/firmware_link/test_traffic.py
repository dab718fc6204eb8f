"""Fair shares: everybody gets what the weights say, and nobody saves up."""

from __future__ import annotations

from collections import Counter

import pytest

from pantel_link.traffic import FairShare, TrafficClass

MESSAGE, SCENE, STILL, REPAIR = TrafficClass
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


def test_shares_must_be_positive() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        FairShare({SCENE: 0.0})

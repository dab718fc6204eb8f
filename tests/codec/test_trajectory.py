"""Trajectories: where an object is believed to be between its knots, behind the last of them, and when it is gone."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pantel_codec import Pose, SymbolError, Trajectory, size_code, size_px
from pantel_codec.trajectory import SIZE_CODES

S = 1_000_000_000


def trajectory(*knots: tuple[float, float, float, float]) -> Trajectory:
    """Return a trajectory of knots (seconds, x, y, height)."""
    result = Trajectory()
    for time_s, x, y, height in knots:
        result.add(Pose(round(time_s * S), x, y, height))
    return result


def at(path: Trajectory, time_s: float) -> tuple[float, float, float] | None:
    pose = path.at(round(time_s * S))
    if pose is None:
        return None
    assert pose.time_ns == round(time_s * S) or not path.knots[-1].time_ns > pose.time_ns
    return pose.x, pose.y, pose.height


def test_sizes_are_sixteenths_of_an_octave() -> None:
    assert [size_px(code) for code in (0, 16, 32, 112)] == [4, 8, 16, 512]
    assert size_px(1) == 4277 / 1024  # 4 * 2**(1/16) = 4.17709..., in whole 1024ths so that all machines agree
    assert all(size_code(size_px(code)) == code for code in range(SIZE_CODES))
    assert size_code(0) == 0
    assert size_code(1e6) == SIZE_CODES - 1
    for code in (-1, SIZE_CODES):
        with pytest.raises(SymbolError, match="no code of a size"):
            size_px(code)


def test_sizes_are_the_same_on_every_machine() -> None:
    """No value lies so near to a limit of rounding that another machine's powers could round it otherwise."""
    with localcontext(prec=40):
        sixteenths = [4096 * 2 ** (Decimal(half) / 32) for half in range(2 * SIZE_CODES)]
    assert min(abs(value % 1 - Decimal("0.5")) for value in sixteenths) > Decimal("0.005")
    sizes, middles = ([float(round(value)) / 1024 for value in sixteenths[start::2]] for start in (0, 1))
    assert [size_px(code) for code in range(SIZE_CODES)] == sizes
    for code, middle in enumerate(middles[:-1]):
        assert (size_code(middle), size_code(math.nextafter(middle, 1e9))) == (code, code + 1)


@given(st.floats(4, 900))
def test_the_nearest_size_is_at_most_a_thirtysecondth_of_an_octave_away(size: float) -> None:
    assert 2 ** (-1 / 32) * 0.9999 <= size_px(size_code(size)) / size <= 2 ** (1 / 32) * 1.0001


def test_an_object_moves_and_grows_evenly_between_knots() -> None:
    path = trajectory((1, 10, 100, 40), (2, 30, 90, 48), (4, 30, 50, 48))
    assert at(path, 1) == (10, 100, 40)
    assert at(path, 1.25) == (15, 97.5, 42)
    assert at(path, 2) == (30, 90, 48)
    assert at(path, 3) == (30, 70, 48)


def test_an_object_is_unknown_before_its_first_knot() -> None:
    assert Trajectory().at(0) is None
    path = trajectory((1, 10, 100, 40))
    assert path.at(S - 1) is None
    assert at(path, 1) == (10, 100, 40)


def test_behind_the_last_knot_it_goes_on_for_one_and_a_half_seconds_and_halts() -> None:
    """It keeps its size: a rounded height would soon be far off."""
    path = trajectory((1, 0, 100, 40), (2, 10, 98, 44))
    assert at(path, 3) == (20, 96, 44)
    assert at(path, 3.5) == (25, 95, 44)
    assert at(path, 9.9) == (25, 95, 44)


def test_a_single_knot_stands_for_an_object_at_rest() -> None:
    assert at(trajectory((1, 10, 20, 30)), 5) == (10, 20, 30)


def test_knots_close_together_do_not_make_a_velocity() -> None:
    """Their rounding would: the newest knot at least 0.3 s before the last is the base."""
    path = trajectory((1, 0, 0, 40), (1.9, 17, 0, 40), (2, 20, 0, 40))
    assert at(path, 3) == (40, 0, 40)
    assert at(trajectory((1.9, 17, 0, 40), (2, 20, 0, 40)), 3) == (20, 0, 40)


def test_where_a_trajectory_leads_has_no_end() -> None:
    assert Trajectory().expected(0) is None
    path = trajectory((1, 0, 100, 40), (2, 10, 98, 44))
    path.end(3 * S)
    for time_s, x, y, height in ((0, 0, 100, 40), (1.5, 5, 99, 42), (3, 20, 96, 44), (20, 190, 62, 44)):
        pose = path.expected(round(time_s * S))
        assert pose is not None
        assert (pose.x, pose.y, pose.height) == (x, y, height)


def test_an_object_of_which_nothing_is_told_is_forgotten_after_8_s() -> None:
    path = trajectory((1, 10, 20, 30))
    assert path.at(9 * S) is not None
    assert not path.forgotten(9 * S)
    assert path.at(9 * S + 1) is None
    assert path.forgotten(9 * S + 1)
    assert Trajectory().forgotten(0)


def test_an_object_that_is_gone_is_seen_until_then() -> None:
    path = trajectory((1, 10, 20, 30), (2, 20, 20, 30))
    path.end(3 * S)
    assert at(path, 2.5) == (25, 20, 30)
    assert not path.forgotten(3 * S - 1)
    assert path.at(3 * S) is None
    assert path.forgotten(3 * S)


def test_an_object_that_was_gone_is_back_with_a_later_knot() -> None:
    path = trajectory((1, 10, 20, 30))
    path.end(3 * S)
    path.add(Pose(2 * S, 11, 20, 30))  # late news from before
    assert path.at(3 * S) is None
    path.add(Pose(4 * S, 12, 20, 30))
    assert at(path, 4) == (12, 20, 30)


def test_late_news_of_an_end_does_not_hide_what_was_seen_later() -> None:
    path = trajectory((1, 10, 20, 30), (4, 12, 20, 30))
    path.end(3 * S)
    assert at(path, 4) == (12, 20, 30)


KNOTS = st.lists(st.tuples(st.integers(0, 40), st.integers(-64, 383), st.integers(-64, 303)), max_size=80)


@given(KNOTS, st.randoms(use_true_random=False))
def test_knots_may_come_in_any_order(knots: list[tuple[int, int, int]], random: object) -> None:
    told = {time: Pose(time * S // 10, x, y, 16) for time, x, y in knots}  # one for each time
    shuffled = list(told.values())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    path = Trajectory()
    for knot in shuffled:
        path.add(knot)
    assert path.knots == sorted(told.values(), key=lambda knot: knot.time_ns)


@given(KNOTS.filter(bool), st.integers(0, 150))
def test_a_pose_lies_between_its_neighbours_or_on_the_way_on(knots: list[tuple[int, int, int]], tenth: int) -> None:
    path = Trajectory()
    for time, x, y in knots:
        path.add(Pose(time * S // 10, x, y, 16))
    pose = path.at(tenth * S // 10)
    first, last = path.knots[0], path.knots[-1]
    assert (pose is None) == (tenth * S // 10 < first.time_ns or tenth * S // 10 > last.time_ns + 8 * S)
    if pose is not None and tenth * S // 10 <= last.time_ns:
        before = max((k for k in path.knots if k.time_ns <= tenth * S // 10), key=lambda knot: knot.time_ns)
        after = min((k for k in path.knots if k.time_ns >= tenth * S // 10), key=lambda knot: knot.time_ns)
        assert min(before.x, after.x) <= pose.x <= max(before.x, after.x)
        assert min(before.y, after.y) <= pose.y <= max(before.y, after.y)


def test_a_knot_of_the_same_time_replaces_the_older() -> None:
    path = trajectory((1, 10, 20, 30), (1, 11, 21, 31))
    assert path.knots == [Pose(S, 11, 21, 31)]


def test_trajectories_do_not_grow_for_ever() -> None:
    path = trajectory(*((second, second, 0, 16) for second in range(200)))
    assert [knot.time_ns for knot in path.knots] == [second * S for second in range(200 - 64, 200)]
    path.add(Pose(0, 0, 0, 16))  # too old to be of use
    assert path.knots[0].time_ns == 136 * S


def test_without_its_newest_knot_a_trajectory_is_as_it_was() -> None:
    path = trajectory((1, 10, 20, 30), (2, 20, 20, 30))
    before = path.without_newest()
    assert before.knots == path.knots[:1]
    before.add(Pose(3 * S, 0, 0, 16))
    assert len(path.knots) == 2

"""Clocks and the mapping of 10-bit time stamps to the receiver's clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pantel_link import MonotonicClock, VirtualClock
from pantel_link.time_stamp import TICK_NS, StampClock, tick_of

S = 1_000_000_000
AIR_NS = 400_000_000


def test_a_virtual_clock_moves_only_when_told() -> None:
    clock = VirtualClock(start_ns=5)
    assert clock.now_ns() == clock.now_ns() == 5
    clock.sleep(1.5)
    assert clock.now_ns() == 5 + 1_500_000_000
    clock.sleep(-1.0)
    assert clock.now_ns() == 5 + 1_500_000_000
    with pytest.raises(ValueError, match="cannot go back"):
        clock.advance_to(0)


def test_the_monotonic_clock_runs() -> None:
    clock = MonotonicClock()
    before = clock.now_ns()
    clock.sleep(0.002)
    clock.sleep(-1.0)
    assert clock.now_ns() - before >= 2_000_000


def test_ticks_of_25_ms_come_round_after_25_6_s() -> None:
    assert [tick_of(ms * 1_000_000) for ms in (0, 24, 25, 25_575, 25_599, 25_600)] == [0, 0, 1, 1023, 1023, 0]


@pytest.mark.parametrize("behind_s", [-19.1, -0.5, 0.0, 3.0, 6.3])
def test_a_stamp_is_understood_from_19_2_s_before_to_6_4_s_after_what_is_expected(behind_s: float) -> None:
    clock = StampClock()
    clock.local_time_ns(tick_of(40 * S), 40 * S + AIR_NS, AIR_NS)
    sent_ns = round((100 + behind_s) * S)
    mapped_ns = clock.local_time_ns(tick_of(sent_ns), 100 * S + AIR_NS, AIR_NS)
    ahead_ns = max(sent_ns - 100 * S, 0)  # a packet from the future shows that the first one was late
    assert abs(mapped_ns + ahead_ns - sent_ns) <= TICK_NS


@given(
    st.integers(0, 10**18),
    st.integers(-(10**15), 10**18),
    st.lists(st.tuples(st.integers(0, 10 * S), st.integers(0, 5 * S)), min_size=1, max_size=100),
)
def test_time_stamps_are_off_by_the_smallest_delay_and_a_tick(
    start_ns: int, offset_ns: int, packets: list[tuple[int, int]]
) -> None:
    """Whatever the clocks show: the error is the same for all, up to a tick, and never negative by more."""
    clock = StampClock()
    sent_ns = start_ns
    smallest_ns = 5 * S
    for gap_ns, delay_ns in packets:
        sent_ns += gap_ns
        smallest_ns = min(smallest_ns, delay_ns)
        arrival_ns = sent_ns + offset_ns + delay_ns + AIR_NS
        mapped_ns = clock.local_time_ns(tick_of(sent_ns), arrival_ns, AIR_NS)
        error_ns = mapped_ns - (sent_ns + offset_ns)
        assert error_ns >= -TICK_NS
        assert error_ns <= delay_ns
    if sum(gap for gap, _ in packets) < 50 * S:
        assert error_ns <= smallest_ns + TICK_NS


def test_drift_is_followed_for_a_day() -> None:
    clock = StampClock()
    for second in range(0, 86_400, 5):
        sent_ns = second * S
        local_ns = sent_ns + sent_ns // 10_000  # the receiver's quartz runs 100 ppm fast
        mapped_ns = clock.local_time_ns(tick_of(sent_ns), local_ns + AIR_NS, AIR_NS)
        assert abs(mapped_ns - local_ns) <= 10_000_000 + TICK_NS


def test_a_long_silence_does_no_harm() -> None:
    clock = StampClock()
    clock.local_time_ns(0, AIR_NS, AIR_NS)
    for hours in (1, 24, 1000):
        sent_ns = hours * 3600 * S
        local_ns = sent_ns + sent_ns // 10_000
        mapped_ns = clock.local_time_ns(tick_of(sent_ns), local_ns + AIR_NS, AIR_NS)
        assert abs(mapped_ns - local_ns) <= TICK_NS

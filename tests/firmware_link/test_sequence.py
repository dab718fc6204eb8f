"""Counters of packets: what they say about losses, repetitions and recordings."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pantel_link.sequence import Arrival, CounterTracker, Order, earlier


def observe(*counters: int) -> list[Arrival]:
    """Let packets arrive of which only the lower 10 bits are known."""
    tracker = CounterTracker()
    return [tracker.observe(tracker.extend(counter % 1024)) for counter in counters]


def test_counting_starts_with_the_first_packet_heard() -> None:
    assert observe(1000, 1001, 1002) == [Arrival(Order.NEW)] * 3


def test_gaps_are_losses_and_late_packets_take_them_back() -> None:
    assert observe(1022, 1026, 1025, 1025) == [
        Arrival(Order.NEW),
        Arrival(Order.NEW, lost=3),
        Arrival(Order.NEW, lost=-1),
        Arrival(Order.DUPLICATE),
    ]


def test_packets_from_before_the_first_count_as_duplicates() -> None:
    assert observe(100, 99)[1].order is Order.DUPLICATE


def test_a_number_beyond_the_history_is_ahead() -> None:
    assert observe(100, 100 - 63)[1] == Arrival(Order.DUPLICATE)
    assert observe(100, 100 - 64)[1] == Arrival(Order.NEW, lost=1024 - 65)


def test_whole_counters_tell_what_is_too_old() -> None:
    tracker = CounterTracker()
    tracker.resume(5000)
    assert [tracker.observe(counter).order for counter in (5000, 4937, 4936, 0)] == [
        Order.DUPLICATE,
        Order.DUPLICATE,
        Order.STALE,
        Order.STALE,
    ]
    assert tracker.observe(1 << 25) == Arrival(Order.NEW, lost=(1 << 25) - 5001)
    assert tracker.observe((1 << 25) - 63) == Arrival(Order.NEW, lost=-1)


@given(st.integers(0, 1 << 26), st.integers(-63, 960))
def test_ten_bits_say_which_counter_is_meant(newest: int, ahead: int) -> None:
    tracker = CounterTracker()
    tracker.resume(newest)
    assert tracker.extend((newest + ahead) % 1024) == newest + ahead
    assert earlier((newest - ahead) % 1024, newest) == newest - ahead


@given(st.integers(0, 1023), st.lists(st.integers(0, 500), max_size=60, unique=True))
def test_losses_and_arrivals_add_up(start: int, dropped: list[int]) -> None:
    """Every packet but the dropped ones arrives, slightly out of order and some twice."""
    arriving = [k for k in range(501) if k not in dropped]
    order = sorted(arriving, key=lambda k: k + (k * 7919 % 20))
    first = order[0]
    order = [k for k in order if k >= first]
    arrivals = observe(*(start + k for k in order for _ in range(1 + (k % 5 == 0))))
    assert sum(arrival.order is Order.NEW for arrival in arrivals) == len(order)
    assert sum(arrival.lost for arrival in arrivals) == max(order) - first + 1 - len(order)

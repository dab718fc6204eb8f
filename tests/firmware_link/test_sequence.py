from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pantel_link.sequence import Arrival, SequenceTracker


def observe(*sequences: int) -> list[Arrival]:
    tracker = SequenceTracker()
    return [tracker.observe(sequence % 1024) for sequence in sequences]


def test_counting_starts_with_the_first_packet_heard() -> None:
    assert observe(1000, 1001, 1002) == [Arrival(duplicate=False, lost=0)] * 3


def test_gaps_are_losses_and_late_packets_take_them_back() -> None:
    assert observe(1022, 1026, 1025, 1025) == [
        Arrival(duplicate=False, lost=0),
        Arrival(duplicate=False, lost=3),
        Arrival(duplicate=False, lost=-1),
        Arrival(duplicate=True, lost=0),
    ]


def test_packets_from_before_the_first_count_as_duplicates() -> None:
    assert observe(100, 99)[1].duplicate


def test_a_number_beyond_the_history_is_ahead() -> None:
    assert observe(100, 100 - 63)[1] == Arrival(duplicate=True, lost=0)
    assert observe(100, 100 - 64)[1] == Arrival(duplicate=False, lost=1024 - 65)


@given(st.integers(0, 1023), st.lists(st.integers(0, 500), max_size=60, unique=True))
def test_losses_and_arrivals_add_up(start: int, dropped: list[int]) -> None:
    """Every packet but the dropped ones arrives, slightly out of order and some twice."""
    arriving = [k for k in range(501) if k not in dropped]
    order = sorted(arriving, key=lambda k: k + (k * 7919 % 20))
    first = order[0]
    order = [k for k in order if k >= first]
    arrivals = observe(*(start + k for k in order for _ in range(1 + (k % 5 == 0))))
    assert sum(not arrival.duplicate for arrival in arrivals) == len(order)
    assert sum(arrival.lost for arrival in arrivals) == max(order) - first + 1 - len(order)

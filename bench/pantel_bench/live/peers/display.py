"""When which picture of a stream is on show: a number, or None, for each display instant.

Picture n of a stream is captured at instant ``n * step``, where a step is the number of instants between two captures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pantel_bench.live.peers.stream import CodedUnit
from pantel_bench.live.source import FRAME_INTERVAL_NS

__all__ = ["arrivals_s", "ideal", "newest", "on_time"]

_INTERVAL_S = FRAME_INTERVAL_NS / 1e9
_SLACK_S = 1e-9  # sums of floats


def ideal(pictures: int, step: int, instants: int) -> list[int | None]:
    """Show every picture from its own capture until the next one, as if there were no line."""
    return [min(instant // step, pictures - 1) for instant in range(instants)]


def arrivals_s(units: Sequence[CodedUnit], step: int, bitrate_bps: int) -> list[float]:
    """Return when each picture, in the order of display, has arrived as a whole [s].

    The line carries one unit after the other in the order of the stream. A unit waits for its own capture and for that
    of every unit before it; the encoder's computing and its further look-ahead take no time.
    """
    arrival_s = [math.inf] * len(units)
    line_free_s = captured_s = 0.0
    for unit in units:
        captured_s = max(captured_s, unit.picture * step * _INTERVAL_S)
        line_free_s = max(line_free_s, captured_s) + 8 * unit.size_bytes / bitrate_bps
        arrival_s[unit.picture] = line_free_s
    return arrival_s


def newest(arrival_s: Sequence[float], instants: int) -> list[int | None]:
    """Show the newest picture that has arrived."""
    shown: list[int | None] = []
    for instant in range(instants):
        now_s = instant * _INTERVAL_S + _SLACK_S
        shown.append(max((n for n, at_s in enumerate(arrival_s) if at_s <= now_s), default=None))
    return shown


def on_time(arrival_s: Sequence[float], step: int, delay_s: float, instants: int) -> list[int | None]:
    """Show the newest picture that has arrived and was captured a delay ago or earlier.

    The first picture to arrive is shown at once.
    """
    shown: list[int | None] = []
    for instant in range(instants):
        now_s = instant * _INTERVAL_S + _SLACK_S
        there = [n for n, at_s in enumerate(arrival_s) if at_s <= now_s]
        due = [n for n in there if n * step * _INTERVAL_S <= now_s - delay_s]
        shown.append(max(due, default=min(there, default=None)))
    return shown

"""When which picture of a stream is on show: a number, or None, for each display instant.

Pictures are numbered in the order of display, which is that of their capture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pantel_bench.live.peers.stream import CodedUnit
from pantel_bench.live.source import FRAME_INTERVAL_NS

__all__ = ["arrivals_s", "captures_s", "newest", "on_time"]

_INTERVAL_S = FRAME_INTERVAL_NS / 1e9
_SLACK_S = 1e-9  # sums of floats


def captures_s(pictures: int, step: int) -> list[float]:
    """Return when pictures are captured, one every ``step`` instants [s]."""
    return [number * step * _INTERVAL_S for number in range(pictures)]


def arrivals_s(units: Sequence[CodedUnit], captured_s: Sequence[float], bitrate_bps: int) -> list[float]:
    """Return when each picture has arrived as a whole [s].

    The line carries one unit after the other in the order of the stream. A unit waits for its own capture and for that
    of every unit before it; the encoder's computing and its further look-ahead take no time.

    Args:
        units: In the order of the stream.
        captured_s: When each picture is captured [s].
        bitrate_bps: Of the line.
    """
    arrival_s = [math.inf] * len(units)
    line_free_s = 0.0
    for unit in units:
        line_free_s = max(line_free_s, captured_s[unit.picture]) + 8 * unit.size_bytes / bitrate_bps
        arrival_s[unit.picture] = line_free_s
    return arrival_s


def newest(arrival_s: Sequence[float], instants: int) -> list[int | None]:
    """Show the newest picture that has arrived."""
    shown: list[int | None] = []
    for instant in range(instants):
        now_s = instant * _INTERVAL_S + _SLACK_S
        shown.append(max((n for n, at_s in enumerate(arrival_s) if at_s <= now_s), default=None))
    return shown


def on_time(arrival_s: Sequence[float], captured_s: Sequence[float], delay_s: float, instants: int) -> list[int | None]:
    """Show the newest picture that has arrived and was captured a delay ago or earlier.

    The first picture to arrive is shown at once.
    """
    shown: list[int | None] = []
    for instant in range(instants):
        now_s = instant * _INTERVAL_S + _SLACK_S
        there = [n for n, at_s in enumerate(arrival_s) if at_s <= now_s]
        due = [n for n in there if captured_s[n] <= now_s - delay_s]
        shown.append(max(due, default=min(there, default=None)))
    return shown

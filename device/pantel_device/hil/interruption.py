"""The break: the line is cut on command and mended, and the time is measured until packets come again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from pantel_device.hil.breaks import Break, BreakError, Switch, switch_now
from pantel_device.hil.line import Feed, Line
from pantel_device.hil.measurements import RecoveryFigures
from pantel_link import Clock

__all__ = ["interrupt"]

_NS_PER_S = 1_000_000_000
_SWITCHING_NS = 5_000_000


@dataclass(frozen=True, slots=True)
class _Interruption:
    """What happened between the break and the mend.

    Attributes:
        broken_ns: When the line was broken.
        mended_ns: When it was mended.
        heard: Whether packets came through in between.
    """

    broken_ns: int
    mended_ns: int
    heard: bool


def interrupt(
    line: Line, breaks: Break | None, clock: Clock, feed: Feed, *, hold_ns: int, limit_ns: int
) -> RecoveryFigures:
    """Break a line, mend it, and wait until packets come again.

    Args:
        line: The line.
        breaks: What breaks it; None to close and open its ports.
        clock: Monotonic clock.
        feed: What is sent all the while.
        hold_ns: How long it stays broken; as long as several packets, so that it costs at least one.
        limit_ns: How long to wait afterwards.
    """
    began_ns = clock.now_ns()
    method = "reopen" if breaks is None else "command"
    chosen = breaks or Break(_Call(line.close), _Call(line.open_again))
    effective, break_s, recovery_s, error = None, None, None, ""
    outages = line.outages
    line.work(began_ns + hold_ns, feed)  # whatever was on its way has arrived, and the payloads flow
    try:
        found = _break_and_mend(line, chosen, clock, feed, hold_ns)
        break_s = (found.mended_ns - found.broken_ns) / 1e9
        recovery_s = _recovery_s(line, feed, found.mended_ns, limit_ns)
        effective = not found.heard
        if chosen.mending is None:
            effective = line.outages > outages or _something_lost(line, found.broken_ns)
    except BreakError as failure:
        error = str(failure)
    seconds = (clock.now_ns() - began_ns) / 1e9
    return RecoveryFigures(seconds, method, effective, break_s, recovery_s, line.outages, error)


def _break_and_mend(line: Line, breaks: Break, clock: Clock, feed: Feed, hold_ns: int) -> _Interruption:
    broken_ns = clock.now_ns()
    mending = breaks.mending
    mended, heard = mending is None, False
    try:
        _switch(line, breaks.breaking, clock, feed)
        if mending is not None:
            broken_ns = clock.now_ns()
            line.work(broken_ns + hold_ns, feed)
            heard = _heard_since(line, broken_ns)
            _switch(line, mending, clock, feed)
            mended = True
        return _Interruption(broken_ns, clock.now_ns(), heard)
    finally:
        if mending is not None and not mended:  # never leave a rig broken
            with suppress(BreakError):
                switch_now(mending, clock)


def _recovery_s(line: Line, feed: Feed, mended_ns: int, limit_ns: int) -> float | None:
    """Wait for a packet all of which left after the mend; return when it had arrived."""

    def again() -> bool:
        return line.heard is not None and line.heard.trip_ns is not None and line.heard.trip_ns[0] >= mended_ns

    if not line.work(mended_ns + limit_ns, feed, again) or line.heard is None or line.heard.arrival_ns is None:
        return None
    return (line.heard.arrival_ns - mended_ns) / 1e9


def _switch(line: Line, switch: Switch, clock: Clock, feed: Feed) -> None:
    """Switch while packets go on."""
    switch.begin()
    try:
        while not switch.finished():
            line.work(clock.now_ns() + _SWITCHING_NS, feed)
    finally:
        switch.stop()


def _heard_since(line: Line, broken_ns: int) -> bool:
    """Whether a packet that was begun after a time has arrived."""
    return any(
        entry.arrival_ns is not None and entry.begun_ns is not None and entry.begun_ns > broken_ns
        for entry in line.ledger.entries
    )


def _something_lost(line: Line, broken_ns: int) -> bool:
    """Whether a packet that was under way since a time has not arrived, but a later one has."""
    entries = line.ledger.entries
    newest = max((index for index, entry in enumerate(entries) if entry.arrival_ns is not None), default=0)
    return any(
        entry.arrival_ns is None and (entry.ended_ns is None or entry.ended_ns >= broken_ns)
        for entry in entries[:newest]
    )


class _Call:
    """A switch that is a call."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call

    def begin(self) -> None:
        """Call."""
        self._call()

    def finished(self) -> bool:
        """Return that it has switched."""
        return True

    def stop(self) -> None:
        """Hold nothing."""

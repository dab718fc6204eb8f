"""Time as an argument: the clock that daemons use, and the one that tests and demos move by hand."""

from __future__ import annotations

import time
from typing import Protocol

__all__ = ["Clock", "MonotonicClock", "VirtualClock"]


class Clock(Protocol):
    """A clock that never goes back."""

    def now_ns(self) -> int:
        """Return the time since some fixed instant [ns]."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...


class MonotonicClock:
    """The machine's monotonic clock."""

    def now_ns(self) -> int:
        """Return the time since some fixed instant, usually boot [ns]."""
        return time.monotonic_ns()

    def sleep(self, seconds: float) -> None:
        """Block the calling thread."""
        time.sleep(max(0.0, seconds))


class VirtualClock:
    """A clock that stands still until it is told to move, so that a day passes in minutes.

    Args:
        start_ns: Time at the beginning [ns].
    """

    def __init__(self, start_ns: int = 0) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        """Return the virtual time [ns]."""
        return self._now_ns

    def sleep(self, seconds: float) -> None:
        """Move the time forward, at once."""
        self.advance_to(self._now_ns + max(0, round(seconds * 1e9)))

    def advance_to(self, now_ns: int) -> None:
        """Move the time forward to an instant.

        Raises:
            ValueError: The instant has passed already.
        """
        if now_ns < self._now_ns:
            raise ValueError(f"the clock shows {self._now_ns} ns and cannot go back to {now_ns} ns")
        self._now_ns = now_ns

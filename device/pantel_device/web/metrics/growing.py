"""Counters as Prometheus wants them: they only grow."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

from pantel_link import StreamStatistics

__all__ = ["Growing"]


class Growing:
    """What a receiver has counted, in counters that neither shrink nor begin anew.

    Prometheus takes a counter that shrinks for one of a program that was started again, and counts all of it once more.
    The receiver's do shrink: a packet that was given up for lost and comes late is taken off again. Here the highest
    count stands until it is exceeded. A mast that starts again has a new stream, whose counts are added.
    """

    def __init__(self) -> None:
        self._before: Counter[str] = Counter()  # of streams that have ended
        self._highest: Counter[str] = Counter()

    @property
    def counts(self) -> Counter[str]:
        """What was counted, by the names of the attributes."""
        return self._before + self._highest

    def take(self, statistics: StreamStatistics) -> None:
        """Take the newest counters."""
        counts = Counter(asdict(statistics))
        if counts["packets_good"] < self._highest["packets_good"]:  # this one never shrinks within a stream
            self._before += self._highest
            self._highest = Counter()
        self._highest |= counts

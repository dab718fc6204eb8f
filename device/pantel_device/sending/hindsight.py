"""A little hindsight: what is sent is what was seen a moment ago, with objects where they turned out to be."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pantel_device.frame import Observation, Track

__all__ = ["Hindsight"]


class Hindsight:
    """Holds observations back for a moment.

    Play-out is far enough behind capture that the news of an object may be some tenths of a second old. By then it is
    known better where the object was, and whether what was seen is an object at all.
    """

    def __init__(self, delay_ns: int) -> None:
        """Begin without observations.

        Args:
            delay_ns: By how much what is told may be older than what is seen.
        """
        self._delay_ns = delay_ns
        self._held: deque[Observation] = deque()

    def look(self, observation: Observation) -> Observation:
        """Take the newest observation and return the newest that is old enough, else the oldest that there is."""
        self._held.append(observation)
        while len(self._held) > 1 and self._held[1].frame.time_ns <= observation.frame.time_ns - self._delay_ns:
            self._held.popleft()
        told = self._held[0]
        if told is observation:
            return observation
        return replace(told, tracks=tuple(_as_of(observation.tracks, told.frame.time_ns)))


def _as_of(tracks: Sequence[Track], time_ns: int) -> Iterator[Track]:
    """Yield the objects that were there at a time, as they are known now."""
    for track in tracks:
        history = tuple(point for point in track.history if point.time_ns <= time_ns)
        if history:
            yield replace(track, history=history)

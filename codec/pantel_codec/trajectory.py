"""Trajectories: where an object was and how large, as a polyline over time."""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass, replace

from pantel_codec.errors import SymbolError

__all__ = ["SIZE_CODES", "Pose", "Trajectory", "size_code", "size_px"]

SIZE_CODES = 128
"""Sizes are told in sixteenths of an octave from 4 pixels on, which leaves an error of 2 %."""

_SMALLEST_PX = 4.0


def _octaves_px(octaves: float) -> float:
    """Return a size in whole 1024ths of a pixel: powers differ between machines in their last bits."""
    return round(1024 * _SMALLEST_PX * 2**octaves) / 1024


_SIZES_PX = tuple(_octaves_px(code / 16) for code in range(SIZE_CODES))
_MIDDLES_PX = tuple(_octaves_px((code + 0.5) / 16) for code in range(SIZE_CODES - 1))

_MAX_POSES = 64
_MIN_BASE_NS = 300_000_000  # a velocity over less time would be mostly the knots' rounding
_EXTRAPOLATED_NS = 1_500_000_000
_FORGOTTEN_AFTER_NS = 8_000_000_000


def size_px(code: int) -> float:
    """Return the size that a code stands for [px].

    Raises:
        SymbolError: There is no such code.
    """
    if not 0 <= code < SIZE_CODES:
        raise SymbolError(f"{code} is no code of a size")
    return _SIZES_PX[code]


def size_code(size_px: float) -> int:
    """Return the code of the nearest size there is."""
    return bisect.bisect_left(_MIDDLES_PX, size_px)


@dataclass(frozen=True, slots=True)
class Pose:
    """Where an object is at a time, in pixels of the picture: its centre, and its height.

    The centre may lie outside the picture. The width follows from the proportions it was told with.
    """

    time_ns: int
    x: float
    y: float
    height: float


class Trajectory:
    """Knots of a polyline; between them an object moves and grows evenly.

    Behind the last knot it goes on as before for 1.5 s, without growing, then halts. It is forgotten when it has been
    said to be gone, or when nothing has been told of it for 8 s.

    Attributes:
        knots: In order of time, the newest 64.
        gone_ns: From when on the object is gone; None while it is there.
    """

    def __init__(self) -> None:
        self.knots: list[Pose] = []
        self.gone_ns: int | None = None

    def add(self, knot: Pose) -> None:
        """Insert a knot; one of the same time replaces the older. An object that has gone is back with a later knot."""
        index = bisect.bisect_left(self.knots, knot.time_ns, key=lambda pose: pose.time_ns)
        same = index < len(self.knots) and self.knots[index].time_ns == knot.time_ns
        self.knots[index : index + same] = [knot]
        del self.knots[:-_MAX_POSES]
        if self.gone_ns is not None and knot.time_ns > self.gone_ns:
            self.gone_ns = None

    def end(self, time_ns: int) -> None:
        """Take note that the object has been gone since a time, unless it was seen later."""
        if not self.knots or self.knots[-1].time_ns <= time_ns:
            self.gone_ns = time_ns

    def without_newest(self) -> Trajectory:
        """Return the trajectory as it would be if the newest knot had never been told."""
        other = Trajectory()
        other.knots = self.knots[:-1]
        other.gone_ns = self.gone_ns
        return other

    def at(self, time_ns: int) -> Pose | None:
        """Return the pose at a time; None before the first knot and after the end."""
        knots = self.knots
        if not knots or time_ns < knots[0].time_ns or self.forgotten(time_ns):
            return None
        return self.expected(min(time_ns, knots[-1].time_ns + _EXTRAPOLATED_NS))

    def expected(self, time_ns: int) -> Pose | None:
        """Return where the polyline leads at any time, beyond its ends as well; None where there is no knot."""
        knots = self.knots
        if len(knots) < 2:
            return knots[0] if knots else None
        index = bisect.bisect_right(knots, time_ns, key=lambda pose: pose.time_ns)
        if index == 0:
            return knots[0]
        if index < len(knots):
            return _between(knots[index - 1], knots[index], time_ns)
        last = knots[-1]
        base = next((knot for knot in reversed(knots[:-1]) if last.time_ns - knot.time_ns >= _MIN_BASE_NS), None)
        if base is None:
            return last
        return replace(_between(base, last, time_ns), height=last.height)

    @property
    def forgotten_ns(self) -> float:
        """Until when the object is seen, unless more is told of it; minus infinity where there is no knot."""
        end_ns = self.knots[-1].time_ns + _FORGOTTEN_AFTER_NS if self.knots else -math.inf
        return end_ns if self.gone_ns is None else min(end_ns, self.gone_ns)

    def forgotten(self, time_ns: int) -> bool:
        """Whether the object will not be seen again at this time or later, unless more is told of it."""
        return time_ns > self.forgotten_ns or (self.gone_ns is not None and time_ns >= self.gone_ns)


def _between(first: Pose, second: Pose, time_ns: int) -> Pose:
    """Return the pose at a time on the line through two others."""
    share = (time_ns - first.time_ns) / (second.time_ns - first.time_ns)
    height = first.height + share * (second.height - first.height)
    return Pose(
        time_ns,
        first.x + share * (second.x - first.x),
        first.y + share * (second.y - first.y),
        max(height, _SMALLEST_PX),
    )

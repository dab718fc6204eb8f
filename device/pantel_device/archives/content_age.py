"""How old the newest content was, second by second, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import NDArray

__all__ = ["ContentAges"]

_NS_PER_S = 1_000_000_000
# Upper edges [s]: tenths up to 10 s, whole seconds up to 2 minutes, minutes up to 2 hours, hours up to 30 days.
_EDGES_S = np.array(
    [
        *chain(
            (tenth / 10 for tenth in range(1, 101)),
            range(11, 121),
            (60 * minute for minute in range(3, 121)),
            (3600 * hour for hour in range(3, 721)),
        )
    ],
    np.float64,
)


@dataclass(slots=True, eq=False)
class ContentAges:
    """Ages of a sender's newest content at whole seconds.

    Attributes:
        count: How many there are.
        sum_ns: All together; whole numbers, so that every machine finds the same mean.
        max_ns: The greatest.
        fresh: How many were at most as high as the limit of what is fresh.
    """

    count: int = 0
    sum_ns: int = 0
    max_ns: int = 0
    fresh: int = 0
    _bins: NDArray[np.int64] = field(default_factory=lambda: np.zeros(_EDGES_S.size + 1, np.int64))

    def take(self, ages_ns: NDArray[np.int64], fresh_ns: int) -> None:
        """Take ages (n,) int64 [ns]; what was captured later than now is as good as now."""
        ages_ns = np.maximum(ages_ns, 0)
        self.count += ages_ns.size
        self.sum_ns += int(ages_ns.sum())
        self.max_ns = max(self.max_ns, int(ages_ns.max(initial=0)))
        self.fresh += int((ages_ns <= fresh_ns).sum())
        self._bins += np.bincount(np.searchsorted(_EDGES_S, ages_ns / _NS_PER_S), minlength=self._bins.size)

    @property
    def mean_s(self) -> float | None:
        """Their mean [s]; None without any."""
        return self.sum_ns / self.count / _NS_PER_S if self.count else None

    @property
    def max_s(self) -> float | None:
        """The greatest [s]; None without any."""
        return self.max_ns / _NS_PER_S if self.count else None

    def percentile_s(self, share: float) -> float | None:
        """Return the age that a share of them keeps to, to a tenth of a second below 10 s, to one below 2 minutes [s].

        Above that it is exact to a minute up to 2 hours and to an hour up to 30 days; never more than the greatest.
        """
        greatest_s = self.max_s
        if greatest_s is None:
            return None
        place = int(np.searchsorted(np.cumsum(self._bins), share * self.count))
        return min(float(_EDGES_S[place]), greatest_s) if place < _EDGES_S.size else greatest_s

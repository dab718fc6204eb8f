"""Finds the setting of an encoder whose output fits into a budget and fills it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol, TypeVar

__all__ = ["last_fitting"]

_MAX_SECANTS = 5  # then bisection, which ends for sure
_STEEPER = 8.0  # how much the slope may differ from what was expected, either way


class _Sized(Protocol):
    @property
    def size_bits(self) -> float: ...


Attempt = TypeVar("Attempt", bound=_Sized)


def last_fitting(
    attempt: Callable[[int], Attempt],
    settings: range,
    limit_bits: float,
    *,
    guess: float,
    growth: float,
    enough_bits: float,
) -> Attempt | None:
    """Return the attempt with the largest size that fits, as far as sizes grow with the setting.

    The logarithm of a size is nearly linear in the setting, so secants find the place in a few attempts.

    Args:
        attempt: Encodes with a setting.
        settings: Consecutive settings, the smallest output first.
        limit_bits: What has to be fitted into.
        guess: The setting to begin with; any number, clipped to the settings.
        growth: How much the natural logarithm of the size grows with a setting, about.
        enough_bits: A fitting output of this size ends the search.

    Returns:
        The last attempt that fits; None when the first setting does not fit either.
    """
    fitting: Attempt | None = None
    below, above = settings.start - 1, settings.stop  # the largest that fits, the smallest that does not
    heights: dict[int, float] = {}  # by how much the logarithm of the size lies above that of the limit
    position, slope = guess, growth
    while above - below > 1:
        setting = min(max(math.floor(position), below + 1), above - 1)
        result = attempt(setting)
        heights[setting] = math.log(max(result.size_bits, 1.0) / max(limit_bits, 1.0))
        if result.size_bits <= limit_bits:
            fitting, below = result, setting
            if result.size_bits >= enough_bits:
                break
        else:
            above = setting
        if len(heights) >= _MAX_SECANTS:
            position = (below + above) / 2
            continue
        nearest = sorted(heights, key=lambda known: abs(heights[known]))[:2]
        if len(nearest) == 2:
            measured = (heights[nearest[1]] - heights[nearest[0]]) / (nearest[1] - nearest[0])
            slope = min(max(measured, growth / _STEEPER), growth * _STEEPER)
        position = nearest[0] - heights[nearest[0]] / slope
    return fitting

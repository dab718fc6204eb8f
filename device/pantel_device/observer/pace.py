"""How often the detector runs: as often as the machine can bear."""

from __future__ import annotations

import math
from collections.abc import Callable

__all__ = ["DetectorPace"]

_SHARE = 0.45  # of the time from frame to frame that the observer may take on average; the rest is for coding
_MOST_FRAMES = 20
_FADING = 0.8  # of what was measured before, for each measurement


class DetectorPace:
    """Measures how long the detector and the rest of the observer take, and spreads the detector's runs accordingly.

    Args:
        interval_s: Time from one frame to the next [s].
        clock: Tells a monotonic time [s].
    """

    def __init__(self, interval_s: float, clock: Callable[[], float]) -> None:
        self._budget_s = _SHARE * interval_s
        self.clock = clock
        self._detector_s: float | None = None
        self._rest_s = 0.0

    @property
    def every_frames(self) -> int:
        """Frames from one run of the detector to the next."""
        if self._detector_s is None:
            return 1
        spare_s = self._budget_s - self._rest_s
        if spare_s <= self._detector_s / _MOST_FRAMES:
            return _MOST_FRAMES
        return max(1, math.ceil(self._detector_s / spare_s))

    def note(self, detector_s: float | None, rest_s: float) -> None:
        """Take note of one frame.

        Args:
            detector_s: What the detector took [s]; None if it did not run.
            rest_s: What the rest of the observer took [s].
        """
        self._rest_s = rest_s + _FADING * (self._rest_s - rest_s) if self._rest_s else rest_s
        if detector_s is not None:
            before_s = detector_s if self._detector_s is None else self._detector_s
            self._detector_s = detector_s + _FADING * (before_s - detector_s)

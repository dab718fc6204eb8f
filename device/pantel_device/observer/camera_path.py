"""Where the camera has pointed lately."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from pantel_device.observer.camera_motion import CameraMotion, corner_shift_px

__all__ = ["CameraPath"]

_FEWEST = 3  # steps that are kept, however old


class CameraPath:
    """The motions of the camera over the last seconds, one after the other."""

    def __init__(self, lasts_s: float, size_px: tuple[int, int], time_ns: int) -> None:
        """Begin at a time.

        Args:
            lasts_s: Older motions are forgotten [s].
            size_px: Width and height of the picture.
            time_ns: When the first motion starts.
        """
        self._lasts_s = lasts_s
        self._size_px = size_px
        self._steps: deque[tuple[int, CameraMotion]] = deque()
        self.restart(time_ns)

    @property
    def span_s(self) -> float:
        """How long the path has lasted [s]."""
        return (self._steps[-1][0] - self._start_ns) / 1e9 if self._steps else 0.0

    def restart(self, time_ns: int) -> None:
        """Forget the path: it is not known how it went on to where it is at a time."""
        self._start_ns = time_ns
        self._steps.clear()

    def add(self, time_ns: int, motion: CameraMotion) -> None:
        """Go on by one motion that ends at a time."""
        self._steps.append((time_ns, motion))
        while len(self._steps) > _FEWEST and time_ns - self._steps[0][0] > self._lasts_s * 1e9:
            self._start_ns = self._steps.popleft()[0]

    def places_px(self) -> NDArray[np.float64]:
        """Return where the picture has been, against where it is now.

        Returns:
            (N + 1, 4, 2) float64 for N motions [px]: by how much each corner of the picture has moved since the start
            and since the end of each motion; so the last ones are 0.
        """
        since = np.eye(3)
        places = [corner_shift_px(since[:2], self._size_px)]
        for _, motion in reversed(self._steps):
            since = since @ np.vstack([motion.matrix, [0, 0, 1]])
            places.append(corner_shift_px(since[:2], self._size_px))
        return np.array(places[::-1])

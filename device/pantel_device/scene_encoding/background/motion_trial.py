"""Whether what the observer says of the camera's motion explains how pictures change."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_device.frame import CameraPlace, Observation
from pantel_device.rendering.layers import pixel_matrix

__all__ = ["MotionTrial"]

_REACH_NS = 1_600_000_000  # what was told is of use about so long
_BETTER = 0.97  # share of the squared error that is left at most if it does
_LEAST_SHARE = 0.2  # of the picture that is still in view
_SHRUNK = 4  # times: what is told is blurred, too


class MotionTrial:
    """Carries a picture of a moment ago along with the camera, and leaves it where it was: which is nearer to now?

    On a drive what is far away stays and what is near flows by: no similarity describes that, and what was told is
    better left in its place until it is told anew.
    """

    def __init__(self) -> None:
        self._seen: deque[tuple[int, CameraPlace, NDArray[np.float32]]] = deque()

    def explains(self, observation: Observation) -> bool:
        """Take the newest frame, and return whether motion of the camera makes an earlier one more like it."""
        now_ns, place = observation.frame.time_ns, observation.camera
        height, width = observation.frame.pixels.shape[:2]
        small_px = (-(-width // _SHRUNK), -(-height // _SHRUNK))
        now = cv2.resize(observation.frame.pixels, small_px, interpolation=cv2.INTER_AREA).astype(np.float32)
        self._seen.append((now_ns, place, now))
        while len(self._seen) > 1 and now_ns - self._seen[1][0] >= _REACH_NS:
            self._seen.popleft()
        _, before, earlier = self._seen[0]
        if before.era != place.era or np.array_equal(before.matrix, place.matrix):
            return True
        shrink = np.diag([small_px[0] / width, small_px[1] / height, 1.0])
        motion = shrink @ place.matrix @ np.linalg.inv(before.matrix) @ np.linalg.inv(shrink)
        matrix = pixel_matrix(motion, small_px, small_px)
        carried = cv2.warpAffine(earlier, matrix, small_px)
        in_view = cv2.warpAffine(np.ones(now.shape[:2], np.uint8), matrix, small_px, flags=cv2.INTER_NEAREST) > 0
        if in_view.mean() < _LEAST_SHARE:
            return True
        carried_error, left_error = (float(((each - now)[in_view] ** 2).mean()) for each in (carried, earlier))
        return carried_error < _BETTER * left_error

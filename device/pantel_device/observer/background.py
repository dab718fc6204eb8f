"""The picture that a camera would take if nobody were in it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_device.observer.camera_motion import CameraMotion

__all__ = ["Background", "CarriedBackground"]

_SAMPLES = 15
_SAMPLE_AGE_SHARE = 1 / 4
_MAX_SAMPLE_INTERVAL_S = 3.0
_MAX_CARRIED_S = 1.0  # parallax, and what the motion was not known of, add up


class Background:
    """The temporal median of past pictures of a static camera.

    The pictures kept lie farther apart the longer the background has been learned, up to 3 s: so the first
    guess comes after a second, and later an object may halt for 20 s before it becomes background.

    Attributes:
        picture: (H, W, 3) uint8, read-only to callers; another array whenever it changes.
    """

    def __init__(self, picture: NDArray[np.uint8], now_ns: int) -> None:
        """Start from one picture, (H, W, 3) uint8 in any colour space."""
        self.picture = picture.copy()
        self._samples: list[NDArray[np.uint8]] = [picture.copy()]
        self._start_ns = now_ns
        self._next_sample_ns = now_ns + 1

    def learn(self, picture: NDArray[np.uint8], now_ns: int, hidden: NDArray[np.bool_] | None = None) -> None:
        """Take a picture into the background if it is time for one.

        Args:
            picture: (H, W, 3) uint8.
            now_ns: Its capture time.
            hidden: (H, W) bool: where an object is known to hide the background, of which nothing is learned there.
        """
        if now_ns < self._next_sample_ns:
            return
        age_ns = now_ns - self._start_ns
        self._next_sample_ns = now_ns + int(min(age_ns * _SAMPLE_AGE_SHARE, _MAX_SAMPLE_INTERVAL_S * 1e9))
        sample = picture.copy() if hidden is None else np.where(hidden[..., None], self.picture, picture)
        self._samples = [*self._samples[1 - _SAMPLES :], sample]
        self.picture = _median(self._samples)

    def correct(self, window: tuple[slice, slice], where: NDArray[np.bool_], picture: NDArray[np.uint8]) -> None:
        """Declare that a picture shows the bare background somewhere.

        Args:
            window: Rows and columns of the picture.
            where: Pixels of the window, bool.
            picture: (H, W, 3) uint8, the whole picture.
        """
        self.picture = self.picture.copy()
        for known in (self.picture, *self._samples):
            known[window][where] = picture[window][where]


class CarriedBackground:
    """The background of a camera that moves: what was seen up to a second before, carried along.

    Attributes:
        picture: (H, W, 3) uint8, read-only to callers; another array whenever it changes.
    """

    def __init__(self, picture: NDArray[np.uint8], now_ns: int) -> None:
        """Start from one picture, (H, W, 3) uint8 in any colour space."""
        self.picture = self._seen = picture.copy()
        self._seen_ns = now_ns
        self._matrix = np.eye(3)

    def carry(self, motion: CameraMotion, picture: NDArray[np.uint8]) -> None:
        """Go along with the camera to a picture; what comes into view is taken from it.

        Args:
            motion: From the picture before to this one, in pixels of the picture.
            picture: (H, W, 3) uint8.
        """
        self._matrix = np.vstack([motion.pixel_matrix, [0, 0, 1]]) @ self._matrix
        height, width = picture.shape[:2]
        # Each time from the picture that was seen, so that carrying does not blur it again and again.
        carried = cv2.warpAffine(
            self._seen, self._matrix[:2], (width, height), dst=picture.copy(), borderMode=cv2.BORDER_TRANSPARENT
        )
        self.picture = np.asarray(carried, np.uint8)

    def learn(self, picture: NDArray[np.uint8], now_ns: int, hidden: NDArray[np.bool_] | None = None) -> None:
        """Take a picture over if the last one is a second old.

        Args:
            picture: (H, W, 3) uint8.
            now_ns: Its capture time.
            hidden: (H, W) bool: where an object is known to hide the background, which is kept there.
        """
        if now_ns - self._seen_ns < _MAX_CARRIED_S * 1e9:
            return
        self._seen = picture.copy() if hidden is None else np.where(hidden[..., None], self.picture, picture)
        self._seen_ns, self._matrix, self.picture = now_ns, np.eye(3), self._seen


def _median(pictures: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Return the (upper) median of each pixel: a selection of whole pictures, ten times as fast as a sort."""
    rest = list(pictures)
    for _ in range(len(pictures) // 2 + 1):
        smallest = rest.pop()
        for i, other in enumerate(rest):
            smallest, rest[i] = np.minimum(smallest, other), np.maximum(smallest, other)
    return smallest

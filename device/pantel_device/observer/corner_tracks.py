"""Corners of the picture that are followed from frame to frame."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_device.observer.difference import match_exposure

__all__ = ["CornerTracks", "find_corners", "track_corners"]

_QUALITY = 0.01  # of the best corner
_BLOCK_PX = 3
_WINDOW_PX = (11, 11)
_LEVELS = 4  # of the pyramid above the picture: up to some 40 pixels from frame to frame
_MAX_RETURN_PX = 0.5  # a corner tracked there and back that ends farther from where it began was lost
_BORDER_PX = 2.0  # beyond that the window has left the picture
_FEWEST_MISSING = 10  # new ones are looked for when so many are missing


def find_corners(
    luma: NDArray[np.uint8], count: int, apart_px: float, taken: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Return the best corners of a picture, the best first.

    Shi, Tomasi: "Good features to track", CVPR 1994.

    Args:
        luma: (H, W) uint8.
        count: At most so many.
        apart_px: Least distance between two of them.
        taken: (M, 2) float32, points from which all have to be as far; None if there are none.

    Returns:
        (N, 2) float32: x and y [px], centres of pixels at integers.
    """
    free = np.ones(luma.shape, np.uint8)
    for x, y in [] if taken is None else taken.tolist():
        cv2.circle(free, (round(x), round(y)), round(apart_px), 0, -1)
    corners = cv2.goodFeaturesToTrack(luma, count, _QUALITY, apart_px, mask=free, blockSize=_BLOCK_PX)
    if corners is None:
        return np.zeros((0, 2), np.float32)
    return np.asarray(corners, np.float32).reshape(-1, 2)


def track_corners(
    before: NDArray[np.uint8], now: NDArray[np.uint8], corners: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Follow corners from one picture to the next.

    Pyramidal Lucas-Kanade (Bouguet, "Pyramidal implementation of the affine Lucas Kanade feature tracker", Intel 2001),
    after the exposure has been matched. What does not come back to where it began when it is tracked backwards was lost
    (Kalal et al., "Forward-backward error", ICPR 2010).

    Args:
        before: (H, W) uint8, luma.
        now: (H, W) uint8, luma.
        corners: (N, 2) float32: x and y in the picture before [px].

    Returns:
        (N, 2) float32: where they are now, and (N,) bool: which of them were found.
    """
    if corners.shape[0] == 0:
        return corners, np.zeros(0, np.bool_)
    before = match_exposure(before, now)
    starts = np.ascontiguousarray(corners)[:, None]
    ends, found, _ = cv2.calcOpticalFlowPyrLK(
        before, now, starts, np.empty_like(starts), winSize=_WINDOW_PX, maxLevel=_LEVELS
    )
    # Where it began is known, so that the way back needs no high pyramid.
    back, found_back, _ = cv2.calcOpticalFlowPyrLK(
        now, before, ends, starts.copy(), winSize=_WINDOW_PX, maxLevel=1, flags=cv2.OPTFLOW_USE_INITIAL_FLOW
    )
    ends, back = np.asarray(ends, np.float32)[:, 0], np.asarray(back, np.float32)[:, 0]
    height, width = now.shape
    inside = (ends >= _BORDER_PX).all(axis=1) & (ends <= np.array([width, height]) - 1 - _BORDER_PX).all(axis=1)
    returned = np.abs(back - corners).max(axis=1) < _MAX_RETURN_PX
    return ends, (found[:, 0] > 0) & (found_back[:, 0] > 0) & inside & returned


class CornerTracks:
    """Corners that are followed as long as they are found, and where they were in some pictures of the past.

    Attributes:
        now: (N, 2) float32: x and y in the newest picture [px].
        past: (N, K, 2) float32: where they were in the pictures that were remembered, the newest first; NaN before a
            corner was first seen.
    """

    def __init__(self, count: int, apart_px: float, remembered: int) -> None:
        """Begin without any.

        Args:
            count: So many corners are followed at most.
            apart_px: Least distance between two of them when they are chosen.
            remembered: Pictures of the past in which their places are kept, K.
        """
        self._count = count
        self._apart_px = apart_px
        self.now = np.zeros((0, 2), np.float32)
        self.past = np.full((0, remembered, 2), np.nan, np.float32)

    def follow(
        self, before: NDArray[np.uint8], luma: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
        """Go on from the picture before to the next one, and drop what is lost.

        Args:
            before: (H, W) uint8, luma.
            luma: (H, W) uint8.

        Returns:
            Of all corners before this call: (N, 2) float32 where they were, (N, 2) float32 where they are, and (N,)
            bool which of them were found; what is left afterwards are those, in the same order.
        """
        before_px = self.now
        now_px, found = track_corners(before, luma, before_px)
        self.now, self.past = now_px[found], self.past[found]
        return before_px, now_px, found

    def remember(self) -> None:
        """Keep where the corners are now as their newest past."""
        self.past = np.concatenate([self.now[:, None], self.past[:, :-1]], axis=1)

    def replenish(self, luma: NDArray[np.uint8]) -> int:
        """Look for new corners where none are followed if many are missing; return how many there are.

        They come after the others, so that whoever keeps more about the corners has to append as many.
        """
        missing = self._count - len(self.now)
        if missing < _FEWEST_MISSING:
            return 0
        new = find_corners(luma, missing, self._apart_px, self.now)
        self.now = np.concatenate([self.now, new])
        unknown = np.full((len(new), *self.past.shape[1:]), np.nan, np.float32)
        self.past = np.concatenate([self.past, unknown])
        return len(new)

"""What there is to tell of a camera that moves: where it looks, and when a new mosaic begins."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pantel_codec import (
    AGE_STEP_NS,
    MOSAICS,
    TURN_LIMIT,
    ZOOM_LIMIT,
    CameraElement,
    CameraPose,
    Element,
    LinkElement,
    mosaic_size_px,
    shift_limit_px,
)
from pantel_device.frame import CameraPlace

__all__ = ["CameraEncoder"]

_MOVED_PX = 2.0  # by so much a corner has moved when the camera no longer stands where it began
_BEYOND_PX = 16.0  # so far the picture reaches out of its mosaic before a new one begins
_MOST_ZOOM, _MOST_TURN = ZOOM_LIMIT - 4, TURN_LIMIT - 4  # from there on, too
_LINKED_TIMES = 3  # a link is told with so many payloads
_RELINK_NS = 6_000_000_000  # and again after that long, for who joins late
_REFRESH_NS = 3_000_000_000  # the same for the pose of a camera that rests
_MIDDLE_NS = 1_000_000_000


class CameraEncoder:
    """Knows which mosaic is told, and how the picture lies in it.

    As long as the camera stands where it stood at first there are no mosaics, and nothing is told.

    Attributes:
        number: Of the newest mosaic; None as long as there is none.
        matrix: (3, 3), from points of the newest picture to points of that mosaic, each less its middle [px].
        began_ns: Capture time of the first frame in that mosaic.
        life_ns: For how long the mosaic before was the newest.
    """

    def __init__(self, size_px: tuple[int, int]) -> None:
        self._size_px = size_px
        width, height = size_px
        x, y = width / 2, height / 2
        self._corners = np.array([[-x, x, -x, x], [-y, -y, y, y], [1.0, 1.0, 1.0, 1.0]])
        self._numbers = itertools.cycle(range(MOSAICS))
        self._place: CameraPlace | None = None
        self._link: LinkElement | None = None
        self._link_left = 0
        self._linked_ns = 0
        self._told: CameraPose | None = None
        self._told_ns = 0
        self.number: int | None = None
        self.matrix = np.eye(3)
        self.began_ns = 0
        self.life_ns = _MIDDLE_NS

    def look(self, place: CameraPlace, now_ns: int, *, stayed: bool = False) -> bool:
        """Take the newest place of the camera; return whether a new mosaic begins with it.

        Args:
            place: Where it looks.
            now_ns: Capture time of that frame.
            stayed: Whether it is rather where it was before, whatever its place says.
        """
        before, self._place = self._place, place
        if not stayed and before is not None and before.era == place.era:
            self.matrix = self.matrix @ before.matrix @ np.linalg.inv(place.matrix)
        if not self._left(self.matrix):
            return False
        parent, self.number = self.number, next(self._numbers)
        self._link = LinkElement(self.number, parent, self._within(CameraPose.nearest(self.matrix)))
        self._link_left = _LINKED_TIMES
        self._told, self.matrix = None, np.eye(3)
        self.life_ns, self.began_ns = (_MIDDLE_NS if parent is None else now_ns - self.began_ns), now_ns
        return True

    def elements(self, age_steps: int, stamp_ns: int) -> list[CameraElement | LinkElement]:
        """Return what a payload begins with, and take note that it goes on the air; nothing without a mosaic.

        Args:
            age_steps: Of the newest place, in steps of 0.1 s before the packet's time stamp.
            stamp_ns: The packet's time stamp.
        """
        if self.number is None or self._link is None:
            return []
        pose = self._within(CameraPose.nearest(self.matrix))
        camera = CameraElement(self.number)
        if pose != self._told or stamp_ns - self._told_ns > _REFRESH_NS:
            camera = replace(camera, age_steps=age_steps, pose=pose)
            self._told, self._told_ns = pose, stamp_ns - age_steps * AGE_STEP_NS
        if self._link_left > 0 or stamp_ns - self._linked_ns > _RELINK_NS:
            self._link_left -= 1
            self._linked_ns = stamp_ns
            return [camera, self._link]
        return [camera]

    def lost(self, elements: Iterable[Element]) -> None:
        """Take note that these did not arrive: what of them still holds is told again."""
        for element in elements:
            if isinstance(element, LinkElement) and element == self._link:
                self._link_left = max(self._link_left, 1)
            elif isinstance(element, CameraElement) and element.pose is not None and element.pose == self._told:
                self._told = None

    def _left(self, matrix: NDArray[np.float64]) -> bool:
        """Tell whether a picture lies so that a new mosaic is needed."""
        if self.number is None:
            return bool(np.abs(matrix @ self._corners - self._corners).max() > _MOVED_PX)
        pose = CameraPose.nearest(matrix)
        if pose != self._within(pose) or abs(pose.zoom) > _MOST_ZOOM or abs(pose.turn) > _MOST_TURN:
            return True
        width, height = mosaic_size_px(*self._size_px)
        x, y, _ = np.abs(matrix @ self._corners).max(axis=1)
        return bool(x > width / 2 + _BEYOND_PX or y > height / 2 + _BEYOND_PX)

    def _within(self, pose: CameraPose) -> CameraPose:
        """Return the nearest pose that can be told."""
        limit_px = shift_limit_px(*self._size_px)
        x, y = (min(max(value, -limit_px), limit_px) for value in (pose.x, pose.y))
        zoom = min(max(pose.zoom, -ZOOM_LIMIT), ZOOM_LIMIT)
        return CameraPose(x, y, zoom, min(max(pose.turn, -TURN_LIMIT), TURN_LIMIT))

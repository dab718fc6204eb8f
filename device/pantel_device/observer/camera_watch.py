"""Tells when a camera that has stood still begins to move, was knocked, or trembles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pantel_device.observer.camera_motion import (
    MIN_ENCLOSED,
    CameraMotion,
    camera_motion,
    corner_shift_px,
    enclosed_share,
    still_share,
)
from pantel_device.observer.camera_path import CameraPath
from pantel_device.observer.corner_tracks import find_corners, track_corners
from pantel_device.observer.expansion import find_expansion

__all__ = ["CameraWatch"]

_CORNERS = 150
_APART_PX = 10.0
_EVERY_S = 0.5
_MEMORY_S = 5.0
_MAX_SHIFT_SHARE = 1 / 32  # of the picture's width, within that time: farther and the camera moves
_REST_PX = 0.3  # from look to look
_REST_SHARE = 0.25  # of the picture's area: with so much at rest, what moves is a large object
_MIN_FLOW_PX = 1.0  # from look to look
_MIN_FLOW_SHARE = 0.25  # of the corners
_MIN_FLOW_S = 0.3  # flow over less time is too little
_EXPANSIONS = 2  # one look after the other
_MIN_AGREEMENT = 0.5  # share of the textured area on whose motion something is decided
_JOLT_PX = 1.5  # from look to look
_REST_S = 1.2
_SAME_VIEW_SHARE = 0.25  # of what rests, that is found again nearby if it is the same view
_FAR_PX = 8.0
_TREMBLE_S = 4.5  # so long it has to go to and fro about one place
_MIN_TREMBLE_PX = 0.4  # standard deviation of the picture's corners; trembling begins above and ends below half of it
_MAX_TREMBLE_PX = 5.0  # from one side to the other
_SWAY_S = 1.5
_SWAY_SHARE = 1 / 75  # of the picture's width, from one side to the other, within that time
_SWAY_STEPS = 0.5  # share of the looks between which it must have moved: a knock moves it once
_MAX_DRIFT = 0.6  # standard deviations, from the mean of one half of that time to that of the other


class CameraWatch:
    """Compares pictures half a second apart.

    Attributes:
        moves: Whether the camera has left its place, or sways without coming back as the one in a hand does, or
            everything flows as it does when a camera moves forwards. A few pixels to and fro about one place, as of a
            mast in the wind, are no motion.
        knocked: Whether the camera rests, but not where it did before.
        trembles: Whether it goes to and fro by a pixel or two.
    """

    def __init__(self, luma: NDArray[np.uint8], time_ns: int) -> None:
        """Begin with a picture of a camera that stands still, (H, W) uint8."""
        self.moves = self.knocked = self.trembles = False
        self._luma = self._luma_at_rest = luma
        self._resting = np.zeros((0, 2), np.float32)  # corners that have not moved between the last looks
        self._looked_ns = self._restless_ns = time_ns
        self._size_px = (luma.shape[1], luma.shape[0])
        self._path = CameraPath(_MEMORY_S, self._size_px, time_ns)
        self._lost = self._jolted = self._hurried = False
        self._expansions = 0

    def due(self, time_ns: int) -> bool:
        """Tell whether it is time to look again: after half a second, or at once if it may be a fast pan."""
        return self._hurried or time_ns - self._looked_ns >= _EVERY_S * 1e9

    def look(self, luma: NDArray[np.uint8], time_ns: int) -> None:
        """Take another picture of the same size.

        Args:
            luma: (H, W) uint8.
            time_ns: Its capture time.
        """
        corners = find_corners(self._luma, _CORNERS, _APART_PX)
        now, found = track_corners(self._luma, luma, corners)
        elapsed_s = (time_ns - self._looked_ns) / 1e9
        if elapsed_s > _MIN_FLOW_S:
            expands = _expands(corners[found], now[found], self._size_px)
            self._expansions = self._expansions + 1 if expands else 0
        self._luma, self._looked_ns = luma, time_ns
        self._resting = now[found & (np.abs(now - corners).max(axis=1) < _REST_PX)]
        rests = still_share(corners, now, found, self._size_px, _REST_PX) > _REST_SHARE
        motion = CameraMotion(np.eye(2, 3), 1.0) if rests else camera_motion(corners, now, found, self._size_px)
        self._lost = motion is None or motion.inlier_share < _MIN_AGREEMENT
        if motion is None or self._lost:
            self._path.restart(time_ns)
            self._jolted, self._hurried = True, elapsed_s >= _EVERY_S  # once: much traffic is lost again and again
        else:
            self._path.add(time_ns, motion)
            self._hurried = self._jolted and self._path.span_s < _EVERY_S / 2
        self._judge(time_ns)

    def _judge(self, time_ns: int) -> None:
        """Draw conclusions from where the camera was at the last looks."""
        places = self._path.places_px()
        far = np.abs(places).max() > _MAX_SHIFT_SHARE * self._size_px[0]
        self.moves = bool(far or self._expansions >= _EXPANSIONS)
        step_px = float(np.abs(places[-2:]).max())
        self._jolted |= step_px > _JOLT_PX
        if self._lost or step_px > _REST_PX:
            self._restless_ns = time_ns
        elif time_ns - self._restless_ns >= _REST_S * 1e9:
            if self._jolted:
                self.knocked = self._rests_elsewhere()
            self._jolted, self._luma_at_rest = False, self._luma
        if self._path.span_s >= _SWAY_S:
            spread_px, reach_px = float(places.std(axis=0).max()), float(np.ptp(places, axis=0).max())
            older, newer = np.array_split(places, 2)
            drift_px = float(np.abs(newer.mean(axis=0) - older.mean(axis=0)).max())
            steady = reach_px < _MAX_TREMBLE_PX and drift_px < _MAX_DRIFT * spread_px
            steps_px = np.abs(np.diff(places, axis=0)).max(axis=(1, 2))
            restless = (steps_px > _REST_PX).mean() > _SWAY_STEPS
            self.moves |= bool(restless and not steady and reach_px > _SWAY_SHARE * self._size_px[0])
            if self._path.span_s >= _TREMBLE_S:
                self.trembles = bool(steady and spread_px > _MIN_TREMBLE_PX / (2 if self.trembles else 1))

    def _rests_elsewhere(self) -> bool:
        """Tell whether what rests in the newest picture was elsewhere, or nowhere, at the last rest."""
        there, found = track_corners(self._luma, self._luma_at_rest, self._resting)
        motion = camera_motion(self._resting, there, found, self._size_px)
        if motion is not None:
            return bool(np.abs(corner_shift_px(motion.matrix, self._size_px)).max() > _JOLT_PX)
        near = found & (np.abs(there - self._resting).max(axis=1) < _FAR_PX)
        # Else it may be somebody who has halted before a wall without texture.
        ground = enclosed_share(self._resting, self._size_px) > MIN_ENCLOSED
        return bool(ground and near.mean() < _SAME_VIEW_SHARE)


def _expands(before: NDArray[np.float32], now: NDArray[np.float32], size_px: tuple[int, int]) -> bool:
    """Tell whether corners (N, 2) flow as when the camera moves forwards or backwards."""
    flows = np.asarray(now - before, np.float64)
    strong = np.linalg.norm(flows, axis=1) > _MIN_FLOW_PX
    # Somebody who comes nearer expands as well, but the way ahead surrounds him.
    if strong.sum() <= _MIN_FLOW_SHARE * len(flows) or enclosed_share(now[strong], size_px) < MIN_ENCLOSED:
        return False
    return find_expansion(now[strong].astype(np.float64), flows[strong]) is not None

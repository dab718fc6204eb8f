"""Motion before a camera that moves itself: what goes neither with the ground nor with what stands on it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_device.observer.camera_motion import CameraMotion, camera_motion
from pantel_device.observer.camera_path import CameraPath
from pantel_device.observer.corner_tracks import CornerTracks
from pantel_device.observer.difference import GAP, Part, difference_between, morph, parts
from pantel_device.observer.expansion import Expansion, find_expansion

__all__ = ["STANDS_S", "MovingCamera"]

_CORNERS = 400
_APART_PX = 5.0
_REMEMBERED = 12  # pictures
_REMEMBER_EVERY_S = 0.08  # at least; so they reach back for a second
_MIN_AGE_S = 0.25  # of the picture compared with: in less time a walker moves too little
_MAX_AGE_S = 0.95
_MAX_SHIFT_SHARE = 1 / 8  # of the picture's width that has left it since then
_MIN_TRACKS = 12

_PLANE_PX = 1.5  # corners nearer to where the plane carries them belong to it
_PLANE_ITERATIONS = 300
_OWN_PX = 1.0  # by which an object has to have moved of its own
_MAX_MOVERS_SHARE = 0.5  # of the corners; above that the plane was not that of the ground
_REACH_PX = 10  # around a corner that moves
_FEWEST_CORNERS = 4  # of one object
_MIN_CORNER_SHARE = 0.5  # of the corners in it that move
_EXPANSION_LASTS_S = 2.0

STANDS_S = 0.7
"""For so long a camera has to rest, as a rule, until it counts as standing still [s]."""
_STANDS_PX = 1.0  # between the mean places of two halves of that time
_TREMBLE_PX = 6.0
_UNKNOWN_S = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class _Past:
    """A picture that was remembered."""

    time_ns: int
    picture: NDArray[np.uint8]


class MovingCamera:
    """Follows the ground while the camera moves.

    Corners are followed (`CornerTracks`). From frame to frame they tell the motion of the camera, a similarity. From an
    earlier picture, up to a second old, they tell the homography of the plane that holds most of them. Corners off it
    belong to movers, or to what stands nearer or farther; while the camera moves forwards or backwards, the latter flow
    from or towards one point and are left out ("plane and parallax": Irani, Anandan, "A unified approach to moving
    object detection in 2D and 3D scenes", PAMI 1998). A mover is where the picture differs from the earlier one,
    carried by the homography, around corners that move in two frames one after the other.

    What stands still in the picture, as a car ahead of equal speed, cannot be told from what is far away.

    Attributes:
        motion: Of the camera, from the picture before to the newest one, in pixels of the working picture; None if it
            is not known.
        stands: Whether the camera has come to rest, trembling or not, or shows too little to tell.
    """

    def __init__(self, picture: NDArray[np.uint8], time_ns: int, stands_s: float = STANDS_S) -> None:
        """Begin with a picture.

        Args:
            picture: (H, W, 3) uint8, YCrCb.
            time_ns: Its capture time.
            stands_s: For how long the camera has to rest until it counts as standing still [s].
        """
        self.motion: CameraMotion | None = None
        self.stands = False
        self._size_px = (picture.shape[1], picture.shape[0])
        self._newest = _Past(time_ns, picture)
        self._known_ns = time_ns
        self._past: deque[_Past] = deque(maxlen=_REMEMBERED)
        self._tracks = CornerTracks(_CORNERS, _APART_PX, _REMEMBERED)
        self._moved = np.zeros(0, np.bool_)  # (N,) whether each corner moved in the last frame
        self._even = False
        self._expansion: tuple[int, Expansion] | None = None
        self._stands_s = stands_s
        self._path = CameraPath(stands_s, self._size_px, time_ns)
        self._keep(time_ns, picture)

    def see(self, picture: NDArray[np.uint8], time_ns: int) -> list[Part]:
        """Return what moves in the next picture, of the same size."""
        luma = _luma(picture)
        before, now, found = self._tracks.follow(_luma(self._newest.picture), luma)
        self._moved = self._moved[found]
        self.motion = camera_motion(before, now, found, self._size_px)
        moving = self._movers(picture, time_ns)
        self._newest = _Past(time_ns, picture)
        self._keep(time_ns, picture)
        self._judge(time_ns)
        return moving

    def _keep(self, time_ns: int, picture: NDArray[np.uint8]) -> None:
        """Remember the newest picture if it is time for one, and look for new corners in every second one."""
        self._even = not self._even
        if self._even:
            new = self._tracks.replenish(_luma(picture))
            self._moved = np.concatenate([self._moved, np.zeros(new, np.bool_)])
        if not self._past or time_ns - self._past[0].time_ns >= _REMEMBER_EVERY_S * 1e9:
            self._past.appendleft(_Past(time_ns, picture))
            self._tracks.remember()

    def _movers(self, picture: NDArray[np.uint8], time_ns: int) -> list[Part]:
        """Return what has moved over the ground since an earlier picture."""
        moved_before, self._moved = self._moved, np.zeros_like(self._moved)
        compared = self._compared(time_ns)
        if compared is None:
            return []
        index, known = compared
        before, now = self._tracks.past[known, index], self._tracks.now[known]
        plane, _ = cv2.findHomography(before, now, cv2.RANSAC, _PLANE_PX, maxIters=_PLANE_ITERATIONS)
        if plane is None:
            return []
        own = (now - cv2.perspectiveTransform(before[None], plane)[0]).astype(np.float64)
        moves = np.linalg.norm(own, axis=1) > _OWN_PX
        expansion = self._expansion_of(now[moves].astype(np.float64), own[moves], time_ns)
        if expansion is not None:
            moves &= ~expansion.explains(now.astype(np.float64), own)
        if moves.mean() > _MAX_MOVERS_SHARE:
            return []
        self._moved[known] = moves
        moves &= moved_before[known]
        differs = self._differs(picture, self._past[index].picture, np.asarray(plane, np.float64))
        near = np.zeros_like(differs)
        for x, y in now[moves].tolist():
            cv2.circle(near, (round(x), round(y)), _REACH_PX, 1, -1)
        return [part for part in parts(morph(near & differs, cv2.MORPH_CLOSE, GAP)) if _is_mover(part, now, moves)]

    def _compared(self, time_ns: int) -> tuple[int, NDArray[np.bool_]] | None:
        """Choose an earlier picture to compare with.

        The older it is the farther slow movers have come, but half of the corners should have been known by then, and
        most of it should still be in view.

        Returns:
            Its index, and (N,) bool: which corners are known from it; None if there is none.
        """
        chosen: tuple[int, NDArray[np.bool_]] | None = None
        for index, past in enumerate(self._past):
            age_s = (time_ns - past.time_ns) / 1e9
            known = ~np.isnan(self._tracks.past[:, index, 0])
            if age_s < _MIN_AGE_S:
                continue
            if known.sum() < max(_MIN_TRACKS, known.size / 2):
                break
            shift_px = np.abs(np.median(self._tracks.now[known] - self._tracks.past[known, index], axis=0)).max()
            too_far = age_s > _MAX_AGE_S or shift_px > _MAX_SHIFT_SHARE * self._size_px[0]
            if too_far and chosen is not None:
                break
            chosen = index, known
        return chosen

    def _differs(
        self, picture: NDArray[np.uint8], earlier: NDArray[np.uint8], plane: NDArray[np.float64]
    ) -> NDArray[np.uint8]:
        """Return (H, W) uint8, 0 or 1: where a picture differs from an earlier one carried to now."""
        carried = cv2.warpPerspective(earlier, plane, self._size_px, borderMode=cv2.BORDER_REPLICATE)
        seen = cv2.warpPerspective(np.ones_like(picture[..., 0]), plane, self._size_px, flags=cv2.INTER_NEAREST)
        return difference_between(picture, np.asarray(carried, np.uint8)).differs & np.asarray(seen, np.uint8)

    def _expansion_of(self, points: NDArray[np.float64], flows: NDArray[np.float64], time_ns: int) -> Expansion | None:
        """Return the expansion that is seen or was seen lately."""
        found = find_expansion(points, flows)
        if found is not None:
            self._expansion = time_ns, found
        if self._expansion is not None and time_ns - self._expansion[0] > _EXPANSION_LASTS_S * 1e9:
            self._expansion = None
        return None if self._expansion is None else self._expansion[1]

    def _judge(self, time_ns: int) -> None:
        """Decide whether the camera has come to rest."""
        self.stands = False
        if self.motion is None:
            self._path.restart(time_ns)
            self.stands = self._expansion is None and time_ns - self._known_ns > _UNKNOWN_S * 1e9
            return
        self._known_ns = time_ns
        self._path.add(time_ns, self.motion)
        if self._expansion is None and self._path.span_s > 0.8 * self._stands_s:
            places = self._path.places_px()
            older, newer = np.array_split(places, 2)
            drift_px = np.abs(newer.mean(axis=0) - older.mean(axis=0)).max()
            self.stands = bool(drift_px < _STANDS_PX and np.ptp(places, axis=0).max() < _TREMBLE_PX)


def _luma(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(picture[..., 0])


def _is_mover(part: Part, corners: NDArray[np.float32], moves: NDArray[np.bool_]) -> bool:
    """Tell whether enough corners of a part move."""
    rows, columns = part.window
    x, y = np.rint(corners).astype(np.intp).T
    inside = (x >= columns.start) & (x < columns.stop) & (y >= rows.start) & (y < rows.stop)
    area = np.asarray(cv2.dilate(part.pixels, np.ones((5, 5), np.uint8)), np.uint8)
    height, width = area.shape
    rows_in = np.clip(y[inside] - rows.start, 0, height - 1)
    columns_in = np.clip(x[inside] - columns.start, 0, width - 1)
    ours = moves[inside][area[rows_in, columns_in] > 0]
    return bool(ours.sum() >= _FEWEST_CORNERS and ours.mean() > _MIN_CORNER_SHARE)

"""How the picture moves because the camera does, from the corners that are followed in it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_device.frame import Box, CameraPlace

__all__ = [
    "MIN_ENCLOSED",
    "CameraMotion",
    "camera_motion",
    "corner_shift_px",
    "enclosed_share",
    "moved_place",
    "still_share",
    "warped",
]

_FARTHEST = 1e6  # pixels, or magnification, from where the camera began to look
_CELLS = (8, 6)  # columns and rows
_MAX_PER_CELL = 6  # corners of one cell that take part
_FEWEST_CORNERS = 12
_MIN_AGREEMENT = 0.4  # share of the cells with corners that has some that agree
MIN_ENCLOSED = 0.2
"""Share of the picture that corners have to enclose at least to be taken for those of the ground."""
_INLIER_PX = 1.0
_ITERATIONS = 300


@dataclass(frozen=True, slots=True, eq=False)
class CameraMotion:
    """A similarity that carries points of the frame before to where the same ground is in this frame.

    Attributes:
        matrix: (2, 3) float64, read-only: takes (x, y, 1) of the frame before to x and y in this frame [px, pixel edges
            at integers as in `Box`]; the identity if the motion is not known.
        inlier_share: Share of the picture's textured area that has gone along, 0 to 1; 0 if the motion is not known.
    """

    matrix: NDArray[np.float64]
    inlier_share: float

    def __post_init__(self) -> None:
        self.matrix.flags.writeable = False

    @property
    def known(self) -> bool:
        """Whether the picture told how the camera moved; else the best guess is that it did not."""
        return self.inlier_share > 0

    @property
    def scale(self) -> float:
        """By how much things have grown."""
        return float(np.sqrt(abs(np.linalg.det(self.matrix[:, :2]))))

    @property
    def pixel_matrix(self) -> NDArray[np.float64]:
        """(2, 3) float64: the same where the centres of pixels are at integers, as OpenCV counts them."""
        return _moved_origin(self.matrix, -0.5)

    def carried(self, box: Box) -> Box:
        """Return where a box of the frame before is in this frame if its object has not moved over the ground.

        The centre goes with the picture and the sides grow as it does; they stay parallel to the picture's sides.
        """
        centre = np.array([(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2, 1.0])
        x, y = (self.matrix @ centre).tolist()
        half_width, half_height = self.scale * (box.x1 - box.x0) / 2, self.scale * (box.y1 - box.y0) / 2
        return replace(box, x0=x - half_width, y0=y - half_height, x1=x + half_width, y1=y + half_height)

    @classmethod
    def unknown(cls) -> CameraMotion:
        """Return the motion of which nothing is known."""
        return cls(np.eye(2, 3), 0.0)

    def scaled(self, factors: tuple[float, float]) -> CameraMotion:
        """Return the same motion in a picture that is wider and higher by these factors."""
        enlarge = np.diag(factors)
        matrix = np.hstack([enlarge @ self.matrix[:, :2] @ np.linalg.inv(enlarge), enlarge @ self.matrix[:, 2:]])
        return CameraMotion(matrix, self.inlier_share)


def camera_motion(
    before: NDArray[np.float32], now: NDArray[np.float32], found: NDArray[np.bool_], size_px: tuple[int, int]
) -> CameraMotion | None:
    """Return the motion on which most of the picture's area agrees; None if it is not known.

    A similarity is fitted by RANSAC (Fischler, Bolles: "Random sample consensus", CACM 1981) to a few corners of each
    cell of a grid, and another one to those that do not agree. The one whose corners enclose more of the picture is
    that of the ground: a large mover may have more texture, but the ground surrounds it. Corners that were lost agree
    with nothing, so that pictures without texture, noise, changes of scene and pictures full of movers are not known.

    Args:
        before: (N, 2) float32: x and y of corners in the picture before [px, centres of pixels at integers], the best
            first.
        now: (N, 2) float32: where they are now.
        found: (N,) bool: which of them were found again.
        size_px: Width and height of the picture.
    """
    cells = _cells(before, size_px)
    left = np.nonzero(found & (_rank_in_group(np.where(found, cells, -1)) < _MAX_PER_CELL))[0]
    motion, most_enclosed = None, MIN_ENCLOSED
    for _ in range(2):
        if left.size < _FEWEST_CORNERS:
            break
        matrix, agree = cv2.estimateAffinePartial2D(
            before[left], now[left], method=cv2.RANSAC, ransacReprojThreshold=_INLIER_PX, maxIters=_ITERATIONS
        )
        if matrix is None:
            break
        inliers = np.asarray(agree)[:, 0] > 0
        enclosed = enclosed_share(now[left[inliers]], size_px)
        share = np.unique(cells[left[inliers]]).size / np.unique(cells).size
        if enclosed > most_enclosed and share > _MIN_AGREEMENT and inliers.sum() >= _FEWEST_CORNERS:
            motion = CameraMotion(_moved_origin(np.asarray(matrix, np.float64), 0.5), float(share))
            most_enclosed = enclosed
        left = left[~inliers]
    return motion


def enclosed_share(points: NDArray[np.float32], size_px: tuple[int, int]) -> float:
    """Return the share of a picture that points (N, 2) enclose, 0 to 1."""
    if len(points) < 3:
        return 0.0
    return float(cv2.contourArea(cv2.convexHull(points)) / (size_px[0] * size_px[1]))


def still_share(
    before: NDArray[np.float32],
    now: NDArray[np.float32],
    found: NDArray[np.bool_],
    size_px: tuple[int, int],
    within_px: float,
) -> float:
    """Return the share of the picture's textured area that has moved by less than `within_px`, 0 to 1.

    The other arguments are those of `camera_motion`.
    """
    cells = _cells(before, size_px)
    if cells.size == 0:
        return 0.0
    still = found & (np.abs(now - before).max(axis=1) < within_px)
    return float(np.unique(cells[still]).size / np.unique(cells).size)


def warped(picture: NDArray[np.uint8], motion: CameraMotion, flags: int = cv2.INTER_LINEAR) -> NDArray[np.uint8]:
    """Return a picture, (H, W) or (H, W, 3) uint8, carried along by a motion; its border is repeated outwards.

    Args:
        picture: To carry.
        motion: In pixels of the picture.
        flags: Those of OpenCV's `warpAffine`.
    """
    size_px = (picture.shape[1], picture.shape[0])
    matrix = motion.pixel_matrix
    return np.asarray(cv2.warpAffine(picture, matrix, size_px, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def moved_place(place: CameraPlace, motion: CameraMotion, size_px: tuple[int, int]) -> CameraPlace:
    """Return where a camera looks that has moved from a place; in another era if that is too far to be compared.

    Args:
        place: Where it looked.
        motion: How it has moved since, in pixels of the picture.
        size_px: Width and height of the picture.
    """
    middle = np.array([[1.0, 0.0, size_px[0] / 2], [0.0, 1.0, size_px[1] / 2], [0.0, 0.0, 1.0]])
    step = np.linalg.inv(middle) @ np.vstack([motion.matrix, [0.0, 0.0, 1.0]]) @ middle
    matrix = step @ place.matrix
    if np.abs(matrix).max() > _FARTHEST or abs(np.linalg.det(matrix)) < 1 / _FARTHEST:
        return CameraPlace(place.era + 1)
    return CameraPlace(place.era, matrix)


def corner_shift_px(matrix: NDArray[np.float64], size_px: tuple[int, int]) -> NDArray[np.float64]:
    """Return by how much a motion (2, 3) moves the four corners of a picture, (4, 2) [px]."""
    width, height = size_px
    corners = np.array([[0.0, 0.0, 1.0], [width, 0.0, 1.0], [0.0, height, 1.0], [width, height, 1.0]])
    return np.asarray(corners @ matrix.T - corners[:, :2], np.float64)


def _moved_origin(matrix: NDArray[np.float64], by_px: float) -> NDArray[np.float64]:
    """Return a motion (2, 3) of points whose coordinates are larger by `by_px`."""
    moved = matrix.copy()
    moved[:, 2] += by_px * (1 - matrix[:, :2].sum(axis=1))
    return moved


def _cells(points: NDArray[np.float32], size_px: tuple[int, int]) -> NDArray[np.intp]:
    """Return (N,) the number of the cell in which each point lies."""
    counts = np.array(_CELLS)
    columns_rows = np.clip((points / np.array(size_px) * counts).astype(np.intp), 0, counts - 1)
    return np.asarray(columns_rows[:, 1] * _CELLS[0] + columns_rows[:, 0], np.intp)


def _rank_in_group(groups: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return (N,) how many items of the same group come before each item."""
    order = np.argsort(groups, kind="stable")
    _, starts, counts = np.unique(groups[order], return_index=True, return_counts=True)
    ranks = np.empty_like(order)
    ranks[order] = np.arange(groups.size) - np.repeat(starts, counts)
    return ranks

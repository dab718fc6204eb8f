"""The pattern in which everything at rest flows when the camera moves forwards or backwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Expansion", "find_expansion"]

_FEWEST_FLOWS = 8
_CANDIDATES = 80
_MIN_CROSSING = 0.2  # sine of the angle at which two flows have to cross
_MIN_SHARE = 0.5
_SECTORS = 8  # of directions, centred on the picture's axes, along which most objects move
_MIN_SECTOR_SHARE = 0.04  # of the flows, for a sector to count
_FEWEST_SECTORS = 4
_MAX_SINE = 0.3  # of the angle between a flow and the line from the focus
_MAX_ASIDE_PX = 3.0  # by which that line may miss the focus


@dataclass(frozen=True, slots=True)
class Expansion:
    """Flow away from a focus, or towards it.

    Attributes:
        focus_px: x and y, to where the camera moves; it may lie outside the picture.
        sign: 1 as the camera moves forwards, -1 as it moves backwards.
    """

    focus_px: tuple[float, float]
    sign: int

    def explains(self, points: NDArray[np.float64], flows: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return (N,) bool: which flows may be those of things at rest, near or far.

        Args:
            points: (N, 2) x and y [px].
            flows: (N, 2) by how much they have moved [px].
        """
        sines, cosines = _angles(points, flows, np.array([self.focus_px]))
        return np.asarray(_radial(points, sines, np.array([self.focus_px]))[0] & (self.sign * cosines[0] > 0))


def find_expansion(points: NDArray[np.float64], flows: NDArray[np.float64]) -> Expansion | None:
    """Return the expansion that explains most flows; None if it does not explain half of them.

    A camera that moves forwards sees everything at rest flow away from one point, the faster the nearer it is (Gibson:
    "The Perception of the Visual World", 1950); so parallax is told from motion (Irani, Anandan: "A unified approach to
    moving object detection in 2D and 3D scenes", PAMI 1998). Candidates for that point are crossings of pairs of
    flows. What is explained has to flow to many sides: a single object, or a lane full of cars, flows to one, and
    people who part flow to two.

    Args:
        points: (N, 2) x and y of what moves [px].
        flows: (N, 2) by how much it has moved, none of them 0 [px].
    """
    count = len(points)
    if count < _FEWEST_FLOWS:
        return None
    directions = flows / np.linalg.norm(flows, axis=1, keepdims=True)
    normals = np.stack([-directions[:, 1], directions[:, 0]], axis=1)
    offsets = (normals * points).sum(axis=1)
    first, second = np.random.default_rng(0).integers(0, count, (2, _CANDIDATES))
    crossing = normals[first, 0] * normals[second, 1] - normals[first, 1] * normals[second, 0]
    usable = np.abs(crossing) > _MIN_CROSSING
    first, second, crossing = first[usable], second[usable], crossing[usable]
    if first.size == 0:
        return None
    x = (offsets[first] * normals[second, 1] - offsets[second] * normals[first, 1]) / crossing
    y = (normals[first, 0] * offsets[second] - normals[second, 0] * offsets[first]) / crossing
    foci = np.stack([x, y], axis=1)
    sines, cosines = _angles(points, flows, foci)
    radial = _radial(points, sines, foci)
    away, towards = radial & (cosines > 0), radial & (cosines < 0)
    sign = 1 if away.sum(axis=1).max() >= towards.sum(axis=1).max() else -1
    explained = away if sign > 0 else towards
    best = int(explained.sum(axis=1).argmax())
    if explained[best].mean() < _MIN_SHARE or _sectors(directions[explained[best]]) < _FEWEST_SECTORS:
        return None
    return Expansion((float(x[best]), float(y[best])), sign)


def _sectors(directions: NDArray[np.float64]) -> int:
    """Return to how many sides directions (N, 2) go."""
    turns = np.arctan2(directions[:, 1], directions[:, 0]) / (2 * np.pi)
    counts = np.bincount(np.rint(turns * _SECTORS).astype(np.intp) % _SECTORS)
    return int((counts >= max(_MIN_SECTOR_SHARE * len(directions), 1.0)).sum())


def _angles(
    points: NDArray[np.float64], flows: NDArray[np.float64], foci: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (F, N) sine (without sign) and cosine of the angle between each flow and the line from each focus."""
    rays = points[None] - foci[:, None]
    rays = rays / np.maximum(np.linalg.norm(rays, axis=2, keepdims=True), 1e-6)
    directions = flows / np.maximum(np.linalg.norm(flows, axis=1, keepdims=True), 1e-6)
    sines = np.abs(rays[..., 0] * directions[:, 1] - rays[..., 1] * directions[:, 0])
    return sines, (rays * directions).sum(axis=2)


def _radial(points: NDArray[np.float64], sines: NDArray[np.float64], foci: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return (F, N) bool: which flows lie on lines through each focus, as exactly as it is known."""
    distances = np.linalg.norm(points[None] - foci[:, None], axis=2)
    return np.asarray(sines < np.maximum(_MAX_SINE, _MAX_ASIDE_PX / np.maximum(distances, 1.0)))

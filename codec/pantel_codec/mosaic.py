"""Mosaics: backgrounds larger than a picture, in which a camera looks around.

While the camera moves, what was told of the background stays true; only its place in the picture changes. So it is kept
in the coordinates of one picture, the *mosaic*, and it is told how the others lie in it (Irani, Anandan, Hsu, "Mosaic
based representations of video sequences and their applications", ICCV 1995). When the camera leaves a mosaic behind, a
new one begins, and a link says how it lies in the one before: what is not known of the new one is seen in older ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pantel_codec.camera import CameraElement, CameraPath, LinkElement, mosaic_size_px
from pantel_codec.surface import Background

__all__ = ["Layer", "Mosaic", "Mosaics", "Sight"]

_KEPT = 6  # fewer than there are numbers, so that a late packet is not taken for news of another mosaic
_RESTS_NS = 600_000_000  # so long before a packet without a placement the camera is known to be where it was
_STARTED_NS = 500_000_000  # so long before its first placement in the first mosaic the camera stood still


@dataclass(slots=True, eq=False)
class Mosaic:
    """A background in which the camera looks around.

    Attributes:
        number: As payloads tell it; another mosaic may have it later.
        background: What is held of it.
        path: How pictures lie in it.
        parent: What it follows: another mosaic, or None for the background before all mosaics.
        link: (3, 3), from points of this one to points of its parent, each less its middle [px]; None while not known.
        began_ns: When it was told of first.
    """

    number: int
    background: Background
    parent: Mosaic | None
    began_ns: int
    path: CameraPath = field(default_factory=CameraPath)
    link: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A background among others.

    Attributes:
        background: What is held of it.
        matrix: (3, 3), from points of the background in which a picture lies to points of this one, each less its
            middle [px].
    """

    background: Background
    matrix: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What is behind a picture.

    Attributes:
        background: That in which the picture lies, a mosaic's or that before all mosaics.
        placed: (3, 3), from points of the picture to points of it, each less its middle [px].
        layers: Itself, what is newer and what is older, the newest, which is the nearest, first.
    """

    background: Background
    placed: NDArray[np.float64]
    layers: tuple[Layer, ...]


class Mosaics:
    """The newest mosaics of a scene.

    Attributes:
        known: At most 6, the newest last; empty as long as the camera stands still.
    """

    def __init__(self, width_px: int, height_px: int, groups: tuple[int, ...]) -> None:
        self._size_px = mosaic_size_px(width_px, height_px)
        self._groups = groups
        self.known: list[Mosaic] = []

    def background(self, number: int) -> Background | None:
        """Return what is held of a mosaic; None if nothing is."""
        mosaic = self._find(number)
        return None if mosaic is None else mosaic.background

    def place(self, element: CameraElement, time_ns: int, pose_ns: int) -> None:
        """Apply what is told of the camera; the mosaic may be new.

        Args:
            element: What is told.
            time_ns: The packet's time stamp.
            pose_ns: Time of the pose.
        """
        mosaic = self._find(element.mosaic)
        if mosaic is None or (mosaic is not self.known[-1] and time_ns > self.known[-1].began_ns):
            # No sender goes back to an older mosaic: it is a new one of that number.
            mosaic = self._begin(element.mosaic, time_ns)
        if element.pose is not None:
            mosaic.path.add(pose_ns, element.pose.matrix)
        elif mosaic.path.begins_by(time_ns - _RESTS_NS):
            mosaic.path.add(time_ns - _RESTS_NS, mosaic.path.at(time_ns - _RESTS_NS))

    def _begin(self, number: int, time_ns: int) -> Mosaic:
        """Return a new mosaic, among the others by its time: its packet may have come late."""
        older = [each for each in self.known if each.number != number and each.began_ns <= time_ns]
        newer = [each for each in self.known if each.number != number and each.began_ns > time_ns]
        parent = older[-1] if older else None
        mosaic = Mosaic(number, Background(*self._size_px, self._groups), parent, time_ns)
        self.known = [*older, mosaic, *newer][-_KEPT:]
        for each in self.known:
            if each.parent is not None and each.parent not in self.known:
                each.parent = each.link = None  # or it would be kept for ever
        return mosaic

    def connect(self, element: LinkElement) -> bool:
        """Apply a link; return whether both mosaics are known.

        Of what follows a mosaic that is not known nothing is seen behind it.
        """
        mosaic = self._find(element.mosaic)
        parent = None if element.parent is None else self._find(element.parent)
        if mosaic is None or parent is mosaic:
            return False
        if parent is None and element.parent is not None:
            mosaic.parent = mosaic.link = None
            return False
        mosaic.parent, mosaic.link = parent, element.pose.matrix
        return True

    def sight(self, base: Background, time_ns: int) -> Sight:
        """Return what is behind the picture of a time.

        Args:
            base: The background before all mosaics.
            time_ns: Capture time of the picture.
        """
        if not self.known:
            return Sight(base, np.eye(3), (Layer(base, np.eye(3)),))
        chain = list(self._chain(self.known[-1]))
        path = CameraPath()
        oldest, to_oldest = chain[-1]
        to_base = None if oldest.parent is not None or oldest.link is None else oldest.link @ to_oldest
        if to_base is not None and oldest.path.times_ns:
            path.add(oldest.path.times_ns[0] - _STARTED_NS, np.asarray(np.linalg.inv(to_base), np.float64))
        for mosaic, inwards in reversed(chain):
            outwards = np.linalg.inv(inwards)
            for knot_ns, matrix in zip(mosaic.path.times_ns, mosaic.path.matrices, strict=True):
                path.add(knot_ns, outwards @ matrix)
        # The picture lies in that in which it was taken: what came later may not reach so far.
        current, inwards = next((each for each in chain if each[0].path.begins_by(time_ns)), chain[0])
        outwards = np.linalg.inv(inwards)
        layers = [
            Layer(mosaic.background, np.eye(3) if mosaic is current else matrix @ outwards) for mosaic, matrix in chain
        ]
        if to_base is not None:
            layers.append(Layer(base, to_base @ outwards))
        return Sight(current.background, inwards @ path.at(time_ns), tuple(layers))

    def _chain(self, newest: Mosaic) -> Iterator[tuple[Mosaic, NDArray[np.float64]]]:
        """Yield a mosaic and those it is linked to, each with the matrix (3, 3) from the first one's points to its."""
        mosaic: Mosaic | None = newest
        matrix = np.eye(3)
        left = list(self.known)
        while mosaic in left and mosaic is not None:
            left.remove(mosaic)
            yield mosaic, matrix
            matrix = _to_parent(mosaic) @ matrix
            mosaic = mosaic.parent

    def _find(self, number: int) -> Mosaic | None:
        return next((each for each in self.known if each.number == number), None)


def _to_parent(mosaic: Mosaic) -> NDArray[np.float64]:
    """Return the link, or as long as it is not known where the camera was last seen in the parent."""
    if mosaic.link is not None:
        return mosaic.link
    return np.eye(3) if mosaic.parent is None else mosaic.parent.path.at(mosaic.began_ns)

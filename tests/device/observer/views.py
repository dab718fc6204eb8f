"""What a camera sees that turns and zooms before a photograph, and objects that cross."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_device.frame import Box, Frame

SIZE_PX = (320, 240)
TENTH_NS = 100_000_000
NOISE_LEVELS = 1.5


@dataclass(frozen=True)
class View:
    """Where a camera points: the middle of the picture in the photograph [px], its zoom, and its turn [degrees]."""

    x: float = 260.0
    y: float = 210.0
    zoom: float = 1.0
    turn: float = 0.0

    @property
    def from_photograph(self) -> NDArray[np.float64]:
        """(3, 3): from the photograph to the picture, edges of pixels at integers."""
        matrix = np.vstack([cv2.getRotationMatrix2D((self.x, self.y), self.turn, self.zoom), [0, 0, 1]])
        matrix[:2, 2] += np.array(SIZE_PX) / 2 - (self.x, self.y)
        return np.asarray(matrix, np.float64)

    def since(self, other: View) -> NDArray[np.float64]:
        """Return (2, 3): from the picture of another view to that of this one."""
        return np.asarray((self.from_photograph @ np.linalg.inv(other.from_photograph))[:2], np.float64)

    def picture(self, *objects: Box) -> NDArray[np.uint8]:
        """Return what is seen, (240, 320, 3) uint8 without noise, and objects in front of it."""
        half = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
        centred = np.linalg.inv(half) @ self.from_photograph @ half
        picture = np.asarray(
            cv2.warpAffine(photograph(), centred[:2], SIZE_PX, borderMode=cv2.BORDER_REFLECT), np.uint8
        )
        for box in objects:
            paint(picture, box)
        return picture


@cache
def photograph() -> NDArray[np.uint8]:
    """Return the photograph of the test camera, (427, 640, 3) uint8, RGB."""
    data = np.frombuffer(files("pantel_device").joinpath("assets", "launch_pad.webp").read_bytes(), np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def paint(picture: NDArray[np.uint8], box: Box) -> None:
    """Paint an object of coarse patches over a picture; it may reach beyond its edges."""
    patches = np.random.default_rng(1).integers(20, 236, (8, 5, 3), np.uint8)
    x, y = (np.arange(side) + 0.5 for side in SIZE_PX)
    columns, rows = (x - box.x0) / (box.x1 - box.x0), (y - box.y0) / (box.y1 - box.y0)
    inside_x, inside_y = (columns >= 0) & (columns < 1), (rows >= 0) & (rows < 1)
    of_x, of_y = (columns[inside_x] * 5).astype(np.intp), (rows[inside_y] * 8).astype(np.intp)
    picture[np.ix_(inside_y, inside_x)] = patches[np.ix_(of_y, of_x)]


def frames(*pictures: NDArray[np.uint8]) -> Iterator[Frame]:
    """Yield frames of a camera with noise, ten a second."""
    rng = np.random.default_rng(0)
    for index, picture in enumerate(pictures):
        noisy = np.clip(picture + rng.normal(0, NOISE_LEVELS, picture.shape), 0, 255).astype(np.uint8)
        yield Frame(index, index * TENTH_NS, noisy)

"""Contours by structured forests, through the part of OpenCV that only opencv-contrib has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_device.errors import EdgeModelError
from pantel_device.observer.edge_forest import check_forest

__all__ = ["StructuredEdges"]

# Shares of votes, and by how much a pixel's count more when they are compared across the edge: with 1, lines fall into
# five times as many pieces (docs/decisions/0028-structure-layer.md).
_HIGH = 0.2
_LOW = 0.1
_LENIENCE = 1.05

# A pixel's votes depend on that much around it: half a patch, and what features and orientation are smoothed by.
_AROUND_PX = 48
# Trees take turns from patch to patch, and features are scaled to a half and a quarter. With sides that are multiples
# of that a part of a picture is answered as the whole is.
_PERIOD_PX = 16


class StructuredEdges:
    """Finds contours where people would draw them, and passes over texture.

    Dollár and Zitnick, "Fast edge detection using structured forests" (TPAMI 2015): each tree of a random forest looks
    at a patch and answers with the edges of a patch that people have drawn; all answers for a pixel are its votes.

        pixels ─▶ forest ─▶ votes ─▶ maxima across the edge ─▶ hysteresis ─▶ thinned to one pixel
    """

    def __init__(self, path: Path) -> None:
        """Open a forest.

        Args:
            path: ``model.yml.gz``, or the same unpacked.

        Raises:
            EdgeModelError: OpenCV here is without opencv-contrib, or the file is missing or damaged.
        """
        library: Any = getattr(cv2, "ximgproc", None)
        if not hasattr(library, "createStructuredEdgeDetection"):
            raise EdgeModelError(
                f"the edge model {path} needs opencv-contrib, which OpenCV {cv2.__version__} here is without; install "
                "opencv-contrib-python-headless of the same version, or leave edge_model empty for Canny"
            )
        check_forest(path)
        self._library = library
        self._picture: NDArray[np.uint8] | None = None
        self._known = np.zeros((0, 0), np.float32)
        try:
            self._forest: Any = self._library.createStructuredEdgeDetection(str(path))
            self._votes(np.zeros((64, 64, 3), np.uint8))
        except (cv2.error, SystemError) as error:  # the latter is what some versions make of the former
            raise EdgeModelError(
                f"the edge model {path} cannot be used by OpenCV {cv2.__version__}; fetch model.yml.gz again, or leave "
                "edge_model empty for Canny"
            ) from error

    def __call__(
        self, pixels: NDArray[np.uint8], mask: NDArray[np.uint8] | None = None, *, strength: float = 1.0
    ) -> NDArray[np.uint8]:
        """Return contours of one pixel's width; see `ContourFinder`."""
        if mask is None:
            return self._lines(self._votes_of_whole(pixels), strength)
        contours = np.zeros(mask.shape, np.uint8)
        window = _window(mask)
        if window is not None:
            contours[window] = self._lines(self._votes(pixels[window]), strength) * (mask[window] > 0)
        return contours

    def _votes_of_whole(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return `_votes`, known if they are of the picture before: a background is asked for again and again."""
        if self._picture is None or not np.array_equal(self._picture, pixels):
            self._picture, self._known = pixels.copy(), self._votes(pixels)
        return self._known

    def _votes(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return (H, W) float32, 0 to about 1: the votes for an edge where they are the most across it, else 0."""
        votes = self._forest.detectEdges(np.multiply(pixels, np.float32(1 / 255), dtype=np.float32, order="C"))
        thin = self._forest.edgesNms(votes, self._forest.computeOrientation(votes), m=_LENIENCE)
        return np.asarray(thin, np.float32)

    def _lines(self, votes: NDArray[np.float32], strength: float) -> NDArray[np.uint8]:
        """Return (H, W) uint8, 0 or 1: lines that are strong somewhere, as far as they are not too weak."""
        count, labels = cv2.connectedComponents(np.asarray(votes >= strength * _LOW, np.uint8))
        strong = np.zeros(count, np.uint8)
        strong[labels[votes >= strength * _HIGH]] = 255
        strong[0] = 0  # everything else
        return np.asarray(self._library.thinning(strong[labels]) > 0, np.uint8)


def _window(mask: NDArray[np.uint8]) -> tuple[slice, slice] | None:
    """Return the rows and columns of a picture that the contours inside a mask depend on; None if it is empty."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return None
    down, across = (
        slice(
            max(int(places[0]) - _AROUND_PX, 0) // _PERIOD_PX * _PERIOD_PX,
            -(-(int(places[-1]) + 1 + _AROUND_PX) // _PERIOD_PX) * _PERIOD_PX,
        )
        for places in (rows, columns)
    )
    return down, across

"""Lays the backgrounds behind a picture over each other, alike in the receiver and in what the sender believes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_codec import CELL_PX, NEVER, Background, Layer
from pantel_models import SceneCodec

__all__ = ["LayerPainter", "pixel_matrix", "told_ns"]

_FADING = 0.5  # of a cell, over which a layer ends between cells that are held and cells that are not


class LayerPainter:
    """Paints each background once for every change, and lays it where it belongs."""

    def __init__(self, codec: SceneCodec) -> None:
        self._codec = codec
        self._painted: dict[Background, tuple[int, NDArray[np.uint8], NDArray[np.float32]]] = {}

    def paint(self, layers: Sequence[Layer], size_px: tuple[int, int]) -> NDArray[np.uint8]:
        """Return the picture (H, W, 3) uint8, RGB, that backgrounds make; not to be written to.

        Where the nearest holds nothing the next one is seen, and so on; beyond the last one its border.

        Args:
            layers: The nearest first.
            size_px: Width and height of the picture; the points of the layers' matrices are relative to its middle.
        """
        self._painted = {each.background: self._of(each.background) for each in layers}
        *nearer, last = layers
        picture = _placed(last, self._painted[last.background][1], size_px, cv2.BORDER_REPLICATE)
        for layer in reversed(nearer):
            _, pixels, mask = self._painted[layer.background]
            alpha = _placed(layer, mask, size_px, cv2.BORDER_CONSTANT)[..., None]
            if alpha.any():
                colour = _placed(layer, pixels, size_px, cv2.BORDER_REPLICATE)
                picture = np.rint(picture + alpha * (colour.astype(np.float32) - picture)).astype(np.uint8)
        return picture

    def _of(self, background: Background) -> tuple[int, NDArray[np.uint8], NDArray[np.float32]]:
        known = self._painted.get(background)
        if known is None or known[0] != background.revision:
            known = background.revision, self._codec.synthesise(background), _mask(background)
        return known


def _placed(layer: Layer, pixels: NDArray[Any], size_px: tuple[int, int], border: int) -> NDArray[Any]:
    """Return pixels (H, W, ...) of a background as they lie in the picture; the same ones if nothing has moved."""
    background = layer.background
    if np.array_equal(layer.matrix, np.eye(3)) and size_px == (background.width_px, background.height_px):
        return pixels
    matrix = pixel_matrix(layer.matrix, size_px, (background.width_px, background.height_px))
    flags = cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(pixels, matrix, size_px, flags=flags, borderMode=border))


def pixel_matrix(matrix: NDArray[np.float64], from_px: tuple[int, int], to_px: tuple[int, int]) -> NDArray[np.float64]:
    """Return a map of points, each less the middle of its picture, as OpenCV counts pixels: (2, 3), centres from 0 on.

    Args:
        matrix: (3, 3), the map.
        from_px: Width and height of the picture whose points are mapped.
        to_px: Width and height of the other one.
    """
    return np.asarray((_shifted(to_px, 0.5) @ matrix @ _shifted(from_px, -0.5))[:2], np.float64)


def _shifted(size_px: tuple[int, int], share: float) -> NDArray[np.float64]:
    x, y = (share * (side_px - 1) for side_px in size_px)
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def _mask(background: Background) -> NDArray[np.float32]:
    """Return (H, W) float32: how opaque a background is, 0 where nothing of it is held, 1 where something is."""
    held = (background.shown_ns() > NEVER).astype(np.float32)
    rows, columns = held.shape
    smooth = cv2.resize(held, (columns * CELL_PX, rows * CELL_PX), interpolation=cv2.INTER_LINEAR)
    mask = np.clip((smooth - 0.5) / _FADING + 0.5, 0, 1)
    return np.ascontiguousarray(mask[: background.height_px, : background.width_px], np.float32)


def told_ns(layers: Sequence[Layer], size_px: tuple[int, int]) -> NDArray[np.int64]:
    """Return (rows, columns) of the picture's cells: when that was captured which is shown of each, or `NEVER`.

    Args:
        layers: The nearest first.
        size_px: Width and height of the picture.
    """
    rows, columns = (-(-side_px // CELL_PX) for side_px in reversed(size_px))
    y, x = np.mgrid[:rows, :columns]
    points = np.stack([(x + 0.5) * CELL_PX - size_px[0] / 2, (y + 0.5) * CELL_PX - size_px[1] / 2, np.ones(x.shape)])
    found = np.full((rows, columns), NEVER)
    for layer in layers:
        shown_ns, background = layer.background.shown_ns(), layer.background
        there_x, there_y, _ = np.einsum("ij,jrc->irc", layer.matrix, points)
        column = np.floor((there_x + background.width_px / 2) / CELL_PX).astype(np.intp)
        row = np.floor((there_y + background.height_px / 2) / CELL_PX).astype(np.intp)
        inside = (row >= 0) & (row < shown_ns.shape[0]) & (column >= 0) & (column < shown_ns.shape[1])
        there = np.where(inside, shown_ns[np.where(inside, row, 0), np.where(inside, column, 0)], NEVER)
        found = np.where(found > NEVER, found, there)
    return found

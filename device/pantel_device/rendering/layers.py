"""Lays the backgrounds behind a picture over each other, alike in the receiver and in what the sender believes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_codec import CELL_PX, NEVER, Background, Layer, Sight
from pantel_models import SceneCodec

__all__ = ["LayerPainter", "opacity", "pixel_matrix", "told_ns"]

_FADING = 0.5  # of a cell, over which a layer ends between cells that are held and cells that are not

_Held = tuple[Background, int, bytes]  # a layer, in which state, and where


class LayerPainter:
    """Paints each background once for every change, and all of them over each other once for every change of any."""

    def __init__(self, codec: SceneCodec) -> None:
        self._codec = codec
        self._painted: dict[Background, tuple[int, NDArray[np.uint8], NDArray[np.float32]]] = {}
        self._canvases: dict[Background, tuple[list[_Held], NDArray[np.uint8]]] = {}

    def canvas(self, sight: Sight) -> NDArray[np.uint8]:
        """Return the whole background in which a picture lies, with what is seen around it.

        Returns:
            (H, W, 3) uint8, RGB; not to be written to.
        """
        key = [(layer.background, layer.background.revision, layer.matrix.tobytes()) for layer in sight.layers]
        known = self._canvases.get(sight.background)
        if known is None or known[0] != key:
            backgrounds = [layer.background for layer in sight.layers]
            self._painted = {each: self._of(each) for each in backgrounds}
            self._canvases = {each: self._canvases[each] for each in backgrounds if each in self._canvases}
            size_px = (sight.background.width_px, sight.background.height_px)
            known = self._canvases[sight.background] = key, self._laid(sight.layers, size_px)
        return known[1]

    def paint(self, sight: Sight, size_px: tuple[int, int]) -> NDArray[np.uint8]:
        """Return what is behind a picture of some width and height: (H, W, 3) uint8, RGB; not to be written to.

        Where the nearest background holds nothing the next one is seen, and so on; beyond the last one its border.
        """
        canvas, layer = self.canvas(sight), Layer(sight.background, sight.placed)
        if _in_place(layer, size_px):
            return canvas
        return np.asarray(_warped(canvas, layer, size_px, cv2.INTER_CUBIC, cv2.BORDER_REPLICATE), np.uint8)

    def _laid(self, layers: tuple[Layer, ...], size_px: tuple[int, int]) -> NDArray[np.uint8]:
        *nearer, last = layers
        pixels = self._painted[last.background][1]
        if not _in_place(last, size_px):
            pixels = np.asarray(_warped(pixels, last, size_px, cv2.INTER_CUBIC, cv2.BORDER_REPLICATE), np.uint8)
        for layer in reversed(nearer):
            _, colour, mask = self._painted[layer.background]
            if not _in_place(layer, size_px):
                mask = np.asarray(_warped(mask, layer, size_px, cv2.INTER_LINEAR, cv2.BORDER_CONSTANT), np.float32)
                if not mask.any():
                    continue
                colour = np.asarray(_warped(colour, layer, size_px, cv2.INTER_CUBIC, cv2.BORDER_REPLICATE), np.uint8)
            pixels = np.rint(pixels + mask[..., None] * (colour.astype(np.float32) - pixels)).astype(np.uint8)
        return pixels

    def _of(self, background: Background) -> tuple[int, NDArray[np.uint8], NDArray[np.float32]]:
        known = self._painted.get(background)
        if known is None or known[0] != background.revision:
            known = background.revision, self._codec.synthesise(background), opacity(background)
        return known


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


def _in_place(layer: Layer, size_px: tuple[int, int]) -> bool:
    same_size = size_px == (layer.background.width_px, layer.background.height_px)
    return same_size and np.array_equal(layer.matrix, np.eye(3))


def _warped(
    pixels: NDArray[np.uint8] | NDArray[np.float32], layer: Layer, size_px: tuple[int, int], flags: int, border: int
) -> cv2.typing.MatLike:
    """Return pixels (H, W, ...) of a layer as they lie behind a picture."""
    matrix = pixel_matrix(layer.matrix, size_px, (layer.background.width_px, layer.background.height_px))
    return cv2.warpAffine(pixels, matrix, size_px, flags=flags | cv2.WARP_INVERSE_MAP, borderMode=border)


def opacity(background: Background) -> NDArray[np.float32]:
    """Return (H, W) float32: how opaque a background is, 0 where nothing of it is held, 1 where something is."""
    held = (background.shown_ns() > NEVER).astype(np.float32)
    rows, columns = held.shape
    smooth = cv2.resize(held, (columns * CELL_PX, rows * CELL_PX), interpolation=cv2.INTER_LINEAR)
    mask = np.clip((smooth - 0.5) / _FADING + 0.5, 0, 1)
    return np.ascontiguousarray(mask[: background.height_px, : background.width_px], np.float32)


def told_ns(sight: Sight, size_px: tuple[int, int]) -> NDArray[np.int64]:
    """Return (rows, columns) of a picture's cells: when that was captured which is seen in their middle, or NEVER."""
    rows, columns = (-(-side_px // CELL_PX) for side_px in reversed(size_px))
    y, x = np.mgrid[:rows, :columns]
    points = np.stack([(x + 0.5) * CELL_PX - size_px[0] / 2, (y + 0.5) * CELL_PX - size_px[1] / 2, np.ones(x.shape)])
    found = np.full((rows, columns), NEVER)
    for layer in sight.layers:
        background, shown_ns = layer.background, layer.background.shown_ns()
        there_x, there_y, _ = np.einsum("ij,jrc->irc", layer.matrix @ sight.placed, points)
        column = np.floor((there_x + background.width_px / 2) / CELL_PX).astype(np.intp)
        row = np.floor((there_y + background.height_px / 2) / CELL_PX).astype(np.intp)
        inside = (row >= 0) & (row < shown_ns.shape[0]) & (column >= 0) & (column < shown_ns.shape[1])
        there = np.where(inside, shown_ns[np.where(inside, row, 0), np.where(inside, column, 0)], NEVER)
        found = np.where(found > NEVER, found, there)
    return found

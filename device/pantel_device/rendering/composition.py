"""Lays sprites over the background, alike in the receiver and in what the sender believes of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_codec import MARGINS, Margins, Pose, size_px
from pantel_device.frame import Box
from pantel_models.thumbnails import Look

__all__ = ["Placed", "Window", "paste", "place", "pose_box", "raster_box"]

Window = tuple[slice, slice]
"""Rows and columns of a picture."""

_ALMOST_TRANSPARENT = 1e-3  # of alpha, below which a colour is not worth a division


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A sprite where it is shown: the rectangle of its raster, and what lies in it inside the picture.

    Attributes:
        box: The raster's rectangle in the picture; may reach beyond it.
        window: The part of the picture that the sprite touches; empty when it lies outside.
        colour: (rows, columns, 3) float32 of the window, RGB.
        alpha: (rows, columns, 1) float32 of the window, 0..1.
    """

    box: Box
    window: Window
    colour: NDArray[np.float32]
    alpha: NDArray[np.float32]


def pose_box(pose: Pose, width_code: int, height_code: int) -> Box:
    """Return the rectangle of an object, told with these size codes, at a pose."""
    half_height = pose.height / 2
    half_width = half_height * size_px(width_code) / size_px(height_code)
    return Box(pose.x - half_width, pose.y - half_height, pose.x + half_width, pose.y + half_height)


def raster_box(box: Box, margins: Margins) -> Box:
    """Return the rectangle of the raster around an object."""
    left, above, right, below = (MARGINS[margin] for margin in margins)
    width, height = box.x1 - box.x0, box.y1 - box.y0
    return Box(box.x0 - left * width, box.y0 - above * height, box.x1 + right * width, box.y1 + below * height)


def place(look: Look, box: Box, size_px: tuple[int, int]) -> Placed:
    """Warp a sprite to its place in a picture.

    Args:
        look: The sprite on its raster.
        box: Where the raster lies; fractions of pixels count.
        size_px: Width and height of the picture.
    """
    width, height = size_px
    columns = slice(min(max(math.floor(box.x0), 0), width), min(max(math.ceil(box.x1), 0), width))
    rows = slice(min(max(math.floor(box.y0), 0), height), min(max(math.ceil(box.y1), 0), height))
    size = columns.stop - columns.start, rows.stop - rows.start
    if min(size) <= 0:
        return Placed(box, (slice(0, 0), slice(0, 0)), np.zeros((0, 0, 3), np.float32), np.zeros((0, 0, 1), np.float32))
    weighted, alpha = _reduced(look, box)
    scale_x, scale_y = alpha.shape[1] / (box.x1 - box.x0), alpha.shape[0] / (box.y1 - box.y0)
    # From the centre of a pixel of the window to the place on the raster, whose samples also lie at centres.
    matrix = np.array(
        [
            [scale_x, 0, (columns.start + 0.5 - box.x0) * scale_x - 0.5],
            [0, scale_y, (rows.start + 0.5 - box.y0) * scale_y - 0.5],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped, cover = (
        np.asarray(cv2.warpAffine(each, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32)
        for each in (weighted, alpha)
    )
    cover = cover[..., None]
    colours = np.asarray(warped / np.maximum(cover, _ALMOST_TRANSPARENT), np.float32)
    return Placed(box, (rows, columns), colours, cover)


def _reduced(look: Look, box: Box) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return colours weighted by alpha, and alpha, with at most about as many samples as the place has pixels.

    They are weighted because what is transparent must not bleed into the colours, neither here nor in the warp.
    """
    weighted, alpha = look.colour * look.alpha[..., None], look.alpha
    sides = zip(reversed(alpha.shape), (box.x1 - box.x0, box.y1 - box.y0), strict=True)
    columns, rows = (min(samples, max(2, math.ceil(side))) for samples, side in sides)
    if alpha.shape == (rows, columns):
        return weighted, alpha
    weighted, alpha = (
        np.asarray(cv2.resize(each, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)
        for each in (weighted, alpha)
    )
    return weighted, alpha


def paste(picture: NDArray[np.uint8], placed: Placed) -> None:
    """Lay a sprite over a picture (H, W, 3) uint8, in place."""
    below = picture[placed.window]
    above = below + placed.alpha * (placed.colour - below)
    picture[placed.window] = np.rint(above).astype(np.uint8)

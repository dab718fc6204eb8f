"""How what a camera sees becomes the picture that is sent: turned, cut and scaled, alike for every camera."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["STRETCHED", "WHOLE", "Crop", "Geometry", "Rotation", "check_crop", "stretched"]

Rotation = Literal[0, 90, 180, 270]  # [degrees clockwise]
Crop = tuple[float, float, float, float]  # left, top, width, height, as shares of the upright picture

WHOLE: Crop = (0.0, 0.0, 1.0, 1.0)

_CV_ROTATIONS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
_LEAST_SHARE = 0.01  # of 3840 pixels 38, hardly more than the smallest picture that is sent has
_ROUNDING = 1e-6  # 0.1 + 0.9 may be a little more than 1


def check_crop(crop: Crop) -> None:
    """Refuse a part that is empty, far too small to be seen, or not inside the picture.

    Raises:
        ValueError: It is; the message is one line.
    """
    left, top, width, height = crop
    if not (0 <= left < left + width <= 1 + _ROUNDING and 0 <= top < top + height <= 1 + _ROUNDING):
        raise ValueError("left, top, width and height of the part are shares of the picture, such as 0.25,0.25,0.5,0.5")
    if min(width, height) < _LEAST_SHARE:
        raise ValueError(f"the part is too small to show anything; take at least {_LEAST_SHARE:g} of width and height")


@dataclass(frozen=True, slots=True)
class Geometry:
    """Turns a picture upright, cuts a part out of it and scales that to the size wanted.

    Where the part has another aspect than the size, as much is cut off its longer sides, half of it on each: what
    was round stays round.

    Attributes:
        rotation: By how much the picture is turned clockwise to be upright [degrees].
        crop: Left edge, upper edge, width and height of the part, as shares of the upright picture, so that they
            mean the same whatever size the camera delivers.
        stretch: Scale the part whole, although its aspect changes.
        full_width_px: How wide the part shall be before it is scaled, for who keeps it so, too [px]; 0: nobody does.

    Raises:
        ValueError: The part is empty, too small, or does not lie inside the picture.
    """

    rotation: Rotation = 0
    crop: Crop = WHOLE
    stretch: bool = False
    full_width_px: int = 0

    def __post_init__(self) -> None:
        check_crop(self.crop)

    def fit(self, pixels: NDArray[np.uint8], size_px: tuple[int, int]) -> NDArray[np.uint8]:
        """Return the picture that is sent.

        Args:
            pixels: (H, W, 3) uint8, as the camera sees it.
            size_px: Width and height wanted [px].

        Returns:
            (height, width, 3) uint8; the same array where nothing changes.
        """
        return stretched(self.cut(pixels, size_px), size_px)

    def cut(self, pixels: NDArray[np.uint8], size_px: tuple[int, int]) -> NDArray[np.uint8]:
        """Return the picture that is sent before it is scaled.

        Args:
            pixels: (H, W, 3) uint8, as the camera sees it.
            size_px: Width and height that it will be scaled to [px].

        Returns:
            (height, width, 3) uint8 of the same aspect, but for rounding; the same array where nothing changes.
        """
        if self.rotation:
            pixels = np.asarray(cv2.rotate(pixels, _CV_ROTATIONS[self.rotation]), np.uint8)
        height, width = pixels.shape[:2]
        rows = _part(self.crop[1], self.crop[3], height)
        columns = _part(self.crop[0], self.crop[2], width)
        if not self.stretch:
            scale = max(size_px[0] / (columns.stop - columns.start), size_px[1] / (rows.stop - rows.start))
            rows, columns = _middle(rows, size_px[1] / scale), _middle(columns, size_px[0] / scale)
        return np.ascontiguousarray(pixels[rows, columns])

    def source_size_px(self, size_px: tuple[int, int], oversampling: int = 1) -> tuple[int, int]:
        """Return what size a camera must at least deliver, so that nothing is enlarged.

        Args:
            size_px: Width and height of the picture that is sent [px].
            oversampling: How many times as wide and high the camera's picture should be.

        Returns:
            Width and height before turning [px].
        """
        scale = max(oversampling, self.full_width_px / size_px[0])
        width, height = (
            ceil(scale * size / self.crop[part] - _ROUNDING) for size, part in zip(size_px, (2, 3), strict=True)
        )
        return (height, width) if self.rotation in {90, 270} else (width, height)


# As benchmarks have it: of clips of any aspect all is seen, and figures stay comparable with those of other codecs.
STRETCHED = Geometry(stretch=True)


def stretched(pixels: NDArray[np.uint8], size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Scale a whole picture to a size, by area averaging where it shrinks; the aspect may change.

    Args:
        pixels: (H, W, 3) uint8.
        size_px: Width and height wanted [px].
    """
    height, width = pixels.shape[:2]
    if (width, height) == size_px:
        return pixels
    shrinks = size_px[0] <= width and size_px[1] <= height
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, size_px, interpolation=method), np.uint8)


def _part(start: float, length: float, whole_px: int) -> slice:
    """Return a share of a side as pixels, at least one."""
    first = min(round(start * whole_px), whole_px - 1)
    return slice(first, min(max(round((start + length) * whole_px), first + 1), whole_px))


def _middle(part: slice, length_px: float) -> slice:
    """Return the middle of a part, at least one pixel."""
    whole_px = part.stop - part.start
    kept_px = min(max(round(length_px), 1), whole_px)
    first = part.start + (whole_px - kept_px) // 2
    return slice(first, first + kept_px)

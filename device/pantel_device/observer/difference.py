"""Where two pictures of one scene differ, and the connected parts of that; shared by all ways to find what moves."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_device.frame import Box

__all__ = ["GAP", "Difference", "Part", "difference_between", "match_exposure", "morph", "parts", "working_picture"]

_WORKING_WIDTH_PX = 320  # wider pictures are reduced: the work stays the same for every camera

# What differs, in grey levels; chroma counts double, because it is steadier than luma.
_MIN_DIFFERENCE = 16.0
_NOISE_FACTOR = 4.0  # multiples of the noise's standard deviation
_CHROMA_FACTOR = 2.0

_MIN_AREA_SHARE = 1 / 1280  # smaller spots are noise: 60 pixels of 320x240

_SPECK = np.asarray(cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)), np.uint8)
GAP = np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9)), np.uint8)
"""As wide as the gaps that are closed within one moving object."""


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """By how much a picture differs from a reference.

    Attributes:
        differs: (H, W) uint8, 0 or 1: where it is more than noise.
        luma: (H, W) uint8, of the picture, exposed as the reference is.
        chroma: (H, W) uint8, the larger difference of Cr and Cb.
    """

    differs: NDArray[np.uint8]
    luma: NDArray[np.uint8]
    chroma: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A connected part of what differs.

    Attributes:
        window: Rows and columns of the part, with a margin of one pixel inside the picture.
        pixels: The part in its window, uint8, 0 or 1.
        area_px: Number of its pixels.
        box: Around it.
    """

    window: tuple[slice, slice]
    pixels: NDArray[np.uint8]
    area_px: int
    box: Box


def working_picture(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture as YCrCb, a little smoothed, in the size in which motion is looked for.

    Args:
        pixels: (H, W, 3) uint8, RGB.

    Returns:
        (h, w, 3) uint8, w at most 320.
    """
    height, width = pixels.shape[:2]
    scale = min(_WORKING_WIDTH_PX / width, 1.0)
    size_px = round(width * scale), max(round(height * scale), 1)
    smooth = cv2.GaussianBlur(cv2.resize(pixels, size_px, interpolation=cv2.INTER_AREA), (0, 0), 0.7)
    return np.asarray(cv2.cvtColor(smooth, cv2.COLOR_RGB2YCrCb), np.uint8)


def difference_between(picture: NDArray[np.uint8], reference: NDArray[np.uint8]) -> Difference:
    """Return where a picture differs from a reference by more than noise and exposure.

    The threshold follows the noise, as far as more than half of the picture shows nothing else.

    Args:
        picture: (H, W, 3) uint8, YCrCb.
        reference: (H, W, 3) uint8, YCrCb.
    """
    luma, *chroma = (np.asarray(plane, np.uint8) for plane in cv2.split(picture))
    luma_before, *chroma_before = (np.asarray(plane, np.uint8) for plane in cv2.split(reference))
    luma = match_exposure(luma, luma_before)
    luma_difference = cv2.absdiff(luma, luma_before)
    chroma_difference = cv2.max(*map(cv2.absdiff, chroma, chroma_before))
    difference = cv2.max(luma_difference, cv2.convertScaleAbs(chroma_difference, alpha=_CHROMA_FACTOR))
    noise = 1.4826 * float(np.median(difference[::4, ::4]))  # the median of |x| is sigma / 1.4826
    differs = np.asarray(difference > max(_MIN_DIFFERENCE, _NOISE_FACTOR * noise), np.uint8)
    return Difference(differs, luma, np.asarray(chroma_difference, np.uint8))


def match_exposure(luma: NDArray[np.uint8], luma_before: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scale a picture's luma (H, W) so that its median pixel is as bright as before."""
    offset = 8.0  # keeps the noise of black pixels from counting as a change of exposure
    gain = float(np.median((luma_before[::4, ::4] + offset) / (luma[::4, ::4] + offset)))
    return np.asarray(cv2.convertScaleAbs(luma, alpha=gain, beta=offset * (gain - 1)), np.uint8)


def morph(picture: NDArray[np.uint8], operation: int, kernel: NDArray[np.uint8] = _SPECK) -> NDArray[np.uint8]:
    """Return a picture (H, W) after one of OpenCV's morphological operations."""
    return np.asarray(cv2.morphologyEx(picture, operation, kernel), np.uint8)


def parts(moving: NDArray[np.uint8]) -> list[Part]:
    """Return the connected parts of a mask (H, W) of 0 and 1 that are large enough, largest first."""
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(moving)
    found = []
    for label in range(1, count):  # 0 is what does not move
        x, y, width, height, area_px = statistics[label].tolist()
        if area_px >= _MIN_AREA_SHARE * moving.size:
            window = slice(max(y - 1, 0), y + height + 1), slice(max(x - 1, 0), x + width + 1)
            pixels = np.asarray(labels[window] == label, np.uint8)
            found.append(Part(window, pixels, area_px, Box(x, y, x + width, y + height)))
    return sorted(found, key=lambda part: -part.area_px)

"""Boxes and lines of text in pictures, legible on any background."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_device.frame import Box

__all__ = [
    "DARK",
    "LIGHT",
    "TEXT_HEIGHT_PX",
    "Colour",
    "diagonals",
    "draw_boxes",
    "enlarged_for_text",
    "outline",
    "write_text",
]

Colour = tuple[int, int, int]  # RGB

DARK: Colour = (0, 0, 0)
LIGHT: Colour = (255, 255, 255)
_FOUND: Colour = (120, 255, 120)

TEXT_HEIGHT_PX = 13
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_SCALE = 0.4
_SMALL_PX = 480  # a picture that is lower is enlarged, so that the text is legible and hides little
_DASH_PX = 5


def draw_boxes(pixels: NDArray[np.uint8], boxes: Sequence[Box]) -> NDArray[np.uint8]:
    """Return a picture (H, W, 3) uint8 RGB with boxes, what is in them and how sure that is; small ones twice as large.

    Args:
        pixels: (H, W, 3) uint8, RGB; it is not changed.
        boxes: In its pixels.
    """
    canvas, scale = enlarged_for_text(pixels)
    for box in boxes:
        outline(canvas, box, scale, _FOUND)
    for box in boxes:  # after all lines, so that none crosses them
        write_text(canvas, f"{box.label} {box.score:.2f}", round(scale * box.x0), round(scale * box.y0), _FOUND)
    return canvas


def enlarged_for_text(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
    """Return a copy of a picture, twice as wide and high if it is small, and by how much it was enlarged."""
    scale = 2 if pixels.shape[0] < _SMALL_PX else 1
    return pixels.repeat(scale, axis=0).repeat(scale, axis=1), scale


def outline(canvas: NDArray[np.uint8], box: Box, scale: int, colour: Colour, *, dashed: bool = False) -> None:
    """Draw a box with a dark rim, which keeps it visible on any background.

    Args:
        canvas: (H, W, 3) uint8, RGB; drawn into.
        box: In pixels of the picture before it was enlarged.
        scale: By how much it was.
        colour: Of the line.
        dashed: Whether the line is.
    """
    x0, y0, x1, y1 = (round(scale * edge) for edge in (box.x0, box.y0, box.x1, box.y1))
    left, top = max(x0 - 1, 0), max(y0 - 1, 0)
    window = canvas[top : max(y1 + 1, 0), left : max(x1 + 1, 0)]
    corners = (x0 - left, y0 - top), (x1 - left - 1, y1 - top - 1)
    for width_px, shade in ((3, DARK), (1, colour)):
        line = cv2.rectangle(np.zeros(window.shape[:2], np.uint8), *corners, 1, width_px) > 0
        if dashed:
            line &= diagonals(line.shape, 2 * _DASH_PX, _DASH_PX)
        window[line] = shade


def diagonals(shape: tuple[int, ...], period_px: int, width_px: int) -> NDArray[np.bool_]:
    """Return (H, W) bool: stripes that rise to the right."""
    place = np.add.outer(np.arange(shape[0]), np.arange(shape[1]))
    return np.asarray(place % period_px < width_px, np.bool_)


def write_text(canvas: NDArray[np.uint8], text: str, left: int, bottom: int, colour: Colour) -> None:
    """Write a line of text on a dark ground, moved into the picture where it would leave it.

    Args:
        canvas: (H, W, 3) uint8, RGB; drawn into.
        text: ASCII; other characters become question marks.
        left: Edge of the ground [px].
        bottom: Edge of the ground [px].
        colour: Of the text.
    """
    height, width = canvas.shape[:2]
    text_width = cv2.getTextSize(text, _FONT, _FONT_SCALE, 1)[0][0] + 4
    left = max(min(left, width - text_width), 0)
    bottom = min(max(bottom, TEXT_HEIGHT_PX), height)
    canvas[bottom - TEXT_HEIGHT_PX : bottom, left : left + text_width] //= 3
    cv2.putText(canvas, text, (left + 2, bottom - 4), _FONT, _FONT_SCALE, colour, 1, cv2.LINE_AA)

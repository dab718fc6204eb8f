"""Videos of source and received pictures side by side, written as a run proceeds."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_device.video import VideoFile

__all__ = ["SideBySideVideo"]

_SCALE = 2
_MARGIN_PX = 12
_HEADING_PX = 44
_CAPTION_PX = 40
_BACKGROUND = (16, 20, 24)
_INK = (235, 238, 240)
_FAINT_INK = (150, 158, 165)


class SideBySideVideo(VideoFile):
    """A video with the source on the left and what was received on the right.

    Args:
        path: Of the MP4 file, which is incomplete until the context is left.
        size_px: Width and height of each of the two pictures, which are shown twice as large [px].
        fps: Pictures per second.
        headings: Of the left and the right picture.

    Raises:
        VideoError: The file cannot be written.
    """

    def __init__(self, path: Path, size_px: tuple[int, int], fps: int, headings: tuple[str, str]) -> None:
        self._canvas = _canvas(size_px, headings)
        self._size_px = size_px
        height, width = self._canvas.shape[:2]
        super().__init__(path, (width, height), fps)

    def add_pair(self, source: NDArray[np.uint8], received: NDArray[np.uint8], caption: str) -> None:
        """Append one instant.

        Args:
            source: (H, W, 3) uint8, RGB.
            received: (H, W, 3) uint8, RGB.
            caption: One line below the pictures.

        Raises:
            VideoError: The disk is full, for example.
        """
        width, height = (_SCALE * side for side in self._size_px)
        picture = self._canvas.copy()
        for column, pixels in enumerate((source, received)):
            left = _MARGIN_PX + column * (width + _MARGIN_PX)
            # Pixels are repeated, not smoothed: the video shall show what was received and nothing better.
            large = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_NEAREST)
            picture[_HEADING_PX : _HEADING_PX + height, left : left + width] = large
        _write(picture, caption, (_MARGIN_PX, _HEADING_PX + height + 27), _FAINT_INK)
        self.add(picture)


def _canvas(size_px: tuple[int, int], headings: tuple[str, str]) -> NDArray[np.uint8]:
    """Return the picture (H, W, 3) uint8 without what changes; sides are even, as 4:2:0 demands."""
    width, height = (_SCALE * side for side in size_px)
    canvas = np.empty((_HEADING_PX + height + _CAPTION_PX, 3 * _MARGIN_PX + 2 * width, 3), np.uint8)
    canvas[:] = _BACKGROUND
    for column, heading in enumerate(headings):
        _write(canvas, heading, (_MARGIN_PX + column * (width + _MARGIN_PX), 29), _INK)
    return canvas


def _write(picture: NDArray[np.uint8], text: str, origin: tuple[int, int], ink: tuple[int, int, int]) -> None:
    cv2.putText(picture, text, origin, cv2.FONT_HERSHEY_DUPLEX, 0.62, ink, 1, cv2.LINE_AA)

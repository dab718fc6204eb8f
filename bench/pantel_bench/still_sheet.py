"""Contact sheets of a still benchmark: what the codecs made of the pictures, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_bench.still import StillRow

__all__ = ["MOST_ROWS", "contact_sheet", "hardest_first", "sheet_columns"]

_TILE_PX = 256
_GAP_PX = 4
_QUALITY = 88
MOST_ROWS = 24

Pixels = NDArray[np.uint8]


def sheet_columns(rows: Sequence[StillRow], target_bpp: float) -> list[str]:
    """Return the codecs of which there are pictures at a rate, in the order of the rows."""
    return list(dict.fromkeys(row.codec for row in rows if row.target_bpp == target_bpp and row.pixels is not None))


def hardest_first(rows: Sequence[StillRow], codec: str, target_bpp: float) -> list[str]:
    """Return the names of the pictures of a codec at a rate, that with the lowest MS-SSIM first."""
    ours = [row for row in rows if (row.codec, row.target_bpp) == (codec, target_bpp)]
    return [row.image for row in sorted(ours, key=lambda row: row.scores.ms_ssim or 0.0)]


def contact_sheet(
    rows: Sequence[StillRow], sources: Mapping[str, Pixels], target_bpp: float, names: Sequence[str]
) -> bytes:
    """Return a WebP picture: a row of tiles for each named picture, its source first, then each codec's version.

    Args:
        rows: Of the benchmark; one without a picture leaves its tile white.
        sources: (H, W, 3) uint8 RGB of each picture by its name.
        target_bpp: The rate [bit/pixel].
        names: Pictures to show, from top to bottom; at most `MOST_ROWS`, for a WebP file has no more than 16,383 lines.
    """
    decoded = {(row.image, row.codec): row.pixels for row in rows if row.target_bpp == target_bpp}
    columns = sheet_columns(rows, target_bpp)
    step = _TILE_PX + _GAP_PX
    sheet = np.full((len(names) * step - _GAP_PX, (len(columns) + 1) * step - _GAP_PX, 3), 255, np.uint8)
    for i, name in enumerate(names):
        for j, pixels in enumerate([sources[name], *(decoded.get((name, codec)) for codec in columns)]):
            if pixels is not None:
                tile = _tile(pixels)
                sheet[i * step : i * step + tile.shape[0], j * step : j * step + tile.shape[1]] = tile
    return cv2.imencode(".webp", sheet[..., ::-1], (cv2.IMWRITE_WEBP_QUALITY, _QUALITY))[1].tobytes()


def _tile(pixels: Pixels) -> Pixels:
    """Return the centre of a picture, as much of it as a tile holds: never reduced, for that would hide errors."""
    height, width = (min(side, _TILE_PX) for side in pixels.shape[:2])
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])

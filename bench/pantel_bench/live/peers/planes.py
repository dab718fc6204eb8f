"""From the bench's pictures to what video encoders take, and back.

Encoders get planar YCbCr of ITU-R BT.601 in the limited range with 4:2:0 chroma, which is what every player expects of
so small a video. Chroma lies in the centre of its four pixels, both ways.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["enlarge", "shrink"]

# Rows Y, Cb, Cr; columns R, G, B and the offset; levels 0 to 255 on both sides (BT.601, section 3.5).
_TO_YCBCR = np.array(
    [
        [65.481 / 255, 128.553 / 255, 24.966 / 255, 16.0],
        [-37.797 / 255, -74.203 / 255, 112.0 / 255, 128.0],
        [112.0 / 255, -93.786 / 255, -18.214 / 255, 128.0],
    ]
)
_TO_RGB = np.linalg.inv(_TO_YCBCR[:, :3])
_TO_RGB = np.hstack([_TO_RGB, -_TO_RGB @ _TO_YCBCR[:, 3:]])


def shrink(pixels: NDArray[np.uint8], size_px: tuple[int, int], blur_px: float) -> NDArray[np.uint8]:
    """Return a picture at the size of a stream.

    Args:
        pixels: (H, W, 3) uint8, RGB.
        size_px: Width and height of the stream; both even, no more than those of the picture.
        blur_px: Standard deviation of a Gaussian blur that comes first [px of the picture]; 0 for none.

    Returns:
        (3h/2, w) uint8: the plane of Y above the quarter-size planes of Cb and Cr, as ``yuv420p`` has them.
    """
    width, height = size_px
    soft = cv2.GaussianBlur(pixels, (0, 0), blur_px) if blur_px else pixels
    small = cv2.resize(soft, size_px, interpolation=cv2.INTER_AREA).astype(np.float64)
    ycbcr = small @ _TO_YCBCR[:, :3].T + _TO_YCBCR[:, 3]
    chroma = ycbcr[..., 1:].reshape(height // 2, 2, width // 2, 2, 2).mean(axis=(1, 3))
    flat = np.concatenate([ycbcr[..., 0].ravel(), chroma[..., 0].ravel(), chroma[..., 1].ravel()])
    return np.asarray(np.rint(flat).reshape(height * 3 // 2, width), np.uint8)


def enlarge(planes: NDArray[np.uint8], size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a decoded picture at the size of the display, by Lanczos-4.

    Args:
        planes: (3h/2, w) uint8, as of `shrink`.
        size_px: Width and height wanted.

    Returns:
        (H, W, 3) uint8, RGB.
    """
    width = planes.shape[1]
    height = planes.shape[0] * 2 // 3
    chroma = planes[height:].reshape(2, height // 2, width // 2)
    small = planes[:height], chroma[0], chroma[1]
    large = cv2.merge([cv2.resize(plane, size_px, interpolation=cv2.INTER_LANCZOS4) for plane in small])
    return np.asarray(cv2.transform(large, _TO_RGB), np.uint8)

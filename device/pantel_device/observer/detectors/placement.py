"""How a picture becomes the input of a detector, and how boxes find their way back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Fit", "InputFormat", "Placement", "place", "size_for"]


class Fit(Enum):
    """What is done to a picture whose shape is not that of the input."""

    TOP_LEFT = "letterbox, picture at the upper left"
    CENTRED = "letterbox, picture in the middle"
    STRETCHED = "stretched"


@dataclass(frozen=True, slots=True)
class InputFormat:
    """What a graph was trained to look at.

    Attributes:
        fit: How the picture lies in the input.
        bgr: Whether blue comes first.
        mean: Subtracted from the samples 0..255 of each channel, in the graph's order of channels.
        deviation: What they are divided by then.
        padding: Grey level of what the picture does not fill.
    """

    fit: Fit
    bgr: bool
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    deviation: tuple[float, float, float] = (1.0, 1.0, 1.0)
    padding: int = 114


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a picture lies in a graph's input.

    Attributes:
        input_px: Width and height of the input.
        scaled_px: Width and height of the picture in it.
        offset_px: Its left and upper edge.
        scale: Input pixels per pixel of the picture, horizontally and vertically.
    """

    input_px: tuple[int, int]
    scaled_px: tuple[int, int]
    offset_px: tuple[int, int]
    scale: tuple[float, float]

    def to_input(self, pixels: NDArray[np.uint8], wanted: InputFormat, dtype: type[np.generic]) -> NDArray[np.generic]:
        """Return the input (1, 3, height, width) for a picture (H, W, 3) uint8 RGB.

        Args:
            pixels: The picture.
            wanted: Order and range of the samples.
            dtype: Of the input; for uint8 the samples stay 0..255, because such graphs normalize them themselves.
        """
        (width, height), (left, top) = self.input_px, self.offset_px
        canvas = np.full((height, width, 3), wanted.padding, np.uint8)
        scaled = cv2.resize(pixels, self.scaled_px, interpolation=cv2.INTER_LINEAR)
        canvas[top : top + self.scaled_px[1], left : left + self.scaled_px[0]] = scaled
        planes = (canvas[..., ::-1] if wanted.bgr else canvas).transpose(2, 0, 1)
        if dtype is np.uint8:
            return np.ascontiguousarray(planes)[None]
        x = np.empty((1, 3, height, width), np.float32)
        x[0] = planes
        x -= np.array(wanted.mean, np.float32)[:, None, None]
        x /= np.array(wanted.deviation, np.float32)[:, None, None]
        return x.astype(dtype, copy=False)

    def to_picture(self, corners: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the corners (N, 4) of boxes [px of the picture], given those in the input [px]; not clipped."""
        offset, scale = np.array(self.offset_px * 2, np.float32), np.array(self.scale * 2, np.float32)
        return np.asarray((corners - offset) / scale, np.float32)


def place(picture_px: tuple[int, int], input_px: tuple[int, int], fit: Fit) -> Placement:
    """Return where a picture lies in an input; both as width and height.

    Sizes are rounded as the detectors' own tools do: YOLOX downwards, Ultralytics to the nearest pixel.
    """
    across, down = input_px[0] / picture_px[0], input_px[1] / picture_px[1]
    if fit is Fit.STRETCHED:
        return Placement(input_px, input_px, (0, 0), (across, down))
    scale = min(across, down)
    width, height = scale * picture_px[0], scale * picture_px[1]
    if fit is Fit.TOP_LEFT:
        return Placement(input_px, (max(int(width), 1), max(int(height), 1)), (0, 0), (scale, scale))
    scaled = max(round(width), 1), max(round(height), 1)
    offset = (input_px[0] - scaled[0]) // 2, (input_px[1] - scaled[1]) // 2
    return Placement(input_px, scaled, offset, (scale, scale))


def size_for(picture_px: tuple[int, int], long_side_px: int, stride_px: int) -> tuple[int, int]:
    """Return the smallest input (width, height) that holds a picture scaled to a long side.

    A graph of any size then computes nothing for padding: 320x240 pictures at a long side of 320 are run at 320x256.

    Args:
        picture_px: Width and height.
        long_side_px: Of the scaled picture.
        stride_px: What both sides must be multiples of.
    """
    scale = long_side_px / max(picture_px)
    width, height = (math.ceil(max(round(scale * side), 1) / stride_px) * stride_px for side in picture_px)
    return width, height

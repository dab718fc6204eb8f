"""What the sender has seen of a mosaic: a picture larger than the camera's, to which each frame adds."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_device.frame import Observation
from pantel_device.rendering.exposure import exposed
from pantel_device.rendering.layers import pixel_matrix

__all__ = ["MosaicPicture"]

_RIM = np.ones((9, 9), np.uint8)  # around what moves, of which the background is kept
_SEEN_WEIGHT = 0.05  # of an error in what has left the picture, and may come back


class MosaicPicture:
    """The background of a camera that moves, in the coordinates of one picture.

    Attributes:
        pixels: (H, W, 3) uint8, RGB, read-only to callers; another array whenever it changes.
        weights: (H, W) float32: how much an error counts where: in what is in view as the operator decided, little in
            what was, not at all in what was never seen.
    """

    def __init__(self, shown: NDArray[np.uint8]) -> None:
        """Begin with what a receiver shows already, (H, W, 3) uint8, RGB."""
        self.pixels = shown
        self.weights = np.zeros(shown.shape[:2], np.float32)

    def see(
        self, observation: Observation, matrix: NDArray[np.float64], weights: NDArray[np.float32] | None = None
    ) -> None:
        """Take a frame over, without what moves in it.

        Args:
            observation: The frame and what moves.
            matrix: (3, 3), from points of the frame to points of the mosaic, each less its middle [px].
            weights: (H, W) of the frame: how much an error counts where; alike everywhere by default.
        """
        moving = cv2.dilate(observation.motion.astype(np.uint8), _RIM) > 0
        darker = (-observation.exposure[0], -observation.exposure[1], -observation.exposure[2])  # the tone is told
        frame = exposed(observation.frame.pixels, darker)
        still = np.where(moving[..., None], observation.background, frame)
        height, width = still.shape[:2]
        size_px = (self.pixels.shape[1], self.pixels.shape[0])
        to_mosaic = pixel_matrix(matrix, (width, height), size_px)
        seen = cv2.warpAffine(still, to_mosaic, size_px, self.pixels.copy(), cv2.INTER_CUBIC, cv2.BORDER_TRANSPARENT)
        self.pixels = np.asarray(seen, np.uint8)
        counting = np.ones((height, width), np.float32) if weights is None else weights
        in_view = np.asarray(cv2.warpAffine(counting, to_mosaic, size_px), np.float32)
        before = np.where(self.weights > 0, np.float32(_SEEN_WEIGHT), np.float32(0))
        self.weights = np.maximum(in_view, before)

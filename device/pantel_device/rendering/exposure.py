"""Exposure: how much brighter one picture of a scene is than another, channel by channel."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_codec import TONE_LIMIT, TONE_STEPS_PER_OCTAVE

__all__ = ["Octaves", "exposed", "exposure_between"]

Octaves = tuple[float, float, float]
"""Of red, green and blue."""

_OFFSET = 8.0  # keeps the noise of black pixels from counting as a change of exposure
_STRIDE_PX = 4
_LIMIT = TONE_LIMIT / TONE_STEPS_PER_OCTAVE
_LEVELS = np.arange(256, dtype=np.float64)


def exposure_between(picture: NDArray[np.uint8], reference: NDArray[np.uint8]) -> Octaves:
    """Return by how much a picture is exposed longer than a reference; at most about an octave.

    The median over the pixels decides, so that what moves does not count as long as it is less than half.

    Args:
        picture: (H, W, 3) uint8.
        reference: (H, W, 3) uint8.
    """
    some, others = (each[::_STRIDE_PX, ::_STRIDE_PX].reshape(-1, 3) + _OFFSET for each in (picture, reference))
    red, green, blue = np.clip(np.log2(np.median(some / others, axis=0)), -_LIMIT, _LIMIT).tolist()
    return red, green, blue


def exposed(picture: NDArray[np.uint8], octaves: Octaves) -> NDArray[np.uint8]:
    """Return a picture (H, W, 3) uint8 as if it had been exposed longer by so much."""
    if not any(octaves):
        return picture
    gains = 2.0 ** np.array(octaves)
    table = (_LEVELS[:, None] + _OFFSET) * gains - _OFFSET
    return np.asarray(cv2.LUT(picture, np.clip(np.rint(table), 0, 255).astype(np.uint8)[None]), np.uint8)

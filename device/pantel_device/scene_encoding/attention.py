"""What an operator points at: for some time errors there count several times."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pantel_device.frame import Box, Observation
from pantel_link.back_channel import Region

__all__ = ["Attention"]

_WEIGHT = 8.0  # enough that a region goes first, not so much that nothing else is told; not tuned


@dataclass(frozen=True, slots=True)
class Attention:
    """A part of the picture that is watched.

    Attributes:
        region: The part.
        until_ns: Until when.
    """

    region: Region
    until_ns: int

    def weights(self, size_px: tuple[int, int]) -> NDArray[np.float32]:
        """Return (H, W) float32: how much each pixel of a picture of this width and height matters."""
        weights = np.ones(size_px[::-1], np.float32)
        box = self._box(size_px)
        weights[int(box.y0) : -int(-box.y1 // 1), int(box.x0) : -int(-box.x1 // 1)] = _WEIGHT
        return weights

    def of(self, observation: Observation) -> Observation:
        """Return an observation whose objects matter more if any of them is within."""
        height, width = observation.frame.pixels.shape[:2]
        box = self._box((width, height))
        tracks = tuple(
            replace(track, weight=_WEIGHT * track.weight) if box.intersection_px(track.box) > 0 else track
            for track in observation.tracks
        )
        return replace(observation, tracks=tracks)

    def _box(self, size_px: tuple[int, int]) -> Box:
        width, height = size_px
        region = self.region
        return Box(region.left * width, region.top * height, region.right * width, region.bottom * height)

"""The pictures with which a peer may compete at a budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pantel_bench.peers import pillow
from pantel_bench.peers.formats import PeerFile, PeerFormat

__all__ = ["DOWNSCALES", "PeerPicture", "candidates"]

DOWNSCALES = (1, 2, 4, 8)
_LEAST_SIDE_PX = 16  # of a downscaled picture
_HOPELESS = 1.25  # times the largest budget: file sizes may fall a little from one quality to the next


@dataclass(frozen=True, slots=True, eq=False)
class PeerPicture:
    """One decoded candidate.

    Attributes:
        downscale: By which the picture was made smaller before encoding, and larger after decoding.
        quality: The rung of the format's ladder.
        need_bytes: Size by the rule of `pantel_bench.peers.formats`.
        file_bytes: Size of the whole file.
        pixels: (H, W, 3) uint8, RGB, at the size of the source.
    """

    downscale: int
    quality: int
    need_bytes: int
    file_bytes: int
    pixels: NDArray[np.uint8]


def candidates(
    peer: PeerFormat, source: NDArray[np.uint8], budgets_bytes: Sequence[int]
) -> dict[int, list[PeerPicture]]:
    """Return for every budget the finest picture that fits, one for every downscaling at which one fits.

    Pictures are made smaller by Lanczos and larger again by bicubic interpolation.

    Args:
        peer: The format.
        source: (H, W, 3) uint8, RGB, sides multiples of 16.
        budgets_bytes: Limits of ``need_bytes``.

    Raises:
        PeerError: The format cannot be written here.
    """
    height, width, _ = source.shape
    found: dict[int, list[PeerPicture]] = {budget: [] for budget in budgets_bytes}
    for downscale in DOWNSCALES:
        if min(height, width) < downscale * _LEAST_SIDE_PX:
            break
        small = source
        if downscale > 1:
            small = pillow.resize_lanczos(source, height // downscale, width // downscale)
        for budget, (quality, file) in _finest_within(peer, small, budgets_bytes).items():
            pixels = pillow.load(file.data)
            if downscale > 1:
                pixels = pillow.resize_bicubic(pixels, height, width)
            found[budget].append(PeerPicture(downscale, quality, file.need_bytes, len(file.data), pixels))
    return found


def _finest_within(
    peer: PeerFormat, pixels: NDArray[np.uint8], budgets_bytes: Sequence[int]
) -> dict[int, tuple[int, PeerFile]]:
    """Return for every budget that can be met the highest quality within it."""
    finest: dict[int, tuple[int, PeerFile]] = {}
    for quality in peer.qualities:
        file = peer.encode(pixels, quality)
        if file.need_bytes > _HOPELESS * max(budgets_bytes):
            break
        for budget in budgets_bytes:
            if file.need_bytes <= budget:
                finest[budget] = quality, file
    return finest

"""What a peer shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Showing"]


@dataclass(frozen=True, slots=True, eq=False)
class Showing:
    """A peer's pictures at all display instants of a run.

    Attributes:
        peer: Name of the peer.
        variant: Under which rules; see `pantel_bench.live.peers.live_peers`.
        settings: How its pictures were coded.
        size_bytes: Slice data of the run.
        pictures: (H, W, 3) uint8, RGB, for each instant; None before the first. A picture that stays on show is the
            same object again.
        delay_s: By how much earlier the frame is with which the picture on show is compared.
    """

    peer: str
    variant: str
    settings: Mapping[str, float]
    size_bytes: int
    pictures: Sequence[NDArray[np.uint8] | None]
    delay_s: float

"""Pictures to record, and recordings read again."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

__all__ = ["SECOND_NS", "TENTH_NS", "grey", "noise", "shown", "times_s"]

SECOND_NS = 1_000_000_000
TENTH_NS = SECOND_NS // 10


def grey(level: int, size_px: tuple[int, int] = (64, 48)) -> NDArray[np.uint8]:
    """Return a picture that is told from others by its brightness, 0 to 255."""
    return np.full((size_px[1], size_px[0], 3), level, np.uint8)


def noise(seed: int, size_px: tuple[int, int] = (64, 48)) -> NDArray[np.uint8]:
    """Return a picture that takes some kilobytes."""
    return np.random.default_rng(seed).integers(0, 256, (size_px[1], size_px[0], 3)).astype(np.uint8)


def shown(path: Path) -> list[tuple[float, int]]:
    """Decode a file: the time of each picture [s], and its mean brightness."""
    with av.open(str(path)) as container:
        return [
            (round(float(frame.time or 0), 3), round(frame.to_ndarray(format="rgb24").mean()))
            for frame in container.decode(video=0)
        ]


def times_s(path: Path) -> list[float]:
    """Return the times of the pictures of a file [s]."""
    return [time_s for time_s, _ in shown(path)]

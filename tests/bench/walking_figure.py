"""A scene that was painted here: somebody walks through a landscape."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

FRAMES = 81  # objects are taken from frames 40 and 80


def moving_object(*, count: int = FRAMES) -> NDArray[np.uint8]:
    """Return frames (count, 240, 320, 3) in which a figure of two colours crosses a soft landscape."""
    rows, columns = np.mgrid[0:240, 0:320].astype(np.float32)
    ground = np.stack([90 + rows / 3, 130 + columns / 8, 200 - rows / 3], axis=2)
    frames = np.repeat(ground[None].clip(0, 255).astype(np.uint8), count, axis=0)
    for k, picture in enumerate(frames):
        left = 16 + 3 * k
        body = np.hypot((columns - left - 12) / 12, (rows - 140) / 30) <= 1
        picture[body & (rows < 140)] = (190, 40, 40)
        picture[body & (rows >= 140)] = (30, 30, 60)
        picture[118:126, left + 8 : left + 16] = (240, 220, 90)
    return frames


def write_clip(path: Path, frames: NDArray[np.uint8]) -> None:
    """Write frames (N, 240, 320, 3) as a clip of ten a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 320, 240, "yuv420p", 4_000_000
        for picture in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))

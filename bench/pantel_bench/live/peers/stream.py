"""A coded video: what of it crosses the line, and what it shows."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

from pantel_bench.errors import PeerError
from pantel_bench.live.peers.slices import SLICE_COUNTERS

__all__ = ["CodedUnit", "CodedVideo", "decode"]


@dataclass(frozen=True, slots=True)
class CodedUnit:
    """An access unit.

    Attributes:
        picture: Number of the picture that it completes, in the order of display.
        size_bytes: Its slice data.
    """

    picture: int
    size_bytes: int


@dataclass(frozen=True, slots=True, eq=False)
class CodedVideo:
    """A stream with its pictures.

    Attributes:
        units: In the order of the stream.
        planes: One (3h/2, w) uint8 in ``yuv420p`` for each picture, in the order of display.
    """

    units: Sequence[CodedUnit]
    planes: Sequence[NDArray[np.uint8]]

    @property
    def size_bytes(self) -> int:
        """Slice data of the whole stream."""
        return sum(unit.size_bytes for unit in self.units)


def decode(data: bytes, codec: str) -> CodedVideo:
    """Take a stream apart and decode it.

    Args:
        data: In a container that tells the times of display.
        codec: A key of `SLICE_COUNTERS`.

    Raises:
        PeerError: The stream is damaged, or units and pictures do not belong together one to one.
    """
    count_slices = SLICE_COUNTERS[codec]
    units: list[tuple[int, int]] = []  # time of display, slice data
    planes: dict[int, NDArray[np.uint8]] = {}
    try:
        with av.open(io.BytesIO(data), "r") as container:
            for packet in container.demux(video=0):
                if packet.size and packet.pts is not None:
                    units.append((packet.pts, count_slices(bytes(packet))))
                for frame in packet.decode():
                    if isinstance(frame, av.VideoFrame) and frame.pts is not None:
                        planes[frame.pts] = np.asarray(frame.to_ndarray(format="yuv420p"), np.uint8)
    except av.FFmpegError as error:
        raise PeerError(f"a {codec} stream cannot be decoded: {error.strerror}") from error
    order = {pts: number for number, pts in enumerate(sorted(planes))}
    if {pts for pts, _ in units} != order.keys() or len(units) != len(order):
        raise PeerError(f"a {codec} stream of {len(units)} units has {len(order)} pictures")
    return CodedVideo(
        units=[CodedUnit(order[pts], size_bytes) for pts, size_bytes in units],
        planes=[planes[pts] for pts in sorted(planes)],
    )

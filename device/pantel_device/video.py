"""Video files that browsers play."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from numpy.typing import NDArray

from pantel_device.errors import VideoError

__all__ = ["VideoFile"]


class VideoFile:
    """An H.264 video in an MP4 file, written picture by picture.

    Args:
        path: Of the file, which is incomplete until the context is left.
        size_px: Width and height of the pictures, both even [px].
        fps: Pictures per second.

    Raises:
        VideoError: The file cannot be written.
    """

    def __init__(self, path: Path, size_px: tuple[int, int], fps: int | Fraction) -> None:
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        self._stream = self._container.add_stream("libx264", rate=fps, options={"preset": "veryfast", "crf": "20"})
        self._stream.width, self._stream.height = size_px
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.thread_count = 1
        with _errors():
            self._container.start_encoding()  # opens the file

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _errors():
            if kind is None:
                self._container.mux(self._stream.encode(None))
            self._container.close()

    def add(self, pixels: NDArray[np.uint8]) -> None:
        """Append a picture.

        Args:
            pixels: (H, W, 3) uint8, RGB.

        Raises:
            VideoError: The disk is full, for example.
        """
        with _errors():
            self._container.mux(self._stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except (av.FFmpegError, OSError) as error:
        raise VideoError(f"cannot write the video: {error.strerror}; make room or name another place") from error

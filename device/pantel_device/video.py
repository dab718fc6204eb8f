"""Video files that browsers play: one that is completed in the end, and one that can be cut off anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.video.frame import PictureType
from numpy.typing import NDArray

from pantel_device.errors import VideoError

__all__ = ["FragmentedVideo", "VideoFile"]

_PRESET = "veryfast"
_TICK = Fraction(1, 1000)
_ITU_601 = 6  # what swscale makes of RGB; players that are not told take pictures of 720 lines and more for ITU-R 709
_LIMITED_RANGE = 1


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
        self._stream = _add_stream(self._container, size_px, fps, {"crf": "20"})
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


class FragmentedVideo:
    """An H.264 video as octets of an MP4 file that can be cut off after any fragment and plays up to there.

    A fragment begins with a key picture and needs no other fragment, so nothing that was written is ever written
    again. Pictures have times of their own, one that is shown for long takes no room.

    Args:
        size_px: Width and height of the pictures, both even [px].
        fps: Pictures per second, about.
        fragment_ms: After how long the next fragment begins [ms].
        crf: Constant rate factor of x264: 23 by default, 3 more take a third less, of noisy pictures two thirds less.

    Attributes:
        head: What the file begins with.

    Raises:
        VideoError: There is no encoder.
    """

    def __init__(self, size_px: tuple[int, int], fps: Fraction, fragment_ms: int, crf: int = 23) -> None:
        self._fragment_ms = fragment_ms
        self._next_key_ms = 0
        self._octets = _Octets()
        movflags = "frag_keyframe+empty_moov+default_base_moof"
        with _errors():
            self._container = av.open(self._octets, "w", format="mp4", options={"movflags": movflags})
            # Key pictures are asked for. Two-way prediction saves 8 % and would make the first picture late, for which
            # such a file cannot make up. What is dropped without the encoder's look ahead is half of its compression.
            options = {"crf": str(crf), "g": "1000000", "sc_threshold": "0", "bf": "0"}
            self._stream = _add_stream(self._container, size_px, fps, options)
            self._stream.codec_context.time_base = _TICK
            self._container.start_encoding()
        self.head = self._octets.take()

    def add(self, pixels: NDArray[np.uint8], time_ms: int) -> bytes:
        """Append a picture and return the fragment that has become complete, mostly none.

        Args:
            pixels: (H, W, 3) uint8, RGB.
            time_ms: When it is shown, later than the one before [ms].

        Raises:
            VideoError: It cannot be encoded.
        """
        with _errors():
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = time_ms, _TICK
            if time_ms >= self._next_key_ms:
                frame.pict_type = PictureType.I
                self._next_key_ms = time_ms + self._fragment_ms
            self._container.mux(self._stream.encode(frame))
        return self._octets.take()

    def end(self) -> bytes:
        """Return the last fragment, and the index of all of them, which ends the file.

        Raises:
            VideoError: It cannot be encoded.
        """
        with _errors():
            self._container.mux(self._stream.encode(None))
            self._container.close()
        return self._octets.take()


class _Octets:
    """A file in memory that is emptied again and again."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Append."""
        self._chunks.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """Return what was written since the last time."""
        octets = b"".join(self._chunks)
        self._chunks.clear()
        return octets


def _add_stream(
    container: av.container.OutputContainer, size_px: tuple[int, int], fps: int | Fraction, options: Mapping[str, str]
) -> av.VideoStream:
    """Return a stream of pictures that any browser plays, encoded by the thread that calls."""
    stream = container.add_stream("libx264", rate=fps, options={"preset": _PRESET, **options})
    stream.width, stream.height = size_px
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.thread_count = 1
    context.colorspace = context.color_primaries = context.color_trc = _ITU_601
    context.color_range = _LIMITED_RANGE
    return stream


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except (av.FFmpegError, OSError) as error:
        raise VideoError(f"cannot write the video: {error.strerror}; make room or name another place") from error

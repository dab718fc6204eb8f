"""A video file, read by presentation time, forwards and backwards."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from pantel_device.cameras.geometry import STRETCHED, Geometry
from pantel_device.errors import CameraError

__all__ = ["Clip"]

log = logging.getLogger(__name__)

_WINDOW_BYTES = 16 << 20


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """A decoded picture and when it begins [ns since the first one]."""

    time_ns: int
    pixels: NDArray[np.uint8]


class Clip:
    """The pictures of a clip by their time stamps; the first one counts as time 0.

    Decoded pictures are kept in a window that ends just before the decoder's position. Playing backwards
    decodes from the key frame before the time wanted, once for every window rather than for every picture,
    so memory is bounded however far apart the key frames are.

    Attributes:
        last_ns: When the last picture begins; None until the end was reached once.
    """

    def __init__(self, path: Path, size_px: tuple[int, int], geometry: Geometry = STRETCHED) -> None:
        """Open a clip.

        Args:
            path: Any file with a video stream that FFmpeg decodes.
            size_px: Width and height of the pictures to return [px].
            geometry: How the clip's pictures become such.

        Raises:
            CameraError: The file is no clip.
        """
        self._path = path
        self._size_px = size_px
        self._geometry = geometry
        self.last_ns: int | None = None
        self._start_pts: int | None = None
        self._window: deque[_Shown] = deque(maxlen=max(2, _WINDOW_BYTES // (3 * size_px[0] * size_px[1])))
        self._next: _Shown | None = None
        self._open()
        if self._next is None:
            self._container.close()
            raise self._error("no picture could be decoded")

    def picture_at(self, time_ns: int) -> NDArray[np.uint8]:
        """Return the picture on show at a time, the last one after the end.

        Args:
            time_ns: Time since the first picture, at least 0 [ns].

        Returns:
            (H, W, 3) uint8, RGB.

        Raises:
            CameraError: The file is no longer what it was when it was opened.
        """
        if self._window and time_ns < self._window[0].time_ns:
            self._go_back(time_ns)
        while self._next is not None and (not self._window or self._next.time_ns <= time_ns):
            self._window.append(self._next)
            self._next = next(self._decoded, None)
        if not self._window:
            raise self._error("it could be read before but not again")
        if self._next is None:
            self.last_ns = self._window[-1].time_ns
        started = (shown for shown in reversed(self._window) if shown.time_ns <= time_ns)
        return next(started, self._window[0]).pixels

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _open(self) -> None:
        """Open the file and put the decoder behind its first picture."""
        try:
            self._container = av.open(str(self._path))
        except (av.FFmpegError, OSError) as error:
            raise self._error(error.strerror or "unreadable") from error
        if not self._container.streams.video or self._container.format.name == "tty":
            # FFmpeg would show any text file as a film of a terminal.
            self._container.close()
            raise self._error("there is no video in it")
        self._stream = self._container.streams.video[0]
        self._stream.codec_context.thread_count = 1
        self._time_base = self._stream.time_base or Fraction(1, av.time_base)
        self._decoded = self._decode()
        self._next = next(self._decoded, None)

    def _go_back(self, time_ns: int) -> None:
        """Put the decoder at or before a time; `picture_at` then fills the window."""
        self._window.clear()
        pts = (self._start_pts or 0) + int(time_ns / (self._time_base * 10**9))
        try:
            self._container.seek(pts, stream=self._stream, backward=True)
            self._decoded = self._decode()
            self._next = next(self._decoded, None)
        except av.FFmpegError:  # a container that cannot seek
            self._next = None
        if self._next is None or self._next.time_ns > time_ns:
            self._container.close()
            self._open()

    def _decode(self) -> Iterator[_Shown]:
        try:
            for frame in self._container.decode(self._stream):
                # AVI holds no presentation times; pictures come out in the order of the decoding times.
                pts = frame.dts if self._container.format.name == "avi" else frame.pts
                if pts is None:
                    continue
                if self._start_pts is None:
                    self._start_pts = pts
                time_ns = int((pts - self._start_pts) * self._time_base * 10**9)
                pixels = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
                yield _Shown(time_ns, self._geometry.fit(pixels, self._size_px))
        except av.FFmpegError as error:
            if self._start_pts is None:
                raise self._error(error.strerror or "damaged") from error
            log.warning("clip ends early path=%s error=%s", self._path, error)

    def _error(self, reason: str) -> CameraError:
        return CameraError(
            f"{self._path} is neither a picture nor a clip that can be decoded ({reason}); name another file"
        )

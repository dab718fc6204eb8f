"""One sender's pictures on their way into files, each a part of the time."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from datetime import datetime
from fractions import Fraction
from io import FileIO
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_device.errors import VideoError
from pantel_device.receiving.sink import SenderName
from pantel_device.recordings.folder import RecordingFolder
from pantel_link.record_file import append_whole

if TYPE_CHECKING:
    from pantel_device.video import FragmentedVideo

__all__ = ["FRAGMENT_NS", "SILENCE_NS", "Tape"]

log = logging.getLogger(__name__)

FRAGMENT_NS = 5_000_000_000
"""What a program that is killed loses at most, and a second that is in the encoder [ns]."""
SILENCE_NS = 10_000_000_000
"""After so long without a picture a recording ends [ns]."""
_SYNC_NS = 30_000_000_000  # a power cut loses as much; sooner wears SD cards
_PAUSE_NS = 10_000_000_000  # until a disk that was full is tried again


class Tape:
    """Records pictures with their times, in files that end after a time and can be cut off anywhere.

    A file appears with its first fragment. A full disk is logged once; nothing is recorded until there is room.

    Args:
        folder: Where files are.
        sender: Whose pictures they are.
        segment_ns: How long a file is [ns].
        fps: Pictures a second, about.
        crf: See `FragmentedVideo`.
        utc_of: Tells which UTC a time [ns] is; None while no clock is set.
    """

    def __init__(
        self,
        folder: RecordingFolder,
        sender: SenderName,
        *,
        segment_ns: int,
        fps: Fraction,
        crf: int,
        utc_of: Callable[[int], datetime | None],
    ) -> None:
        self._folder = folder
        self._sender = sender
        self._segment_ns = segment_ns
        self._fps = fps
        self._crf = crf
        self._utc_of = utc_of
        self._video: FragmentedVideo | None = None
        self._file: FileIO | None = None
        self._size_px = 0, 0
        self._begun_ns = 0
        self._written_bytes = 0
        self._synced_ns = 0
        self._last_ns = 0
        self._resume_ns: int | None = None

    def record(self, time_ns: int, pixels: NDArray[np.uint8]) -> None:
        """Append a picture.

        Args:
            time_ns: When it is shown, later than the one before [ns].
            pixels: (H, W, 3) uint8, RGB; another size begins another file.
        """
        if self._resume_ns is not None and time_ns < self._resume_ns:
            return
        self._resume_ns = None
        pixels = _even(pixels)
        if self._video is not None and self._is_over(time_ns, pixels.shape[1::-1]):
            self.finish()
        try:
            if self._video is None:
                self._begin(time_ns, pixels.shape[1::-1])
            if (fragment := self._add(time_ns, pixels)) and not self._write(fragment, time_ns):
                self._resume_ns = time_ns + _PAUSE_NS
        except VideoError as error:
            self._fail(error)
            self._resume_ns = time_ns + _PAUSE_NS

    def rest(self, time_ns: int) -> bool:
        """Complete the file if there was no picture for long; return whether none is open now."""
        if self._video is not None and time_ns - self._last_ns > SILENCE_NS:
            self.finish()
        return self._video is None

    def finish(self) -> None:
        """Complete the file, if one is open."""
        if self._video is None:
            return
        try:
            self._write(self._video.end(), self._last_ns)
        except VideoError as error:
            self._fail(error)
        self._drop()

    def _is_over(self, time_ns: int, size_px: tuple[int, ...]) -> bool:
        return (
            size_px != self._size_px
            or time_ns - self._begun_ns >= self._segment_ns
            or self._written_bytes >= self._folder.file_bytes
            or not 0 <= time_ns - self._last_ns <= SILENCE_NS
        )

    def _begin(self, time_ns: int, size_px: tuple[int, ...]) -> None:
        from pantel_device.video import FragmentedVideo

        width, height = size_px
        self._video = FragmentedVideo((width, height), self._fps, FRAGMENT_NS // 1_000_000, self._crf)
        self._size_px = width, height
        self._begun_ns = self._synced_ns = time_ns
        self._written_bytes = 0
        self._last_ns = time_ns - 1_000_000

    def _add(self, time_ns: int, pixels: NDArray[np.uint8]) -> bytes:
        assert self._video is not None  # noqa: S101 - `record` has begun one
        time_ms = (time_ns - self._begun_ns) // 1_000_000
        if time_ms <= (self._last_ns - self._begun_ns) // 1_000_000:
            return b""
        self._last_ns = time_ns
        return self._video.add(pixels, time_ms)

    def _write(self, fragment: bytes, time_ns: int) -> bool:
        """Append octets, after the head if they are the first; return whether there was room."""
        assert self._video is not None  # noqa: S101 - the octets are its
        try:
            if self._file is None:
                fragment = self._video.head + fragment
            self._folder.make_room(len(fragment))
            if self._file is None:
                self._file = self._folder.begin(
                    self._sender.callsign, self._sender.number, self._utc_of(self._begun_ns)
                )
            append_whole(self._file, fragment)
            if not self._written_bytes:
                log.info("recording path=%s", self._file.name)
            self._written_bytes += len(fragment)
            if time_ns - self._synced_ns >= _SYNC_NS:
                os.fdatasync(self._file.fileno())
                self._synced_ns = time_ns
        except OSError as error:
            self._folder.trouble.begin(error)
            self._drop()
            return False
        self._folder.trouble.end()
        return True

    def _fail(self, error: VideoError) -> None:
        log.error("recording ends sender=%s reason=%s", self._sender, error)
        self._drop()

    def _drop(self) -> None:
        """Close the file as it is."""
        file, self._file, self._video = self._file, None, None
        try:
            if file is not None:
                self._folder.end(file)
        except OSError as error:
            self._folder.trouble.begin(error)


def _even(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture with an even number of rows and columns, as 4:2:0 demands: the last one is repeated."""
    height, width = pixels.shape[:2]
    if height % 2 or width % 2:
        pixels = np.asarray(cv2.copyMakeBorder(pixels, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE), np.uint8)
    return pixels

"""Sinks that write files: the newest picture, and a JSON line for every event.

A full disk passes. It is logged once when it begins and once when it ends; until then the newest picture and the
events are kept in memory and written when there is room.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import sys
from collections import deque
from datetime import datetime
from io import FileIO
from pathlib import Path
from typing import TextIO

from pantel_device.pictures import write_picture
from pantel_device.sink import Event, Picture
from pantel_device.wall_clock import utc_now

__all__ = ["EventFile", "EventStream", "PictureFile", "event_line"]

log = logging.getLogger(__name__)

_EVENTS_KEPT = 10_000


def event_line(event: Event, utc: datetime) -> str:
    """Return an event as one line of JSON: UTC, monotonic time [s], kind, then its fields.

    Args:
        event: What happened.
        utc: Wall time of the event, for people; only the monotonic time is safe to subtract.
    """
    head = {
        "utc": utc.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "monotonic_s": round(event.time_ns / 1e9, 3),
        "kind": event.kind,
    }
    return json.dumps(head | dict(event.fields)) + "\n"


class PictureFile:
    """Keeps one file up to date with the newest picture; whoever reads it never sees half of one.

    Args:
        path: A picture file; its suffix names the format.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._unwritten: Picture | None = None
        self._trouble = _Trouble(str(path))

    def on_picture(self, picture: Picture) -> None:
        """Write a picture."""
        self._unwritten = picture
        self._write()

    def on_event(self, event: Event) -> None:  # noqa: ARG002 - the protocol's
        """Take the occasion to write a picture that the disk had no room for."""
        self._write()

    def close(self) -> None:
        """Try once more to write what is left."""
        self._write()

    def _write(self) -> None:
        if self._unwritten is None:
            return
        try:
            write_picture(self._path, self._unwritten.pixels)
        except OSError as error:
            self._trouble.begin(error)
        else:
            self._unwritten = None
            self._trouble.end()


class EventStream:
    """Writes events to a stream such as standard output, each at once.

    Args:
        stream: Where to; standard output by default.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._trouble = _Trouble("standard output")

    def on_picture(self, picture: Picture) -> None:
        """Do nothing."""

    def on_event(self, event: Event) -> None:
        """Write a line.

        Raises:
            BrokenPipeError: Nobody reads the stream any more, so nobody wants the daemon to go on.
        """
        try:
            self._stream.write(event_line(event, utc_now()))
            self._stream.flush()  # what cannot be written stays in the stream's buffer
        except BrokenPipeError:
            raise
        except OSError as error:
            self._trouble.begin(error)
        else:
            self._trouble.end()

    def close(self) -> None:
        """Do nothing: the stream is its owner's to close."""


class EventFile:
    """Appends events to a file; when it is full, it becomes ``NAME.1`` and a new one begins.

    Lines are whole: one that the disk has no room for is taken back and written later.

    Args:
        path: The file; made when missing.
        max_bytes: Size at which a new file begins; about twice as much is used on disk.

    Raises:
        OSError: The file cannot be opened.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._unwritten: deque[bytes] = deque(maxlen=_EVENTS_KEPT)
        self._trouble = _Trouble(str(path))
        self._file = path.open("a+b", buffering=0)
        if _ends_within_line(self._file):
            self._unwritten.append(b"\n")

    def on_picture(self, picture: Picture) -> None:
        """Do nothing."""

    def on_event(self, event: Event) -> None:
        """Append a line, and those that the disk had no room for before it."""
        self._unwritten.append(event_line(event, utc_now()).encode())
        self._write()

    def close(self) -> None:
        """Try once more to write what is left and close the file."""
        self._write()
        self._file.close()

    def _write(self) -> None:
        try:
            while self._unwritten:
                if self._file.closed or self._file.tell() >= self._max_bytes:
                    self._begin_new_file()
                _append(self._file, self._unwritten[0])
                self._unwritten.popleft()
        except OSError as error:
            self._trouble.begin(error)
        else:
            self._trouble.end()

    def _begin_new_file(self) -> None:
        self._file.close()
        if self._path.exists():
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        self._file = self._path.open("a+b", buffering=0)


class _Trouble:
    """Logs when writing begins to fail and when it works again, not every time in between."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._failing = False

    def begin(self, error: OSError) -> None:
        if not self._failing:
            log.error("cannot write to=%s reason=%s; receiving goes on", self._name, error.strerror)
        self._failing = True

    def end(self) -> None:
        if self._failing:
            log.info("writing again to=%s", self._name)
        self._failing = False


def _ends_within_line(file: FileIO) -> bool:
    """Whether an earlier run was cut off while it wrote; leaves the position at the end."""
    if file.seek(0, os.SEEK_END) == 0:
        return False
    file.seek(-1, os.SEEK_END)
    return file.read(1) != b"\n"


def _append(file: FileIO, line: bytes) -> None:
    """Append a whole line or nothing."""
    start = file.seek(0, os.SEEK_END)
    written = 0
    try:
        written = file.write(line)
    finally:
        if written < len(line):
            file.truncate(start)
    if written < len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

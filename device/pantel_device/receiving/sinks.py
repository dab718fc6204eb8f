"""Sinks that write files: the newest picture now and then, and a line for every event, in JSON or in the log.

A full disk passes. It is logged once when it begins and once when it ends; until then the newest picture and the
events are kept in memory and written when there is room.
"""

from __future__ import annotations

import json
import logging
import math
import os
import sys
from collections import deque
from collections.abc import Callable, Collection
from datetime import datetime
from io import FileIO
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from pantel_device.pictures import write_picture
from pantel_device.receiving.sink import Event, Picture, SenderName
from pantel_device.wall_clock import iso_utc, utc_now
from pantel_link.record_file import Trouble, append_whole
from pantel_models import View

__all__ = [
    "EventFile",
    "EventLog",
    "EventRecord",
    "EventStream",
    "PictureFile",
    "event_line",
    "event_record",
    "strict_record",
]

log = logging.getLogger(__name__)

_EVENTS_KEPT = 10_000

EventRecord = dict[str, str | int | float | None]


def event_record(event: Event, utc: datetime) -> dict[str, str | int | float | None]:
    """Return an event as files and the page tell it: UTC, monotonic time [s], kind, then its fields.

    Args:
        event: What happened.
        utc: Wall time of the event, for people; only the monotonic time is safe to subtract.
    """
    head: dict[str, str | int | float | None] = {
        "utc": iso_utc(utc),
        "monotonic_s": round(event.time_ns / 1e9, 3),
        "kind": event.kind,
    }
    return head | dict(event.fields)


def strict_record(event: Event, utc: datetime) -> EventRecord:
    """Return the same for readers of strict JSON, which has no word for numbers that are none: they become None."""
    return {key: _number_or_none(value) for key, value in event_record(event, utc).items()}


def event_line(event: Event, utc: datetime) -> str:
    """Return the record of an event as one line of JSON."""
    return json.dumps(event_record(event, utc)) + "\n"


class PictureFile:
    """Keeps one file up to date with the newest picture; whoever reads it never sees half of one.

    Pictures come more often than a disk should be written to: of those within an interval only the last is written, and
    one that looks like the one before is not written at all.

    Args:
        path: A picture file; its suffix names the format.
        interval_ns: Shortest time between two pictures written [ns].
        draw: Makes of a picture what is written, (H, W, 3) uint8 RGB; None for its pixels.
    """

    def __init__(
        self, path: Path, *, interval_ns: int = 0, draw: Callable[[Picture], NDArray[np.uint8]] | None = None
    ) -> None:
        self._path = path
        self._interval_ns = interval_ns
        self._draw = draw
        self._next_ns: int | None = None
        self._unwritten: Picture | None = None
        self._written: NDArray[np.uint8] | None = None
        self._trouble = Trouble(str(path))

    def on_picture(self, picture: Picture) -> None:
        """Write a picture if it is time for one."""
        self._unwritten = picture
        if self._next_ns is None or picture.time_ns >= self._next_ns:
            self._write(picture)

    def on_event(self, event: Event) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Write what is left, or try to once more."""
        if self._unwritten is not None:
            self._write(self._unwritten)

    def _write(self, picture: Picture) -> None:
        pixels = picture.pixels if self._draw is None else self._draw(picture)
        if self._written is not None and np.array_equal(pixels, self._written):
            self._unwritten = None
            return
        self._next_ns = picture.time_ns + self._interval_ns
        try:
            write_picture(self._path, pixels)
        except OSError as error:
            self._trouble.begin(error)
        else:
            self._unwritten, self._written = None, pixels
            self._trouble.end()


class EventSink:
    """Takes events and wants no picture, so that none is drawn for it."""

    def views(self, sender: SenderName, *, heard_last: bool, silence_s: float) -> Collection[View]:  # noqa: ARG002
        """Return no view."""
        return ()

    def on_picture(self, picture: Picture) -> None:
        """Do nothing."""


class EventStream(EventSink):
    """Writes events to a stream such as standard output, each at once.

    Args:
        stream: Where to; standard output by default.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._trouble = Trouble("standard output")

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


class EventLog(EventSink):
    """Logs events as key=value; those that come all the time only at the level debug, because disks wear."""

    _FREQUENT = frozenset({"link_report", "sender_report", "still_grows", "telemetry"})
    _ALREADY_LOGGED = frozenset({"alarm"})
    _TROUBLE = frozenset({"model_missing", "sender_refused"})

    def on_event(self, event: Event) -> None:
        """Log an event."""
        if event.kind in self._FREQUENT | self._ALREADY_LOGGED:
            level = logging.DEBUG
        else:
            level = logging.WARNING if event.kind in self._TROUBLE else logging.INFO
        fields = " ".join(f"{key}={_logged(value)}" for key, value in event.fields.items() if value is not None)
        log.log(level, "event kind=%s %s", event.kind, fields)

    def close(self) -> None:
        """Do nothing."""


class EventFile(EventSink):
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
        self._trouble = Trouble(str(path))
        self._file = path.open("a+b", buffering=0)
        if _ends_within_line(self._file):
            self._unwritten.append(b"\n")

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
                append_whole(self._file, self._unwritten[0])
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


def _number_or_none(value: str | int | float | None) -> str | int | float | None:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _logged(value: str | float) -> str:
    """Return a value as one word of a log, whatever somebody may have sent."""
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value)
    return text if text.isascii() and text.isprintable() and not set(text) & set(' ="') and text else json.dumps(text)


def _ends_within_line(file: FileIO) -> bool:
    """Whether an earlier run was cut off while it wrote; leaves the position at the end."""
    if file.seek(0, os.SEEK_END) == 0:
        return False
    file.seek(-1, os.SEEK_END)
    return file.read(1) != b"\n"

"""What a power cut leaves of a recording: as many whole fragments as reached the disk, and perhaps part of another."""

from __future__ import annotations

import fcntl
import logging
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

__all__ = ["is_complete", "repair", "whole_octets"]

log = logging.getLogger(__name__)

_BOX = struct.Struct(">I4s")
_INDEX_END = struct.Struct(">I4sII")  # the last box of a file that was completed
# Where a file system has made a file longer and not written it, zeros stand. H.264 never has three of them in a row,
# and the boxes around it never so many.
_UNWRITTEN = bytes(64)


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    end: int  # position behind it
    body: bytes


def is_complete(path: Path) -> bool:
    """Whether a recording has the index at its end that is written last.

    Raises:
        OSError: It cannot be read.
    """
    with _opened(path, os.O_RDONLY) as file:
        size = file.seek(0, os.SEEK_END)
        if size < _INDEX_END.size:
            return False
        file.seek(size - _INDEX_END.size)
        octets, kind, _, index_octets = _INDEX_END.unpack(file.read(_INDEX_END.size))
    return (octets, kind) == (_INDEX_END.size, b"mfro") and _INDEX_END.size < index_octets < size


def whole_octets(file: BinaryIO) -> int:
    """Return how much of a recording can be played: up to the end of its last whole fragment, 0 without any.

    Args:
        file: At its beginning.
    """
    expected, played = [b"ftyp", b"moov"], 0
    for box in _boxes(file):
        if box.kind != (expected[0] if expected else b""):
            break
        expected.pop(0)
        if not expected:
            expected = [b"moof", b"mdat"]
            played = box.end if box.kind == b"mdat" else played
    return played


def repair(path: Path) -> None:
    """Cut off what of a recording cannot be played, and remove it if nothing can; log that, and nothing else.

    One that somebody is writing is left alone.

    Raises:
        OSError: It cannot be read or changed.
    """
    with _opened(path, os.O_RDWR) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        whole = whole_octets(file)
        if whole == 0:
            path.unlink()
            log.warning("recording removed, nothing of it reached the disk path=%s bytes=%d", path, size)
        elif whole < size:
            file.truncate(whole)
            log.warning("recording cut off after its last whole fragment path=%s bytes=%d of=%d", path, whole, size)


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[BinaryIO]:
    """Open a file without following a link, and without waiting for whoever holds the other end of a pipe."""
    with os.fdopen(
        os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC),
        "rb" if flags == os.O_RDONLY else "r+b",
    ) as file:
        yield file


def _boxes(file: BinaryIO) -> Iterator[_Box]:
    """Yield the boxes of a file up to the first that is not whole."""
    end = 0
    while len(head := file.read(_BOX.size)) == _BOX.size:
        octets, kind = _BOX.unpack(head)
        body = file.read(octets - _BOX.size) if octets > _BOX.size else b""
        if len(body) != octets - _BOX.size or not body.rstrip(b"\0") or _UNWRITTEN in body:
            return
        if kind == b"mdat" and body.endswith(b"\0"):  # as no picture does
            return
        end += octets
        yield _Box(kind, end, body)

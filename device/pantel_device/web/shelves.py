"""What the receiver keeps for the page: stills and recordings."""

from __future__ import annotations

import os
import re
import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pantel_device.wall_clock import iso_utc, utc_s
from pantel_device.web.shelf import Shelf, utc_in_name

__all__ = ["recordings_shelf", "stills_shelf"]

_GROWING = "growing.png"
_STILL = re.compile(
    r"(?P<utc>\d{8}T\d{6}Z)-(?P<callsign>[A-Z0-9_.-]{1,9}?)(?:-(?P<number>\d{1,2}))?-(?P<block>\d{1,10})\.(?:png|ptl)",
    re.ASCII,
)
_RECORDING = re.compile(
    r"(?P<callsign>[A-Z0-9_.-]{1,9})-(?P<number>\d{1,2})-(?P<utc>\d{8}T\d{6}Z)(?P<more>_\d{3,9})?\.mp4", re.ASCII
)
_PNG_SIZE = struct.Struct(">16xII")
_OPEN_S = 15


def stills_shelf(folder: Path | None) -> Shelf:
    """Return the shelf of stills; each lies there as picture and as .ptl, and is listed once.

    Args:
        folder: As `StillFolder` fills it; None where stills are not kept.
    """
    return Shelf(
        "stills",
        folder,
        media_types={".png": "image/png", ".ptl": "application/octet-stream"},
        describe=_describe_still,
        serves=lambda name: name == _GROWING or _STILL.fullmatch(name) is not None,
    )


def recordings_shelf(folder: Path | None) -> Shelf:
    """Return the shelf of recordings.

    Args:
        folder: Of MP4 files; None where there are none.
    """
    return Shelf(
        "recordings",
        folder,
        media_types={".mp4": "video/mp4"},
        describe=_describe_recording,
        serves=lambda name: _RECORDING.fullmatch(name) is not None,
    )


def _describe_still(path: Path, status: os.stat_result) -> dict[str, Any] | None:
    if path.suffix != ".png":
        return None
    size_px = _png_size_px(path)
    if size_px is None:
        return None
    found = _STILL.fullmatch(path.name)
    utc = None if found is None else utc_in_name(found["utc"])
    return {
        "sender": None if found is None else _sender(found["callsign"], found["number"]),
        "utc": iso_utc(utc or datetime.fromtimestamp(status.st_mtime, UTC)),
        "width_px": size_px[0],
        "height_px": size_px[1],
        "bytes": status.st_size,
        "growing": found is None,
    }


def _describe_recording(path: Path, status: os.stat_result) -> dict[str, Any] | None:
    found = _RECORDING.fullmatch(path.name)
    if found is None:
        return None
    began = None if found["more"] else utc_in_name(found["utc"])  # no clock has told when such a one began
    return {
        "sender": _sender(found["callsign"], found["number"]),
        "began_utc": None if began is None else iso_utc(began),
        # Fragmented files do not tell how long they are, but the last fragment is written when it ends.
        "seconds": None if began is None else max(round(status.st_mtime - began.timestamp(), 1), 0.0),
        "bytes": status.st_size,
        "open": abs(utc_s() - status.st_mtime) < _OPEN_S,
    }


def _sender(callsign: str, number: str | None) -> str:
    """Return a sender's name out of a file's, in which a stroke is an underscore."""
    name = callsign.replace("_", "/")
    return name if number is None else f"{name}-{number}"


def _png_size_px(path: Path) -> tuple[int, int] | None:
    try:
        with path.open("rb") as file:
            head = file.read(_PNG_SIZE.size)
    except OSError:
        return None
    if len(head) < _PNG_SIZE.size or not head.startswith(b"\x89PNG\r\n\x1a\n"):
        return None
    width, height = _PNG_SIZE.unpack(head)
    return width, height

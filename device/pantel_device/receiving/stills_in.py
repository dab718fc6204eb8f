"""Stills on their way in: decoded as they grow, and written to a folder."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pantel_codec import CodecError
from pantel_device.atomic_file import write_atomically
from pantel_device.pictures import write_picture
from pantel_device.wall_clock import utc_now
from pantel_link.disk_quota import keep_within
from pantel_link.record_file import Trouble
from pantel_link.stills import PartialStill
from pantel_models import ManifestError, View, decode_still

__all__ = ["Still", "StillFolder", "StillSink", "decode_partial"]

log = logging.getLogger(__name__)

_NAME = re.compile(r"\d{8}T\d{6}Z-(?P<sender>[A-Z0-9_.-]+-\d+)-\d+\.(ptl|png)")


@dataclass(frozen=True, slots=True, eq=False)
class Still:
    """A still, or as much of it as is certain.

    Attributes:
        partial: What arrived.
        pixels: (H, W, 3) uint8, RGB.
    """

    partial: PartialStill
    pixels: NDArray[np.uint8]


class StillSink(Protocol):
    """Takes stills. It must not raise for trouble that may pass, such as a full disk."""

    def on_still(self, still: Still) -> bool:
        """Take a still, or more of one that it has had; return whether it is in a safe place."""
        ...


def decode_partial(partial: PartialStill, view: View) -> Still | None:
    """Return what a still shows so far; None while too little of it is there, or its model is not installed."""
    try:
        decoded = decode_still(partial.data, view=view)
    except ManifestError as error:
        if partial.complete:
            log.warning("cannot show a still sender=%s reason=%s", partial.context.callsign, error)
        return None
    except CodecError as error:
        if partial.complete:
            log.warning("a still is damaged sender=%s reason=%s", partial.context.callsign, error)
        return None
    return Still(partial, decoded.pixels)


class StillFolder:
    """Writes each complete still as `.ptl` (with zeros behind it) and `.png`, and the one that grows as `growing.png`.

    Args:
        folder: Made when missing.
        quota_bytes: What all of them may take; of the sender that takes the most those that arrived first go first.
            Files with other names stay.
        patient: Whether to begin without the folder; each still makes it if it can.

    Raises:
        OSError: The folder cannot be made, and nobody is patient.
    """

    def __init__(self, folder: Path, quota_bytes: int = 1_000_000_000, *, patient: bool = False) -> None:
        self._folder = folder
        self._quota_bytes = quota_bytes
        self._trouble = Trouble(str(folder))
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            if not patient:
                raise
            self._trouble.begin(error)

    def on_still(self, still: Still) -> bool:
        """Write a still."""
        partial = still.partial
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not partial.complete:
                write_picture(self._folder / "growing.png", still.pixels)
                return True
            who = f"{partial.context.callsign.replace('/', '_')}-{partial.context.sender}"
            name = self._folder / f"{_time(partial)}-{who}-{partial.block}"
            written = [name.with_name(name.name + suffix) for suffix in (".ptl", ".png")]
            write_atomically(written[0], partial.data)
            write_picture(written[1], still.pixels)
            (self._folder / "growing.png").unlink(missing_ok=True)
            self._make_room(written)
        except OSError as error:
            self._trouble.begin(error)
            return False
        self._trouble.end()
        return True

    def _make_room(self, written: list[Path]) -> None:
        """Remove stills until the rest keeps the quota; what was just written stays.

        Their names do not tell when they arrived: the sender's clock, which may be set to anything, made those.
        """
        ours = (path for path in self._folder.iterdir() if _NAME.fullmatch(path.name) and path not in written)
        files = [*sorted(ours, key=_arrival), *written]
        keep_within(files, self._quota_bytes, keep=len(written), owner=_sender)


def _arrival(path: Path) -> tuple[int, str]:
    try:
        return path.stat().st_mtime_ns, path.name
    except FileNotFoundError:  # somebody has removed it meanwhile
        return 0, path.name


def _sender(path: Path) -> str:
    """Return whose a still is, by its name."""
    name = _NAME.fullmatch(path.name)
    return "" if name is None else name["sender"]


def _time(partial: PartialStill) -> str:
    """Return when a picture was taken; when it arrived if that is not known."""
    utc = utc_now() if partial.utc_s is None else datetime.fromtimestamp(partial.utc_s, UTC)
    return utc.strftime("%Y%m%dT%H%M%SZ")

"""Names of recordings: whose, and when it begins; by name they are in order of time, whatever clocks do.

``K1ABC-0-20250601T120000Z.mp4`` began at that UTC. ``K1ABC-0-20250601T120000Z_001.mp4`` began later than that, when the
clock was not set, or had been set back; so did ``K1ABC-0-00000000T000000Z_001.mp4``, before which there was none.
"""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

__all__ = ["Recording", "next_name", "recording_of", "recordings_in", "safe_callsign"]

_NAME = re.compile(
    r"(?P<callsign>[A-Z0-9_.-]+)-(?P<number>\d{1,2})-(?P<stamp>\d{8}T\d{6}Z)(?:_(?P<more>\d{3,9}))?\.mp4", re.ASCII
)
_STAMP = "%Y%m%dT%H%M%SZ"
_NEVER = "00000000T000000Z"


@dataclass(frozen=True, slots=True)
class Recording:
    """A file of a recording.

    Attributes:
        path: Of the file.
        callsign: Of the sender, with ``_`` for ``/``.
        number: Of the sender.
        stamp: When it begins, as its name says it.
        more: How many have begun since then without a time of their own.
    """

    path: Path
    callsign: str
    number: int
    stamp: str
    more: int

    @property
    def sender(self) -> str:
        """Who sends, as the name says it."""
        return f"{self.callsign}-{self.number}"

    @property
    def begins_utc(self) -> datetime | None:
        """When it begins; None if no clock told."""
        if self.more:
            return None
        try:
            return datetime.strptime(self.stamp, _STAMP).replace(tzinfo=UTC)
        except ValueError:
            return None

    @property
    def order(self) -> tuple[str, int, str, int]:
        """What to sort by: time first, whoever sends."""
        return self.stamp, self.more, self.callsign, self.number


def safe_callsign(callsign: str) -> str:
    """Return a callsign as file names have it."""
    return callsign.replace("/", "_")


def recording_of(path: Path) -> Recording | None:
    """Return what a file is by its name; None for another program's."""
    name = _NAME.fullmatch(path.name)
    if name is None:
        return None
    return Recording(path, name["callsign"], int(name["number"]), name["stamp"], int(name["more"] or 0))


def recordings_in(folder: Path) -> list[Recording]:
    """Return the recordings in a folder, the oldest first; only regular files are any, whatever else has such a name.

    Raises:
        OSError: The folder cannot be read.
    """
    found = (recording_of(path) for path in folder.iterdir())
    return sorted((each for each in found if each is not None and _is_regular(each.path)), key=lambda each: each.order)


def _is_regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:  # somebody has removed it meanwhile
        return False


def next_name(folder: Path, callsign: str, number: int, begins_utc: datetime | None) -> str:
    """Return a name that nothing in a folder has, and that comes after all recordings of that sender.

    Args:
        folder: Of the recordings.
        callsign: Of the sender.
        number: Of the sender.
        begins_utc: When the recording begins; None if no clock tells.

    Raises:
        OSError: The folder cannot be read.
    """
    safe = safe_callsign(callsign)
    # Whatever has a name, a folder or a link, too, takes it.
    named = (recording_of(path) for path in folder.iterdir())
    theirs = [each for each in named if each is not None and (each.callsign, each.number) == (safe, number)]
    stamp, more = max(((each.stamp, each.more) for each in theirs), default=(_NEVER, 0))
    now = "" if begins_utc is None else begins_utc.strftime(_STAMP)
    after = now if now > stamp else f"{stamp}_{more + 1:03d}"
    return f"{safe}-{number}-{after}.mp4"

"""The files of one capture: the newest, which has the name, and older ones with a number in theirs."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path

from pantel_link.captures.header import HEADER_MARK
from pantel_link.captures.pcapng import SECTION_HEADER, read_blocks
from pantel_link.disk_quota import keep_within
from pantel_link.errors import CaptureError

__all__ = ["FAMILY_DIGITS", "CaptureFamily", "CaptureLimits"]

log = logging.getLogger(__name__)

FAMILY_DIGITS = 6
"""Of an older file's number, at least: so that a list by name is in order of time for long."""


@dataclass(frozen=True, slots=True)
class CaptureLimits:
    """When a capture begins a new file, and what all of its files may take together.

    Attributes:
        max_bytes: Size of a file.
        max_age_ns: Time from the first to the last codeword in a file.
        quota_bytes: Of all files; if it is less than `max_bytes`, files are as small as this.
    """

    max_bytes: int
    max_age_ns: int
    quota_bytes: int

    @property
    def file_bytes(self) -> int:
        """Largest size that a file may have."""
        return min(self.max_bytes, self.quota_bytes)


class CaptureFamily:
    """Older files of ``line.pcapng`` are ``line.000001.pcapng``, ``line.000002.pcapng`` and so on, the oldest first.

    Numbers are never used again while a file has a higher one. Clocks may jump, so names hold no time. Only files that
    have such a name and begin as our captures do are ever removed.

    Args:
        path: The newest file; of a link, what it points to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        stem, suffix = re.escape(self.path.stem), re.escape(self.path.suffix)
        self._name = re.compile(rf"{stem}\.(\d{{{FAMILY_DIGITS},}}){suffix}")

    def older(self) -> list[Path]:
        """Return the older files, the oldest first.

        Raises:
            OSError: The folder cannot be read.
        """
        return [path for _, path in self._numbered() if _is_ours(path)]

    def shift(self) -> None:
        """Let the newest file become an older one, so that its name is free.

        Raises:
            OSError: The folder cannot be changed.
        """
        if self.path.exists():
            number = max((number for number, _ in self._numbered()), default=0) + 1
            older = self.path.with_name(f"{self.path.stem}.{number:0{FAMILY_DIGITS}d}{self.path.suffix}")
            self.path.rename(older)
            log.info("capture goes on in a new file path=%s older=%s", self.path, older.name)

    def trim(self, room_bytes: int) -> None:
        """Remove the oldest of the older files until the others fit.

        Args:
            room_bytes: What the older files may take together.

        Raises:
            OSError: One cannot be removed.
        """
        keep_within(self.older(), room_bytes)

    def _numbered(self) -> list[tuple[int, Path]]:
        """Return what has such a name, with its number, in order."""
        found = [(self._name.fullmatch(path.name), path) for path in self.path.parent.iterdir()]
        return sorted((int(match[1]), path) for match, path in found if match is not None)


def _is_ours(path: Path) -> bool:
    """Whether a file begins with a section that we wrote."""
    if path.is_symlink() or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            first = next(read_blocks(file), None)
    except (CaptureError, OSError):
        return False
    return first is not None and first.kind == SECTION_HEADER and HEADER_MARK in first.body

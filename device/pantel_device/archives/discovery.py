"""Finds the captures of an archive: files that are named, and all in folders that are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pantel_device.archives.job import printable
from pantel_device.command import UsageError
from pantel_link.captures import capture_families

__all__ = ["find_captures"]

_SUFFIX = ".pcapng"


def find_captures(places: Sequence[Path]) -> dict[str, tuple[Path, ...]]:
    """Return captures by name, in its order: of each all its files, the oldest first.

    Older files of a capture (``line.000001.pcapng``) belong to it. Names are those below the folder if there is one
    place alone, so that an archive may be moved.

    Args:
        places: Folders, whose captures end in ``.pcapng``, and files of any name.

    Raises:
        UsageError: There is no such place, or no capture in any.
        OSError: A folder cannot be read.
    """
    files: dict[Path, None] = {}
    for place in places:
        if place.is_dir():
            found = sorted(path for path in place.rglob(f"*{_SUFFIX}") if path.is_file())
            if not found:
                raise UsageError(f"there is no *{_SUFFIX} in {place}; name a folder with captures of pantel receive")
            files |= dict.fromkeys(path.absolute() for path in found)
        elif place.exists():
            files[place.absolute()] = None
        else:
            raise UsageError(f"there is no {place}; name a folder of captures, or files")
    base = places[0].absolute() if len(places) == 1 and places[0].is_dir() else None
    families = capture_families(files)
    named = {printable(str(newest if base is None else newest.relative_to(base))): newest for newest in families}
    return {name: families[named[name]] for name in sorted(named)}

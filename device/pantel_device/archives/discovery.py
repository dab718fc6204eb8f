"""Finds the captures of an archive: files that are named, and all in folders that are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from pantel_device.command import CommandError, UsageError
from pantel_device.printable import printable
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
        UsageError: There is no such place, it is a pipe or a device, or there is no capture in any.
        CommandError: A folder cannot be read: its captures would be missing from the tables.
    """
    files: dict[Path, None] = {}
    for place in places:
        if place.is_dir():
            found = sorted(_captures_in(place))
            if not found:
                raise UsageError(f"there is no *{_SUFFIX} in {place}; name a folder with captures of pantel receive")
            files |= dict.fromkeys(path.absolute() for path in found)
        elif place.is_file():
            files[place.absolute()] = None
        elif place.exists():  # of a pipe the end may never come, and what is read twice is not the same
            raise UsageError(f"{place} is no file; name a folder of captures, or files")
        else:
            raise UsageError(f"there is no {place}; name a folder of captures, or files")
    base = places[0].absolute() if len(places) == 1 and places[0].is_dir() else None
    families = capture_families(files)
    named = {_name(newest if base is None else newest.relative_to(base)): newest for newest in families}
    return {name: families[named[name]] for name in sorted(named)}


def _captures_in(folder: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise error

    try:
        for parent, _, names in os.walk(folder, onerror=refuse):
            for name in names:
                path = Path(parent, name)
                if name.endswith(_SUFFIX) and path.is_file():
                    yield path
    except OSError as error:
        raise CommandError(
            f"cannot read {error.filename}: {error.strerror}; let its captures be read, or name other folders"
        ) from error


def _name(path: Path) -> str:
    """Return the name of a capture in the tables: no two paths have the same."""
    return printable(str(path).replace("\\", "\\\\"))

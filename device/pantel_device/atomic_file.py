"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from pantel_device.command import UsageError

__all__ = ["check_writable", "write_atomically"]


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file beside its place, wait until the disk holds it, then rename it.

    No reader ever sees half of it, and neither does anyone after a power cut. A link keeps pointing to where it
    did; a device or pipe is written to directly, because it cannot be replaced.

    Raises:
        OSError: The file cannot be written; an older one is untouched.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    path = path.resolve()
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        error.filename = str(path)  # the name that the user knows
        raise
    finally:
        beside.unlink(missing_ok=True)


def check_writable(path: Path) -> None:
    """Check before the work that its result will have a place.

    Raises:
        UsageError: The folder is missing or closed, or the path is a folder itself.
    """
    folder = path.resolve().parent
    if path.is_dir():
        raise UsageError(f"cannot write {path}: it is a folder; name a file")
    if not folder.is_dir():
        raise UsageError(f"cannot write {path}: there is no folder {folder}; make it or name another file")
    if not os.access(path if path.exists() and not path.is_file() else folder, os.W_OK):
        raise UsageError(f"cannot write {path}: permission denied; name a file in a folder that is yours")


def _sync_folder(folder: Path) -> None:
    """Let the new name survive a power cut, too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

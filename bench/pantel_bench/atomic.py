"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from pantel_bench.errors import OutputError

__all__ = ["check_writable", "write_atomically"]


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file beside its place and then rename it, so that no reader sees half of it.

    Raises:
        OutputError: The file cannot be written; an older one is untouched.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            beside.write_bytes(data)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error


def check_writable(path: Path) -> None:
    """Check before long work that its result can be written.

    Raises:
        OutputError: The folder is missing or closed, or the path is a folder.
    """
    if not path.parent.is_dir():
        raise OutputError(f"cannot write {path}: there is no folder {path.parent}")
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise OutputError(f"cannot write {path}: name a file in a folder that is yours")

"""Files that hold a secret: new ones, which only their owner can read."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["write_secret"]


def write_secret(path: Path, line: str) -> None:
    """Write a line of ASCII to a new file that only its owner can read; the disk holds it before this returns.

    Raises:
        FileExistsError: There is a file of that name; it is untouched.
        OSError: It cannot be written; nothing is left of it.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{line}\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)  # or the next attempt would find it and stop
        raise

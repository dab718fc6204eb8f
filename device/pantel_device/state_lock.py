"""Locks of what a daemon keeps, so that no two of them keep the same."""

from __future__ import annotations

import fcntl
from io import BufferedWriter
from pathlib import Path

from pantel_device.command import CommandError

__all__ = ["take_lock", "unusable"]


def take_lock(path: Path, who: str, setting: str = "state_dir") -> BufferedWriter:
    """Return an open file that nobody else can open so until it is closed, or its process ends.

    Args:
        path: What is kept; the lock is a file beside it. Its folder is made when missing.
        who: Who might have the lock already, for the error.
        setting: What says where that is, for the error.

    Raises:
        CommandError: Another one has it, or it cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_name(f"{path.name}.lock").open("wb")
    except OSError as error:
        raise CommandError(unusable(path, error, setting)) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise CommandError(f"{who} uses {path.parent}: stop it, or give this one a {setting} of its own") from error
    return lock


def unusable(path: Path, error: OSError, setting: str = "state_dir") -> str:
    """Return the line of an error for what cannot be kept."""
    return f"cannot keep {path}: {error.strerror}; set {setting} to a folder that is yours"

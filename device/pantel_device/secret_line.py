"""Secrets that a configuration names: files of one line that not everybody can read."""

from __future__ import annotations

from pathlib import Path

from pantel_device.command import UsageError

__all__ = ["read_secret_line"]

_EVERYBODY = 0o007


def read_secret_line(path: Path, key: str, advice: str) -> str:
    """Read a secret, without blanks around it.

    Args:
        path: The file.
        key: The key that names it, for the error.
        advice: What to do where there is no such file, for the error.

    Raises:
        UsageError: It cannot be read, or everybody can read it.
    """
    path = path.absolute()  # who reads the error may not know in which folder a relative name was looked for
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8", errors="replace").strip()
    except PermissionError as error:
        raise UsageError(
            f"cannot read {key} = {path}: {error.strerror}; let the receiver's group read it: chmod g+r {path}"
        ) from error
    except OSError as error:
        raise UsageError(f"cannot read {key} = {path}: {error.strerror}; {advice}") from error
    if mode & _EVERYBODY:
        raise UsageError(f"everybody on this machine can read {key} = {path}: chmod o= {path}")
    return text

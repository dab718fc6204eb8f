"""The token that opens the page: a line in a file."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from pantel_device.command import CommandError, UsageError
from pantel_device.secret_line import read_secret_line
from pantel_link.secret_file import write_secret

__all__ = ["read_token", "write_new_token"]

_OCTETS = 16
_SHORTEST = 16
_TOKEN = re.compile(r"[!-~]+")


def write_new_token(path: Path) -> None:
    """Write a token that nobody has seen to a new file that only its owner can read.

    Raises:
        CommandError: The file exists, or cannot be written.
    """
    try:
        write_secret(path, secrets.token_urlsafe(_OCTETS))
    except FileExistsError as error:
        raise CommandError(f"{path} exists, and tokens are never overwritten; name another file") from error
    except OSError as error:
        raise CommandError(f"cannot write the token {path}: {error.strerror}") from error


def read_token(path: Path) -> bytes:
    """Read a token.

    Raises:
        UsageError: There is none, everybody can read it, or it is too short.
    """
    advice = f"make one with: pantel key token {path}"
    text = read_secret_line(path, "web_token_file", advice)
    if len(text) < _SHORTEST or _TOKEN.fullmatch(text) is None:
        raise UsageError(f"web_token_file = {path} holds no token of {_SHORTEST} or more characters; {advice}")
    return text.encode("ascii")

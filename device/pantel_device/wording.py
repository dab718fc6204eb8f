"""How lines of help become sentences."""

from __future__ import annotations

__all__ = ["sentence"]


def sentence(line: str) -> str:
    """Return a line of help as a sentence; a name at its beginning, such as state_dir, stays as it is."""
    first = line.partition(" ")[0].rstrip(",;:")
    return f"{line[:1].upper() if first.isalpha() else line[:1]}{line[1:]}."

"""Errors of the package's build.

DebError   the package cannot be built as asked; the text says why
"""

from __future__ import annotations

__all__ = ["DebError"]


class DebError(Exception):
    """The package cannot be built as asked."""

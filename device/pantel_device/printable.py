"""Names and texts of others on their way to a terminal, a log or a table."""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: str) -> str:
    r"""Return a text in which what no line shows is written as numbers, such as ``\x1b``.

    Whoever names a file, or answers a request, would otherwise move the cursor, begin lines of a log and set the
    title of a terminal; and octets that are no UTF-8 cannot be written at all. What is printable stays as it is.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )

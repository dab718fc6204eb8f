"""The few macros of man(7) that the manual page needs."""

from __future__ import annotations

import re
from textwrap import wrap

__all__ = ["bold", "escape", "heading", "marked", "paragraph", "quoted", "subheading", "tagged", "title"]

_MARKUP = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\[([^]]+)\]\([^)]+\)")
_ESCAPES = {"\\": r"\e", "-": r"\-", "'": r"\(aq", "^": r"\(ha", "~": r"\(ti", "`": r"\(ga", "…": "..."}
_WIDTH = 79


def escape(text: str) -> str:
    """Return text that roff shows as it is, in ASCII: no escapes, and no line that is taken for a request."""
    shown = "".join(_ESCAPES.get(character) or _ascii(character) for character in text)
    return "\n".join(_no_request(line) for line in shown.split("\n"))


def bold(text: str) -> str:
    """Return text in bold, within a line."""
    return rf"\fB{escape(text)}\fR"


def marked(text: str) -> str:
    """Return Markdown's `words` in bold."""
    return "".join(bold(part) if index % 2 else escape(part) for index, part in enumerate(_MARKUP.split(text)))


def quoted(text: str) -> str:
    """Return an argument of a macro."""
    return '"' + text.replace('"', r"\(dq") + '"'


def title(name: str, section: int, date: str, source: str, manual: str) -> str:
    """Return the first line of a page."""
    words = (name.upper(), str(section), date, source, manual)
    return f".TH {' '.join(quoted(word) for word in words)}\n"


def heading(text: str) -> str:
    """Return a section's heading."""
    return f".SH {quoted(escape(text))}\n"


def subheading(text: str) -> str:
    """Return a subsection's heading."""
    return f".SS {quoted(escape(text))}\n"


def paragraph(text: str) -> str:
    """Return a paragraph, in which `words` are bold."""
    return f".PP\n{_filled(text)}\n"


def tagged(tag: str, text: str) -> str:
    """Return a paragraph behind a tag.

    Args:
        tag: In roff already.
        text: In which `words` are bold.
    """
    return f".TP\n{tag}\n{_filled(text)}\n"


def _filled(text: str) -> str:
    """Return text in lines that are not too long for people who read the source."""
    links = _LINK.sub(r"\1", text)
    return "\n".join(map(_no_request, wrap(marked(links), _WIDTH, break_long_words=False, break_on_hyphens=False)))


def _no_request(line: str) -> str:
    return rf"\&{line}" if line.startswith(".") else line


def _ascii(character: str) -> str:
    return character if character.isascii() else rf"\[u{ord(character):04X}]"

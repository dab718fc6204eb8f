"""The few macros of man(7) that the manual page needs."""

from __future__ import annotations

import re

__all__ = ["bold", "escape", "heading", "marked", "paragraph", "quoted", "subheading", "tagged", "title"]

_MARKUP = re.compile(r"`([^`]+)`")


def escape(text: str) -> str:
    r"""Return text that roff shows as it is: no escapes, and no line that is taken for a request."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq").replace("^", r"\(ha")
    escaped = escaped.replace("~", r"\(ti").replace("`", r"\(ga")
    return "\n".join(rf"\&{line}" if line.startswith((".", r"\(aq")) else line for line in escaped.split("\n"))


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
    return f".PP\n{marked(text)}\n"


def tagged(tag: str, text: str) -> str:
    """Return a paragraph behind a tag.

    Args:
        tag: In roff already.
        text: In which `words` are bold.
    """
    return f".TP\n{tag}\n{marked(text)}\n"

"""Parts of pages that programs write: between two comments, the first of which says which part it is."""

from __future__ import annotations

import re

__all__ = ["with_marked"]


def with_marked(text: str, begin: str, end: str, part: str) -> str:
    """Return a page with the part between two marks exchanged; all else is as it was.

    Args:
        text: The page.
        begin: Line before the part, which is there once.
        end: Line behind it, which may be there for other parts as well.
        part: What belongs there, whole lines.

    Raises:
        ValueError: The place is not marked, or marked several times.
    """
    marked = re.compile(f"{re.escape(begin)}\n.*?{re.escape(end)}", re.DOTALL)
    text, count = marked.subn(lambda _: f"{begin}\n{part}{end}", text)
    if count != 1:
        raise ValueError(f"there must be one table between {begin} and {end}, and there are {count}")
    return text

"""docs/api.md as sessions: files that the reader writes, and commands with what they answer."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["PAGE", "Exchange", "Session", "differs", "sessions"]

PAGE = Path(__file__).parents[2] / "docs" / "api.md"

_PART = re.compile(
    r"^(?P<level>##+) (?P<title>[^\n]*)$|^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_FILE = re.compile(r"# (\S+\.\w+)\n")
_NUMBER = r"\d+(?:\.\d+)?"
_TOKEN = re.compile(rf"…|(?<![\w.-]){_NUMBER}(?![\w.-])")
_TOLERANCE = 0.15  # of a figure, on another processor


@dataclass(frozen=True)
class Exchange:
    """A command, and what the page says that it answers."""

    command: str
    answer: str


@dataclass
class Session:
    """What stands below a heading.

    Attributes:
        title: The heading.
        files: What to write, by name.
        exchanges: What to run then, one list for each block.
    """

    title: str
    files: dict[str, str] = field(default_factory=dict)
    exchanges: list[list[Exchange]] = field(default_factory=list)


def sessions() -> list[Session]:
    """Return all that can be run."""
    found: list[Session] = []
    for part in _PART.finditer(PAGE.read_text(encoding="utf-8")):
        if part["level"]:
            found.append(Session(part["title"]))
        elif part["language"] == "console":
            found[-1].exchanges.append(_exchanges(part["text"]))
        else:
            named = _FILE.match(part["text"])
            assert named is not None, f"a block below {found[-1].title!r} does not begin with the name of its file"
            found[-1].files[named[1]] = part["text"]
    return [session for session in found if session.files]


def _exchanges(text: str) -> list[Exchange]:
    """Take a console apart: `$` begins a command, `>` goes on with it, all else is an answer."""
    found = []
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        command = [lines[0], *(line[2:] for line in lines[1:] if line.startswith("> "))]
        answer = [line for line in lines[1:] if not line.startswith("> ")]
        found.append(Exchange("\n".join(command), "\n".join(answer)))
    return found


def differs(answer: str, promised: str) -> str:
    """Return how an answer differs from what the page promises; empty if it does not."""
    pattern, numbers, end = "", [], 0
    for token in _TOKEN.finditer(promised):
        pattern += re.escape(promised[end : token.start()])
        if token[0] == "…":
            pattern += ".*"
        else:
            pattern += f"({_NUMBER})"
            numbers.append(float(token[0]))
        end = token.end()
    pattern += re.escape(promised[end:])
    found = re.fullmatch(pattern, answer.strip(), re.DOTALL)
    if found is None:
        return f"the page promises\n{promised}\nand the answer is\n{answer}"
    for number, promise in zip(map(float, found.groups()), numbers, strict=True):
        if abs(number - promise) > _TOLERANCE * promise:
            return f"the page promises {promise:g}, and the answer is {number:g}, in\n{answer}"
    return ""

"""How the program logs: key=value on standard error, and for the journal of systemd without what that writes itself."""

from __future__ import annotations

import logging
import os
import sys
from types import TracebackType
from typing import TextIO

from pantel_device.printable import printable

__all__ = ["configure_logging", "error_line"]

_TIME = "time=%(asctime)s "
_LINE = "level=%(levelname)s source=%(name)s %(message)s"
_DATE = "%Y-%m-%dT%H:%M:%S%z"

# Of syslog(3), as sd-daemon(3) has them at the beginning of a line.
_ERROR = 3
_PRIORITIES = {logging.CRITICAL: 2, logging.ERROR: _ERROR, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}

_ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def configure_logging(level: str) -> None:
    """Log to standard error from this level on, if nobody has set up logging before.

    Args:
        level: Name of a level, such as ``info``.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JournalFormatter() if _is_journal(sys.stderr) else _Formatter(_TIME + _LINE, _DATE))
    logging.basicConfig(level=level.upper(), handlers=[handler])


def error_line(text: str) -> str:
    """Return the line with which the program ends when it fails.

    Args:
        text: What is wrong and what to do, in one line.
    """
    line = f"pantel: error: {printable(text)}\n"
    return _prioritized(line, _ERROR) if _is_journal(sys.stderr) else line


class _Formatter(logging.Formatter):
    """Writes a message as one line that shows what is in it: names of files and answers of servers are others' work."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        return printable(super().formatMessage(record))

    def formatException(self, ei: _ExceptionInfo) -> str:  # noqa: N802
        return "\n".join(printable(line) for line in super().formatException(ei).split("\n"))


class _JournalFormatter(_Formatter):
    """Leaves out the time, and begins each line with its priority, which the journal takes off again."""

    def __init__(self) -> None:
        super().__init__(_LINE)

    def format(self, record: logging.LogRecord) -> str:
        return _prioritized(super().format(record), _PRIORITIES.get(record.levelno, 6))


def _prioritized(text: str, priority: int) -> str:
    return "".join(f"<{priority}>{line}" for line in text.splitlines(keepends=True))


def _is_journal(stream: TextIO) -> bool:
    """Whether a stream goes to the journal; the variable alone says only that one of a parent's did."""
    device, _, inode = os.environ.get("JOURNAL_STREAM", "").partition(":")
    if not (device.isdecimal() and inode.isdecimal()):
        return False
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):  # no file, or closed
        return False
    return (status.st_dev, status.st_ino) == (int(device), int(inode))

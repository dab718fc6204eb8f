"""Files that grow by whole records on a disk that may be full."""

from __future__ import annotations

import errno
import logging
import os
from io import FileIO

__all__ = ["Trouble", "append_whole"]

log = logging.getLogger(__name__)


def append_whole(file: FileIO, record: bytes) -> None:
    """Append a whole record or nothing.

    Args:
        file: Opened without a buffer.
        record: What to append.

    Raises:
        OSError: There is no room for it, for example; the file is as it was.
    """
    start = file.seek(0, os.SEEK_END)
    written = 0
    try:
        written = file.write(record)
    finally:
        if written < len(record):
            file.truncate(start)
    if written < len(record):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Trouble:
    """Logs when writing begins to fail and when it works again, not every time in between.

    Args:
        name: Of the file, for people.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._failing = False

    def begin(self, error: OSError) -> None:
        """Note that writing has failed."""
        if not self._failing:
            log.error("cannot write to=%s reason=%s; all else goes on", self._name, error.strerror)
        self._failing = True

    def end(self) -> None:
        """Note that writing has worked."""
        if self._failing:
            log.info("writing again to=%s", self._name)
        self._failing = False

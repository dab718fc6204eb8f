"""Folders in which what people ask for waits for a daemon: lines for a sender, commands for a receiver."""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pantel_device.atomic_file import write_atomically
from pantel_device.command import CommandError

__all__ = ["COMMANDS", "LINES", "Outbox", "attending"]

log = logging.getLogger(__name__)

LINES = "outbox"
COMMANDS = "commands"
_MAX_LINE_BYTES = 4096
_READER = "reader.lock"


@contextmanager
def attending(folder: Path) -> Iterator[None]:
    """Show that a daemon reads an outbox until the context is left; a process that is killed shows it no more.

    Args:
        folder: Of the lines; made if it is missing. Where it cannot be, that is logged: nobody can leave a line then.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / _READER).open("wb")
    except OSError as error:
        log.warning("nothing can be left for this daemon path=%s reason=%s", folder, error.strerror)
        yield
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


class Outbox:
    """A folder in which lines wait until they have been sent, over a restart, too.

    Args:
        folder: Of the lines.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def is_attended(self) -> bool:
        """Whether a daemon reads the lines, or one that this user may not see might."""
        try:
            with (self._folder / _READER).open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return True
        except OSError:
            return False
        return False

    def put(self, text: str) -> None:
        """Leave a line.

        Raises:
            CommandError: It cannot be left.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            number = max((int(path.stem) for path in self._lines()), default=0) + 1
            write_atomically(self._folder / f"{number:08d}.txt", text.encode())
        except OSError as error:
            raise CommandError(
                f"cannot leave a line in {self._folder}: {error.strerror}; is state_dir that of the daemon?"
            ) from error

    def waiting(self) -> list[tuple[str, str]]:
        """Return name and text of the lines that wait, the oldest first; what is no line any more is removed."""
        found = []
        for path in self._lines():
            try:
                with path.open("rb") as file:
                    text = file.read(_MAX_LINE_BYTES)
            except OSError as error:
                log.warning("cannot read a line path=%s reason=%s", path, error.strerror)
                continue
            if text.strip() and b"\0" not in text:
                found.append((path.name, text.decode(errors="replace")))
            else:
                log.warning("a line is damaged and was removed path=%s", path)
                self.remove(path.name)
        return found

    def remove(self, name: str) -> None:
        """Remove a line that has been dealt with."""
        try:
            (self._folder / name).unlink(missing_ok=True)
        except OSError as error:
            log.warning("cannot remove a line path=%s reason=%s", self._folder / name, error.strerror)

    def _lines(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        return sorted(path for path in self._folder.glob("*.txt") if path.stem.isdigit())

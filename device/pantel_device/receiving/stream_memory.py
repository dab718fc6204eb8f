"""What a receiver remembers of senders with a key, so that recordings are known as such after a restart, too."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from pantel_device.atomic_file import write_atomically
from pantel_device.command import CommandError
from pantel_device.state_lock import take_lock, unusable
from pantel_link.record_file import Trouble

__all__ = ["StreamMemoryFile"]

log = logging.getLogger(__name__)

# Written every so many packets: 13 s at 960 bit/s. After a crash the packets of so long are refused, genuine or not.
_LEAD = 32


class StreamMemoryFile:
    """Epoch and counter of each sender in a JSON file, always ahead of what was delivered.

    One receiver at a time keeps it. A full disk passes; until there is room, what is delivered is not remembered, and
    that is logged.

    Args:
        path: Of the file; made when missing.

    Raises:
        CommandError: The file is damaged or cannot be written, or another receiver keeps it. Going on without it would
            let recordings in.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._trouble = Trouble(str(path))
        self._known: dict[str, tuple[int, int]] = {}
        self._lock = take_lock(path, "another receiver with a key")
        try:
            self._known = self._load()
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Let another receiver keep the file."""
        self._lock.close()

    def recall(self, sender: int, callsign: str) -> tuple[int, int] | None:
        """Return epoch and highest counter of a sender; see `StreamMemory`."""
        return self._known.get(_name(sender, callsign))

    def note(self, sender: int, callsign: str, epoch: int, counter: int) -> None:
        """Take the counter of a packet before it is delivered."""
        name = _name(sender, callsign)
        if self._known.get(name, (-1, 0)) >= (epoch, counter):
            return
        self._known[name] = epoch, counter + _LEAD
        self._write()

    def settle(self, newest: dict[tuple[int, str], tuple[int, int]]) -> None:
        """Write what was really delivered, so that a receiver that ended in order refuses nothing.

        Args:
            newest: Epoch and highest counter by sender and callsign.
        """
        self._known |= {_name(*sender): counters for sender, counters in newest.items()}
        self._write()

    def _load(self) -> dict[str, tuple[int, int]]:
        """Return what the file holds; begin it if there is none."""
        try:
            values = json.loads(self._path.read_text(encoding="utf-8"))
            return {name: (int(epoch), int(counter)) for name, (epoch, counter) in values.items()}
        except FileNotFoundError:
            return self._begin()
        except OSError as error:
            raise CommandError(unusable(self._path, error)) from error
        except (AttributeError, RecursionError, TypeError, ValueError) as error:
            raise CommandError(
                f"{self._path} is damaged, so recordings could not be told from what is sent now; "
                "restart all senders once, then remove it"
            ) from error

    def _begin(self) -> dict[str, tuple[int, int]]:
        try:
            write_atomically(self._path, b"{}")
        except OSError as error:
            raise CommandError(unusable(self._path, error)) from error
        return {}

    def _write(self) -> None:
        try:
            write_atomically(self._path, json.dumps(self._known).encode())
        except OSError as error:
            self._trouble.begin(error)
        else:
            self._trouble.end()


def _name(sender: int, callsign: str) -> str:
    return f"{sender} {callsign}"

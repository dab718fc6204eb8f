"""Restarts that come ever more rarely: systemd learned that after Debian 12, so a service does it itself.

A service that cannot work, for example because its configuration is wrong, is started again for ever: nobody visits
a mast to start it by hand, and what is missing may come back. Each start costs seconds of processor time and lines in
a journal that a card must hold, so a start waits the longer the more of them have failed in a row.
"""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pantel_device.atomic_file import write_atomically

__all__ = ["BackOff", "Failures"]

log = logging.getLogger(__name__)

_AT_ONCE = 2  # failures after which the next start does not wait: a crash costs no time
_FIRST_DELAY_S = 2.0
_LONGEST_DELAY_S = 60.0
_UNKNOWN = "it was killed, or did not answer"


@dataclass(frozen=True, slots=True)
class Failures:
    """Starts in a row that came to nothing.

    Attributes:
        count: How many.
        reason: What the last of them said.
    """

    count: int = 0
    reason: str = _UNKNOWN

    @property
    def delay_s(self) -> float:
        """How long the next start waits [s]: 0, 0, 2, 4 and so on, up to 60."""
        doublings = self.count - _AT_ONCE
        return 0.0 if doublings <= 0 else min(_FIRST_DELAY_S * 2.0 ** min(doublings - 1, 10), _LONGEST_DELAY_S)


class BackOff:
    """Counts starts that came to nothing, in a file that is gone after a boot.

    Args:
        file: In a folder that outlives restarts; None to count nothing.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._failures = Failures()

    def begin(self) -> Failures:
        """Count a start as failed until something else is known; return those before it."""
        before = self._read()
        self._failures = Failures(before.count + 1)
        self._write()
        return before

    def fail(self, reason: str) -> None:
        """Note why the start came to nothing."""
        self._failures = Failures(max(1, self._failures.count), reason)
        self._write()

    def settle(self) -> None:
        """Forget all failures: the service works, or was ended in order."""
        self._failures = Failures(0)
        if self._file is not None:
            with suppress(OSError):
                self._file.unlink(missing_ok=True)

    def _read(self) -> Failures:
        if self._file is None:
            return Failures()
        try:
            values = json.loads(self._file.read_text(encoding="utf-8"))
            return Failures(max(0, int(values["count"])), str(values["reason"]))
        except FileNotFoundError:
            return Failures()
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("cannot read the failures path=%s reason=%s", self._file, error)
            return Failures()

    def _write(self) -> None:
        if self._file is None:
            return
        content = {"count": self._failures.count, "reason": self._failures.reason}
        try:
            write_atomically(self._file, json.dumps(content).encode())
        except OSError as error:
            log.warning("cannot keep the failures path=%s reason=%s", self._file, error)

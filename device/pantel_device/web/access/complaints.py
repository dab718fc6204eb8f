"""The log of what is refused: a line for each, and of a flood a few lines and a count."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

__all__ = ["Complaints"]

log = logging.getLogger(__name__)

_BURST = 200
_A_SECOND = 0.5  # a line of 200 octets: 9 MB a day
_LONGEST = 120


class Complaints:
    """Logs requests that were refused.

    What a stranger has sent is written with its control characters escaped, and cut off where it is long.

    Args:
        now_s: Monotonic clock [s].
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._lines = float(_BURST)
        self._since_s = now_s()
        self._unlogged = 0

    def note(self, reason: str, *, address: str, request: str = "") -> None:
        """Log that something was refused.

        Args:
            reason: Why.
            address: Who has sent it.
            request: Method and path, as they came.
        """
        if self._allowance() < 1:
            self._unlogged += 1
            return
        self.settle()
        self._lines -= 1
        log.warning('refused address=%s reason="%s" request="%s"', address, _harmless(reason), _harmless(request))

    def settle(self) -> None:
        """Log how many have not been logged, if a flood is over."""
        if self._unlogged and self._allowance() >= 1:
            log.warning("refused more=%d", self._unlogged)
            self._lines -= 1
            self._unlogged = 0

    def _allowance(self) -> float:
        now_s = self._now_s()
        self._lines = min(self._lines + _A_SECOND * (now_s - self._since_s), _BURST)
        self._since_s = now_s
        return self._lines


def _harmless(text: str) -> str:
    """Return a text as printable ASCII without quotation marks."""
    shown = text[:_LONGEST].encode("unicode_escape").decode("ascii").replace('"', "\\x22")
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}..."

"""How often somebody may be wrong about the token before he has to wait."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from pantel_device.web.access.doorkeeper import group_of

__all__ = ["LogInLimiter"]

_FREE_FAILURES = 5
_FIRST_WAIT_S = 2.0
_LONGEST_WAIT_S = 300.0
_FORGOTTEN_S = 900.0
_MOST_ADDRESSES = 1024
_BURST = 50
_A_SECOND = 0.2


@dataclass(slots=True)
class _Failures:
    count: int
    last_s: float

    @property
    def wait_s(self) -> float:
        over = self.count - _FREE_FAILURES
        return 0.0 if over < 0 else min(_FIRST_WAIT_S * 2.0 ** min(over, 20), _LONGEST_WAIT_S)


class LogInLimiter:
    """Counts wrong tokens of each address, and of all together for those who have many.

    While somebody has to wait, his token is not looked at, so that he learns nothing. Who is logged in never waits, and
    an address whose last token was right, as Prometheus sends it every few seconds, does not wait for the others.

    Args:
        now_s: Monotonic clock [s].
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._failures: OrderedDict[str, _Failures] = OrderedDict()
        self._right_s: OrderedDict[str, float] = OrderedDict()
        self._allowance = float(_BURST)
        self._since_s = now_s()

    def wait_s(self, address: str) -> float:
        """Return how long an address has to wait before it may try [s]; 0 if it may now."""
        now_s = self._now_s()
        self._allowance = min(self._allowance + _A_SECOND * (now_s - self._since_s), _BURST)
        self._since_s = now_s
        group = group_of(address)
        trusted = now_s - self._right_s.get(group, -math.inf) < _FORGOTTEN_S
        of_all_s = 0.0 if trusted or self._allowance >= 1 else (1 - self._allowance) / _A_SECOND
        failures = self._failures.get(group)
        of_address_s = 0.0 if failures is None else failures.last_s + failures.wait_s - now_s
        return max(of_all_s, of_address_s, 0.0)

    def failed(self, address: str) -> None:
        """Note a wrong token."""
        now_s = self._now_s()
        self._allowance -= 1
        group = group_of(address)
        self._right_s.pop(group, None)  # others may be behind the same address
        failures = self._failures.get(group)
        if failures is None or now_s - failures.last_s > _FORGOTTEN_S:
            failures = self._failures[group] = _Failures(0, now_s)
        failures.count += 1
        failures.last_s = now_s
        self._failures.move_to_end(group)
        while len(self._failures) > _MOST_ADDRESSES:
            self._failures.popitem(last=False)

    def succeeded(self, address: str) -> None:
        """Note the right token: what was wrong before is forgotten."""
        group = group_of(address)
        self._failures.pop(group, None)
        self._right_s[group] = self._now_s()
        self._right_s.move_to_end(group)
        while len(self._right_s) > _MOST_ADDRESSES:
            self._right_s.popitem(last=False)

"""Outages of what is reached over a network, told without filling the log."""

from __future__ import annotations

import logging

__all__ = ["Outage"]

log = logging.getLogger(__name__)

_MOST_REASONS = 8


class Outage:
    """Logs when something goes and when it is back; in between, each further reason once.

    Args:
        name: Of what is reached, for people.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._reasons: list[str] = []

    def begin(self, reason: str) -> None:
        """Note that it cannot be reached, or does not take what it should."""
        if reason in self._reasons or len(self._reasons) >= _MOST_REASONS:
            return
        self._reasons.append(reason)
        log.warning("%s gone reason=%s; all else goes on, alarms wait", self._name, reason)

    def end(self) -> None:
        """Note that it works."""
        if self._reasons:
            log.info("%s back", self._name)
        self._reasons.clear()

"""How a detector that fails is left alone for a while, instead of ending the sender."""

from __future__ import annotations

import logging

from pantel_device.errors import DetectorError

__all__ = ["DetectorOutage"]

log = logging.getLogger(__name__)

_NS_PER_S = 1_000_000_000
_FIRST_DELAY_NS = 1 * _NS_PER_S
_LONGEST_DELAY_NS = 30 * _NS_PER_S


class DetectorOutage:
    """Says when a detector that has failed may try again: after 1 s, then ever later up to every 30 s.

    Each outage is logged once when it begins and once when it ends.
    """

    def __init__(self) -> None:
        self._since_ns: int | None = None
        self._back_ns: int | None = None
        self._retry_ns = 0
        self._delay_ns = _FIRST_DELAY_NS

    def bars(self, now_ns: int) -> bool:
        """Whether the detector must be left alone at a time."""
        return self._since_ns is not None and now_ns < self._retry_ns

    def failed(self, error: DetectorError, now_ns: int) -> None:
        """Take note that the detector has failed."""
        if self._since_ns is None:
            self._since_ns = now_ns
            if self._back_ns is not None and now_ns - self._back_ns >= _LONGEST_DELAY_NS:
                self._delay_ns = _FIRST_DELAY_NS  # one that comes and goes all the time is tried ever more rarely
            log.warning("detector failed reason=%s", error)
        else:
            log.debug("detector still fails reason=%s", error)
        self._retry_ns = now_ns + self._delay_ns
        self._delay_ns = min(2 * self._delay_ns, _LONGEST_DELAY_NS)

    def worked(self, now_ns: int) -> None:
        """Take note that the detector has looked at a frame."""
        if self._since_ns is not None:
            log.info("detector back outage_s=%.1f", (now_ns - self._since_ns) / _NS_PER_S)
            self._since_ns = None
            self._back_ns = now_ns

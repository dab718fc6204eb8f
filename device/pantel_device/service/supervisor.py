"""Feeds the watchdog of a service as long as its daemon gets on, and with nothing else."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from pantel_device.service.notify import Notifier

__all__ = ["STARTING_S", "Health", "Supervisor"]

log = logging.getLogger(__name__)

_NS_PER_S = 1_000_000_000
_EXAMINE_NS = 1 * _NS_PER_S
_TELL_NS = 10 * _NS_PER_S  # several times within the watchdog's minute
_SETTLED_NS = 60 * _NS_PER_S

STARTING_S = 60.0
"""What a start that gets on is given again and again [s]; one that hangs is over when it has passed."""


@dataclass(frozen=True, slots=True)
class Health:
    """How a daemon is.

    Attributes:
        ready: Whether it does what it is for: all that it needs is there. Once is enough.
        status: A line for people.
        stalled: Why it does not get on, and only starting again can help; None while it does.
    """

    ready: bool
    status: str
    stalled: str | None = None


class Supervisor:
    """Asks a daemon how it is while its loop turns, and tells the service manager.

    Nothing is told when the loop does not turn, and no sign of life when the daemon says that it does not get on: then
    the service manager ends it and starts it again.

    Args:
        notifier: Tells the service manager.
        examine: Returns how the daemon is at a monotonic time [ns]; called once a second.
        settled: Called once, when the daemon has done its work for a minute.
    """

    def __init__(
        self, notifier: Notifier, examine: Callable[[int], Health], settled: Callable[[], None] = lambda: None
    ) -> None:
        self._notifier = notifier
        self._examine = examine
        self._settled: Callable[[], None] | None = settled
        self._ready_ns: int | None = None
        self._stalled: str | None = None
        self._next_look_ns: int | None = None
        self._next_word_ns = 0

    def advanced(self, now_ns: int) -> None:
        """Note that the loop has turned.

        Args:
            now_ns: Monotonic time [ns].
        """
        if self._next_look_ns is not None and now_ns < self._next_look_ns:
            return
        self._next_look_ns = now_ns + _EXAMINE_NS
        health = self._examine(now_ns)
        became_ready = health.ready and self._ready_ns is None
        if became_ready:
            self._ready_ns = now_ns
        changed = became_ready or (health.stalled is None) != (self._stalled is None)
        self._note_stall(health.stalled)
        if changed or now_ns >= self._next_word_ns:
            self._next_word_ns = now_ns + _TELL_NS
            self._tell(health, became_ready=became_ready)
        if self._settled is not None and self._ready_ns is not None and now_ns >= self._ready_ns + _SETTLED_NS:
            self._settled()
            self._settled = None

    def stopping(self, reason: str) -> None:
        """Tell that the daemon ends, and why."""
        self._notifier.tell(stopping=True, status=f"stopping: {reason}")

    def _tell(self, health: Health, *, became_ready: bool) -> None:
        alive = health.stalled is None
        self._notifier.tell(
            ready=became_ready,
            alive=alive,
            starting_s=STARTING_S if alive and self._ready_ns is None else None,
            status=health.status if alive else f"{health.status}; no progress: {health.stalled}",
        )

    def _note_stall(self, stalled: str | None) -> None:
        if stalled is not None and self._stalled is None:
            log.error("no progress reason=%s; the watchdog is fed no more", stalled)
        elif stalled is None and self._stalled is not None:
            log.info("progress again")
        self._stalled = stalled

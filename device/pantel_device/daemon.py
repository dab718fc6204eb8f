"""The loop that turns a core into a daemon, and the signals that end it."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Protocol

from pantel_link import Clock

__all__ = ["Core", "Overseer", "StopRequest", "run", "run_daemon", "stop_on_signals"]

log = logging.getLogger(__name__)

# A port is looked at, and a signal heeded, at least so often: 20 ms are 2.4 octets at 960 bit/s.
_LONGEST_SLEEP_S = 0.020
# A core that has something due "now" for ever must not eat the processor.
_SHORTEST_SLEEP_S = 0.001


class Core(Protocol):
    """All the logic of a daemon, without thread, clock or device of its own."""

    def advance(self, now_ns: int) -> int:
        """Do all that is due and return when something will be due again, both monotonic [ns]."""
        ...


class Overseer(Protocol):
    """Who must know that a daemon's loop turns, such as a service manager's watchdog."""

    def advanced(self, now_ns: int) -> None:
        """Take note of a step that is done; it began at a monotonic time [ns]."""
        ...

    def stopping(self, reason: str) -> None:
        """Take note of the end."""
        ...


def run(core: Core, clock: Clock, stop: Callable[[int], bool], overseer: Overseer | None = None) -> None:
    """Advance a core as time passes, until it is told to stop.

    Args:
        core: What to advance.
        clock: Monotonic clock.
        stop: Asked with the time [ns] before every step.
        overseer: Told after every step; None for nobody.
    """
    while not stop(now_ns := clock.now_ns()):
        due_ns = core.advance(now_ns)
        if overseer is not None:
            overseer.advanced(now_ns)
        wait_s = (due_ns - clock.now_ns()) / 1e9
        clock.sleep(min(max(wait_s, _SHORTEST_SLEEP_S), _LONGEST_SLEEP_S))


@dataclass(slots=True)
class StopRequest:
    """Whether somebody asked the daemon to end.

    Attributes:
        reason: Name of the signal; None while nobody has asked.
    """

    reason: str | None = None


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Yield a request that SIGTERM and SIGINT fill in, so that a daemon can end in order.

    To be entered in the main thread, because Python allows signal handlers nowhere else.
    """
    request = StopRequest()

    def stop(number: int, _: FrameType | None) -> None:
        # Nothing more: a lock or a buffer may be held by the code that the signal interrupts.
        request.reason = signal.Signals(number).name

    previous = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield request
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def run_daemon(
    core: Core,
    clock: Clock,
    *,
    seconds: float | None = None,
    finished: Callable[[], bool] | None = None,
    overseer: Overseer | None = None,
) -> None:
    """Advance a core until a signal comes, the time is over or it has nothing more to do, and log which it was.

    Args:
        core: What to advance.
        clock: Monotonic clock.
        seconds: Time after which to end [s]; None for never.
        finished: Whether the core has nothing more to do; None for never.
        overseer: Told of every step, and of the end; None for nobody.
    """
    end_ns = None if seconds is None else clock.now_ns() + round(seconds * 1e9)
    with stop_on_signals() as request:

        def stop(now_ns: int) -> bool:
            if request.reason is None and end_ns is not None and now_ns >= end_ns:
                request.reason = "time is over"
            elif request.reason is None and finished is not None and finished():
                request.reason = "camera ended"
            return request.reason is not None

        run(core, clock, stop, overseer)
    log.info("stopped reason=%s", request.reason)
    if overseer is not None and request.reason is not None:
        overseer.stopping(request.reason)

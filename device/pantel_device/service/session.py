"""A run of a daemon as a service: from the start, which may wait for what is missing, to an end in order."""

from __future__ import annotations

import faulthandler
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pantel_device.service.back_off import BackOff
from pantel_device.service.notify import Notifier
from pantel_device.service.supervisor import STARTING_S, Health, Supervisor
from pantel_link import Clock, MonotonicClock

__all__ = ["ServiceSession", "service_session"]

log = logging.getLogger(__name__)

_Opened = TypeVar("_Opened")

_FIRST_DELAY_S = 0.5
_LONGEST_DELAY_S = 4.0
_LONGEST_SLEEP_S = 10.0  # the service manager is told so often that the start gets on


class ServiceSession:
    """What a daemon asks of its service manager, and how patient it is.

    Args:
        notifier: Tells the service manager.
        clock: Monotonic clock.
        patient: Whether to wait for what is missing instead of ending.
        back_off: Counts failures in a row.
    """

    def __init__(self, notifier: Notifier, clock: Clock, *, patient: bool, back_off: BackOff | None = None) -> None:
        self.patient = patient
        self._notifier = notifier
        self._clock = clock
        self._back_off = back_off or BackOff(None)

    def wait_after_failures(self) -> None:
        """Wait before a start that follows others that came to nothing."""
        failures = self._back_off.begin()
        if not failures.delay_s:
            return
        log.warning("waiting wait_s=%.0f failures=%d reason=%s", failures.delay_s, failures.count, failures.reason)
        self._sleep(
            failures.delay_s,
            f"waits {failures.delay_s:.0f} s after {failures.count} failures in a row, the last: {failures.reason}",
        )

    def failed(self, reason: str) -> None:
        """Note why the daemon ends before its time."""
        self._back_off.fail(reason)

    def ended(self) -> None:
        """Note that the daemon ends in order."""
        self._back_off.settle()

    def open(self, what: str, open_: Callable[[], _Opened], *errors: type[Exception]) -> _Opened:
        """Return what a function opens; if patient, try again until it does, every 4 s in the end.

        Args:
            what: Is opened, for people.
            open_: Opens it.
            errors: That may pass; each new text of one is logged once.

        Raises:
            Exception: One of these, if not patient.
        """
        delay_s, said = _FIRST_DELAY_S, ""
        while True:
            try:
                opened = open_()
            except errors as error:
                if not self.patient:
                    raise
                if str(error) != said:
                    said = str(error)
                    log.warning("waiting for %s reason=%s", what, said)
            else:
                if said:
                    log.info("there is %s", what)
                return opened
            self._sleep(delay_s, f"waits for {what}: {said}")
            delay_s = min(2 * delay_s, _LONGEST_DELAY_S)

    def supervisor(self, examine: Callable[[int], Health]) -> Supervisor:
        """Return who feeds the watchdog.

        Args:
            examine: Returns how the daemon is at a monotonic time [ns].
        """
        return Supervisor(self._notifier, examine, self._back_off.settle)

    def _sleep(self, seconds: float, status: str) -> None:
        """Wait, and tell that this is what takes so long."""
        while seconds > 0:
            self._notifier.tell(starting_s=STARTING_S, status=status)
            self._clock.sleep(min(seconds, _LONGEST_SLEEP_S))
            seconds -= _LONGEST_SLEEP_S


@contextmanager
def service_session(*, patient: bool, clock: Clock | None = None) -> Iterator[ServiceSession]:
    """Yield the session of this process; nobody is told anything if no service manager has started it.

    Args:
        patient: Whether to wait for what is missing instead of ending, and to wait after failures in a row.
        clock: Monotonic clock; the machine's by default.
    """
    notifier = Notifier.of_environment()
    if notifier.active:
        # The watchdog ends who hangs by SIGABRT: the journal then holds where.
        faulthandler.enable(sys.stderr)
    folder = os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    back_off = BackOff(Path(folder) / "failures.json" if patient and folder.startswith("/") else None)
    session = ServiceSession(notifier, clock or MonotonicClock(), patient=patient, back_off=back_off)
    try:
        session.wait_after_failures()
        yield session
    except Exception as error:
        session.failed(str(error))
        raise
    except BaseException:  # a signal: somebody wanted the end
        session.ended()
        raise
    session.ended()

"""Opens a port beside the loop: a network may keep whoever calls waiting for seconds, while other lines have news."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Thread

from pantel_link import Port, PortError

__all__ = ["Opening"]

_AT_ONCE_S = 0.05  # devices are there at once, or not at all
_PATIENCE_S = 1.0


class Opening:
    """Opens a port in a thread of its own, whenever it is called, and has it at that call or at a later one.

    Args:
        open_: Opens it.
        reason: Why it could not be opened before.
    """

    def __init__(self, open_: Callable[[], Port], reason: str) -> None:
        self._open = open_
        self._reason = reason
        self._opening: Future[Port] | None = None

    def __call__(self) -> Port:
        """Return the port.

        Raises:
            PortError: It is not open yet, or cannot be opened; the message says why it could not last.
        """
        opening = self._opening or self._begin()
        if not wait([opening], _AT_ONCE_S).done:
            self._opening = opening
            raise PortError(self._reason)
        self._opening = None
        try:
            return opening.result()
        except PortError as error:
            self._reason = str(error)
            raise

    def close(self) -> None:
        """Wait a moment for what is being opened for nobody, and close it; later than that it is closed on its own."""
        if self._opening is not None:
            wait([self._opening], _PATIENCE_S)
            self._opening.add_done_callback(_close)
            self._opening = None

    def _begin(self) -> Future[Port]:
        """Open in a thread that the process does not wait for: a driver that hangs would keep it from ending."""
        opening: Future[Port] = Future()
        Thread(target=_settle, args=(opening, self._open), name="pantel-port", daemon=True).start()
        return opening


def _settle(opening: Future[Port], open_: Callable[[], Port]) -> None:
    try:
        port = open_()
    except BaseException as error:  # noqa: BLE001 - told to whoever asks
        opening.set_exception(error)
    else:
        opening.set_result(port)


def _close(opening: Future[Port]) -> None:
    if opening.exception() is None:
        opening.result().close()

"""Opens a port beside the loop: a network may keep whoever calls waiting for seconds, while other lines have news."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from pantel_link import Port, PortError

__all__ = ["Opening"]

_AT_ONCE_S = 0.05  # devices are there at once, or not at all


class Opening:
    """Opens a port in a thread of its own, whenever it is called, and has it at that call or at a later one.

    Args:
        open_: Opens it.
        reason: Why it could not be opened before.
    """

    def __init__(self, open_: Callable[[], Port], reason: str) -> None:
        self._open = open_
        self._reason = reason
        self._threads = ThreadPoolExecutor(1, "pantel-port")
        self._opening: Future[Port] | None = None

    def __call__(self) -> Port:
        """Return the port.

        Raises:
            PortError: It is not open yet, or cannot be opened; the message says why it could not last.
        """
        opening = self._opening or self._threads.submit(self._open)
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
        """Wait for the thread, and close what it has opened for nobody."""
        self._threads.shutdown()
        if self._opening is not None and self._opening.exception() is None:
            self._opening.result().close()

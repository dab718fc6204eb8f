"""Tells systemd how a service is: the datagrams of sd_notify(3)."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping

__all__ = ["Notifier"]

log = logging.getLogger(__name__)

_TIMEOUT_S = 1.0  # systemd reads at once; nothing may hang because it does not
_LONGEST_STATUS = 500


class Notifier:
    """Sends what it is told to whoever started the service; without anybody to tell, it does nothing.

    Trouble is logged once and passes: a service that works must not end because nobody hears that it does.

    Args:
        address: Of the service manager's socket: a path, ``@`` and an abstract name, or "" for nobody.
    """

    def __init__(self, address: str = "") -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._complained = False

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] = os.environ) -> Notifier:
        """Return the notifier of this process: its service manager names its socket in a variable."""
        return cls(environment.get("NOTIFY_SOCKET", ""))

    @property
    def active(self) -> bool:
        """Whether there is somebody to tell."""
        return bool(self._address)

    def tell(
        self,
        *,
        ready: bool = False,
        stopping: bool = False,
        alive: bool = False,
        starting_s: float | None = None,
        status: str | None = None,
    ) -> None:
        """Send one datagram.

        Args:
            ready: The start is over, and what the service is for has begun.
            stopping: It ends.
            alive: Feeds the watchdog.
            starting_s: The start takes so much longer from now on [s].
            status: A line for people, as ``systemctl status`` shows it.
        """
        lines = [
            *(["READY=1"] if ready else []),
            *(["STOPPING=1"] if stopping else []),
            *(["WATCHDOG=1"] if alive else []),
            *([] if starting_s is None else [f"EXTEND_TIMEOUT_USEC={round(starting_s * 1e6)}"]),
            *([] if status is None else [f"STATUS={' '.join(status.split())[:_LONGEST_STATUS]}"]),
        ]
        if self._address and lines:
            self._send("\n".join(lines).encode())

    def _send(self, datagram: bytes) -> None:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
                manager.settimeout(_TIMEOUT_S)
                manager.sendto(datagram, self._address)
        except OSError as error:
            if not self._complained:
                log.warning("cannot tell the service manager socket=%r reason=%s", self._address, error)
            self._complained = True
        else:
            self._complained = False

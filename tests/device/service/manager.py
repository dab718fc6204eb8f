"""A service manager's end of sd_notify: a real datagram socket."""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Self

__all__ = ["Manager"]


class Manager:
    """Hears what a service tells, as systemd does.

    Args:
        address: A path, or ``@`` and an abstract name.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._told: list[dict[str, str]] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self._socket.setblocking(False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def listen(self) -> None:
        """Take what has been told; a socket holds ten datagrams or so, and who tells more has to wait."""
        while True:
            try:
                datagram = self._socket.recv(65_536).decode()
            except BlockingIOError:
                return
            self._told.append(dict(line.partition("=")[::2] for line in datagram.split("\n")))

    def heard(self) -> list[dict[str, str]]:
        """Return what has been told since the last call, a dict for each datagram."""
        self.listen()
        told, self._told = self._told, []
        return told

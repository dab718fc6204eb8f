"""A TCP connection as a port of octets, which notices when the other machine has vanished."""

from __future__ import annotations

import errno
import socket

from pantel_link.errors import PortError, PortGone
from pantel_link.ports.base import Port

__all__ = ["TcpPort"]

_CONNECT_TIMEOUT_S = 3.0
_PROBES = 3

_REMEDIES = {
    errno.ECONNREFUSED: "nothing listens there: start the modem program first, and check the port number",
    errno.EHOSTUNREACH: "there is no way to this host: check its address and the network",
    errno.ENETUNREACH: "there is no way to this host: check its address and the network",
    errno.ETIMEDOUT: "no answer: check the address, the network and the firewall",
}


class TcpPort(Port):
    """The calling end of a TCP connection.

    Opening waits up to 3 s for each address of the host. A machine that vanished without a word (no power, no
    cable) leaves a connection that looks alive: after `silence_s` of silence it is probed, and after as long
    again without an answer the port is gone. The same holds for octets that it does not acknowledge.

    Args:
        host: Name or address.
        number: Port number.
        name: For messages.
        silence_s: After how many seconds of silence to probe, at least 3.

    Raises:
        PortError: There is no connection; the message says what to do.
    """

    on_air = True  # who knows what stands behind it

    def __init__(self, host: str, number: int, name: str, silence_s: int = 15) -> None:
        self.name = name
        try:
            self._socket = socket.create_connection((host, number), timeout=_CONNECT_TIMEOUT_S)
        except (socket.gaierror, UnicodeError) as error:
            raise PortError(f"cannot open port {name}: host {host} is not known: check its name") from error
        except OSError as error:
            raise PortError(f"cannot open port {name}: {_remedy(error)}") from error
        self._socket.setblocking(False)
        self._watch(silence_s)

    def read(self, max_octets: int) -> bytes:
        """Return what has arrived; see `Port.read`."""
        self._check_open()
        try:
            octets = self._socket.recv(max_octets)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise PortGone(f"port {self.name} is gone: {error}") from error
        if not octets:
            raise PortGone(f"port {self.name} is gone: the other end has closed the connection")
        return octets

    def write(self, octets: bytes) -> int:
        """Hand octets to the kernel; fewer, or 0, while its buffer is full."""
        self._check_open()
        try:
            return self._socket.send(octets)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise PortGone(f"port {self.name} is gone: {error}") from error

    def _watch(self, silence_s: int) -> None:
        """Have the kernel probe a silent connection, and give up octets that are not acknowledged."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in (
            (socket.TCP_NODELAY, 1),  # packets are small and urgent
            (socket.TCP_KEEPIDLE, silence_s),
            (socket.TCP_KEEPINTVL, silence_s // _PROBES),
            (socket.TCP_KEEPCNT, _PROBES),
            (socket.TCP_USER_TIMEOUT, 2 * silence_s * 1000),
        ):
            self._socket.setsockopt(socket.IPPROTO_TCP, option, value)

    def _release(self) -> None:
        self._socket.close()


def _remedy(error: OSError) -> str:
    number = errno.ETIMEDOUT if isinstance(error, TimeoutError) else error.errno
    return _REMEDIES.get(number, str(error)) if number is not None else str(error)

"""Who may have a connection: so many in all and from each address, and none that does nothing."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Doorkeeper", "Limits", "group_of"]

_LONGEST_DELAY_S = 5.0
_MOST_ADDRESSES = 1024
_UNSENT_BYTES = 16_384
_TCP_NOTSENT_LOWAT = 25  # of linux/tcp.h; Python knows its name from 3.12 on
_KEEPALIVE_S = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a connection may take.

    Attributes:
        connections: Most at a time.
        connections_per_address: Of one address; a reverse proxy counts as one.
        requests_per_s: Of one address, in the long run; further ones wait.
        requests_burst: And at once.
        request_s: Time for a request line with headers to be complete, and between two requests [s].
        body_s: Time for a body [s].
        stalled_s: Time for which somebody may read nothing of what is there for him [s].
        message_bytes_per_s: What a viewer may send in the long run [byte/s].
        message_burst_bytes: And at once [byte].
    """

    connections: int = 64
    connections_per_address: int = 32
    requests_per_s: float = 100.0
    requests_burst: float = 400.0
    request_s: float = 10.0
    body_s: float = 5.0
    stalled_s: float = 30.0
    message_bytes_per_s: float = 2048.0
    message_burst_bytes: float = 32_768.0


class Doorkeeper:
    """Counts connections, and keeps requests of one address apart: they share the processor with the receiver.

    Args:
        limits: What they may take.
        now_s: Monotonic clock [s].
    """

    def __init__(self, limits: Limits, now_s: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self._now_s = now_s
        self._free_s: OrderedDict[str, float] = OrderedDict()  # when all requests of an address are worked off
        self._inside: dict[asyncio.BaseTransport, str] = {}
        self._of_address: Counter[str] = Counter()

    def enter(self, transport: asyncio.Transport, address: str) -> str | None:
        """Take a connection in; return why not, None if it is in."""
        group = group_of(address)
        if len(self._inside) >= self.limits.connections:
            return "too many connections"
        if self._of_address[group] >= self.limits.connections_per_address:
            return "too many connections of one address"
        if self.delay_s(address) > _LONGEST_DELAY_S:
            return "too many requests of one address"
        self._inside[transport] = group
        self._of_address[group] += 1
        _tune(transport)
        return None

    def delay_s(self, address: str) -> float:
        """Count a request, or a connection, and return how long it has to wait [s]."""
        now_s, group = self._now_s(), group_of(address)
        free_s = max(self._free_s.get(group, now_s), now_s) + 1 / self.limits.requests_per_s
        self._free_s[group] = free_s
        self._free_s.move_to_end(group)
        while len(self._free_s) > _MOST_ADDRESSES:
            self._free_s.popitem(last=False)
        return max(free_s - now_s - self.limits.requests_burst / self.limits.requests_per_s, 0.0)

    def leave(self, transport: asyncio.BaseTransport) -> None:
        """Forget a connection; one that never was in is no mistake."""
        if (group := self._inside.pop(transport, None)) is None:
            return
        self._of_address[group] -= 1
        if not self._of_address[group]:
            del self._of_address[group]

    def abort_all(self) -> None:
        """Cut all connections that are left."""
        for transport in tuple(self._inside):
            if isinstance(transport, asyncio.WriteTransport):
                transport.abort()


def group_of(address: str) -> str:
    """Return what counts as one address: of IPv6, the 64 bits that everybody has to himself."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)).network_address)


def _tune(transport: asyncio.Transport) -> None:
    """Keep what waits in the system's buffers short, so that a slow line gets new pictures, and notice who is gone."""
    connection = transport.get_extra_info("socket")
    if connection is None:
        return
    connection.setsockopt(socket.IPPROTO_TCP, _TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE_S.items():
        connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    transport.set_write_buffer_limits(high=0)  # so that what was sent has really left

"""A port that survives unplugging: it backs off, opens again, and forgets what is stale."""

from __future__ import annotations

import logging
from collections.abc import Callable

from pantel_link.clock import Clock
from pantel_link.errors import PluginError, PortError, PortGone
from pantel_link.ports.base import PacketPort, Port

__all__ = ["ReconnectingPacketPort", "ReconnectingPort", "reconnecting"]

_FIRST_DELAY_NS = 250_000_000
_LONGEST_DELAY_NS = 4_000_000_000

log = logging.getLogger(__name__)


class ReconnectingPort(Port):
    """Wraps a port; while that one is gone, nothing arrives and nothing is accepted.

    Attempts to open it again start after 0.25 s and come at most 4 s apart, whenever the port is used. What
    was waiting in the reopened port is thrown away: it is from before the break, or another program's. Each
    outage is logged once when it begins and once when it ends.

    Args:
        port: The open port; opening it first tells a wrong name from a pulled plug.
        reopen: Opens it again.
        clock: Monotonic clock.

    Attributes:
        outages: How often the port has gone.
    """

    def __init__(self, port: Port, reopen: Callable[[], Port], clock: Clock) -> None:
        self.name = port.name
        self.on_air = port.on_air
        self.outages = 0
        self._port: Port | None = port
        self._reopen = reopen
        self._clock = clock
        self._gone_since_ns = 0
        self._retry_at_ns = 0
        self._delay_ns = _FIRST_DELAY_NS

    @property
    def connected(self) -> bool:
        """Whether the port was there when it was last used."""
        return self._port is not None

    @property
    def drained(self) -> bool:
        """Whether all that was accepted has left; what an unplugged port held is gone."""
        if self._port is None:
            return True
        try:
            return self._port.drained
        except PortGone as error:
            self._lose(self._port, error)
            return True

    def read(self, max_octets: int) -> bytes:
        """Return what has arrived; nothing while the port is gone."""
        port = self._connected_port()
        if port is None:
            return b""
        try:
            return port.read(max_octets)
        except PortGone as error:
            self._lose(port, error)
            return b""

    def write(self, octets: bytes) -> int:
        """Hand octets over; none are accepted while the port is gone."""
        port = self._connected_port()
        if port is None:
            return 0
        try:
            return port.write(octets)
        except PortGone as error:
            self._lose(port, error)
            return 0

    def _connected_port(self) -> Port | None:
        self._check_open()
        now_ns = self._clock.now_ns()
        if self._port is None and now_ns >= self._retry_at_ns:
            self._port = self._try_reopen()
            if self._port is None:
                self._back_off(now_ns)
            else:
                log.info("port back name=%s outage_s=%.1f", self.name, (now_ns - self._gone_since_ns) / 1e9)
        return self._port

    def _try_reopen(self) -> Port | None:
        try:
            port = self._reopen()
        except (PluginError, PortError):  # the plug-in has made a port before, and may again
            return None
        try:
            port.discard_input()
        except PortGone:
            port.close()
            return None
        return port

    def _lose(self, port: Port, error: PortGone) -> None:
        port.close()
        self._port = None
        self.outages += 1
        self._gone_since_ns = self._clock.now_ns()
        self._delay_ns = _FIRST_DELAY_NS
        self._back_off(self._gone_since_ns)
        log.warning("port gone name=%s reason=%s", self.name, error)

    def _back_off(self, now_ns: int) -> None:
        self._retry_at_ns = now_ns + self._delay_ns
        self._delay_ns = min(2 * self._delay_ns, _LONGEST_DELAY_NS)

    def _release(self) -> None:
        if self._port is not None:
            self._port.close()


class ReconnectingPacketPort(ReconnectingPort, PacketPort):
    """Wraps a port of packets; otherwise as `ReconnectingPort`.

    Args:
        port: The open port; what packets cost is asked of it even when it is gone.
        reopen: Opens it again.
        clock: Monotonic clock.
    """

    def __init__(self, port: PacketPort, reopen: Callable[[], Port], clock: Clock) -> None:
        super().__init__(port, reopen, clock)
        self.max_packet_octets = port.max_packet_octets
        self.crossing_bps = port.crossing_bps
        self._first_port = port

    def wire_octets(self, packet: bytes) -> int:
        """Return what the packet costs on the port that is wrapped."""
        return self._first_port.wire_octets(packet)


def reconnecting(port: Port, reopen: Callable[[], Port], clock: Clock) -> ReconnectingPort:
    """Return the port wrapped so that it survives unplugging; a port of packets stays one.

    Args:
        port: The open port.
        reopen: Opens it again.
        clock: Monotonic clock.
    """
    if isinstance(port, PacketPort):
        return ReconnectingPacketPort(port, reopen, clock)
    return ReconnectingPort(port, reopen, clock)

"""Ports of plug-ins: what goes wrong in them is told as theirs, and ends no daemon."""

from __future__ import annotations

import logging
import operator
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pantel_link.errors import PluginError, PortClosed, PortError, PortGone
from pantel_link.plugins import PLUGIN_FAILURES, Plugin
from pantel_link.ports.base import PacketPort, Port, PortFactory

__all__ = ["open_plugin_port"]

log = logging.getLogger(__name__)


def open_plugin_port(plugin: Plugin, url: str, *, baud_rate: int, callsign: str) -> Port:
    """Open a port that a plug-in brings; see `open_port`.

    Raises:
        PluginError: The plug-in cannot be loaded, or what it makes is no port.
        PortError: It cannot open the port; the message says why.
    """
    factory: PortFactory = plugin.load()
    try:
        port = factory(url, baud_rate=baud_rate, callsign=callsign)
    except PortError:
        raise
    except PLUGIN_FAILURES as error:
        raise PortError(f"cannot open port {url}: {plugin.blamed(error)}") from error
    if not isinstance(port, Port):
        raise PluginError(f"{plugin} makes a {type(port).__name__} instead of a Port; report it to its makers")
    try:
        return _wrapped(port, plugin)
    except PluginError:
        _give_up(port)
        raise
    except PLUGIN_FAILURES as error:
        _give_up(port)
        raise PluginError(plugin.blamed(error)) from error


def _wrapped(port: Port, plugin: Plugin) -> Port:
    if not _says_whether_on_air(port):
        raise PluginError(f"{plugin} does not say whether it is on_air, as it must; report it to its makers")
    return _PluginPacketPort(port, plugin) if isinstance(port, PacketPort) else _PluginPort(port, plugin)


def _give_up(port: Port) -> None:
    with suppress(*PLUGIN_FAILURES):
        port.close()


def _says_whether_on_air(port: Port) -> bool:
    """Whether a port has an ``on_air`` of its own: by the default, a forgotten one would send no real callsign."""
    owners = (port, *(kind for kind in type(port).__mro__ if kind not in {Port, PacketPort}))
    return any("on_air" in vars(owner) for owner in owners)


class _PluginPort(Port):
    """Wraps a port; whatever it raises means that it is gone, and is to be opened again."""

    def __init__(self, port: Port, plugin: Plugin) -> None:
        self.name = str(port.name)
        self.on_air = bool(port.on_air)
        self._port = port
        self._plugin = plugin

    @property
    def drained(self) -> bool:
        """Whether all that was accepted has left."""
        with self._gone_on_failure():
            return bool(self._port.drained)

    def read(self, max_octets: int) -> bytes:
        """Return what has arrived; see `Port.read`."""
        self._check_open()
        with self._gone_on_failure():
            return bytes(memoryview(self._port.read(max_octets)))  # a text or a number is no octets

    def write(self, octets: bytes) -> int:
        """Hand octets over; see `Port.write`."""
        self._check_open()
        with self._gone_on_failure():
            taken = operator.index(self._port.write(octets))
            if not 0 <= taken <= len(octets):
                raise ValueError(f"it has accepted {taken} of {len(octets)} octets")
            return taken

    @contextmanager
    def _gone_on_failure(self) -> Iterator[None]:
        try:
            yield
        except (PortClosed, PortGone):
            raise
        except PLUGIN_FAILURES as error:
            raise PortGone(f"port {self.name} is gone: {self._plugin.blamed(error)}") from error

    def _release(self) -> None:
        _give_up(self._port)


class _PluginPacketPort(_PluginPort, PacketPort):
    """Wraps a port of packets; otherwise as `_PluginPort`."""

    def __init__(self, port: PacketPort, plugin: Plugin) -> None:
        super().__init__(port, plugin)
        self.max_packet_octets = operator.index(port.max_packet_octets)
        self.crossing_bps = operator.index(port.crossing_bps)
        self._packet_port = port
        self._miscounts = False

    def wire_octets(self, packet: bytes) -> int:
        """Return what a packet costs; see `PacketPort.wire_octets`. If the plug-in cannot say, its own octets."""
        try:
            cost = operator.index(self._packet_port.wire_octets(packet))
            if cost < 1:
                raise ValueError(f"a packet costs {cost} octets")
        except PLUGIN_FAILURES as error:
            self._tell_miscount(error)
            return len(packet)
        return cost

    def _tell_miscount(self, error: BaseException) -> None:
        if not self._miscounts:
            self._miscounts = True
            log.error("port miscounts name=%s reason=%s", self.name, self._plugin.blamed(error))

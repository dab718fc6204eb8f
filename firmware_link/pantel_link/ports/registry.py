"""Ports by URL: a table of adapters, each imported when its first port is opened."""

from __future__ import annotations

from importlib import import_module

from pantel_link.ports.base import Port

__all__ = ["DEFAULT_BAUD_RATE", "open_port"]

DEFAULT_BAUD_RATE = 1200

# scheme -> module, class; anything else is a device path or a URL that pyserial knows.
_ADAPTERS = {"pty": ("pantel_link.ports.pty", "PtyPort")}
_SERIAL = ("pantel_link.ports.serial_port", "SerialPort")


def open_port(url: str, *, baud_rate: int = DEFAULT_BAUD_RATE) -> Port:
    """Open a port.

    Args:
        url: ``/dev/ttyUSB0`` or any other device; ``pty:`` or ``pty:/path/of/a/link`` for a new
            pseudo-terminal; any URL of pyserial, such as ``loop://``, ``socket://host:port`` or ``spy:///dev/ttyUSB0``.
        baud_rate: Line rate of serial devices.

    Raises:
        PortError: It cannot be opened; the message says why and what to do.
    """
    module, adapter = _ADAPTERS.get(url.partition(":")[0], _SERIAL)
    port: Port = getattr(import_module(module), adapter)(url, baud_rate)
    return port

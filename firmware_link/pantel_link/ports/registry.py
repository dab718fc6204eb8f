"""Ports by URL: a table of adapters, each imported when its first port is opened."""

from __future__ import annotations

from importlib import import_module

from pantel_link.callsign import DEFAULT_CALLSIGN
from pantel_link.clock import MonotonicClock
from pantel_link.plugins import find_plugin
from pantel_link.ports.base import Port
from pantel_link.ports.plugin_port import open_plugin_port
from pantel_link.ports.push_to_talk import DEFAULT_TAIL_MS, DEFAULT_TXDELAY_MS, PushToTalk, PushToTalkPort
from pantel_link.ports.url_options import PortUrl

__all__ = ["BUILT_IN_SCHEMES", "DEFAULT_BAUD_RATE", "open_port"]

DEFAULT_BAUD_RATE = 1200

# scheme -> module, class or function; anything else is a plug-in's, a device path or a URL that pyserial knows.
_STREAM_ADAPTERS = {"pty": ("pantel_link.ports.pty", "PtyPort")}
_PACKET_ADAPTERS = {
    "kiss+serial": ("pantel_link.ports.kiss_port", "open_kiss_serial"),
    "kiss+tcp": ("pantel_link.ports.kiss_port", "open_kiss_tcp"),
    "udp": ("pantel_link.ports.udp", "UdpPort"),
}
_SERIAL_SCHEMES = ("alt", "cp2110", "hwgrep", "loop", "rfc2217", "socket", "spy")

BUILT_IN_SCHEMES = frozenset((*_STREAM_ADAPTERS, *_PACKET_ADAPTERS, *_SERIAL_SCHEMES))
"""Schemes that no plug-in can have."""

_KEYING_OPTIONS = ("txdelay_ms", "tail_ms")
_PUSH_TO_TALK_OPTIONS = ("ptt", *_KEYING_OPTIONS, "lbt_ms")
_TIMES_MS = range(60_001)
_NETWORK_SCHEMES = ("socket://", "rfc2217://")


def open_port(url: str, *, baud_rate: int = DEFAULT_BAUD_RATE, callsign: str = DEFAULT_CALLSIGN) -> Port:
    """Open a port.

    Args:
        url: ``/dev/ttyUSB0`` or any other device; ``pty:`` or ``pty:/path/of/a/link`` for a new
            pseudo-terminal; any URL of pyserial, such as ``loop://``, ``socket://host:port`` or
            ``spy:///dev/ttyUSB0``. A device may have ``?ptt=rts`` (with ``txdelay_ms`` and ``tail_ms``) and
            ``lbt_ms`` behind it: see `PushToTalk`. Ports of packets are ``kiss+tcp://host:port`` and
            ``kiss+serial:/dev/ttyUSB0``, with the options of `KissSettings`, and ``udp://host:port?local=port``.
            Plug-ins bring other schemes.
        baud_rate: Line rate of serial devices.
        callsign: Source of the AX.25 frames of a KISS port.

    Raises:
        PluginError: The plug-in that brings its scheme cannot be loaded.
        PortError: It cannot be opened; the message says why and what to do.
        PortNameError: It never can.
    """
    scheme, colon, _ = url.partition(":")
    port: Port
    if scheme in _PACKET_ADAPTERS:
        module, adapter = _PACKET_ADAPTERS[scheme]
        port = getattr(import_module(module), adapter)(url, baud_rate, callsign)
    elif scheme in _STREAM_ADAPTERS:
        module, adapter = _STREAM_ADAPTERS[scheme]
        port = getattr(import_module(module), adapter)(url, baud_rate)
    elif colon and "/" not in scheme and scheme not in BUILT_IN_SCHEMES and (plugin := find_plugin("port", scheme)):
        port = open_plugin_port(plugin, url, baud_rate=baud_rate, callsign=callsign)
    else:
        port = _open_serial(url, baud_rate)
    return port


def _open_serial(url: str, baud_rate: int) -> Port:
    from pantel_link.ports.serial_port import SerialPort

    parsed = PortUrl.parse(url, _PUSH_TO_TALK_OPTIONS, foreign="://" in url)  # pyserial's URLs have their own
    if url.startswith(_NETWORK_SCHEMES):
        parsed.host_and_port()  # pyserial does not tell a name that cannot be from a host that is not there
    keys = parsed.flag("ptt", "rts")
    idle = [name for name in _KEYING_OPTIONS if name in parsed.options and not keys]
    if idle:
        raise parsed.error(f"option {idle[0]} says when to key a radio: add ptt=rts")
    settings = PushToTalk(
        txdelay_ms=parsed.number("txdelay_ms", _TIMES_MS, DEFAULT_TXDELAY_MS if keys else 0),
        tail_ms=parsed.number("tail_ms", _TIMES_MS, DEFAULT_TAIL_MS),
        lbt_ms=parsed.number("lbt_ms", _TIMES_MS, 0),
    )
    port = SerialPort(parsed.address, baud_rate, keys=keys)
    if not keys and not settings.lbt_ms:
        return port
    return PushToTalkPort(port, port if keys else None, settings, baud_rate=baud_rate, clock=MonotonicClock())

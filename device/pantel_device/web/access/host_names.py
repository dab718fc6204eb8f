"""Under which names the page is served: another name in a request means that a browser was led astray."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Collection
from urllib.parse import urlsplit

__all__ = ["HostNames"]

_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,255})(?::(?P<port>\d{1,5}))?", re.ASCII)
_DEFAULT_PORTS = {"http": "80", "https": "443"}


class HostNames:
    """Knows the names of this machine.

    A page of somebody else's may have the browser look up its own name anew and find this machine (DNS rebinding); then
    the request bears that name. An address in numbers cannot be led astray, so the one that was connected to is right.

    Args:
        names: Further names that lead here, such as that of a reverse proxy.
        port: Of the page.
        loopback: Whether only this machine reaches the page. Then nobody finds it under its name of mDNS, which any
            machine of the network may claim.
    """

    def __init__(self, names: Collection[str] = (), *, port: int, loopback: bool) -> None:
        own = socket.gethostname().lower()
        self._port = str(port)
        self._further = frozenset(name.lower() for name in names)
        by_mdns = f"{own.partition('.')[0]}.local"
        self._names = ({"localhost", own, by_mdns} - ({by_mdns} if loopback else set())) | self._further

    def serves(self, host: str, connected_to: str) -> bool:
        """Whether a request's Host is one of ours.

        Args:
            host: The header, with or without a port.
            connected_to: Address of this end of the connection.
        """
        found = _HOST.fullmatch(host.lower())
        if found is None:
            return False
        name = found["name"].rstrip(".")
        return name in self._names or _is_address(name.strip("[]"), connected_to)

    def same_origin(self, origin: str, host: str) -> bool:
        """Whether a request comes from a page of ours.

        Args:
            origin: The header of that name.
            host: The header Host of the same request, one that is served.
        """
        try:
            parts = urlsplit(origin)
            default = _DEFAULT_PORTS[parts.scheme]
            port = str(parts.port or default)
        except (ValueError, KeyError):
            return False
        name = (parts.hostname or "").rstrip(".")
        if name in self._further and port in {default, self._port}:  # a proxy may change Host, and never Origin
            return True
        found = _HOST.fullmatch(host.lower())
        return (
            found is not None and found["name"].strip("[]").rstrip(".") == name and (found["port"] or default) == port
        )


def _is_address(name: str, connected_to: str) -> bool:
    """Whether a name is an address in numbers that leads to this machine."""
    try:
        address, own = (_plain(ipaddress.ip_address(text)) for text in (name, connected_to))
    except ValueError:
        return False
    return address == own or address.is_loopback


def _plain(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address

"""Datagrams by UDP: one packet in each, to and from one peer."""

from __future__ import annotations

import ipaddress
import socket

from pantel_link.callsign import DEFAULT_CALLSIGN
from pantel_link.errors import PortError, PortGone
from pantel_link.ports.base import PacketPort
from pantel_link.ports.url_options import PortUrl

__all__ = ["UdpPort"]

_MAX_PACKET_OCTETS = 1232  # what every IPv6 network carries in one piece
_UDP_OCTETS = 8
_IP_OCTETS = {socket.AF_INET: 20, socket.AF_INET6: 40}


class UdpPort(PacketPort):
    """One end of a conversation by UDP; what others send is not even seen.

    A packet costs its own octets and its UDP and IP headers: 28 octets with IPv4, 48 with IPv6. What lies below
    (Ethernet, PPP, a tunnel) is not counted.

    Args:
        url: ``udp://host:port``; the option ``local`` is the port number at this end, by default the same.
        baud_rate: Ignored.
        callsign: Ignored.

    Attributes:
        refused: How often the peer's machine has answered that nobody listens; the peer may come yet.

    Raises:
        PortError: The peer's name is not known, or the local port number is taken.
    """

    max_packet_octets = _MAX_PACKET_OCTETS

    def __init__(self, url: str, baud_rate: int = 0, callsign: str = DEFAULT_CALLSIGN) -> None:  # noqa: ARG002
        self.name = url
        self.refused = 0
        parsed = PortUrl.parse(url, ("local",))
        host, number = parsed.host_and_port()
        local = parsed.number("local", range(1, 65536), number)
        try:
            family, _, _, _, peer = socket.getaddrinfo(host, number, type=socket.SOCK_DGRAM)[0]
        except (socket.gaierror, UnicodeError) as error:
            raise PortError(f"cannot open port {url}: host {host} is not known: check its name") from error
        address = str(peer[0])
        self.on_air = not ipaddress.ip_address(address.partition("%")[0]).is_loopback
        if not self.on_air and local == number:
            raise parsed.error("it would talk to itself: add ?local= and the port number of this end")
        self._headers_octets = _IP_OCTETS[family] + _UDP_OCTETS
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.bind(("" if self.on_air else address, local))
            self._socket.connect(peer)
        except OSError as error:
            self._socket.close()
            raise PortError(
                f"cannot open port {url}: {error}; choose another port number for this end by ?local="
            ) from error
        self.discard_input()  # the socket was open to all until it was connected

    def read(self, max_octets: int) -> bytes:
        """Return the next packet of the peer; see `PacketPort.read`."""
        self._check_open()
        while True:
            try:
                packet = self._socket.recv(max_octets + 1)  # one more, to see that it is too long
            except BlockingIOError:
                return b""
            except ConnectionRefusedError:
                self.refused += 1
                continue
            except OSError as error:
                raise PortGone(f"port {self.name} is gone: {error}") from error
            if 1 <= len(packet) <= max_octets:
                return packet
            self.dropped += 1

    def write(self, octets: bytes) -> int:
        """Hand a packet to the network; 0 while its buffer is full."""
        self._check_packet(octets)
        for _ in range(2):  # a refusal tells of an earlier packet; this one was not sent
            try:
                return self._socket.send(octets)
            except BlockingIOError:
                return 0
            except ConnectionRefusedError:
                self.refused += 1
            except OSError as error:
                raise PortGone(f"port {self.name} is gone: {error}") from error
        return 0

    def wire_octets(self, packet: bytes) -> int:
        """Return the octets of the packet and of its UDP and IP headers."""
        return len(packet) + self._headers_octets

    def _release(self) -> None:
        self._socket.close()

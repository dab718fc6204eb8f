"""Two ports in one process, joined by perfect wires: what one writes, the other reads at once."""

from __future__ import annotations

from collections import deque

from pantel_link.ports.base import PacketPort, Port

__all__ = ["MemoryPacketPort", "MemoryPort", "memory_pair", "packet_pair"]

_MAX_PACKET_OCTETS = 256


class MemoryPort(Port):
    """One end of a perfect line without bit rate.

    Args:
        name: For messages.
        incoming: Octets that this end reads.
        outgoing: Octets that this end writes.
    """

    def __init__(self, name: str, incoming: bytearray, outgoing: bytearray) -> None:
        self.name = name
        self._incoming = incoming
        self._outgoing = outgoing

    def read(self, max_octets: int) -> bytes:
        """Return what the other end wrote; see `Port.read`."""
        self._check_open()
        octets = bytes(self._incoming[:max_octets])
        del self._incoming[:max_octets]
        return octets

    def write(self, octets: bytes) -> int:
        """Hand octets to the other end; all are accepted."""
        self._check_open()
        self._outgoing += octets
        return len(octets)


def memory_pair() -> tuple[MemoryPort, MemoryPort]:
    """Return the two ends of a perfect line."""
    there, back = bytearray(), bytearray()
    return MemoryPort("memory near", back, there), MemoryPort("memory far", there, back)


class MemoryPacketPort(PacketPort):
    """One end of a perfect line that carries packets.

    Args:
        name: For messages.
        incoming: Packets that this end reads.
        outgoing: Packets that this end writes.
    """

    max_packet_octets = _MAX_PACKET_OCTETS

    def __init__(self, name: str, incoming: deque[bytes], outgoing: deque[bytes]) -> None:
        self.name = name
        self._incoming = incoming
        self._outgoing = outgoing

    def read(self, max_octets: int) -> bytes:
        """Return the next packet that the other end wrote; see `PacketPort.read`."""
        self._check_open()
        while self._incoming:
            packet = self._incoming.popleft()
            if len(packet) <= max_octets:
                return packet
            self.dropped += 1
        return b""

    def write(self, octets: bytes) -> int:
        """Hand a packet to the other end; every one is accepted."""
        self._check_packet(octets)
        self._outgoing.append(octets)
        return len(octets)

    def wire_octets(self, packet: bytes) -> int:
        """Return the packet's own octets; nothing is added to them."""
        return len(packet)


def packet_pair() -> tuple[MemoryPacketPort, MemoryPacketPort]:
    """Return the two ends of a perfect line that carries packets."""
    there: deque[bytes] = deque()
    back: deque[bytes] = deque()
    return MemoryPacketPort("memory near", back, there), MemoryPacketPort("memory far", there, back)

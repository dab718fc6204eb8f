"""Two ports in one process, joined by perfect wires: what one writes, the other reads at once."""

from __future__ import annotations

from pantel_link.ports.base import Port

__all__ = ["MemoryPort", "memory_pair"]


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

"""Framed octets on their way to the port, and who hands them over."""

from __future__ import annotations

from typing import Protocol

from pantel_link.pacing import Pacer
from pantel_link.ports.base import Port
from pantel_link.profiles import Profile

__all__ = ["OctetSource", "Outgoing", "write_due"]


class Outgoing:
    """Releases octets at the link's pace, in chunks or in whole packets.

    Args:
        profile: Of the line.
        pacer: Of the line.

    Attributes:
        profile: As above; may be changed at any time.
    """

    def __init__(self, profile: Profile, pacer: Pacer) -> None:
        self.profile = profile
        self._pacer = pacer
        self._octets = bytearray()

    def __len__(self) -> int:
        return len(self._octets)

    def add(self, octets: bytes) -> None:
        """Queue a framed packet."""
        self._octets += octets

    def clear(self) -> None:
        """Drop what has not left."""
        self._octets.clear()

    def release(self, now_ns: int) -> tuple[bytes, int]:
        """Return the chunk to write now and what it takes on the wire; nothing while a whole chunk must wait."""
        chunk = self._next_chunk()
        wire_octets = self.profile.wire_octets(chunk) if chunk else 0
        if not chunk or self._pacer.available_at_ns(now_ns, wire_octets) > now_ns:
            return b"", 0
        self._pacer.take(now_ns, wire_octets)
        del self._octets[: len(chunk)]
        return chunk, wire_octets

    def put_back(self, octets: bytes) -> None:
        """Take back what the port did not accept of the last chunk; the pacing still counts it."""
        self._octets[:0] = octets

    def due_ns(self, now_ns: int) -> int:
        """Return when the next chunk will be released; call it only while there is one."""
        return self._pacer.available_at_ns(now_ns, self.profile.wire_octets(self._next_chunk()))

    def _next_chunk(self) -> bytes:
        return bytes(self._octets[: self.profile.chunk_octets(len(self._octets))])


class OctetSource(Protocol):
    """Who has octets for a port: `LinkSender`, for example."""

    def due(self, now_ns: int) -> bytes:
        """Return the octets to write now, often none."""
        ...

    def put_back(self, octets: bytes) -> None:
        """Take back what the port did not accept."""
        ...


def write_due(source: OctetSource, port: Port, now_ns: int) -> None:
    """Write all that is due.

    Raises:
        PortGone: The port has disappeared.
    """
    while chunk := source.due(now_ns):
        written = port.write(chunk)
        if written < len(chunk):
            source.put_back(chunk[written:])
            return

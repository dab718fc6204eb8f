"""Profiles: how a packet leaves, through a line that carries octets or one that carries packets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from pantel_link.framing import frame_packet
from pantel_link.pacing import CHUNK_OCTETS
from pantel_link.packet import HEADER_OCTETS, Packet
from pantel_link.seal import TRAILER_OCTETS, Seal
from pantel_link.wire_format import LengthClass, Preset, wire_format

__all__ = ["OVERHEAD_OCTETS", "PacketProfile", "Profile", "StreamProfile"]

OVERHEAD_OCTETS = HEADER_OCTETS + TRAILER_OCTETS
"""What a packet has besides its payload."""

_PACKET_OCTETS = {LengthClass.LIVE: 48, LengthClass.STILL: 128}


class Profile(ABC):
    """What a sender must know of the kind of line.

    Attributes:
        burst_octets: What leaves at once, as it counts on the wire; None where octets leave in chunks.
    """

    burst_octets: int | None = None

    @abstractmethod
    def packet_octets(self, length_class: LengthClass) -> int:
        """Return what a full packet takes on the wire."""

    @abstractmethod
    def payload_octets(self, length_class: LengthClass) -> int:
        """Return the size of the largest payload."""

    @abstractmethod
    def frame(self, packet: Packet, seal: Seal, length_class: LengthClass) -> bytes:
        """Return what goes to the port."""

    @abstractmethod
    def chunk_octets(self, outgoing_octets: int) -> int:
        """Return how much of what is left of a packet goes to the port at once."""

    @abstractmethod
    def wire_octets(self, chunk: bytes) -> int:
        """Return what a chunk takes on the wire."""


class StreamProfile(Profile):
    """A UART or an FSK modem: octets may be wrong, missing or extra; packets are marked codewords.

    Args:
        preset: Strength of the error protection.
    """

    def __init__(self, preset: Preset = Preset.STANDARD) -> None:
        self._preset = preset

    def packet_octets(self, length_class: LengthClass) -> int:
        """Return what marker and codeword take."""
        return wire_format(self._preset, length_class).wire_octets

    def payload_octets(self, length_class: LengthClass) -> int:
        """Return what a codeword has room for."""
        return wire_format(self._preset, length_class).payload_octets

    def frame(self, packet: Packet, seal: Seal, length_class: LengthClass) -> bytes:
        """Return marker and codeword."""
        return frame_packet(packet, seal, wire_format(self._preset, length_class))

    def chunk_octets(self, outgoing_octets: int) -> int:
        """Return 8, or what is left."""
        return min(CHUNK_OCTETS, outgoing_octets)

    def wire_octets(self, chunk: bytes) -> int:
        """Return the octets themselves."""
        return len(chunk)


class PacketProfile(Profile):
    """A TNC, a LoRa module or UDP: packets arrive whole or not at all, and know their length.

    Args:
        max_packet_octets: That the port takes.
        wire_octets: What a packet takes on the wire, with all that the port puts around it.
    """

    def __init__(self, max_packet_octets: int, wire_octets: Callable[[bytes], int]) -> None:
        self._max_packet_octets = max_packet_octets
        self._wire_octets = wire_octets
        # Escapes may double a packet; what is charged is what it really takes.
        self.burst_octets = 2 * self.packet_octets(LengthClass.STILL)

    def packet_octets(self, length_class: LengthClass) -> int:
        """Return what the port says of a packet without escapes."""
        return self._wire_octets(bytes(self._content_octets(length_class)))

    def payload_octets(self, length_class: LengthClass) -> int:
        """Return what is left of packets as long as those of the other profile are on the wire."""
        return self._content_octets(length_class) - OVERHEAD_OCTETS

    def frame(self, packet: Packet, seal: Seal, length_class: LengthClass) -> bytes:  # noqa: ARG002 - has its length
        """Return the packet itself."""
        return packet.to_bytes(seal)

    def chunk_octets(self, outgoing_octets: int) -> int:
        """Return all of it."""
        return outgoing_octets

    def wire_octets(self, chunk: bytes) -> int:
        """Return what the port says."""
        return self._wire_octets(chunk)

    def _content_octets(self, length_class: LengthClass) -> int:
        return min(_PACKET_OCTETS[length_class], self._max_packet_octets)

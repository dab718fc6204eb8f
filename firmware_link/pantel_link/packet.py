"""The packet: header, payload and a trailer that also covers the stream's context.

::

    | version 2 | kind 4 | sender 6 | sequence 10 | time stamp 10 |  payload  |  trailer |
    |<------------------------ 4 octets ------------------------->|           | 4 octets |

The packet carries no length: what is around it has one, and a shorter payload is followed by zeros. Octets and bits are
most significant first. `pantel_link.seal` says what the trailer is.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from pantel_link.bitfield import BitField, pack_fields, packed_octets, unpack_fields
from pantel_link.context import PROTOCOL_VERSION, SENDER_BITS
from pantel_link.errors import HeaderError
from pantel_link.identity import ROLLOVER_BITS
from pantel_link.seal import TRAILER_OCTETS, Seal
from pantel_link.time_stamp import TICK_BITS

__all__ = ["COUNTER_BITS", "HEADER_OCTETS", "SEQUENCE_BITS", "Packet", "PacketKind", "SealedPacket"]

_VERSIONS = (1, PROTOCOL_VERSION)  # not 0, so that a codeword of zeros is no packet
SEQUENCE_BITS = 10
COUNTER_BITS = ROLLOVER_BITS + SEQUENCE_BITS

_HEADER = (
    BitField("version", 2),
    BitField("kind", 4),
    BitField("sender", SENDER_BITS),
    BitField("sequence", SEQUENCE_BITS),
    BitField("tick", TICK_BITS),
)
HEADER_OCTETS = packed_octets(_HEADER)


class PacketKind(IntEnum):
    """What the payload is; the other codes of the 4 bits are unassigned."""

    IDENT = 0
    SCENE = 1
    STILL = 2
    TELEMETRY = 3
    TEXT = 4
    COMMAND = 5
    REPLY = 6
    ALARM = 7
    ACKNOWLEDGE = 8


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet. It needs no other packet, only the stream's context.

    Attributes:
        kind: What the payload is.
        sender: Number of the sender, 0..63.
        counter: Counts all packets from the sender's start, 26 bits; 10 of them are on the wire.
        tick: When its first octet left, in steps of 25 ms modulo 1024.
        payload: The payload; at the receiver with the zeros that fill the codeword.
    """

    kind: PacketKind
    sender: int
    counter: int
    tick: int
    payload: bytes

    @property
    def sequence(self) -> int:
        """The lower 10 bits of the counter."""
        return self.counter % (1 << SEQUENCE_BITS)

    def to_bytes(self, seal: Seal) -> bytes:
        """Return header, payload and trailer.

        Raises:
            ValueError: A value does not fit its field.
        """
        if not 0 <= self.counter < 1 << COUNTER_BITS:
            raise ValueError(f"counter is {self.counter} and must lie in 0..{(1 << COUNTER_BITS) - 1}")
        header = pack_fields(
            _HEADER,
            {
                "version": seal.context.version,
                "kind": self.kind,
                "sender": self.sender,
                "sequence": self.sequence,
                "tick": self.tick,
            },
        )
        return header + seal.close(header, self.payload, self.counter, readable=self.kind is PacketKind.IDENT)


@dataclass(frozen=True, slots=True)
class SealedPacket:
    """A packet of which only the header is understood yet.

    Attributes:
        version: Of the protocol.
        kind: What the payload is.
        sender: Number of the sender.
        sequence: The lower 10 bits of its counter.
        tick: Time stamp.
        octets: All of it.
    """

    version: int
    kind: PacketKind
    sender: int
    sequence: int
    tick: int
    octets: bytes

    @classmethod
    def from_bytes(cls, octets: bytes) -> SealedPacket:
        """Read the header of a packet.

        Raises:
            HeaderError: Too short, another version, or an unassigned kind.
        """
        if len(octets) < HEADER_OCTETS + TRAILER_OCTETS:
            raise HeaderError(f"{len(octets)} octets are too few for a packet")
        values = unpack_fields(_HEADER, octets[:HEADER_OCTETS])
        if values["version"] not in _VERSIONS:
            raise HeaderError(f"protocol version {values['version']}; this receiver reads {_VERSIONS}")
        try:
            kind = PacketKind(values["kind"])
        except ValueError as error:
            raise HeaderError(f"kind {values['kind']} is not assigned") from error
        return cls(values["version"], kind, values["sender"], values["sequence"], values["tick"], octets)

    @property
    def readable_payload(self) -> bytes:
        """The payload, if it is not encrypted; nothing is checked yet."""
        return self.octets[HEADER_OCTETS:-TRAILER_OCTETS]

    def open(self, seal: Seal, counter: int) -> Packet:
        """Return the packet, if it belongs to a stream.

        Args:
            seal: Of the stream.
            counter: What the packet's counter must be, if it does.

        Raises:
            TrailerError: It does not.
        """
        header, sealed = self.octets[:HEADER_OCTETS], self.octets[HEADER_OCTETS:]
        payload = seal.open(header, sealed, counter, readable=self.kind is PacketKind.IDENT)
        return Packet(self.kind, self.sender, counter, self.tick, payload)

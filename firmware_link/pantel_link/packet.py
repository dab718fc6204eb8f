"""The packet: header, payload and a trailer that also covers the stream's context.

::

    | version 2 | kind 4 | sender 6 | sequence 10 | time stamp 10 |  payload  |  CRC-32  |
    |<------------------------ 4 octets ------------------------->|           | 4 octets |

The packet carries no length: the codeword around it has a fixed one, and a shorter payload is followed by
zeros. Octets and bits are most significant first.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from pantel_link.bitfield import BitField, pack_fields, packed_octets, unpack_fields
from pantel_link.context import SENDER_BITS, StreamContext
from pantel_link.errors import ContextError, HeaderError, TrailerError
from pantel_link.identity import Identity
from pantel_link.time_stamp import TICK_BITS

__all__ = [
    "HEADER_OCTETS",
    "PROTOCOL_VERSION",
    "SEQUENCE_BITS",
    "TRAILER_OCTETS",
    "Packet",
    "PacketKind",
]

PROTOCOL_VERSION = 1  # not 0, so that a codeword of zeros is no packet
SEQUENCE_BITS = 10

_HEADER = (
    BitField("version", 2),
    BitField("kind", 4),
    BitField("sender", SENDER_BITS),
    BitField("sequence", SEQUENCE_BITS),
    BitField("tick", TICK_BITS),
)
HEADER_OCTETS = packed_octets(_HEADER)
TRAILER_OCTETS = 4


class PacketKind(IntEnum):
    """What the payload is; the other codes of the 4 bits are unassigned."""

    IDENT = 0
    SCENE = 1
    STILL = 2
    TELEMETRY = 3
    TEXT = 4


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet. It needs no other packet, only the stream's context.

    Attributes:
        kind: What the payload is.
        sender: Number of the sender, 0..63.
        sequence: Counts all packets of the sender, modulo 1024.
        tick: When its first octet left, in steps of 25 ms modulo 1024.
        payload: The payload; at the receiver with the zeros that fill the codeword.
    """

    kind: PacketKind
    sender: int
    sequence: int
    tick: int
    payload: bytes

    def to_bytes(self, context: StreamContext) -> bytes:
        """Return header, payload and trailer.

        Raises:
            ValueError: A header value does not fit its field.
        """
        header = pack_fields(
            _HEADER,
            {
                "version": PROTOCOL_VERSION,
                "kind": self.kind,
                "sender": self.sender,
                "sequence": self.sequence,
                "tick": self.tick,
            },
        )
        body = header + self.payload
        return body + _trailer(body, context)

    @classmethod
    def from_bytes(cls, octets: bytes, contexts: Iterable[StreamContext]) -> tuple[Packet, StreamContext]:
        """Return the packet and the context that its trailer fits.

        An IDENT packet brings its own context; any other must fit one of those given.

        Args:
            octets: Header, payload and trailer.
            contexts: The known streams, of this and of other senders.

        Raises:
            HeaderError: Too short, another version, or an unassigned kind.
            IdentityError: An IDENT packet that describes no possible stream.
            ContextError: None of the contexts belongs to the packet's sender.
            TrailerError: The trailer fits none of them.
        """
        if len(octets) < HEADER_OCTETS + TRAILER_OCTETS:
            raise HeaderError(f"{len(octets)} octets are too few for a packet")
        body, trailer = octets[:-TRAILER_OCTETS], octets[-TRAILER_OCTETS:]
        packet = cls._from_body(body)
        if packet.kind is PacketKind.IDENT:
            candidates = [Identity.from_payload(packet.sender, packet.payload).context]
        else:
            candidates = [context for context in contexts if context.sender == packet.sender]
        if not candidates:
            raise ContextError(f"sender {packet.sender} has not introduced itself yet")
        for context in candidates:
            if trailer == _trailer(body, context):
                return packet, context
        raise TrailerError(f"trailer fits no known stream of sender {packet.sender}")

    @classmethod
    def _from_body(cls, body: bytes) -> Packet:
        values = unpack_fields(_HEADER, body[:HEADER_OCTETS])
        if values["version"] != PROTOCOL_VERSION:
            raise HeaderError(f"protocol version {values['version']}; this receiver reads {PROTOCOL_VERSION}")
        try:
            kind = PacketKind(values["kind"])
        except ValueError as error:
            raise HeaderError(f"kind {values['kind']} is not assigned") from error
        return cls(kind, values["sender"], values["sequence"], values["tick"], body[HEADER_OCTETS:])


def _trailer(body: bytes, context: StreamContext) -> bytes:
    """Return the CRC-32 (IEEE 802.3, as zlib) over the context and then the packet.

    The context is never sent but fixes the start of the CRC, so a packet of another stream fails here. Two
    contexts that differ within 32 neighbouring bits (another epoch, another model) never share a trailer:
    a CRC finds every burst up to its own length.
    """
    return zlib.crc32(body, zlib.crc32(context.to_bytes())).to_bytes(TRAILER_OCTETS, "big")

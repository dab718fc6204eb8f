"""What is sent: packets as the sender frames them, live ones or those of stills, with introductions in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from pantel_link import (
    Identity,
    Keyring,
    LengthClass,
    MasterKey,
    Packet,
    PacketKind,
    Profile,
    Security,
    StreamContext,
    make_seal,
)
from pantel_link.pacing import DEFAULT_BITRATE_BPS
from pantel_link.packet import SEQUENCE_BITS
from pantel_link.sender import ident_interval_ns
from pantel_link.stills import StillBlock
from pantel_link.stills.block import file_bytes
from pantel_link.time_stamp import tick_of

__all__ = ["CONTENT_SYMBOLS", "SentPacket", "Traffic", "air_time_ns", "keyring", "make_traffic"]

CONTENT_SYMBOLS = 12

_MASTER = MasterKey(bytes(range(32)))
_CONTEXT = StreamContext(
    sender=5,
    callsign="N0CALL",
    epoch=1,
    model_hash=b"\xa1\xb2\xc3",
    width_px=320,
    height_px=240,
    security=Security.AUTHENTICATED,
)


@dataclass(frozen=True, slots=True)
class SentPacket:
    """A packet on its way.

    Attributes:
        packet: What it says.
        octets: What goes on the line.
        still: The file that it is a part of; empty of other packets.
    """

    packet: Packet
    octets: bytes
    still: bytes = b""


@dataclass(slots=True)
class Traffic:
    """All that is sent, one after the other without a pause.

    Attributes:
        packets: By counter. The first one introduces the sender, and so do those that follow every 15 s.
        stills: How many there are.
    """

    packets: list[SentPacket] = field(default_factory=list)
    stills: int = 0

    @property
    def measured(self) -> list[SentPacket]:
        """The packets without the introductions."""
        return [sent for sent in self.packets if sent.packet.kind is not PacketKind.IDENT]


def air_time_ns(octets: int) -> int:
    """Return how long octets take on the line."""
    return 8 * octets * 1_000_000_000 // DEFAULT_BITRATE_BPS


def keyring() -> Keyring:
    """Return what a receiver needs to take the stream."""
    return Keyring(_MASTER)


def make_traffic(
    profile: Profile, length: LengthClass, packets: int, symbols: int, random: np.random.Generator
) -> Traffic:
    """Return packets full of random octets, which is what entropy coded pictures look like.

    Args:
        profile: Of the line.
        length: Live packets say something each; still packets belong to stills of 12 symbols of content.
        packets: At least so many, introductions not counted.
        symbols: Sent for each still.
        random: Makes the content.
    """
    payload_octets = profile.payload_octets(length)
    live = length is LengthClass.LIVE
    kind = PacketKind.SCENE if live else PacketKind.STILL
    payloads = _live(payload_octets, random) if live else _stills(payload_octets, symbols, random)
    seal = make_seal(_CONTEXT, _MASTER.sender_key(_CONTEXT.sender, _CONTEXT.callsign).key)
    traffic = Traffic(stills=0 if live else -(-packets // symbols))
    wanted = packets if live else traffic.stills * symbols
    position, next_ident_ns = 0, 0

    def send(kind: PacketKind, payload: bytes, length: LengthClass, still: bytes = b"") -> None:
        nonlocal position
        packet = Packet(kind, _CONTEXT.sender, len(traffic.packets), tick_of(air_time_ns(position)), payload)
        octets = profile.frame(packet, seal, length)
        traffic.packets.append(SentPacket(packet, octets, still))
        position += len(octets)

    for _ in range(wanted):
        if air_time_ns(position) >= next_ident_ns:
            next_ident_ns += ident_interval_ns(DEFAULT_BITRATE_BPS)
            identity = Identity(_CONTEXT, len(traffic.packets) >> SEQUENCE_BITS)
            send(PacketKind.IDENT, identity.to_payload(), LengthClass.LIVE)
        payload, still = next(payloads)
        send(kind, payload, length, still)
    return traffic


def _live(payload_octets: int, random: np.random.Generator) -> Iterator[tuple[bytes, bytes]]:
    while True:
        yield random.bytes(payload_octets), b""


def _stills(payload_octets: int, symbols: int, random: np.random.Generator) -> Iterator[tuple[bytes, bytes]]:
    """Yield payloads and the still that each is a part of: files that fill their symbols to the last octet."""
    file_octets = file_bytes(CONTENT_SYMBOLS, payload_octets)
    number = 0
    while True:
        still = random.bytes(file_octets)
        block = StillBlock(number, still, payload_octets)
        number += 1
        for _ in range(symbols):
            yield block.next_payload(), still

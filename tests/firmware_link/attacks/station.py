"""A receiver under attack, and the masts that it shall believe and nobody else."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from tests.firmware_link.attacks.report import Report

from pantel_link import (
    Identity,
    Keyring,
    LinkReceiver,
    MasterKey,
    Packet,
    PacketKind,
    ReceivedPacket,
    Security,
    SenderKey,
    StreamContext,
    StreamMemory,
    make_seal,
)
from pantel_link.packet import COUNTER_BITS, SEQUENCE_BITS
from pantel_link.seal import Seal

MASTER = MasterKey(bytes(range(32)))
_RECENT = 200
_PACKET_NS = 400_000_000
_INTRODUCTION_RATE = 0.03
_Content = tuple[StreamContext, PacketKind, int, int, bytes]


class CountingKeyring(Keyring):
    """Hands out seals that count how often they are asked whether a trailer fits."""

    def __init__(self, key: MasterKey | SenderKey | None = None) -> None:
        super().__init__(key)
        self.checks = 0

    def seal(self, context: StreamContext) -> Seal:
        return _CountingSeal(super().seal(context), self)


class _CountingSeal(Seal):
    def __init__(self, seal: Seal, counter: CountingKeyring) -> None:
        super().__init__(seal.context)
        self.keyed = seal.keyed
        self._seal = seal
        self._counter = counter

    def close(self, header: bytes, payload: bytes, counter: int, *, readable: bool = False) -> bytes:
        return self._seal.close(header, payload, counter, readable=readable)

    def open(self, header: bytes, sealed: bytes, counter: int, *, readable: bool = False) -> bytes:
        self._counter.checks += 1
        return self._seal.open(header, sealed, counter, readable=readable)


class Mast:
    """A genuine sender.

    Attributes:
        context: Its stream.
        seal: With its key, if the stream needs one.
        counter: Of its next packet.
        introduced: Whether its IDENT has been heard.
        newest: Highest counter that has been heard.
    """

    def __init__(self, context: StreamContext, counter: int, master: MasterKey = MASTER) -> None:
        key = master.sender_key(context.sender, context.callsign).key if context.security else None
        self.context = context
        self.seal = make_seal(context, key)
        self.counter = counter
        self.introduced = False
        self.newest = counter - 1

    def next_packet(self, generator: random.Random, kind: PacketKind | None = None, octets: int = 40) -> Packet:
        """Return the next packet, of a random kind unless told otherwise."""
        if kind is None:
            kind = PacketKind(generator.randrange(1, len(PacketKind)))
        if kind is PacketKind.IDENT:
            rollover = self.counter >> SEQUENCE_BITS if self.context.version > 1 else 0
            payload = Identity(self.context, rollover, generator.randrange(1 << 32)).to_payload()
        else:
            payload = generator.randbytes(generator.randrange(octets + 1))
        packet = Packet(kind, self.context.sender, self.counter, self.counter * 16 % 1024, payload)
        self.counter += 1
        return packet


class Station:
    """A receiver, two masts, and some who are none of its business.

    Args:
        generator: Of all that is random.
        security: Of the masts' streams.
        version: Of the protocol.
        memory: Of the receiver.

    Attributes:
        receiver: Under attack.
        masts: What they send must be delivered, once where there is a key.
        strangers: Packets of streams that have never introduced themselves.
        recent: What the masts have sent, as it was on the line.
        now_ns: Time of the receiver.
    """

    def __init__(
        self, generator: random.Random, security: Security, version: int = 2, memory: StreamMemory | None = None
    ) -> None:
        self.generator = generator
        self.keyring = CountingKeyring(MASTER if security else None)
        hash_octets = 5 - version
        first = StreamContext(5, "DL1ABC", 7, generator.randbytes(hash_octets), 320, 240, security, version)
        second = StreamContext(6, "DK1AB-7", 900, generator.randbytes(hash_octets), 640, 480, security, version)
        counter = generator.randrange((1 << COUNTER_BITS) - 100_000)
        self.masts = [Mast(first, counter), Mast(second, counter // 3)]
        others = (
            replace(first, epoch=8),
            replace(first, callsign="DL1ABD"),
            replace(second, model_hash=bytes(hash_octets)),
            replace(second, width_px=641),
            replace(first, sender=9),
        )
        strangers = [Mast(other, counter) for other in others]
        self.strangers = [each.next_packet(generator).to_bytes(each.seal) for each in strangers for _ in range(8)]
        self.receiver = LinkReceiver(keyring=self.keyring, memory=memory)
        self.recent: deque[bytes] = deque(self.strangers[:1], maxlen=_RECENT)
        self.now_ns = 0
        self._held: list[tuple[Mast, int, bytes]] = []  # what is on its way for longer than the rest, with its counter
        self._sent: dict[_Content, int] = {}
        self._believed: set[tuple[StreamContext, int]] = set()

    def note(self, mast: Mast, packet: Packet, payload_octets: int = 0) -> None:
        """Note what a mast sends, with the zeros that fill its payload."""
        content = packet.payload.ljust(payload_octets, b"\0")
        self._sent[mast.context, packet.kind, packet.sequence, packet.tick, content] = packet.counter

    def judge(self, received: Iterable[ReceivedPacket], report: Report) -> None:
        """Count what is delivered and must not be."""
        for each in received:
            packet = each.packet
            sent = self._sent.get((each.context, packet.kind, packet.sequence, packet.tick, packet.payload))
            if each.context.security:
                name = each.context, packet.counter
                wrong = sent != packet.counter or name in self._believed
                self._believed.add(name)
            else:
                wrong = sent is None  # without a key nobody knows how often the numbers have come round
            if wrong:
                report.deceive(each)

    def hear(self, octets: bytes, report: Report) -> list[ReceivedPacket]:
        """Let a packet arrive."""
        self.now_ns += _PACKET_NS
        before = self.keyring.checks
        received = report.attempt(octets, lambda: self.receiver.receive_packet(octets, self.now_ns)) or []
        report.checked += self.keyring.checks > before
        self.judge(received, report)
        return received

    def next_packet(self, octets: int = 40) -> tuple[Mast, Packet]:
        """Return the next packet of a mast: IDENT now and then, more often before the first."""
        mast = self.generator.choice(self.masts)
        rate = _INTRODUCTION_RATE if mast.introduced else 10 * _INTRODUCTION_RATE
        introduces = self.generator.random() < rate
        return mast, mast.next_packet(self.generator, PacketKind.IDENT if introduces else None, octets)

    def speak(self, report: Report) -> None:
        """Let a mast send its next packet, which may stay on its way for a while, or let such a one arrive."""
        if self._held and self.generator.random() < 0.2:
            self._release(report)
            return
        mast, packet = self.next_packet()
        octets = packet.to_bytes(mast.seal)
        self.note(mast, packet)
        if mast.introduced and self.generator.random() < 0.1:
            self._held.append((mast, packet.counter, octets))
            return
        self.recent.append(octets)
        self.expect(mast, packet, self.hear(octets, report), report)

    def expect(self, mast: Mast, packet: Packet, received: Iterable[ReceivedPacket], report: Report) -> None:
        """Count a packet that should have been delivered and was not."""
        mast.introduced |= packet.kind is PacketKind.IDENT
        if mast.introduced:
            contents = [each.packet.payload for each in received if each.context == mast.context]
            report.lost += not any(content.startswith(packet.payload) for content in contents)
            mast.newest = max(mast.newest, packet.counter)

    def _release(self, report: Report) -> None:
        mast, counter, octets = self._held.pop(self.generator.randrange(len(self._held)))
        self.recent.append(octets)
        received = self.hear(octets, report)
        if mast.context.security:  # with a key it is known what is too late
            report.lost += (len(received) == 1) != (mast.newest - counter < 64)

    def close(self, report: Report) -> None:
        """Check that nothing grew beyond its bounds, and that the counts add up."""
        counted = self.receiver.statistics
        packets = counted.packets_good + counted.packets_duplicate + counted.packets_without_context
        packets += counted.packets_replayed + counted.packets_rejected
        markers = counted.codewords_corrected + counted.codewords_failed + counted.markers_overlapped
        pending = len(self.receiver._deframer._candidates)
        if (packets, markers) != (counted.codewords_corrected, counted.markers - pending):
            report.complain(f"statistics do not add up: {counted}")
        if len(self.receiver._unknown) > 64 or len(self.receiver.contexts) > 16:
            report.complain("more is kept than should be")
        if {each.context for each in self.masts if each.introduced} - set(self.receiver.contexts):
            report.complain("a stream was forgotten")

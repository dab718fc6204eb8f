"""Lines that go wrong in ways that a channel does not."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from tests.device.hil.rig import Open, WrappedPort

from pantel_device.hil import Ends
from pantel_link import (
    Channel,
    ChannelSettings,
    Identity,
    LengthClass,
    NullModem,
    Packet,
    PacketKind,
    Port,
    Preset,
    StreamContext,
    VirtualClock,
    make_seal,
    memory_pair,
    wire_format,
)
from pantel_link.framing import correct, frame_packet
from pantel_link.packet import SealedPacket
from pantel_link.ports import MemoryPacketPort

LIVE = wire_format(Preset.STANDARD, LengthClass.LIVE)
Forge = Callable[[Packet, StreamContext], bytes]

_SAMPLES = 16  # of a bit of the sender
_FORGED = 5  # counter of the packet that is replaced


class CutPort(WrappedPort):
    """A port whose octets go nowhere while the line is cut."""

    cut = False

    def write(self, octets: bytes) -> int:
        return len(octets) if self.cut else self.port.write(octets)


class ForgingPort(WrappedPort):
    """A port that replaces one live packet."""

    def __init__(self, ends: Ends, context: StreamContext, forge: Forge) -> None:
        super().__init__(ends.near)
        self._context = context
        self._forge: Forge | None = forge
        self._held = bytearray()
        self._counter = 0

    def write(self, octets: bytes) -> int:
        if self._forge is None:
            return self.port.write(octets)
        self._held += octets
        if len(self._held) == LIVE.wire_octets:
            codeword = bytes(self._held)
            self._held.clear()
            if self._counter == _FORGED:
                sealed = SealedPacket.from_bytes(correct(codeword, LIVE).message)
                codeword = self._forge(sealed.open(make_seal(self._context), self._counter), self._context)
                self._forge = None
            self._counter += 1
            self.port.write(codeword)
        return len(octets)


class LoopedPort(Port):
    """A port whose output returns to its input, over a channel."""

    def __init__(self, clock: VirtualClock) -> None:
        self.name = "looped"
        self._clock = clock
        self._channel = Channel(ChannelSettings())

    def read(self, max_octets: int) -> bytes:
        return self._channel.receive(self._clock.now_ns(), max_octets)

    def write(self, octets: bytes) -> int:
        return self._channel.send(octets, self._clock.now_ns())


class RepeatingPacketPort(MemoryPacketPort):
    """A port for packets on which each arrives twice."""

    def write(self, octets: bytes) -> int:
        super().write(octets)
        return super().write(octets)


def deaf(_: VirtualClock) -> Ends:
    """Return a line that leads nowhere."""
    return Ends(memory_pair()[0], memory_pair()[0])


class _FullPort(WrappedPort):
    def write(self, octets: bytes) -> int:
        return 0 * len(octets)


def full(_: VirtualClock) -> Ends:
    """Return a line whose port takes nothing, as when a modem holds CTS down."""
    return Ends(_FullPort(memory_pair()[0]), memory_pair()[0])


def changed(packet: Packet, context: StreamContext) -> bytes:
    """Give a packet another payload."""
    return frame_packet(replace(packet, payload=packet.payload[::-1]), make_seal(context), LIVE)


def renumbered(packet: Packet, context: StreamContext) -> bytes:
    """Make a packet one that will only be sent in the future."""
    return frame_packet(replace(packet, counter=packet.counter + 30), make_seal(context), LIVE)


def repeated(packet: Packet, context: StreamContext) -> bytes:
    """Send a packet twice."""
    return 2 * frame_packet(packet, make_seal(context), LIVE)


def introduced(packet: Packet, context: StreamContext) -> bytes:
    """Let a stranger introduce himself before a packet."""
    stranger = replace(context, sender=9)
    ident = Packet(PacketKind.IDENT, stranger.sender, 0, packet.tick, Identity(stranger, 0, None).to_payload())
    return b"".join(
        frame_packet(each, make_seal(whose), LIVE) for each, whose in ((ident, stranger), (packet, context))
    )


def forged(context: StreamContext, forge: Forge) -> Open:
    """Return what opens a line with a forger on it, who is never there again."""

    def open_ends(clock: VirtualClock) -> Ends:
        modem = NullModem(clock, ChannelSettings())
        ends = Ends(modem.near, modem.far)
        return ends if clock.now_ns() > 20_000_000_000 else Ends(ForgingPort(ends, context, forge), modem.far)

    return open_ends


def at_another_baud_rate(ratio: float) -> Open:
    """Return what opens a line whose receiving UART runs faster than the sending one."""

    class Resampling(WrappedPort):
        def __init__(self, port: NullModem) -> None:
            super().__init__(port.far)

        def read(self, max_octets: int) -> bytes:
            return resample(self.port.read(max_octets), ratio)

    def open_ends(clock: VirtualClock) -> Ends:
        modem = NullModem(clock, ChannelSettings())
        return Ends(modem.near, Resampling(modem))

    return open_ends


def resample(octets: bytes, ratio: float) -> bytes:
    """Return what a UART makes of 8N1 octets that were sent at another rate, with an idle line around each read.

    Args:
        octets: As they were sent.
        ratio: Baud rate of the receiver over that of the sender.
    """
    bits = [bit for octet in octets for bit in (0, *((octet >> place) & 1 for place in range(8)), 1)]
    level = [bit for bit in (*bits, *[1] * 20) for _ in range(_SAMPLES)]
    step = _SAMPLES / ratio
    received, at = bytearray(), 0
    while (at := next((here for here in range(at, len(level)) if not level[here]), len(level))) + 10 * step < len(
        level
    ):
        samples = [level[int(at + (place + 0.5) * step)] for place in range(10)]
        if samples[9]:  # otherwise a framing error
            received.append(sum(bit << place for place, bit in enumerate(samples[1:9])))
        at = int(at + 9.5 * step)
    return bytes(received)


def packets(*, repeating: bool = False, joined: bool = True) -> Open:
    """Return what opens a line for packets without bit rate."""

    def open_ends(_: VirtualClock) -> Ends:
        line: deque[bytes] = deque()
        kind = RepeatingPacketPort if repeating else MemoryPacketPort
        return Ends(kind("near", deque(), line), MemoryPacketPort("far", line if joined else deque(), deque()))

    return open_ends

"""Tapes: what a sender wrote to its port, or what arrived at a receiver's, with the times.

Nothing flows back on the line that is measured, so the sender may speak first, the modems carry in real time what it
said, and the receiver hears it afterwards: each on a clock of its own, and none waits for another's computing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from pantel_link import Clock, Port
from pantel_link.ports import PacketPort

__all__ = ["PlayingPacketPort", "PlayingPort", "Tape", "Taped", "TapingPacketPort", "TapingPort", "playing_port"]


@dataclass(frozen=True, slots=True)
class Taped:
    """Octets that passed together, or one packet.

    Attributes:
        time_ns: When, since the start of the run.
        octets: At least one.
    """

    time_ns: int
    octets: bytes


Tape = Sequence[Taped]


class TapingPort(Port):
    """Takes octets at any time and notes them; nothing ever arrives.

    Args:
        clock: Dates the octets.

    Attributes:
        tape: What was written.
    """

    name = "tape"

    def __init__(self, clock: Clock) -> None:
        self.tape: list[Taped] = []
        self._clock = clock

    def read(self, max_octets: int) -> bytes:  # noqa: ARG002 - nothing arrives
        """Return nothing; see `Port.read`."""
        self._check_open()
        return b""

    def write(self, octets: bytes) -> int:
        """Note octets; see `Port.write`."""
        self._check_open()
        if octets:
            self.tape.append(Taped(self._clock.now_ns(), octets))
        return len(octets)


class TapingPacketPort(PacketPort):
    """Takes packets at any time and notes them; nothing ever arrives.

    Args:
        clock: Dates the packets.
        like: Says how long packets may be and what they cost.

    Attributes:
        tape: What was written.
    """

    name = "tape"

    def __init__(self, clock: Clock, like: PacketPort) -> None:
        self.tape: list[Taped] = []
        self.max_packet_octets = like.max_packet_octets
        self.crossing_bps = like.crossing_bps
        self._clock = clock
        self._like = like

    def read(self, max_octets: int) -> bytes:  # noqa: ARG002 - nothing arrives
        """Return nothing; see `PacketPort.read`."""
        self._check_open()
        return b""

    def write(self, octets: bytes) -> int:
        """Note a packet; see `PacketPort.write`."""
        self._check_packet(octets)
        self.tape.append(Taped(self._clock.now_ns(), octets))
        return len(octets)

    def wire_octets(self, packet: bytes) -> int:
        """Return what the other port says."""
        return self._like.wire_octets(packet)


class PlayingPort(Port):
    """Brings the octets of a tape at their times.

    Args:
        clock: Tells which have arrived.
        tape: What arrives.
    """

    name = "tape"

    def __init__(self, clock: Clock, tape: Tape) -> None:
        self._clock = clock
        self._coming = deque(tape)
        self._arrived = bytearray()

    def read(self, max_octets: int) -> bytes:
        """Return octets that have arrived; see `Port.read`."""
        self._check_open()
        while self._coming and self._coming[0].time_ns <= self._clock.now_ns():
            self._arrived += self._coming.popleft().octets
        octets = bytes(self._arrived[:max_octets])
        del self._arrived[:max_octets]
        return octets

    def write(self, octets: bytes) -> int:
        """Take octets that go nowhere; see `Port.write`."""
        self._check_open()
        return len(octets)


class PlayingPacketPort(PacketPort):
    """Brings the packets of a tape at their times.

    Args:
        clock: Tells which have arrived.
        tape: What arrives.
        like: Says how long packets may be and what they cost.
    """

    name = "tape"

    def __init__(self, clock: Clock, tape: Tape, like: PacketPort) -> None:
        self.max_packet_octets = like.max_packet_octets
        self.crossing_bps = like.crossing_bps
        self._clock = clock
        self._coming = deque(tape)
        self._like = like

    def read(self, max_octets: int) -> bytes:
        """Return the next packet that has arrived; see `PacketPort.read`."""
        self._check_open()
        while self._coming and self._coming[0].time_ns <= self._clock.now_ns():
            packet = self._coming.popleft().octets
            if len(packet) <= max_octets:
                return packet
            self.dropped += 1
        return b""

    def write(self, octets: bytes) -> int:
        """Take a packet that goes nowhere; see `PacketPort.write`."""
        self._check_packet(octets)
        return len(octets)

    def wire_octets(self, packet: bytes) -> int:
        """Return what the other port says."""
        return self._like.wire_octets(packet)


def playing_port(clock: Clock, tape: Tape, like: Port) -> Port:
    """Return a port that brings a tape as another port would have brought it: octets, or whole packets."""
    return PlayingPacketPort(clock, tape, like) if isinstance(like, PacketPort) else PlayingPort(clock, tape)

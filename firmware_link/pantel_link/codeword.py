"""What a receiver made of a codeword, and what a sender sent, for those who listen in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pantel_link.context import StreamContext
from pantel_link.packet import Packet

__all__ = ["CodewordListener", "HeardCodeword", "SentCodeword"]


@dataclass(frozen=True, slots=True)
class HeardCodeword:
    """A codeword as it was received, and what became of it.

    Attributes:
        octets: Marker and codeword, before error correction; a packet where packets arrive whole.
        arrival_ns: When its last octet was received, on the receiver's monotonic clock.
        corrected_octets: Wrong octets that the parity corrected; None if they were too many.
        packet: What it holds; None if that is no packet of a known stream.
        flaw: Why there is no packet; empty if there is one.
        context: The stream that the packet belongs to.
    """

    octets: bytes
    arrival_ns: int
    corrected_octets: int | None
    packet: Packet | None
    flaw: str = ""
    context: StreamContext | None = None

    @property
    def verdict(self) -> str:
        """Good, corrected or bad, in words for people."""
        if self.packet is None:
            return f"bad: {self.flaw}"
        if not self.corrected_octets:
            return f"good; {_name(self.packet)}"
        return f"corrected {self.corrected_octets} octet{'s' * (self.corrected_octets > 1)}; {_name(self.packet)}"


@dataclass(frozen=True, slots=True)
class SentCodeword:
    """A packet as it goes to the port.

    Attributes:
        octets: Marker and codeword; a packet where packets leave whole.
        sent_ns: When its first octet leaves, on the sender's monotonic clock.
        packet: What it holds.
    """

    octets: bytes
    sent_ns: int
    packet: Packet

    @property
    def verdict(self) -> str:
        """What was sent, in words for people."""
        return f"sent; {_name(self.packet)}"


class CodewordListener(Protocol):
    """Takes every codeword that a receiver hears, such as the writer of a capture. It must not raise."""

    def on_codeword(self, codeword: HeardCodeword) -> None:
        """Take a codeword, good or bad."""
        ...


def _name(packet: Packet) -> str:
    return f"{packet.kind.name.lower()} packet {packet.sequence} of sender {packet.sender}"

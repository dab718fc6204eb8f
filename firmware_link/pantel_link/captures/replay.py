"""The link of a replay: captured codewords take the place of octets from a line."""

from __future__ import annotations

from collections import deque
from typing import Self

from pantel_link.captures.header import CaptureHeader
from pantel_link.captures.known_streams import CapturedMemory, taken_contexts
from pantel_link.captures.reader import CapturedCodeword
from pantel_link.keys import Keyring
from pantel_link.ports.base import Port
from pantel_link.receiver import LinkReceiver, ReceivedPacket

__all__ = ["ReplayLink", "ReplayPort"]


class ReplayPort(Port):
    """A port that hands out what was captured, one codeword or packet at each reading.

    Args:
        name: For messages.

    Attributes:
        last: What was handed out last; None before the first.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.last: CapturedCodeword | None = None
        self._captured: deque[CapturedCodeword] = deque()

    def offer(self, captured: CapturedCodeword) -> None:
        """Let a codeword or packet arrive."""
        self._captured.append(captured)

    def read(self, max_octets: int) -> bytes:  # noqa: ARG002 - a codeword is never divided
        """Return the next codeword or packet whole, empty if there is none."""
        self._check_open()
        if not self._captured:
            return b""
        self.last = self._captured.popleft()
        return self.last.octets

    def write(self, octets: bytes) -> int:
        """Drop octets: nobody listens."""
        self._check_open()
        return len(octets)


class ReplayLink(LinkReceiver):
    """A receiver that is given what was captured, as a `ReplayPort` hands it out.

    The search for markers was the work of the live receiver. Doing it again could find other ones, because what it
    dismissed is not in the capture. What was sent, rather than received, is passed over.
    """

    _port: ReplayPort | None = None
    _crossing_bps: int | None = None

    @classmethod
    def from_header(cls, header: CaptureHeader, port: ReplayPort, *, keyring: Keyring | None = None) -> Self:
        """Return a receiver that is set as the live one was, and knows what that knew.

        Args:
            header: The head of its capture. Of the streams that it knew, those that need a key which is not here are
                left out.
            port: Where the octets for `receive` come from.
            keyring: Which streams are taken; by default those without a key.
        """
        keyring = keyring or Keyring()
        link = cls(
            bitrate_bps=header.bitrate_bps,
            contexts=taken_contexts(header.contexts, keyring),
            keyring=keyring,
            memory=CapturedMemory(header.counters),
        )
        link._port = port
        link._crossing_bps = header.crossing_bps
        return link

    def receive(self, octets: bytes, now_ns: int) -> list[ReceivedPacket]:
        """Take what the port has handed out last; without a port a codeword, as `LinkReceiver.receive_codeword`."""
        if self._port is None or self._port.last is None:
            return self.receive_codeword(octets, now_ns)
        return self.receive_captured(self._port.last, now_ns)

    def receive_captured(self, captured: CapturedCodeword, now_ns: int) -> list[ReceivedPacket]:
        """Take a codeword, or a packet that arrived whole.

        Args:
            captured: As `read_capture` yields it.
            now_ns: Monotonic time, at which it counts as having arrived.
        """
        if captured.outbound:
            return []
        if captured.whole:
            return self.receive_packet(captured.octets, now_ns, captured.wire_octets, crossing_bps=self._crossing_bps)
        return self.receive_codeword(captured.octets, now_ns)

"""The link of a replay: captured codewords take the place of octets from a line."""

from __future__ import annotations

from collections import deque

from pantel_link.ports.base import Port
from pantel_link.receiver import LinkReceiver, ReceivedPacket

__all__ = ["ReplayLink", "ReplayPort"]


class ReplayPort(Port):
    """A port that hands out captured codewords, one at each reading.

    Args:
        name: For messages.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._codewords: deque[bytes] = deque()

    def offer(self, codeword: bytes) -> None:
        """Let a codeword arrive."""
        self._codewords.append(codeword)

    def read(self, max_octets: int) -> bytes:  # noqa: ARG002 - a codeword is never divided
        """Return the next codeword whole, empty if there is none."""
        self._check_open()
        return self._codewords.popleft() if self._codewords else b""

    def write(self, octets: bytes) -> int:
        """Drop octets: nobody listens."""
        self._check_open()
        return len(octets)


class ReplayLink(LinkReceiver):
    """A receiver that is given whole codewords, as a `ReplayPort` hands them out.

    The search for markers was the work of the live receiver. Doing it again could find other ones, because what it
    dismissed is not in the capture.
    """

    def receive(self, octets: bytes, now_ns: int) -> list[ReceivedPacket]:
        """Take one codeword with its marker; see `LinkReceiver.receive_codeword`."""
        return self.receive_codeword(octets, now_ns)

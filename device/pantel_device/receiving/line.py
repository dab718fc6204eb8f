"""A line that a receiver listens to: a port, and the link that makes packets of what it brings."""

from __future__ import annotations

from collections.abc import Iterator

from pantel_link import LinkReceiver, Port, ReceivedPacket, ReceiverStatistics
from pantel_link.ports import ReconnectingPort

__all__ = ["Line"]

_READ_OCTETS = 4096
# Noise on a fast line must not keep the pictures waiting. Where packets arrive whole each takes a reading, and 64 masts
# that share a port bring 190 a second.
_OCTETS_AT_ONCE = 4 * _READ_OCTETS
_READS_AT_ONCE = 64


class Line:
    """A port and its link; both may be missing at first, and come by `connect`.

    Args:
        name: Of the port.
        bitrate_bps: Rate at which senders pace their octets there.

    Attributes:
        name: As above.
        bitrate_bps: As above.
        port: Where octets come from; None while it was never there.
        payloads_damaged: Payloads that passed the checksum and could not be decoded.
        payloads_cut: Scene payloads whose end refines cells that were lost before, and so could not be read.
    """

    def __init__(self, name: str, bitrate_bps: int) -> None:
        self.name = name
        self.bitrate_bps = bitrate_bps
        self.port: Port | None = None
        self.payloads_damaged = 0
        self.payloads_cut = 0
        self._link: LinkReceiver | None = None

    @classmethod
    def of(cls, port: Port, link: LinkReceiver) -> Line:
        """Return a line whose port is there."""
        line = cls(port.name, link.bitrate_bps)
        line.connect(port, link)
        return line

    @property
    def up(self) -> bool:
        """Whether its port is there, as far as is known."""
        if isinstance(self.port, ReconnectingPort):
            return self.port.connected
        return self.port is not None

    @property
    def statistics(self) -> ReceiverStatistics:
        """What was counted of it."""
        return ReceiverStatistics() if self._link is None else self._link.statistics

    def connect(self, port: Port, link: LinkReceiver) -> None:
        """Listen to a port from now on."""
        self.port, self._link = port, link

    def receive(self, now_ns: int) -> Iterator[ReceivedPacket]:
        """Yield the packets that have come; each when those before it have been dealt with.

        Args:
            now_ns: Monotonic time.

        Raises:
            PortGone: The port has disappeared.
        """
        if self.port is None or self._link is None:
            return
        room = _OCTETS_AT_ONCE
        for _ in range(_READS_AT_ONCE):
            if room <= 0 or not (octets := self.port.read(_READ_OCTETS)):
                return
            room -= len(octets)
            yield from self._link.receive_from(self.port, octets, now_ns)

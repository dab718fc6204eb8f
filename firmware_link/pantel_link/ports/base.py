"""What a port is: four methods that move octets, or whole packets, and never block."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Protocol, Self

from pantel_link.errors import PortClosed

__all__ = ["PacketPort", "Port", "PortFactory"]

_DISCARD_OCTETS = 4096


class Port(ABC):
    """A stream of octets that may be lost, changed, inserted and late, in both directions.

    Nothing here blocks, paces or retries; that is the work of its users. A port that fails in use raises
    `PortGone` and never anything else of its driver's; it is then closed, and another one opened.

    A port that takes less than it is given slows its sender down, and one that takes everything at once is paced by
    its sender alone: the line rate of a port that is no device is not known to anybody else.

    Attributes:
        name: The URL or a description, for messages.
        on_air: Whether octets leave this machine, so that a real callsign is needed. A plug-in must say so itself.
    """

    name: str
    on_air: bool = False
    _closed: bool = False

    @abstractmethod
    def read(self, max_octets: int) -> bytes:
        """Return what has arrived, at most so many octets; empty when there is nothing yet.

        Raises:
            PortGone: The port has disappeared.
            PortClosed: It was closed before.
        """

    @abstractmethod
    def write(self, octets: bytes) -> int:
        """Hand octets over for sending and return how many were accepted; the rest is the caller's.

        Raises:
            PortGone: The port has disappeared.
            PortClosed: It was closed before.
        """

    @property
    def drained(self) -> bool:
        """Whether all that was accepted has left, so that closing loses nothing; ask again after `read` or `write`."""
        return True

    def close(self) -> None:
        """Release the port; closing twice is harmless."""
        if not self._closed:
            self._closed = True
            self._release()

    def discard_input(self) -> None:
        """Throw away what has arrived and was not read, such as octets from before a reconnection."""
        while self.read(_DISCARD_OCTETS):
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _release(self) -> None:  # noqa: B027 - most ports of this process hold nothing
        """Free what the port holds; called once."""

    def _check_open(self) -> None:
        if self._closed:
            raise PortClosed(f"port {self.name} was used after it had been closed")


class PacketPort(Port):
    """A port on which packets arrive whole or not at all; they may still be lost, repeated, reordered or late.

    Packets hold at least one octet.

    Attributes:
        max_packet_octets: Longest packet that can be written.
        crossing_bps: How fast what `wire_octets` counts crosses; 0 for at once, as through a network. A receiver
            reckons from it when a packet left.
        dropped: Packets that arrived and were longer than the reader asked for.
    """

    max_packet_octets: int
    crossing_bps: int = 0
    dropped: int = 0

    @abstractmethod
    def read(self, max_octets: int) -> bytes:
        """Return the next packet that has arrived; empty when there is none.

        A packet of more than so many octets is dropped, and the next one returned.

        Raises:
            PortGone: The port has disappeared.
            PortClosed: It was closed before.
        """

    @abstractmethod
    def write(self, octets: bytes) -> int:
        """Hand one whole packet over for sending and return its length, or 0 if it cannot be accepted now.

        Raises:
            PortGone: The port has disappeared.
            PortClosed: It was closed before.
            ValueError: It is empty, or longer than `max_packet_octets`.
        """

    @abstractmethod
    def wire_octets(self, packet: bytes) -> int:
        """Return what the packet costs on its way, in octets: what pacing has to charge for it.

        That is everything the dearest part of the way carries for it, not only the packet itself: headers,
        escapes, checksums, and the time in which a transmitter only comes up. Each port says what it counts.
        """

    def _check_packet(self, packet: bytes) -> None:
        self._check_open()
        if not 1 <= len(packet) <= self.max_packet_octets:
            raise ValueError(f"packet has {len(packet)} octets; port {self.name} takes 1 to {self.max_packet_octets}")


class PortFactory(Protocol):
    """What an entry point of the group ``pantel.ports`` names, such as a class of ports; its own name is the scheme."""

    def __call__(self, url: str, *, baud_rate: int, callsign: str) -> Port:
        """Open a port.

        Args:
            url: ``scheme:…``, all of it, for example ``scheme://host:port?option=value``.
            baud_rate: Line rate that is configured for serial devices; most others ignore it.
            callsign: Of the operator, for frames that name their source.

        Raises:
            PortError: It cannot be opened; the message says why and what to do.
        """
        ...

"""The null modem: two ports of one process, joined by a simulated bad line."""

from __future__ import annotations

from dataclasses import replace

from pantel_link.channel import Channel, ChannelSettings
from pantel_link.clock import Clock
from pantel_link.ports.base import Port

__all__ = ["NullModem", "NullModemPort", "both_directions"]


class NullModemPort(Port):
    """One end of a simulated line.

    Args:
        name: For messages.
        clock: Tells which octets have arrived.
        incoming: The channel that this end hears.
        outgoing: The channel that this end speaks into.
    """

    def __init__(self, name: str, clock: Clock, incoming: Channel, outgoing: Channel) -> None:
        self.name = name
        self._clock = clock
        self._incoming = incoming
        self._outgoing = outgoing

    def read(self, max_octets: int) -> bytes:
        """Return octets that have arrived by now; see `Port.read`."""
        self._check_open()
        return self._incoming.receive(self._clock.now_ns(), max_octets)

    def write(self, octets: bytes) -> int:
        """Queue octets on the line; at most 4096 wait there."""
        self._check_open()
        return self._outgoing.send(octets, self._clock.now_ns())


class NullModem:
    """Two ends of a line that is equally bad in both directions, with independent errors.

    Args:
        clock: A virtual clock makes it run as fast as the machine can.
        settings: How bad it is.

    Attributes:
        near: One end.
        far: The other end.
        near_to_far: The channel from near to far, for its statistics.
        far_to_near: The channel back.
    """

    def __init__(self, clock: Clock, settings: ChannelSettings) -> None:
        self.near_to_far, self.far_to_near = both_directions(settings)
        self.near = NullModemPort("null modem near", clock, self.far_to_near, self.near_to_far)
        self.far = NullModemPort("null modem far", clock, self.near_to_far, self.far_to_near)


def both_directions(settings: ChannelSettings) -> tuple[Channel, Channel]:
    """Return the two channels of a line, with independent errors."""
    return Channel(settings), Channel(replace(settings, seed=settings.seed + 1))

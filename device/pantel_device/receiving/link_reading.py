"""What a receiver knows of its lines and senders at a time, beside what events tell."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from pantel_device.receiving.receiver import Contact
from pantel_device.receiving.sink import SenderName
from pantel_link.statistics import ReceiverStatistics

__all__ = ["LineReading", "LinkReading"]


@dataclass(frozen=True, slots=True)
class LineReading:
    """What the receiver knows of one of its lines at a time.

    Attributes:
        port: Name of its port.
        bitrate_bps: Rate at which senders pace their octets there.
        up: Whether the port is there.
        payloads_damaged: As `Line` counts them.
        statistics: A copy of the link's counters.
    """

    port: str
    bitrate_bps: int
    up: bool
    payloads_damaged: int
    statistics: ReceiverStatistics


@dataclass(frozen=True, slots=True)
class LinkReading:
    """What the receiver knows of its lines and senders at a time.

    Attributes:
        time_ns: Monotonic time.
        contacts: When each sender was last heard.
        heard_last: Who was heard last; None before anybody was.
        lines: All lines.
    """

    time_ns: int
    contacts: tuple[Contact, ...]
    heard_last: SenderName | None
    lines: tuple[LineReading, ...]

    @property
    def port_up(self) -> bool:
        """Whether any of the ports is there."""
        return any(line.up for line in self.lines)

    @property
    def payloads_damaged(self) -> int:
        """Of all lines together."""
        return sum(line.payloads_damaged for line in self.lines)

    @property
    def statistics(self) -> ReceiverStatistics:
        """The counters of all lines together."""
        counters = [asdict(line.statistics) for line in self.lines]
        return ReceiverStatistics(**{key: sum(each[key] for each in counters) for key in asdict(ReceiverStatistics())})

"""The figures of a receiver as far as they are told, out of the same news as the page's state."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pantel_device.receiving.link_reading import LineReading, LinkReading
from pantel_device.receiving.receiver import Contact
from pantel_device.receiving.sink import SenderName
from pantel_device.receiving.sinks import EventRecord
from pantel_device.wall_clock import utc_now
from pantel_device.web.hub import News
from pantel_device.web.metrics.growing import Growing

__all__ = ["Figures", "LineFigures", "SenderFigures", "Stamp"]

# Without a key anybody can announce senders, and a database keeps each name that it was ever told. So an introduction
# alone, which is cheap to forge, takes no place from those that tell something.
_MOST_SENDERS = 64
_NEW_AT_ONCE = 16
_NEW_A_SECOND = 1 / 60
_PLACE_KEPT_NS = 600_000_000_000  # of a silent sender, if others want its place


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time by two clocks. The second is read once, so that it stands still until there is a newer time.

    Attributes:
        time_ns: Monotonic.
        utc_s: Seconds of UTC since 1970.
    """

    time_ns: int
    utc_s: float


@dataclass(slots=True)
class LineFigures:
    """What is known of a line.

    Attributes:
        port: Its name.
        bitrate_bps: At which senders pace their octets.
        up: Whether the port is there.
        counts: As `ReceiverStatistics` names them.
    """

    port: str
    bitrate_bps: int
    up: bool = True
    counts: Growing = field(default_factory=Growing)


@dataclass(slots=True)
class SenderFigures:
    """What is known of a sender.

    Attributes:
        packets: As `StreamStatistics` names them.
        heard: When its newest packet arrived; None before the first.
        content: When its newest content was captured; None before the first.
        telemetry: The last, by key; what was no number is missing.
        told: When that came; None before the first.
        alarms: How often something came into a zone.
        stills: How many have arrived whole.
    """

    packets: Growing = field(default_factory=Growing)
    heard: Stamp | None = None
    content: Stamp | None = None
    telemetry: Mapping[str, float] = field(default_factory=dict)
    told: Stamp | None = None
    alarms: int = 0
    stills: int = 0


class Figures:
    """Keeps what is told to who asks; of senders that somebody invents only a few an hour.

    Args:
        lines: Of the receiver, as they are expected before its first reading.
        now_ns: Its monotonic clock.
        utc_s: Seconds of UTC since 1970.

    Attributes:
        events: How many there were, by kind.
        payloads_damaged: As `Receiver` counts them.
        read: When the receiver has last told how it is; None before that.
        senders_unlisted: How many are heard that are not told by name.
    """

    def __init__(
        self,
        lines: Iterable[LineFigures],
        now_ns: Callable[[], int],
        utc_s: Callable[[], float] = lambda: utc_now().timestamp(),
    ) -> None:
        self._lines = {line.port: line for line in lines}
        self.events: Counter[str] = Counter()
        self.payloads_damaged = 0
        self.read: Stamp | None = None
        self.senders_unlisted = 0
        self._now_ns = now_ns
        self._utc_s = utc_s
        self._senders: OrderedDict[SenderName, SenderFigures] = OrderedDict()
        self._present: frozenset[SenderName] = frozenset()
        self._room = float(_NEW_AT_ONCE)
        self._room_ns = now_ns()

    @property
    def lines(self) -> tuple[LineFigures, ...]:
        """What is known of each line."""
        return tuple(self._lines.values())

    @property
    def senders(self) -> dict[SenderName, SenderFigures]:
        """Those that the receiver takes, and that are told by name."""
        return {name: figures for name, figures in self._senders.items() if name in self._present}

    def take(self, news: News) -> None:
        """Note events and reading."""
        for record in news.events:
            self._take_event(record)
        if news.reading is not None:
            self._take_reading(news.reading)

    def _take_reading(self, reading: LinkReading) -> None:
        self.read = self._stamp(reading.time_ns)
        self.payloads_damaged = reading.payloads_damaged
        self._lines = {told.port: self._take_line(told) for told in reading.lines}
        self._present = frozenset(contact.sender for contact in reading.contacts)
        listed = [self._take_contact(contact) for contact in reading.contacts]
        self.senders_unlisted = listed.count(False)

    def _take_line(self, told: LineReading) -> LineFigures:
        line = self._lines.get(told.port) or LineFigures(told.port, told.bitrate_bps)
        line.up = told.up
        line.counts.take(told.statistics)
        return line

    def _take_contact(self, contact: Contact) -> bool:
        """Note what a contact says; return whether it is told by name."""
        told = contact.capture_time_ns is not None
        sender = self._listed(contact.sender) if told else self._senders.get(contact.sender)
        if sender is None:
            return False
        sender.packets.take(contact.statistics)
        if sender.heard is None or sender.heard.time_ns != contact.heard_ns:
            sender.heard = self._stamp(contact.heard_ns)
        content_ns = contact.capture_time_ns
        if content_ns is not None and (sender.content is None or sender.content.time_ns != content_ns):
            sender.content = self._stamp(content_ns)
        return True

    def _take_event(self, record: EventRecord) -> None:
        kind = str(record["kind"])
        self.events[kind] += 1
        if "callsign" not in record or "sender" not in record:
            return
        name = SenderName(str(record["callsign"]), int(record["sender"] or 0))
        # Alarms may come before the first reading.
        sender = self._listed(name) if kind in {"alarm", "still", "telemetry"} else None
        if sender is None:
            return
        match kind:
            case "alarm":
                sender.alarms += record.get("phase") == "began"
            case "still":
                sender.stills += 1
            case "telemetry":
                numbers = {key: value for key, value in record.items() if isinstance(value, int | float)}
                sender.telemetry = numbers
                sender.told = self._stamp(round(float(record["monotonic_s"] or 0) * 1e9))

    def _listed(self, name: SenderName) -> SenderFigures | None:
        """Return the figures of a sender; None if there are too many, or too many new ones have come lately."""
        if name in self._senders:
            self._senders.move_to_end(name)
            return self._senders[name]
        now_ns = self._now_ns()
        self._room = min(self._room + _NEW_A_SECOND * (now_ns - self._room_ns) / 1e9, _NEW_AT_ONCE)
        self._room_ns = now_ns
        if self._room < 1 or not self._make_place(now_ns):
            return None
        self._room -= 1
        self._senders[name] = SenderFigures()
        return self._senders[name]

    def _make_place(self, now_ns: int) -> bool:
        """Forget a sender if there are too many; return whether there is a place."""
        if len(self._senders) < _MOST_SENDERS:
            return True
        for name, figures in self._senders.items():
            heard_ns = None if figures.heard is None else figures.heard.time_ns
            if name not in self._present or (heard_ns is not None and now_ns - heard_ns > _PLACE_KEPT_NS):
                del self._senders[name]
                return True
        return False

    def _stamp(self, time_ns: int) -> Stamp:
        return Stamp(time_ns, self._utc_s() - (self._now_ns() - time_ns) / 1e9)

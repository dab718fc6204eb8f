"""Where the receiver's loop and the page's server meet: each leaves what it has and takes what is there."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass

from pantel_device.receiving.receiver import Contact
from pantel_device.receiving.sink import Event, Picture, SenderName
from pantel_device.receiving.sinks import strict_record
from pantel_device.wall_clock import utc_now
from pantel_link.statistics import ReceiverStatistics
from pantel_models import View

__all__ = ["Choice", "EventRecord", "Hub", "LineReading", "LinkReading", "News", "TakenPicture"]

_MOST_WAITING_EVENTS = 1000

EventRecord = dict[str, str | int | float | None]


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody watches.

    Attributes:
        sender: Whose pictures; None for those of the sender heard last.
        view: Who paints them.
    """

    sender: SenderName | None
    view: View


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


@dataclass(frozen=True, slots=True)
class TakenPicture:
    """A picture, and whether its sender is the one heard last."""

    picture: Picture
    heard_last: bool


@dataclass(frozen=True, slots=True)
class News:
    """What has come since somebody last looked.

    Attributes:
        pictures: The newest of each sender and view.
        events: Records of all events but reports on lines and senders, in order.
        reading: The newest; None for none.
    """

    pictures: tuple[TakenPicture, ...]
    events: tuple[EventRecord, ...]
    reading: LinkReading | None


class Hub:
    """A watcher that keeps what comes until the server collects it, and asks for what the server wants.

    The receiver's loop never waits here: it leaves the newest picture in the place of one that nobody has collected,
    and wakes the server at most once until that has looked.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pictures: dict[tuple[SenderName, View], TakenPicture] = {}
        self._events: deque[EventRecord] = deque(maxlen=_MOST_WAITING_EVENTS)
        self._reading: LinkReading | None = None
        self._heard_last: SenderName | None = None
        self._wanted: frozenset[Choice] = frozenset()
        self._wake: Callable[[], object] | None = None
        self._woken = False

    # On the receiver's thread

    def views(self, sender: SenderName, *, heard_last: bool, silence_s: float) -> Collection[View]:  # noqa: ARG002
        """Return the views in which somebody watches a sender."""
        if heard_last:
            self._heard_last = sender
        return {
            choice.view for choice in self._wanted if choice.sender == sender or (choice.sender is None and heard_last)
        }

    def on_picture(self, picture: Picture) -> None:
        """Keep the newest picture."""
        with self._lock:
            taken = TakenPicture(picture, picture.sender == self._heard_last)
            self._pictures[picture.sender, picture.view] = taken
        self._tell()

    def on_event(self, event: Event) -> None:
        """Keep an event; the page makes its own reports on lines and senders, of the last seconds.

        Numbers that are none become None: JSON has no word for them, and a sender may tell any.
        """
        if event.kind in {"link_report", "sender_report"}:
            return
        record = strict_record(event, utc_now())
        with self._lock:
            self._events.append(record)
        self._tell()

    def on_reading(self, reading: LinkReading) -> None:
        """Keep the newest reading."""
        with self._lock:
            self._reading = reading
        self._tell()

    def close(self) -> None:
        """Do nothing: the server ends by itself."""

    def _tell(self) -> None:
        with self._lock:
            if self._woken or self._wake is None:
                return
            self._woken = True
            self._wake()

    # On the server's thread

    def attach(self, wake: Callable[[], object] | None) -> None:
        """Say how to wake the server.

        Args:
            wake: Called on the receiver's thread, must not wait; None when nobody collects any more.
        """
        with self._lock:
            self._wake = wake
            self._woken = False

    def collect(self) -> News:
        """Take all that has come."""
        with self._lock:
            news = News(tuple(self._pictures.values()), tuple(self._events), self._reading)
            self._pictures.clear()
            self._events.clear()
            self._reading = None
            self._woken = False
        return news

    def want(self, choices: Collection[Choice]) -> None:
        """Say what is watched; the receiver draws nothing else for the page."""
        self._wanted = frozenset(choices)

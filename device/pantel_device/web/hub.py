"""Where the receiver's loop and the page's server meet: each leaves what it has and takes what is there."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass

from pantel_device.receiving.link_reading import LinkReading
from pantel_device.receiving.sink import Event, Picture, SenderName
from pantel_device.receiving.sinks import EventRecord, strict_record
from pantel_device.wall_clock import utc_now
from pantel_models import View

__all__ = ["Choice", "Hub", "News", "TakenPicture"]

_MOST_WAITING_EVENTS = 1000


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

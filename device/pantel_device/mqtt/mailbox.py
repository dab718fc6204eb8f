"""Where the receiver's loop leaves what is to be published, and the broker's thread takes it."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict, deque

from pantel_device.mqtt.topics import Message

__all__ = ["Mailbox"]

log = logging.getLogger(__name__)

_MOST_EVENTS = 1000


class Mailbox:
    """Messages that wait: of a topic that is retained the newest, of others up to a thousand in order.

    Neither side ever waits for the other. What was retained is remembered, so that a broker that has lost it is told
    again.

    Attributes:
        dropped: Messages in order that had to make room for newer ones.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._guard = threading.Lock()
        self._kept: dict[str, Message] = {}
        self._taken: set[str] = set()
        self._due: OrderedDict[str, None] = OrderedDict()
        self._events: deque[Message] = deque()
        self._event_is_due = False

    def keep(self, message: Message) -> None:
        """Leave what is retained, in the place of what the topic had; the same again is nothing new."""
        with self._guard:
            if self._kept.get(message.topic) != message:
                self._kept[message.topic] = message
                self._due[message.topic] = None

    def remove(self, topic: str) -> None:
        """Have the broker forget what it retains of a topic, if it was told anything."""
        with self._guard:
            if topic not in self._taken:  # over an outage it would otherwise wait here for nothing
                self._kept.pop(topic, None)
                self._due.pop(topic, None)
            elif topic in self._kept:
                self._kept[topic] = Message(topic, b"", 1, retain=True)
                self._due[topic] = None

    def tell(self, message: Message) -> None:
        """Leave what is told once."""
        with self._guard:
            self._events.append(message)
            if len(self._events) <= _MOST_EVENTS:
                return
            self._events.popleft()
            self.dropped += 1
            first = self.dropped == 1
        if first:
            log.warning("events for mqtt are dropped, the oldest first: %d wait already", _MOST_EVENTS)

    def tell_all_again(self) -> None:
        """Have all that is retained published once more: the broker, or who listens, may have lost it."""
        with self._guard:
            self._due = OrderedDict.fromkeys(self._kept)

    def next(self) -> Message | None:
        """Take what is published next; None for nothing.

        What is retained and what is told once take turns: on a slow network there may always be something new that is
        retained.
        """
        with self._guard:
            if self._events and (self._event_is_due or not self._due):
                self._event_is_due = False
                return self._events.popleft()
            if not self._due:
                return None
            self._event_is_due = bool(self._events)
            topic, _ = self._due.popitem(last=False)
            message = self._kept[topic]
            self._taken.add(topic)
            if not message.payload:
                del self._kept[topic]
                self._taken.remove(topic)
            return message

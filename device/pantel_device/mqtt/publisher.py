"""What a receiver tells a broker: makes messages of pictures, events and readings. It knows no network."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pantel_device.mqtt.discovery import announcement
from pantel_device.mqtt.mailbox import Mailbox
from pantel_device.mqtt.topics import Message, Topics
from pantel_device.pictures import encode_jpeg
from pantel_device.receiving.link_reading import LinkReading
from pantel_device.receiving.senders import Senders
from pantel_device.receiving.sink import Event, Picture, SenderName
from pantel_device.receiving.sinks import EventRecord, strict_record
from pantel_device.wall_clock import iso_utc, utc_now
from pantel_link import Clock
from pantel_models import View

__all__ = ["MOST_SENDERS", "STATE_INTERVAL_S", "MqttPublisher"]

log = logging.getLogger(__name__)

MOST_SENDERS = 64
"""Of so many senders something is retained: without a key anybody can make senders up."""
STATE_INTERVAL_S = 10
_EXPIRE_S = 6 * STATE_INTERVAL_S
_LONGEST_SILENCE_S = 60.0  # after it a picture changes no more
_PLACE_KEPT_NS = 600_000_000_000  # of a silent sender, if others want its place: so names change only so often
_METERED_NS = 60_000_000_000
_NS_PER_S = 1_000_000_000
_LEAVES = ("picture", "state")
_OF_ITS_OWN = {"telemetry": "telemetry", "text": "text"}
# An introduction is cheap to forge and says nothing that anybody could want to see.
_TELLING = frozenset({"alarm", "telemetry", "text", "still", "still_grows"})
_NOT_TOLD = frozenset({"alarm", "still_grows"})  # alarms go another way, which loses none
_COUNTERS = ("packets_good", "packets_lost", "packets_duplicate", "payloads_damaged", "pictures")


@dataclass(slots=True)
class _Known:
    """What is published of a sender."""

    heard_ns: int
    picture_due_ns: int = 0
    telemetry: set[str] = field(default_factory=set)
    counters: Mapping[str, object] = field(default_factory=lambda: dict.fromkeys(_COUNTERS))


class MqttPublisher:
    """A watcher that leaves messages in a mailbox.

    Args:
        topics: Of the receiver.
        mailbox: Where messages wait.
        view: Who paints pictures.
        picture_interval_s: Shortest time between two pictures of a sender [s].
        alive_ns: For how long a sender without a packet counts as alive [ns].
        clock: Monotonic clock of the receiver.
    """

    def __init__(
        self, topics: Topics, mailbox: Mailbox, *, view: View, picture_interval_s: float, alive_ns: int, clock: Clock
    ) -> None:
        self._topics = topics
        self._mailbox = mailbox
        self._view = view
        self._interval_ns = round(picture_interval_s * _NS_PER_S)
        self._clock = clock
        self._senders = Senders(alive_ns)
        self._known: dict[SenderName, _Known] = {}
        self._lines: dict[object, int] = {}
        self._state_due_ns = 0
        self._full = False

    def views(self, sender: SenderName, *, heard_last: bool, silence_s: float) -> Collection[View]:  # noqa: ARG002
        """Return the view of a sender whose next picture is due."""
        known = self._known.get(sender)
        if known is None or silence_s > _LONGEST_SILENCE_S or self._clock.now_ns() < known.picture_due_ns:
            return ()
        return (self._view,)

    def on_picture(self, picture: Picture) -> None:
        """Publish a picture."""
        known = self._known.get(picture.sender)
        if known is not None:
            known.picture_due_ns = picture.time_ns + self._interval_ns
            self._mailbox.keep(
                Message(self._topics.of(picture.sender, "picture"), encode_jpeg(picture.pixels), 0, retain=True)
            )

    def on_event(self, event: Event) -> None:
        """Publish an event, under its sender or, if that is none that has topics, under the receiver."""
        record = strict_record(event, utc_now())
        if event.kind == "link_report":
            self._mailbox.keep(Message(self._link_topic(record.get("port")), _json(record), 0, retain=True))
            return
        self._senders.take_event(record)
        sender = _sender_of(record)
        if sender is not None and event.kind in _TELLING:
            self._admit(sender, event.time_ns, event.time_ns)
        if event.kind == "sender_report":  # part of the state: so frequent, it would push other events out
            if sender is not None and sender in self._known:
                self._known[sender].counters = {name: record.get(name) for name in _COUNTERS}
            return
        if sender is None or sender not in self._known:
            self._mailbox.tell(Message(self._topics.of_receiver("event"), _json(record), 1))
            return
        if event.kind == "telemetry":
            self._learn(sender, event.fields.keys())
        if event.kind not in _NOT_TOLD:
            leaf = _OF_ITS_OWN.get(event.kind, "event")
            self._mailbox.tell(Message(self._topics.of(sender, leaf), _json(record), 0 if leaf == "telemetry" else 1))

    def on_reading(self, reading: LinkReading) -> None:
        """Publish the state of every sender, when it is time to."""
        self._senders.take_reading(reading)
        for contact in reading.contacts:
            if contact.capture_time_ns is not None or contact.sender in self._known:
                self._admit(contact.sender, contact.heard_ns, reading.time_ns)
        if reading.time_ns < self._state_due_ns:
            return
        self._state_due_ns = reading.time_ns + STATE_INTERVAL_S * _NS_PER_S
        utc = iso_utc(utc_now())
        for entry in self._senders.to_json(reading.time_ns):
            sender = SenderName(entry["callsign"], entry["number"])
            if sender in self._known:
                state = {"utc": utc, **entry, **self._known[sender].counters}
                self._mailbox.keep(Message(self._topics.of(sender, "state"), _json(state), 0, retain=True))

    def close(self) -> None:
        """Do nothing: the broker's thread says that the receiver is gone."""

    def _link_topic(self, port: object) -> str:
        """Return the topic of a line; every line reports, and always in the order of the configuration."""
        number = self._lines.setdefault(port, len(self._lines))
        return self._topics.of_receiver(f"link/{number}" if number else "link")

    def _admit(self, sender: SenderName, heard_ns: int, now_ns: int) -> None:
        """Begin to publish a sender; of too many, the one that is silent for longest is taken back from the broker."""
        known = self._known.get(sender)
        if known is not None:
            known.heard_ns = max(known.heard_ns, heard_ns)
            return
        if len(self._known) >= MOST_SENDERS:
            silent = min(self._known, key=lambda each: self._known[each].heard_ns)
            if now_ns - self._known[silent].heard_ns < _PLACE_KEPT_NS:
                if not self._full:
                    self._full = True
                    log.warning("not published sender=%s: %d others are already", sender, MOST_SENDERS)
                return
            del self._known[silent]
            for topic in self._retained(silent):
                self._mailbox.remove(topic)
        self._known[sender] = _Known(heard_ns)
        self._state_due_ns = 0
        self._announce(sender)

    def _learn(self, sender: SenderName, names: Collection[str]) -> None:
        """Announce a sender again if it tells something new."""
        telemetry = self._known[sender].telemetry
        if not telemetry.issuperset(names):
            telemetry.update(names)
            self._announce(sender)

    def _announce(self, sender: SenderName) -> None:
        if self._topics.discovery:
            self._mailbox.keep(announcement(self._topics, sender, self._known[sender].telemetry, _EXPIRE_S))

    def _retained(self, sender: SenderName) -> list[str]:
        topics = [self._topics.of(sender, leaf) for leaf in _LEAVES]
        return [*topics, self._topics.device(sender)] if self._topics.discovery else topics


def _sender_of(record: EventRecord) -> SenderName | None:
    """Return whom an event is about; None for nobody."""
    callsign, number = record.get("callsign"), record.get("sender")
    return SenderName(callsign, number) if isinstance(callsign, str) and isinstance(number, int) else None


def _json(content: Mapping[str, object]) -> bytes:
    return json.dumps(content, allow_nan=False).encode()

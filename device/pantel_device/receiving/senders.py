"""What is known of senders, from events and readings; it has no clock of its own."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Any

from pantel_device.receiving.link_reading import LinkReading
from pantel_device.receiving.receiver import Contact
from pantel_device.receiving.sink import SenderName
from pantel_device.receiving.sinks import EventRecord
from pantel_link.statistics import StreamStatistics

__all__ = ["Senders"]

_MOST_SENDERS = 64
_SENDER_METERED_NS = 60_000_000_000  # of a sender alone 10 s are some 25 packets
_TELEMETRY_HEAD = frozenset({"utc", "monotonic_s", "kind", "callsign", "sender"})


@dataclass(slots=True)
class _Sender:
    """What is known of one sender; times are monotonic [ns]."""

    name: SenderName
    stream: dict[str, Any] = field(default_factory=dict)
    contact: Contact | None = None
    counted: deque[tuple[int, StreamStatistics]] = field(default_factory=deque)
    telemetry: tuple[float, dict[str, Any]] | None = None
    text: tuple[float, str] | None = None
    model_missing: str | None = None
    refused: str | None = None

    def take_contact(self, contact: Contact, time_ns: int) -> None:
        """Note when it was heard, and what was counted of it."""
        self.contact = contact
        if self.counted and contact.statistics.good_bits < self.counted[-1][1].good_bits:
            self.counted.clear()  # it has started again
        self.counted.append((time_ns, contact.statistics))
        while len(self.counted) > 2 and time_ns - self.counted[1][0] >= _SENDER_METERED_NS:
            self.counted.popleft()

    def to_json(self, now_ns: int, alive_ns: int) -> dict[str, Any]:
        counted = self.counted[-1][1].since(self.counted[0][1]) if self.counted else StreamStatistics()
        heard_ns = None if self.contact is None else self.contact.heard_ns
        content_ns = None if self.contact is None else self.contact.capture_time_ns
        return {
            "name": str(self.name),
            "callsign": self.name.callsign,
            "number": self.name.number,
            "width_px": self.stream.get("width_px"),
            "height_px": self.stream.get("height_px"),
            "model": self.stream.get("model"),
            "epoch": self.stream.get("epoch"),
            "packet_age_s": _age_s(heard_ns, now_ns),
            "content_age_s": _age_s(content_ns, now_ns),
            "alive": heard_ns is not None and now_ns - heard_ns <= alive_ns,
            "port": None if self.contact is None else self.contact.port,
            "bit_error_rate": counted.bit_error_rate,
            "packet_loss": counted.packet_loss,
            "telemetry": _aged(self.telemetry, now_ns),
            "text": None if self.text is None else _aged((self.text[0], {"text": self.text[1]}), now_ns),
            "message": self.refused or self.model_missing,
        }


class Senders:
    """Keeps what events and readings tell of senders; of too many, those that are taken, and that were told of last.

    Args:
        alive_ns: For how long a sender without a packet counts as alive [ns].
    """

    def __init__(self, alive_ns: int) -> None:
        self._alive_ns = alive_ns
        self._known: OrderedDict[SenderName, _Sender] = OrderedDict()
        self._taken: frozenset[SenderName] = frozenset()

    def take_event(self, record: EventRecord) -> None:
        """Note what an event says of a sender.

        Anybody can have a sender refused, by a forged introduction; so that says nothing of one that is being taken.
        """
        if "callsign" not in record or "sender" not in record:
            return
        sender = self._of(SenderName(str(record["callsign"]), int(record["sender"] or 0)))
        monotonic_s = float(record["monotonic_s"] or 0)
        match record["kind"]:
            case "sender_heard" | "model_missing":
                sender.stream = {key: record.get(key) for key in ("epoch", "width_px", "height_px", "model")}
                sender.model_missing = None if record["kind"] == "sender_heard" else str(record["message"])
                sender.refused = None
            case "sender_refused" if sender.name not in self._taken:
                sender.refused = str(record["message"])
            case "telemetry":
                told = {key: value for key, value in record.items() if key not in _TELEMETRY_HEAD}
                sender.telemetry = monotonic_s, told
            case "text":
                sender.text = monotonic_s, str(record["text"])

    def take_reading(self, reading: LinkReading) -> None:
        """Note when senders were heard that are taken, and who they are."""
        self._taken = frozenset(contact.sender for contact in reading.contacts)
        for contact in reading.contacts:
            sender = self._of(contact.sender)
            sender.take_contact(contact, reading.time_ns)
            sender.refused = None

    def has(self, name: SenderName) -> bool:
        """Whether a sender has been heard, or told of."""
        return name in self._known

    def newest_packet_age_s(self, now_ns: int) -> float | None:
        """Return the age of the newest packet of any sender [s]; None before the first."""
        heard = [sender.contact.heard_ns for sender in self._known.values() if sender.contact is not None]
        return _age_s(max(heard, default=None), now_ns)

    def to_json(self, now_ns: int) -> list[dict[str, Any]]:
        """Return the senders as the page reads them, sorted by name."""
        return [self._known[name].to_json(now_ns, self._alive_ns) for name in sorted(self._known)]

    def _of(self, name: SenderName) -> _Sender:
        sender = self._known.setdefault(name, _Sender(name))
        self._known.move_to_end(name)
        if len(self._known) > _MOST_SENDERS:
            oldest = next((known for known in self._known if known not in self._taken), None)
            if oldest is not None:
                del self._known[oldest]
        return sender


def _age_s(time_ns: int | None, now_ns: int) -> float | None:
    return None if time_ns is None else round(max(now_ns - time_ns, 0) / 1e9, 1)


def _aged(told: tuple[float, dict[str, Any]] | None, now_ns: int) -> dict[str, Any] | None:
    """Return what was told at a monotonic time [s], with its age."""
    if told is None:
        return None
    return {**told[1], "age_s": round(max(now_ns / 1e9 - told[0], 0), 1)}

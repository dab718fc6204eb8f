"""What is left in the mailbox: for whom, how often, and never without end."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from tests.device.web.serving import MAST, make_event, make_picture

from pantel_device.mqtt.mailbox import Mailbox
from pantel_device.mqtt.publisher import MOST_SENDERS, MqttPublisher
from pantel_device.mqtt.topics import Message, Topics
from pantel_device.receiving.link_reading import LinkReading
from pantel_device.receiving.receiver import Contact
from pantel_device.receiving.sink import Event, SenderName
from pantel_link import StreamStatistics, VirtualClock
from pantel_models import View

_TOPICS = Topics("pantel", "home", "homeassistant")
_SECOND_NS = 1_000_000_000


class _Rig:
    """A publisher, its mailbox and its clock."""

    def __init__(self, topics: Topics = _TOPICS) -> None:
        self.clock = VirtualClock()
        self.mailbox = Mailbox()
        self.publisher = MqttPublisher(
            topics,
            self.mailbox,
            view=View.FAITHFUL,
            picture_interval_s=5,
            alive_ns=30 * _SECOND_NS,
            clock=self.clock,
        )

    def messages(self) -> list[Message]:
        found = []
        while (message := self.mailbox.next()) is not None:
            found.append(message)
        return found

    def wants(self, sender: SenderName = MAST, silence_s: float = 1.0) -> bool:
        return bool(self.publisher.views(sender, heard_last=True, silence_s=silence_s))

    def read(self, *senders: SenderName, heard_ns: int | None = None, **counters: int) -> None:
        now_ns = self.clock.now_ns()
        heard_ns = now_ns if heard_ns is None else heard_ns
        contacts = tuple(Contact(sender, heard_ns, heard_ns, StreamStatistics(**counters)) for sender in senders)
        self.publisher.on_reading(LinkReading(now_ns, contacts, None, ()))

    def state(self) -> dict[str, Any]:
        (state,) = [each for each in self.messages() if each.topic == _TOPICS.of(MAST, "state")]
        found: dict[str, Any] = json.loads(state.payload)
        return found


def test_a_picture_now_and_then_of_those_who_say_something() -> None:
    rig = _Rig()
    assert not rig.wants()  # nobody has said who that is
    rig.publisher.on_event(make_event("sender_heard"))
    assert not rig.wants()  # an introduction is no news
    rig.read(MAST)
    assert rig.wants()
    rig.publisher.on_picture(make_picture(0, grey=10))
    assert not rig.wants()
    rig.clock.advance_to(5 * _SECOND_NS)
    assert rig.wants()
    assert not rig.wants(silence_s=61)


def test_the_newest_picture_alone_and_none_that_is_like_the_one_before() -> None:
    rig = _Rig(Topics("pantel", "home"))
    rig.read(MAST)
    rig.messages()
    rig.publisher.on_picture(make_picture(0, grey=10))
    rig.publisher.on_picture(make_picture(1, grey=200))
    rig.publisher.on_event(make_event("sender_heard"))
    (picture, event) = rig.messages()
    assert (picture.topic, picture.qos, picture.retain) == ("pantel/home/K1ABC-0/picture", 0, True)
    assert (event.topic, event.qos, event.retain) == ("pantel/home/K1ABC-0/event", 1, False)
    rig.publisher.on_picture(make_picture(2, grey=200))
    assert rig.messages() == []


def test_rates_are_those_of_the_last_minute_and_of_one_stream() -> None:
    rig = _Rig()
    rig.read(MAST, packets_good=1000, packets_lost=1000, good_bits=100_000, corrected_bits=50_000)
    for second in range(1, 121):
        rig.clock.advance_to(second * _SECOND_NS)
        counts = {"packets_good": 1000 + 9 * second, "packets_lost": 1000 + second}
        rig.read(MAST, **counts, good_bits=100_000 + 1000 * second, corrected_bits=50_000 + second)
    state = rig.state()
    assert (state["packet_loss"], state["bit_error_rate"]) == (0.1, 0.001)
    rig.clock.advance_to(130 * _SECOND_NS)
    rig.read(MAST, packets_good=1, good_bits=10)  # it began anew
    assert rig.state()["packet_loss"] is None


def test_a_state_every_ten_seconds_of_the_silent_too() -> None:
    rig = _Rig()
    ages = []
    for second in range(60):
        rig.clock.advance_to(second * _SECOND_NS)
        rig.read(MAST, heard_ns=0)
        ages += [
            json.loads(message.payload)["packet_age_s"]
            for message in rig.messages()
            if message.topic.endswith("/state")
        ]
    assert ages == [0, 10, 20, 30, 40, 50]


def test_each_line_has_its_report() -> None:
    rig = _Rig()
    for loss in (0.1, 0.2):
        for port in ("udp://:7000", "/dev/ttyUSB0", "/dev/ttyUSB1"):
            rig.publisher.on_event(Event(0, "link_report", {"port": port, "packet_loss": loss}))
    told = {message.topic: json.loads(message.payload) for message in rig.messages() if message.retain}
    assert {topic: report["port"] for topic, report in told.items()} == {
        "pantel/home/link": "udp://:7000",
        "pantel/home/link/1": "/dev/ttyUSB0",
        "pantel/home/link/2": "/dev/ttyUSB1",
    }
    assert {report["packet_loss"] for report in told.values()} == {0.2}


def test_reports_of_senders_are_part_of_their_states_and_push_nothing_out() -> None:
    rig = _Rig()
    rig.publisher.on_event(make_event("text", text="gate open"))
    counters = {"packets_good": 7, "packets_lost": 1, "packets_duplicate": 2, "payloads_damaged": 0, "pictures": 30}
    rig.read(MAST)
    state = rig.state()
    assert [state[name] for name in counters] == [None] * 5
    rig.publisher.on_event(make_event("text", text="gate shut"))
    for _ in range(1500):
        rig.publisher.on_event(make_event("sender_report", **counters, heard_age_s=0.1))
    rig.clock.advance_to(10 * _SECOND_NS)
    rig.read(MAST)
    newest, text = rig.messages()
    assert json.loads(text.payload)["text"] == "gate shut"
    assert counters.items() <= json.loads(newest.payload).items()


def test_the_state_has_the_keys_that_are_documented() -> None:
    rig = _Rig()
    rig.read(MAST)
    page = (Path(__file__).parents[3] / "docs" / "mqtt.md").read_text()
    example = json.loads(page.split("### State")[1].split("```json")[1].split("```")[0])
    assert rig.state().keys() == example.keys()


def test_a_sender_that_is_refused_gets_no_topics_of_its_own() -> None:
    rig = _Rig()
    rig.publisher.on_event(make_event("sender_refused", message="it has no key"))
    assert [message.topic for message in rig.messages()] == ["pantel/home/event"]


def test_senders_without_end_leave_nothing_behind() -> None:
    rig = _Rig()
    kept: dict[str, bytes] = {}
    told = []
    for number in range(500):
        told.append(SenderName(f"X{number}", 0))
        rig.clock.advance_to(20 * number * _SECOND_NS)
        rig.read(*told[-128:], heard_ns=rig.clock.now_ns())
        rig.publisher.on_picture(make_picture(0, sender=told[-1]))
        kept |= {message.topic: message.payload for message in rig.messages() if message.retain}
    left = {topic for topic, payload in kept.items() if payload}
    assert len({topic.split("/")[2] for topic in left if topic.startswith("pantel/")}) == MOST_SENDERS
    assert len([topic for topic in left if topic.startswith("homeassistant/")]) == MOST_SENDERS
    assert len(kept) > 3 * MOST_SENDERS


def test_those_who_are_heard_keep_their_place(caplog: pytest.LogCaptureFixture) -> None:
    rig = _Rig()
    rig.read(*(SenderName("REAL", number) for number in range(MOST_SENDERS)))
    rig.messages()
    for number in range(3):
        rig.publisher.on_event(make_event("telemetry", callsign=f"FAKE{number}"))
    assert {message.topic for message in rig.messages()} == {"pantel/home/event"}
    assert len([record for record in caplog.records if "not published" in record.getMessage()]) == 1


def test_introductions_alone_take_no_place() -> None:
    rig = _Rig()
    forged = tuple(Contact(SenderName(f"FAKE{number}", 0), 0, None) for number in range(128))
    for contact in forged:
        rig.publisher.on_event(make_event("sender_heard", callsign=contact.sender.callsign))
        rig.publisher.on_event(make_event("sender_report", callsign=contact.sender.callsign))
    own = Contact(MAST, _SECOND_NS, _SECOND_NS)
    rig.publisher.on_reading(LinkReading(_SECOND_NS, (*forged, own), None, ()))
    assert rig.wants()
    messages = rig.messages()
    assert {message.topic for message in messages if message.retain} == {
        _TOPICS.of(MAST, "state"),
        _TOPICS.device(MAST),
    }
    told = [json.loads(message.payload)["kind"] for message in messages if not message.retain]
    assert told == ["sender_heard"] * len(forged)


def test_who_has_long_been_silent_makes_room() -> None:
    rig = _Rig()
    gone = tuple(Contact(SenderName("GONE", number), 0, 0) for number in range(MOST_SENDERS))
    rig.publisher.on_reading(LinkReading(0, gone, None, ()))
    for now_ns, wanted in ((590 * _SECOND_NS, False), (610 * _SECOND_NS, True)):
        own = Contact(MAST, now_ns, now_ns)
        rig.publisher.on_reading(LinkReading(now_ns, (*gone, own), None, ()))  # a receiver forgets nobody by itself
        rig.clock.advance_to(now_ns)
        assert rig.wants() is wanted


def test_events_that_nobody_takes_are_dropped_the_oldest_first(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    mailbox = Mailbox()
    for number in range(1500):
        mailbox.tell(Message("t", str(number).encode()))
    assert mailbox.dropped == 500
    assert mailbox.next() == Message("t", b"500")
    assert len(caplog.records) == 1


def test_what_is_taken_back_is_not_told_again() -> None:
    mailbox = Mailbox()
    mailbox.keep(Message("t", b"1", retain=True))
    assert mailbox.next() == Message("t", b"1", retain=True)
    mailbox.tell_all_again()
    assert mailbox.next() == Message("t", b"1", retain=True)
    mailbox.remove("t")
    assert mailbox.next() == Message("t", b"", 1, retain=True)
    mailbox.tell_all_again()
    assert mailbox.next() is None
    mailbox.remove("never told")
    assert mailbox.next() is None


def test_what_was_never_sent_need_not_be_taken_back() -> None:
    mailbox = Mailbox()
    for number in range(1000):
        mailbox.keep(Message(str(number), b"1", retain=True))
        mailbox.remove(str(number))
    assert mailbox.next() is None
    mailbox.tell_all_again()
    assert mailbox.next() is None


def test_what_always_changes_keeps_no_event_waiting() -> None:
    mailbox = Mailbox()
    mailbox.tell(Message("event", b"1"))
    taken = []
    for number in range(3):
        mailbox.keep(Message("state", str(number).encode(), retain=True))
        message = mailbox.next()
        assert message is not None
        taken.append(message.topic)
    assert taken == ["state", "event", "state"]

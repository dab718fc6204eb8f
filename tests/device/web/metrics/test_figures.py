"""What is kept of a receiver's news for Prometheus."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from tests.device.web.serving import MAST, make_event

from pantel_device.receiving.link_reading import LineReading, LinkReading
from pantel_device.receiving.receiver import Contact
from pantel_device.receiving.sink import SenderName
from pantel_device.receiving.sinks import event_record
from pantel_device.wall_clock import utc_now
from pantel_device.web.hub import News
from pantel_device.web.metrics.figures import Figures, LineFigures
from pantel_device.web.metrics.growing import Growing
from pantel_link import StreamStatistics
from pantel_link.statistics import ReceiverStatistics

_S = 1_000_000_000
_UTC_S = 1_800_000_000.0


@dataclass
class _Rig:
    """Figures, and the clocks that they go by, moved by hand."""

    now_ns: int = 1000 * _S
    utc_s: float = _UTC_S
    figures: Figures = field(init=False)

    def __post_init__(self) -> None:
        self.figures = Figures([LineFigures("pty:", 960)], lambda: self.now_ns, lambda: self.utc_s)

    def read(self, *contacts: Contact, **counters: int) -> None:
        line = LineReading("pty:", 960, True, 0, ReceiverStatistics(**counters))
        reading = LinkReading(self.now_ns, contacts, None, (line,))
        self.figures.take(News((), (), reading))

    def tell(self, kind: str, time_ns: int = 0, **fields: Any) -> None:
        self.figures.take(News((), (event_record(make_event(kind, time_ns, **fields), utc_now()),), None))

    def wait(self, seconds: float) -> None:
        self.now_ns += round(seconds * _S)
        self.utc_s += seconds


@pytest.fixture
def rig() -> _Rig:
    return _Rig()


def test_counters_never_shrink() -> None:
    lost = []
    growing = Growing()
    for good, missing in ((10, 2), (12, 1), (14, 3), (1, 0), (4, 1), (5, 0)):
        growing.take(StreamStatistics(packets_good=good, packets_lost=missing))
        lost.append((growing.counts["packets_good"], growing.counts["packets_lost"]))
    assert lost == [(10, 2), (12, 2), (14, 3), (15, 3), (18, 4), (19, 4)]


def test_times_stand_still_until_there_is_something_newer(rig: _Rig) -> None:
    contact = Contact(MAST, rig.now_ns - 2 * _S, rig.now_ns - 5 * _S)
    rig.read(contact)
    sender = rig.figures.senders[MAST]
    assert sender.heard is not None
    assert sender.content is not None
    assert (sender.heard.utc_s, sender.content.utc_s) == (_UTC_S - 2, _UTC_S - 5)
    rig.wait(3)
    rig.utc_s += 3600  # the clock of the day was set
    rig.read(contact)
    assert (sender.heard.utc_s, sender.content.utc_s) == (_UTC_S - 2, _UTC_S - 5)
    rig.read(Contact(MAST, rig.now_ns - _S, None))
    assert sender.heard.utc_s == _UTC_S + 3602


def test_what_events_tell_of_a_sender(rig: _Rig) -> None:
    rig.tell("sender_heard", epoch=5)
    rig.tell("alarm", phase="began", zone="gate")
    rig.tell("alarm", phase="ended", zone="gate")
    rig.tell("still", block=3)
    rig.tell("telemetry", rig.now_ns - 4 * _S, battery_v=12.5, temperature_c=None)
    assert rig.figures.senders == {}  # until it is in a reading
    rig.read(Contact(MAST, rig.now_ns, None))  # its model is missing
    sender = rig.figures.senders[MAST]
    assert (sender.alarms, sender.stills) == (1, 1)
    assert sender.telemetry["battery_v"] == 12.5
    assert "temperature_c" not in sender.telemetry
    assert sender.told is not None
    assert sender.told.utc_s == _UTC_S - 4
    assert rig.figures.events == {"sender_heard": 1, "alarm": 2, "still": 1, "telemetry": 1}


def test_who_is_refused_is_no_sender(rig: _Rig) -> None:
    rig.tell("sender_refused", message="no key")
    rig.read()
    assert rig.figures.senders == {}
    assert rig.figures.senders_unlisted == 0
    assert rig.figures.events["sender_refused"] == 1


def test_of_senders_that_somebody_invents_a_few_are_told_by_name(rig: _Rig) -> None:
    told: set[SenderName] = set()
    own = Contact(MAST, rig.now_ns, rig.now_ns)
    rig.read(own)
    for minute in range(120):
        rig.wait(60)
        for number in range(10):
            invented = [Contact(SenderName(f"X{minute}-{number}-{n}", 0), rig.now_ns, 0) for n in range(15)]
            rig.read(own, *invented)
            told |= rig.figures.senders.keys()
            assert len(rig.figures.senders) + rig.figures.senders_unlisted == 16
    assert MAST in rig.figures.senders
    assert 100 < len(told) <= 16 + 120
    assert len(rig.figures._senders) <= 64


def test_introductions_alone_take_no_place(rig: _Rig) -> None:
    forged = [Contact(SenderName(f"FAKE{number}", 0), rig.now_ns, None) for number in range(127)]
    for contact in forged:
        rig.tell("sender_heard", callsign=contact.sender.callsign)
    rig.read(*forged, Contact(MAST, rig.now_ns, rig.now_ns))
    assert rig.figures.senders.keys() == {MAST}
    assert rig.figures.senders_unlisted == 127


def test_of_too_many_those_that_are_silent_make_room(rig: _Rig) -> None:
    gone: list[Contact] = []
    for number in range(70):
        gone.append(Contact(SenderName("GONE", number), rig.now_ns, rig.now_ns))
        rig.read(*gone)
        rig.wait(60)
        gone = [replace(contact, heard_ns=rig.now_ns) for contact in gone]
    assert len(rig.figures.senders) == len(rig.figures._senders) == 64
    rig.wait(601)
    rig.read(*gone, Contact(MAST, rig.now_ns, rig.now_ns))
    assert MAST in rig.figures.senders
    assert len(rig.figures.senders) == len(rig.figures._senders) == 64


def test_a_sender_that_is_not_taken_any_more_is_not_told(rig: _Rig) -> None:
    rig.read(Contact(MAST, rig.now_ns, rig.now_ns, StreamStatistics(packets_good=5)))
    rig.read()
    assert rig.figures.senders == {}
    rig.read(Contact(MAST, rig.now_ns, rig.now_ns, StreamStatistics(packets_good=2)))
    assert rig.figures.senders[MAST].packets.counts["packets_good"] == 7

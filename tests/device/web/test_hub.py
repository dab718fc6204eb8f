"""The hub: what is watched is asked for, and what comes waits for whoever collects it, without keeping anybody."""

from __future__ import annotations

import threading
from itertools import pairwise

import pytest
from tests.device.web.serving import MAST, make_event, make_picture, make_reading

from pantel_device.receiving.link_reading import LinkReading
from pantel_device.receiving.receiver import Receiver
from pantel_device.receiving.sink import SenderName
from pantel_device.receiving.watched_receiver import WatchedReceiver
from pantel_device.sending.stream import stream_context
from pantel_device.web.hub import Choice, Hub
from pantel_link import LinkReceiver, LinkSender, VirtualClock, memory_pair
from pantel_link.ports import reconnecting
from pantel_models import View, find_artefact

_OTHER = SenderName("DK1AB", 3)
_PERCEPTUAL, _FAITHFUL = View.PERCEPTUAL, View.FAITHFUL


@pytest.fixture
def hub() -> Hub:
    return Hub()


def test_nothing_is_drawn_for_nobody(hub: Hub) -> None:
    assert not hub.views(MAST, heard_last=True, silence_s=0.0)


def test_who_watches_the_one_heard_last_gets_that_one_alone(hub: Hub) -> None:
    hub.want([Choice(None, _PERCEPTUAL)])
    assert hub.views(MAST, heard_last=True, silence_s=0.0) == {_PERCEPTUAL}
    assert not hub.views(_OTHER, heard_last=False, silence_s=0.0)


def test_a_sender_is_drawn_in_every_view_that_is_watched(hub: Hub) -> None:
    hub.want([Choice(None, _PERCEPTUAL), Choice(MAST, _FAITHFUL), Choice(_OTHER, _FAITHFUL)])
    assert hub.views(MAST, heard_last=True, silence_s=0.0) == {_PERCEPTUAL, _FAITHFUL}
    assert hub.views(MAST, heard_last=False, silence_s=0.0) == {_FAITHFUL}
    assert hub.views(_OTHER, heard_last=False, silence_s=0.0) == {_FAITHFUL}


def test_of_pictures_that_nobody_has_collected_the_newest_stays(hub: Hub) -> None:
    hub.views(MAST, heard_last=True, silence_s=0.0)
    for time_ns in range(100):
        hub.on_picture(make_picture(time_ns))
        hub.on_picture(make_picture(time_ns, view=_FAITHFUL))
        hub.on_picture(make_picture(time_ns, sender=_OTHER))
    news = hub.collect()
    assert [taken.picture.time_ns for taken in news.pictures] == [99, 99, 99]
    assert [taken.heard_last for taken in news.pictures] == [True, True, False]
    assert not hub.collect().pictures


def test_events_are_kept_in_order_and_not_without_end(hub: Hub) -> None:
    for number in range(1500):
        hub.on_event(make_event("text", number, text=str(number)))
    events = hub.collect().events
    assert [event["text"] for event in events] == [str(number) for number in range(500, 1500)]
    assert list(events[0]) == ["utc", "monotonic_s", "kind", "callsign", "sender", "text"]


def test_reports_on_the_link_are_left_to_files(hub: Hub) -> None:
    hub.on_event(make_event("link_report", wire_octets=1))
    hub.on_event(make_event("sender_report", packets_good=1))
    assert not hub.collect().events


def test_whoever_collects_is_woken_once_until_he_has_looked(hub: Hub) -> None:
    woken: list[None] = []
    hub.attach(lambda: woken.append(None))
    for _ in range(3):
        hub.on_picture(make_picture())
        hub.on_reading(make_reading(0))
    assert len(woken) == 1
    hub.collect()
    hub.on_event(make_event("text", text="gate open"))
    assert len(woken) == 2
    hub.collect()
    hub.attach(None)
    hub.on_picture(make_picture())
    assert len(woken) == 2


def test_nothing_is_lost_between_two_threads(hub: Hub) -> None:
    collected: list[object] = []
    woken = threading.Event()
    hub.attach(woken.set)

    def collect() -> None:
        while len(collected) < 900 and woken.wait(10):
            woken.clear()
            collected.extend(hub.collect().events)

    thread = threading.Thread(target=collect)
    thread.start()
    for number in range(900):
        hub.on_event(make_event("text", text=str(number)))
    thread.join(10)
    assert len(collected) == 900


class _Readings(Hub):
    def __init__(self) -> None:
        super().__init__()
        self.readings: list[LinkReading] = []

    def on_reading(self, reading: LinkReading) -> None:
        self.readings.append(reading)


def test_a_receiver_is_read_off_every_second() -> None:
    clock = VirtualClock()
    near, far = memory_pair()
    port = reconnecting(far, lambda: far, clock)
    readings = _Readings()
    receiver = WatchedReceiver(Receiver(port=port, link=LinkReceiver(), sinks=[]), [readings])
    near.write(b"noise")
    while clock.now_ns() <= 5_000_000_000:
        clock.advance_to(receiver.advance(clock.now_ns()))
    assert [round(reading.time_ns / 1e9, 1) for reading in readings.readings] == pytest.approx(range(6), abs=0.2)
    assert readings.readings[-1].statistics.wire_octets == 5
    assert readings.readings[-1].port_up
    assert readings.readings[0].statistics is not readings.readings[1].statistics
    assert readings.readings[-1].contacts == ()
    assert readings.readings[-1].heard_last is None


def test_a_receiver_is_read_off_when_a_packet_has_come() -> None:
    sender = LinkSender(stream_context(find_artefact(), callsign="K1ABC", epoch=1, size_px=(64, 48)), now_ns=0)
    clock = VirtualClock()
    near, far = memory_pair()
    port = reconnecting(far, lambda: far, clock)
    readings = _Readings()
    receiver = WatchedReceiver(Receiver(port=port, link=LinkReceiver(), sinks=[]), [readings])
    while clock.now_ns() <= 20_000_000_000:
        near.write(sender.due(clock.now_ns()))
        clock.advance_to(receiver.advance(clock.now_ns()))
    times = [reading.time_ns for reading in readings.readings]
    heard = {
        reading.contacts[0].heard_ns: reading.time_ns for reading in reversed(readings.readings) if reading.contacts
    }
    assert len(heard) >= 2
    assert max(time_ns - heard_ns for heard_ns, time_ns in heard.items()) <= 100_000_000
    assert min(after - before for before, after in pairwise(times)) >= 100_000_000

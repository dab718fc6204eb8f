"""What the page tells of senders, the link and events."""

from __future__ import annotations

from typing import Any

import pytest
from tests.device.web.serving import MAST, make_event, make_reading

from pantel_device.receiving.link_reading import LineReading, LinkReading
from pantel_device.receiving.receiver import Contact
from pantel_device.receiving.senders import Senders
from pantel_device.receiving.sink import SenderName
from pantel_device.receiving.sinks import EventRecord, event_record
from pantel_device.wall_clock import utc_now
from pantel_device.web.facts import Abilities, Facts
from pantel_device.web.hub import News
from pantel_device.web.state import EVENTS_KEPT_PER_KIND, EventRings, LinkMeter
from pantel_link.statistics import ReceiverStatistics, StreamStatistics
from pantel_models import View

_S = 1_000_000_000


def _record(kind: str, time_ns: int = 0, **fields: Any) -> EventRecord:
    return event_record(make_event(kind, time_ns, **fields), utc_now())


@pytest.fixture
def senders() -> Senders:
    senders = Senders(alive_ns=30 * _S)
    senders.take_event(_record("sender_heard", epoch=5, width_px=320, height_px=240, model="a1b2c3"))
    return senders


def test_a_sender_is_known_by_what_events_and_readings_tell(senders: Senders) -> None:
    senders.take_event(_record("telemetry", 2 * _S, battery_v=12.5, uptime_s=4000))
    senders.take_event(_record("text", 3 * _S, text="gate open"))
    senders.take_reading(make_reading(9 * _S))
    assert senders.has(MAST)
    assert senders.to_json(10 * _S) == [
        {
            "name": "K1ABC-0", "callsign": "K1ABC", "number": 0, "width_px": 320, "height_px": 240, "model": "a1b2c3",
            "epoch": 5, "packet_age_s": 1.0, "content_age_s": 2.0, "alive": True,
            "port": "", "bit_error_rate": None, "packet_loss": None,
            "telemetry": {"battery_v": 12.5, "uptime_s": 4000, "age_s": 8.0},
            "text": {"text": "gate open", "age_s": 7.0}, "message": None,
        }
    ]  # fmt: skip


def test_a_sender_that_is_not_heard_any_more_is_not_alive(senders: Senders) -> None:
    assert not senders.to_json(0)[0]["alive"]
    senders.take_reading(make_reading(_S))
    assert [senders.to_json(now_s * _S)[0]["alive"] for now_s in (1, 31, 32)] == [True, True, False]
    assert senders.newest_packet_age_s(32 * _S) == 31.0


@pytest.mark.parametrize("kind", ["model_missing", "sender_refused"])
def test_why_nothing_is_shown(senders: Senders, kind: str) -> None:
    senders.take_event(_record(kind, message="install it", epoch=6, width_px=320, height_px=240, model="ffffff"))
    assert senders.to_json(0)[0]["message"] == "install it"
    senders.take_event(_record("sender_heard", epoch=7, width_px=64, height_px=48, model="a1b2c3"))
    assert senders.to_json(0)[0]["message"] is None
    assert senders.to_json(0)[0]["width_px"] == 64


def test_a_sender_that_is_taken_is_not_refused_by_a_forged_introduction(senders: Senders) -> None:
    senders.take_reading(make_reading(_S))
    senders.take_event(_record("sender_refused", message="no key", epoch=9))
    assert senders.to_json(_S)[0]["message"] is None
    senders.take_event(_record("model_missing", message="install it", epoch=6))
    senders.take_event(_record("sender_refused", message="no key", epoch=9))
    assert senders.to_json(_S)[0]["message"] == "install it"


def test_a_refusal_is_over_when_the_sender_is_taken(senders: Senders) -> None:
    senders.take_event(_record("model_missing", message="install it", epoch=6))
    senders.take_event(_record("sender_refused", message="no key", epoch=9))
    assert senders.to_json(_S)[0]["message"] == "no key"
    senders.take_reading(make_reading(_S))
    assert senders.to_json(_S)[0]["message"] == "install it"


def test_senders_that_somebody_invents_are_forgotten(senders: Senders) -> None:
    for number in range(200):
        senders.take_event(
            {"kind": "sender_refused", "callsign": f"X{number}", "sender": 0, "message": "no", "monotonic_s": 0}
        )
    assert len(senders.to_json(0)) == 64
    assert not senders.has(MAST)
    assert senders.has(SenderName("X199", 0))


def test_who_is_taken_is_not_forgotten(senders: Senders) -> None:
    senders.take_reading(make_reading(_S))
    for number in range(200):
        senders.take_event(
            {"kind": "sender_refused", "callsign": f"X{number}", "sender": 0, "message": "no", "monotonic_s": 0}
        )
    assert len(senders.to_json(_S)) == 64
    assert senders.has(MAST)
    assert senders.to_json(_S)[0]["width_px"] == 320


def test_events_count_as_told_before_the_reading_that_comes_with_them(senders: Senders) -> None:
    facts = Facts(
        senders=senders,
        meter=LinkMeter([("pty:", 960)]),
        views=(View.FAITHFUL,),
        playout_delay_s=1.5,
        abilities=Abilities(ask=False, stills=False, recordings=False, log_out=False),
        now_ns=lambda: _S,
    )
    facts.take(News((), (), make_reading(0)))
    told = _record("sender_refused", message="no key", epoch=9)
    silent = LinkReading(_S, (), None, (LineReading("pty:", 960, True, 0, ReceiverStatistics()),))
    (event,) = facts.take(News((), (told,), silent))  # it was taken until then
    assert (event["event_number"], event["message"]) == (1, "no key")
    assert facts.state()["senders"][0]["message"] is None


def test_rates_are_those_of_the_last_ten_seconds() -> None:
    meter = LinkMeter([("/dev/ttyUSB0", 960)])
    assert meter.to_json()["rate_bps"] is None
    meter.take_reading(make_reading(0))
    assert meter.to_json()["packet_loss"] is None
    for second in range(1, 101):
        lost = max(second - 95, 0)
        meter.take_reading(
            make_reading(second * _S, wire_octets=120 * second, packets_good=10 * second, packets_lost=10 * lost,
                         good_bits=1000 * second, corrected_bits=second, codewords_failed=3, damaged=2)
        )  # fmt: skip
    told = meter.to_json()
    assert (told["bitrate_bps"], told["rate_bps"]) == (960, 960.0)
    assert told["bit_error_rate"] == pytest.approx(0.001)
    assert told["packet_loss"] == pytest.approx(50 / 150)
    assert (told["packets_good"], told["packets_lost"], told["codewords_failed"]) == (1000, 50, 3)
    assert (told["payloads_damaged"], told["port"], told["port_up"]) == (2, "/dev/ttyUSB0", True)


def test_lines_are_told_each_and_together() -> None:
    def reading(time_ns: int, *lines: tuple[int, bool]) -> LinkReading:
        readings = [
            LineReading(f"port {number}", 960, up, 1, ReceiverStatistics(wire_octets=octets, packets_good=octets))
            for number, (octets, up) in enumerate(lines)
        ]
        return LinkReading(time_ns, (), None, tuple(readings))

    meter = LinkMeter([("port 0", 960), ("port 1", 480)])
    assert [line["bitrate_bps"] for line in meter.to_json()["lines"]] == [960, 480]
    meter.take_reading(reading(0, (0, True), (0, True)))
    meter.take_reading(reading(10 * _S, (1000, True), (500, False)))
    told = meter.to_json()
    assert [(line["port"], line["rate_bps"], line["port_up"]) for line in told["lines"]] == [
        ("port 0", 800.0, True),
        ("port 1", 400.0, False),
    ]
    assert (told["port"], told["rate_bps"], told["bitrate_bps"], told["port_up"]) == (
        "port 0, port 1",
        1200,
        960,  # the other line is gone, and carries nothing
        True,
    )
    assert (told["packets_good"], told["payloads_damaged"]) == (1500, 2)
    meter.take_reading(reading(20 * _S, (1000, False), (500, False)))
    assert meter.to_json()["bitrate_bps"] == 1920  # nobody has to divide by nothing


def test_losses_of_a_sender_are_those_of_the_last_minute(senders: Senders) -> None:
    def take(second: int, statistics: StreamStatistics) -> dict[str, Any]:
        contact = Contact(MAST, second * _S, None, statistics, "/dev/ttyUSB0")
        senders.take_reading(LinkReading(second * _S, (contact,), MAST, ()))
        return senders.to_json(second * _S)[0]

    assert take(0, StreamStatistics())["packet_loss"] is None
    for second in range(1, 101):
        lost = 10 * max(second - 90, 0)
        told = take(second, StreamStatistics(10 * second, 0, lost, 1000 * second, second))
    assert told["port"] == "/dev/ttyUSB0"
    assert told["packet_loss"] == pytest.approx(100 / 700)
    assert told["bit_error_rate"] == pytest.approx(0.001)
    assert take(101, StreamStatistics(2, 0, 0, 100, 0))["packet_loss"] is None  # it has started again
    assert take(102, StreamStatistics(3, 0, 1, 200, 0))["packet_loss"] == 0.5


def test_packets_that_come_late_make_no_negative_loss() -> None:
    meter = LinkMeter([("pty:", 960)])
    meter.take_reading(make_reading(0, packets_good=10, packets_lost=5))
    meter.take_reading(make_reading(_S, packets_good=15, packets_lost=0, port_up=False))
    assert meter.to_json()["packet_loss"] == 0.0
    assert not meter.to_json()["port_up"]


def test_events_are_numbered_and_the_newest_come_first() -> None:
    rings = EventRings()
    for number in range(100):
        rings.add(_record("alarm" if number % 10 == 0 else "text", number=7))
    assert [event["event_number"] for event in rings.newest(kind=None, before=None, limit=3)] == [100, 99, 98]
    assert [event["event_number"] for event in rings.newest(kind=None, before=93, limit=3)] == [92, 91, 90]
    assert [event["event_number"] for event in rings.newest(kind="alarm", before=90, limit=2)] == [81, 71]
    assert rings.newest(kind=None, before=None, limit=1)[0]["number"] == 7  # an alarm's own number stays
    assert rings.newest(kind="nothing", before=None, limit=1) == []


def test_frequent_events_push_out_no_rare_ones() -> None:
    rings = EventRings()
    rings.add(_record("alarm", zone="gate"))
    for _ in range(5000):
        rings.add(_record("still_grows"))
    assert [event["zone"] for event in rings.newest(kind="alarm", before=None, limit=10)] == ["gate"]
    kept = rings.newest(kind=None, before=None, limit=5000)
    assert len(kept) == EVENTS_KEPT_PER_KIND + 1
    assert kept[-1]["kind"] == "alarm"

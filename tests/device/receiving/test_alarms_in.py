"""Alarms as they come in: each is told once, whatever comes again, and nothing grows."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from pantel_device.frame import Box
from pantel_device.receiving.alarms_in import AlarmsIn
from pantel_link import StreamContext
from pantel_link.messages import Alarm
from pantel_link.messages.alarm import AlarmError
from pantel_link.region import Region

_S = 1_000_000_000
_CONTEXT = StreamContext(5, "DK1AB", 7, bytes(3), 320, 240)
_ALARM = Alarm(3, True, 1, 0.5, Region.from_steps(51, 102, 102, 255), "gate")


def _take(alarms: AlarmsIn, alarm: Alarm, stamp_s: float, context: StreamContext = _CONTEXT) -> bool:
    """Take an alarm half a second after its stamp; return whether it was told."""
    stamp_ns = round(stamp_s * _S)
    return alarms.take(context, alarm.to_payload(33), stamp_ns, stamp_ns + _S // 2) is not None


def test_what_an_alarm_tells(caplog: pytest.LogCaptureFixture) -> None:
    alarm = AlarmsIn().take(_CONTEXT, _ALARM.to_payload(33), 100 * _S, 101 * _S)
    assert alarm is not None
    assert alarm.time_ns == 99.5 * _S
    assert alarm.box == Box(64, 96, 128, 240, "person")
    assert alarm.fields(101 * _S) == {
        "callsign": "DK1AB",
        "number": 3,
        "phase": "began",
        "class": "person",
        "zone": "gate",
        "left_px": 64.0,
        "top_px": 96.0,
        "right_px": 128.0,
        "bottom_px": 240.0,
        "age_s": 1.5,
        "happened_monotonic_s": 99.5,
    }
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == "alarm callsign=DK1AB sender=5 number=3 began=True class=person zone='gate' age_s=1.5"


@pytest.mark.parametrize(("class_id", "name"), [(0, None), (3, "car"), (80, "toothbrush"), (81, None), (127, None)])
def test_classes_are_those_of_coco(class_id: int, name: str | None) -> None:
    alarm = AlarmsIn().take(_CONTEXT, replace(_ALARM, class_id=class_id).to_payload(33), 0, 0)
    assert alarm is not None
    assert alarm.fields(0)["class"] == name


def test_an_alarm_is_told_once_however_often_it_comes() -> None:
    alarms = AlarmsIn()
    told = [_take(alarms, replace(_ALARM, age_s=0.5 + wait_s), 100 + wait_s) for wait_s in (0, 2.04, 8)]
    assert told == [True, False, False]
    assert _take(alarms, replace(_ALARM, began=False), 103)
    assert not _take(alarms, replace(_ALARM, began=False, age_s=8.5), 111)
    assert _take(alarms, replace(_ALARM, number=4), 112)
    assert _take(alarms, _ALARM, 100, replace(_CONTEXT, epoch=8))


def test_a_number_that_has_come_round_is_another_alarm() -> None:
    alarms = AlarmsIn()
    assert _take(alarms, _ALARM, 100)
    assert _take(alarms, _ALARM, 400)
    assert not _take(alarms, replace(_ALARM, age_s=8.5), 408)


def test_what_is_known_is_bounded() -> None:
    alarms = AlarmsIn()
    for epoch in range(1100):
        assert _take(alarms, _ALARM, 100, replace(_CONTEXT, epoch=epoch))
    for number in range(10):
        assert _take(alarms, replace(_ALARM, number=number), 100, _CONTEXT)
    assert len(alarms._known) == 1024
    assert len(alarms._shown) == 256
    assert [alarm.number for alarm in alarms.shown(_CONTEXT, 100 * _S)] == [9, 8, 7, 6, 5, 4]


def test_alarms_are_shown_for_10_seconds_from_when_they_were_heard_the_newest_first() -> None:
    alarms = AlarmsIn()
    _take(alarms, replace(_ALARM, age_s=9.0), 99.5)  # heard at 100 s
    _take(alarms, replace(_ALARM, number=4), 103.5)
    _take(alarms, replace(_ALARM, began=False), 104.5)  # that is no reason to look
    assert [alarm.number for alarm in alarms.shown(_CONTEXT, 104 * _S)] == [4, 3]
    assert alarms.shown(replace(_CONTEXT, sender=6), 104 * _S) == ()
    assert [alarm.number for alarm in alarms.shown(_CONTEXT, 110 * _S)] == [4, 3]
    assert [alarm.number for alarm in alarms.shown(_CONTEXT, 110 * _S + 1)] == [4]
    assert alarms.shown(_CONTEXT, 115 * _S) == ()


def test_a_name_cannot_break_the_log(caplog: pytest.LogCaptureFixture) -> None:
    payload = _ALARM.to_payload(8) + b"gate\nlevel=error"
    alarm = AlarmsIn().take(_CONTEXT, payload, 0, 0)
    assert alarm is not None
    assert alarm.zone == "gate level=error"
    assert "\n" not in caplog.records[0].getMessage()


def test_noise_is_its_one_error() -> None:
    with pytest.raises(AlarmError):
        AlarmsIn().take(_CONTEXT, bytes(33), 0, 0)

"""Alarms on their way out: before everything else, three times, and never in the way of the scene for long."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pantel_device.frame import Box, Frame, Observation, ZoneEvent
from pantel_device.observer import MotionDetector, Observer
from pantel_device.receiving.alarms_in import AlarmsIn, ReceivedAlarm
from pantel_device.scene_encoding.scene_encoder import SceneEncoder
from pantel_device.sending.airtime import News, NewsSource
from pantel_device.sending.alarms_out import AlarmSender, _region
from pantel_device.sending.sender import Sender
from pantel_link import (
    ChannelSettings,
    LengthClass,
    LinkReceiver,
    LinkSender,
    NullModem,
    PacketKind,
    Preset,
    SentCodeword,
    StreamContext,
    StreamProfile,
    VirtualClock,
)
from pantel_link.messages import Alarm
from pantel_link.traffic import TrafficClass

_S = 1_000_000_000
_STEP_NS = _S // 50
_SIZE_PX = (64, 48)
_CONTEXT = StreamContext(5, "DK1AB", 7, bytes(3), *_SIZE_PX)
_BOX = Box(12.0, 10.0, 16.0, 48.0, "person", source="detector")


def _came(time_ns: int, track_id: int = 1, zone: str = "gate") -> ZoneEvent:
    return ZoneEvent(zone, track_id, True, time_ns, _BOX)


def _taken(alarms: AlarmSender, now_ns: int) -> Alarm:
    assert alarms.wants(now_ns) is TrafficClass.ALARM
    news = alarms.take(now_ns)
    assert (news.kind, news.length_class) == (PacketKind.ALARM, LengthClass.LIVE)
    return Alarm.from_payload(news.payload)


@pytest.fixture
def alarms() -> AlarmSender:
    return AlarmSender(LinkSender(_CONTEXT, now_ns=0), _SIZE_PX)


def test_an_alarm_is_sent_at_once_and_after_2_and_8_seconds(alarms: AlarmSender) -> None:
    alarms.raise_alarm(_came(10 * _S))
    first_ns = 10 * _S + 400_000_000
    sent = []
    for now_ns in range(first_ns, 30 * _S, _S // 10):
        while alarms.wants(now_ns) is not None:
            sent.append((now_ns, _taken(alarms, now_ns)))
    assert [now_ns - first_ns for now_ns, _ in sent] == [0, 2 * _S, 8 * _S]
    for now_ns, alarm in sent:
        assert alarm.age_s == pytest.approx((now_ns - 10 * _S) / _S, abs=0.11)  # the packet begins in whole ticks
        assert replace(alarm, age_s=0.0) == Alarm(0, True, 1, 0.0, alarm.region, "gate")
    assert sent[0][1].region.to_steps() == (47, 53, 64, 255)


def test_the_object_that_leaves_has_the_number_of_its_coming(alarms: AlarmSender) -> None:
    for number, event in enumerate((_came(0, 7), _came(0, 8), _came(0, 7, "yard"))):
        alarms.raise_alarm(event)
        assert _taken(alarms, 0).number == number
    for track_id, zone, number in ((7, "yard", 2), (7, "gate", 0), (8, "gate", 1), (99, "gate", 3)):
        alarms.raise_alarm(ZoneEvent(zone, track_id, False, _S, _BOX))
        alarm = _taken(alarms, _S)
        assert (alarm.number, alarm.began) == (number, False)


def test_a_number_that_has_come_round_is_the_new_alarm_s(alarms: AlarmSender) -> None:
    for track_id in range(257):
        alarms.raise_alarm(_came(0, track_id))
    for track_id, number in ((256, 0), (0, 1)):  # the first alarm has lost its number to the last
        alarms.raise_alarm(ZoneEvent("gate", track_id, False, _S, _BOX))
        assert alarms._waiting[-1].number == number


def test_new_alarms_go_before_repeated_ones_and_the_oldest_first(alarms: AlarmSender) -> None:
    alarms.raise_alarm(_came(0))
    assert _taken(alarms, 0).number == 0
    for time_ns in (3 * _S, 4 * _S):
        alarms.raise_alarm(_came(time_ns, time_ns))
    assert [_taken(alarms, 5 * _S).number for _ in range(3)] == [1, 2, 0]


def test_of_too_many_alarms_the_newest_are_kept(alarms: AlarmSender, caplog: pytest.LogCaptureFixture) -> None:
    alarms.raise_alarm(_came(0))
    assert _taken(alarms, 0).number == 0
    for track_id in range(1, 21):
        alarms.raise_alarm(_came(track_id, track_id))
    assert alarms.dropped == 4  # and a repetition of the first, which does not count
    assert [_taken(alarms, _S).number for _ in range(16)] == list(range(5, 21))
    assert alarms.wants(_S) is None
    assert caplog.text.count("too many alarms for the line") == 3  # 1, 2 and 4


@given(
    st.tuples(*[st.floats(-100, 200)] * 2),
    st.tuples(*[st.floats(0, 300)] * 2),
    st.sampled_from([(64, 48), (320, 240), (1024, 32)]),
)
def test_what_is_in_the_picture_is_within_the_box(
    corner: tuple[float, float], extent: tuple[float, float], size_px: tuple[int, int]
) -> None:
    box = Box(*corner, corner[0] + extent[0], corner[1] + extent[1])
    left, top, right, bottom = (each / 255 for each in _region(box, size_px).to_steps())
    for low, high, least, most, size in (
        (left, right, box.x0, box.x1, size_px[0]),
        (top, bottom, box.y0, box.y1, size_px[1]),
    ):
        assert 0 <= low < high <= 1
        assert low <= max(least / size, 0)
        assert high >= min(most / size, 1)


@dataclass
class _Camera:
    """Shows black frames for ever."""

    size_px: tuple[int, int] = _SIZE_PX
    fps: float = 10.0
    finished: bool = False
    outage: None = None

    def capture(self, now_ns: int) -> Frame | None:
        return Frame(now_ns * 10 // _S, now_ns, np.zeros((48, 64, 3), np.uint8))

    def close(self) -> None:
        """Nothing to release."""


class _Observer(Observer):
    """Sees once and for all that there is nothing, and whether anything moves all the same."""

    def __init__(self, *, moving: bool) -> None:
        seen = Observer(MotionDetector()).observe(Frame(0, 0, np.zeros((48, 64, 3), np.uint8)))
        self._seen = replace(seen, motion=np.full_like(seen.motion, moving))

    def observe(self, frame: Frame) -> Observation:
        return replace(self._seen, frame=frame)


class _Encoder(SceneEncoder):
    """Has always something to tell."""

    def __init__(self) -> None:
        """Need nothing."""

    def payload(self, observation: Observation, capacity_bytes: int, stamp_ns: int) -> bytes:  # noqa: ARG002
        return bytes(range(capacity_bytes))

    def unhurried(self, *, calm: bool) -> bool:
        return calm

    def submitted(self, counter: int) -> None:
        """Keep no account."""


@dataclass
class _Talker:
    """Has always a text to say, or a symbol of a still."""

    link: LinkSender
    kind: PacketKind
    traffic: TrafficClass
    length_class: LengthClass

    def wants(self, now_ns: int) -> TrafficClass | None:  # noqa: ARG002
        return self.traffic

    def take(self, now_ns: int) -> News:  # noqa: ARG002
        return News(self.kind, b"\1" * self.link.capacity_bytes(self.length_class), self.length_class)


class _Log:
    """Notes the packets that are sent."""

    def __init__(self) -> None:
        self.sent: list[PacketKind] = []

    def on_sent(self, codeword: SentCodeword) -> None:
        self.sent.append(codeword.packet.kind)


@dataclass
class _Run:
    """What was sent, how many packets each alarm had before it, and which alarms came in when."""

    sent: list[PacketKind]
    before: list[int]
    told: list[tuple[int, ReceivedAlarm]]


def _run(
    events: Iterable[ZoneEvent],
    seconds: float,
    *,
    stills: bool = False,
    moving: bool = True,
    preset: Preset = Preset.STANDARD,
    channel: ChannelSettings | None = None,
    loss: float = 0.0,
    seed: int = 0,
) -> _Run:
    """Send scene, texts and stills without end over a line of 960 bit/s, and alarms in between.

    The line loses whole packets with the probability `loss`. Where nothing is `moving` the scene leaves in long ones.
    """
    clock, log, generator = VirtualClock(), _Log(), random.Random(seed)
    modem = NullModem(clock, channel or ChannelSettings())
    link = LinkSender(_CONTEXT, now_ns=0, profile=StreamProfile(preset), listener=log)
    alarms = AlarmSender(link, _SIZE_PX)
    sources: list[NewsSource] = [alarms, _Talker(link, PacketKind.TEXT, TrafficClass.MESSAGE, LengthClass.LIVE)]
    if stills:
        sources.append(_Talker(link, PacketKind.STILL, TrafficClass.STILL, LengthClass.STILL))
    sender = Sender(
        camera=_Camera(),
        observer=_Observer(moving=moving),
        encoder=_Encoder(),
        link=link,
        port=modem.near,
        messages=sources,
    )
    receiver, incoming = LinkReceiver(contexts=[_CONTEXT]), AlarmsIn()
    waiting = sorted(events, key=lambda event: event.time_ns)
    told, before = [], []
    for now_ns in range(0, round(seconds * _S), _STEP_NS):
        clock.advance_to(now_ns)
        while waiting and waiting[0].time_ns <= now_ns:
            alarms.raise_alarm(waiting.pop(0))
            before.append(len(log.sent))
        sender.advance(now_ns)
        for each in receiver.receive(modem.far.read(4096), now_ns):
            if each.packet.kind is PacketKind.ALARM and generator.random() >= loss:
                alarm = incoming.take(each.context, each.packet.payload, each.stamp_ns, now_ns)
                told += [] if alarm is None else [(now_ns, alarm)]
    return _Run(log.sent, before, told)


def _scattered(count: int, every_s: float, seed: int) -> list[ZoneEvent]:
    generator = random.Random(seed)
    times_ns = [
        _S * 10 + round((each + generator.random()) * every_s * _S) // _STEP_NS * _STEP_NS for each in range(count)
    ]
    return [_came(time_ns, track_id) for track_id, time_ns in enumerate(times_ns)]


def _delays_s(run: _Run, events: Sequence[ZoneEvent]) -> list[float]:
    assert [alarm.number for _, alarm in run.told] == list(range(len(events)))
    return [(now_ns - event.time_ns) / _S for (now_ns, _), event in zip(run.told, events, strict=True)]


@pytest.mark.parametrize(("stills", "moving"), [(False, True), (True, True), (False, False)])
def test_an_alarm_is_the_very_next_packet_though_others_wait(stills: bool, moving: bool) -> None:
    events = _scattered(20, 9.0, seed=1)
    run = _run(events, 200, stills=stills, moving=moving)
    for before in run.before:
        following = run.sent[before : before + 2]
        assert following[0] is PacketKind.ALARM or following == [PacketKind.IDENT, PacketKind.ALARM]
    # Behind a long packet, which is in flight for 1.09 s, it may take 0.7 s more than behind a live one.
    assert max(_delays_s(run, events)) < (1.5 if moving and not stills else 2.0)
    for (_, alarm), event in zip(run.told, events, strict=True):
        assert abs(alarm.time_ns - event.time_ns) <= 0.12 * _S


def test_most_alarms_arrive_though_three_packets_in_ten_are_lost() -> None:
    """Of three sendings all are lost once in 37 alarms."""
    events = _scattered(100, 4.0, seed=2)
    run = _run(events, 420, loss=0.3, seed=3)
    assert len(run.told) == len({alarm.number for _, alarm in run.told})
    assert 95 <= len(run.told) < 100
    by_number = {alarm.number: alarm for _, alarm in run.told}
    for event in events:
        if (alarm := by_number.get(event.track_id)) is not None:
            assert abs(alarm.time_ns - event.time_ns) <= 0.12 * _S  # whichever of the three it was


def test_alarms_without_end_take_no_more_than_half_of_the_air() -> None:
    events = [_came(10 * _S + each * _S // 10, each) for each in range(1200)]
    run = _run(events, 130)
    begins, ends = run.before[600], run.before[-1]  # the second of two minutes
    flood = run.sent[begins:ends].count(PacketKind.ALARM) / (ends - begins)
    assert 0.45 < flood <= 0.51
    first_minute = run.sent[run.before[0] : begins]
    assert first_minute[1:17] == [PacketKind.ALARM] * 16 or first_minute[:16] == [PacketKind.ALARM] * 16
    assert first_minute.count(PacketKind.ALARM) / len(first_minute) <= 0.56

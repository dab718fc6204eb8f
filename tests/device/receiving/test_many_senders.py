"""Dozens of senders: who is drawn, who is kept, and what is told of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from itertools import pairwise

from tests.album import Album
from tests.device.receiving.hearing import End, sent_octets

from pantel_device.receiving.sink import SenderName
from pantel_link import StreamContext
from pantel_models import View

_S = 1_000_000_000
_INTERVAL_NS = _S // 10


class _Watch(Album):
    """Wants the pictures of some senders."""

    def __init__(self, numbers: Collection[int]) -> None:
        super().__init__()
        self._numbers = numbers

    def views(self, sender: SenderName, *, heard_last: bool, silence_s: float) -> Collection[View]:  # noqa: ARG002
        return (View.FAITHFUL,) if sender.number in self._numbers else ()

    def drawn_at(self, time_ns: int) -> list[int]:
        return [each.sender.number for each in self.pictures if each.time_ns == time_ns]


def _heard(context: StreamContext, payload: bytes, numbers: range, watch: _Watch) -> End:
    """Return a receiver that has heard senders, all of them between two pictures."""
    end = End(watchers=[watch])
    end.receiver.advance(0)
    end.hear(b"".join(sent_octets(replace(context, sender=number), payload) for number in numbers), 1)
    return end


def test_watched_senders_begin_one_by_one_and_then_are_drawn_every_time(context: StreamContext, payload: bytes) -> None:
    watch = _Watch(range(12))
    end = _heard(context, payload, range(1, 13), watch)
    begun: set[int] = set()
    for instant in range(1, 41):
        end.receiver.advance(instant * _INTERVAL_NS)
        drawn = watch.drawn_at(instant * _INTERVAL_NS)
        assert len(set(drawn) - begun) <= 1
        begun |= set(drawn)
        if instant > 20:
            assert sorted(drawn) == list(range(1, 12))
    assert [each.sender.number for each in end.album.pictures] == [12] * 40  # the one heard last, for the other sink


def test_a_processor_that_is_too_slow_draws_all_in_turn(context: StreamContext, payload: bytes) -> None:
    watch = _Watch(range(12))
    end = _heard(context, payload, range(1, 13), watch)
    now_ns = _INTERVAL_NS
    while now_ns < 60 * _S:
        before = len(watch.pictures)
        due_ns = end.receiver.advance(now_ns)
        now_ns = max(due_ns, now_ns + (len(watch.pictures) - before) * _S // 40)
    drawn = Counter(each.sender.number for each in watch.pictures if each.time_ns > 30 * _S)
    assert set(drawn) == set(range(1, 12))
    assert max(drawn.values()) - min(drawn.values()) <= 1
    assert sum(drawn.values()) > 0.7 * 40 * 30
    instants = Counter(each.time_ns for each in watch.pictures if each.time_ns > 30 * _S)
    assert max(instants.values()) <= 6  # so the port is read again soon


def test_what_nobody_watches_costs_no_drawing(context: StreamContext, payload: bytes) -> None:
    watch = _Watch([3])
    end = _heard(context, payload, range(1, 13), watch)
    end.wait(1, 2 * _S)
    assert {stream.context.sender for stream in end.receiver._streams if stream.drawn_ns} == {3, 12}


def test_what_draws_a_scene_is_let_go_when_nobody_watches_it_any_more(context: StreamContext, payload: bytes) -> None:
    numbers = [3]
    end = _heard(context, payload, range(1, 5), watch := _Watch(numbers))
    end.wait(1, 2 * _S)
    numbers.clear()
    end.wait(2 * _S, 70 * _S)
    assert {stream.context.sender for stream in end.receiver._streams if stream._renderers} == {4}
    numbers.append(3)
    end.receiver.advance(71 * _S)
    assert watch.drawn_at(71 * _S) == [3]


def test_the_streams_that_are_kept_are_bounded(context: StreamContext) -> None:
    end = End()
    for number in range(140):
        end.hear(sent_octets(replace(context, callsign=f"A{number}")), 3 * _S)
    assert len(end.receiver._streams) == 128


def test_introductions_are_told_one_a_second_and_who_tells_more_at_once(context: StreamContext, payload: bytes) -> None:
    end = End()
    for number in range(50):
        end.hear(sent_octets(replace(context, epoch=1000 + number)), (100 + number) * _S // 100)
    assert end.album.kinds == ["sender_heard"]
    end.hear(sent_octets(replace(context, epoch=1025), payload), 3 * _S // 2)
    assert [event.fields["epoch"] for event in end.album.events] == [1000, 1025]
    end.wait(3 * _S // 2, 5 * _S)
    end.hear(sent_octets(replace(context, callsign="K1ABC")), 5 * _S)
    assert [event.fields["epoch"] for event in end.album.events[2:]] == [7]
    assert end.album.events[-1].time_ns == 5 * _S


def test_introductions_wait_for_their_turn(context: StreamContext) -> None:
    end = End()
    end.hear(b"".join(sent_octets(replace(context, sender=number)) for number in range(3)), _S)
    end.wait(_S, 5 * _S)
    assert [event.fields["sender"] for event in end.album.events] == [0, 1, 2]
    times_ns = [event.time_ns for event in end.album.events]
    assert min(later - sooner for sooner, later in pairwise(times_ns)) >= _S


def test_forged_introductions_take_no_picture_away(context: StreamContext, payload: bytes) -> None:
    end = End()
    end.hear(sent_octets(context, payload), 2 * _S)
    for number in range(140):
        end.hear(sent_octets(replace(context, callsign=f"A{number}")), 3 * _S)
    for epoch in range(1000, 1010):  # in the name of the sender itself
        end.hear(sent_octets(replace(context, epoch=epoch)), 3 * _S)
    end.receiver.advance(4 * _S)
    assert end.album.pictures[-1].sender == SenderName("DK1AB", 0)
    assert end.album.pictures[-1].capture_time_ns < 2 * _S
    (contact,) = (each for each in end.receiver.contacts if each.sender.callsign == "DK1AB")
    assert contact.capture_time_ns is not None
    assert contact.statistics.packets_good == 2


def test_each_sender_is_reported_every_10_seconds(context: StreamContext, payload: bytes) -> None:
    end = End()
    end.receiver.advance(0)
    end.hear(sent_octets(context, payload, b"\xff" * 33), 4 * _S)
    end.hear(sent_octets(replace(context, sender=5)), 6 * _S)
    end.wait(6 * _S, 31 * _S)
    reports = [event for event in end.album.events if event.kind == "sender_report"]
    assert [(event.time_ns // _S, event.fields["sender"]) for event in reports] == [
        (second, sender) for second in (10, 20, 30) for sender in (5, 0)
    ]
    told = dict(reports[-1].fields)
    drawn = told.pop("pictures")
    assert drawn == len([each for each in end.album.pictures if each.time_ns <= 30 * _S])
    assert told.pop("content_age_s") > 26  # type: ignore[operator]
    assert told == {
        "callsign": "DK1AB", "sender": 0, "port": "memory far", "packets_good": 3, "packets_lost": 0,
        "packets_duplicate": 0, "bit_error_rate": 0.0, "packet_loss": 0.0, "payloads_damaged": 1, "heard_age_s": 26.0,
    }  # fmt: skip
    assert reports[-2].fields["content_age_s"] is None

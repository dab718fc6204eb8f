"""Acknowledgements: what was heard is told once, authentic, and beside the commands."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pantel_link import MasterKey, PacketError, PacketProfile, Security, StreamContext
from pantel_link.back_channel import (
    ACKNOWLEDGED_PACKETS,
    Acknowledge,
    AskStill,
    Commander,
    CommandListener,
    Heard,
    NumberedCommand,
    Outcome,
    Reply,
)
from pantel_link.pacing import DEFAULT_BITRATE_BPS
from pantel_link.wire_format import Preset

S = 1_000_000_000
MASTER = MasterKey(bytes(range(32)))
COUNTERS = st.integers(0, (1 << 26) - 1)


@pytest.fixture
def mast(context: StreamContext) -> StreamContext:
    return replace(context, security=Security.AUTHENTICATED)


def commander(mast: StreamContext, *, master: MasterKey = MASTER) -> Commander:
    numbers = itertools.count(70_000)
    key = master.sender_key(mast.sender, mast.callsign)
    return Commander(mast, key, lambda: next(numbers), now_ns=0, profile=PacketProfile(128, len))


def listener(mast: StreamContext) -> CommandListener:
    return CommandListener(mast, MASTER.sender_key(mast.sender, mast.callsign))


def spoken(ground: Commander, begin_s: int, end_s: int) -> list[bytes]:
    return [packet for k in range(10 * begin_s, 10 * end_s) if (packet := ground.due(k * S // 10))]


def heard(ear: CommandListener, packets: list[bytes]) -> list[NumberedCommand | Acknowledge]:
    return [each for packet in packets for each in ear.receive(packet, S, whole_packet=True)]


def told(counters: Iterable[int]) -> Acknowledge:
    ear = Heard()
    for counter in counters:
        ear.add(counter)
    news = ear.news()
    assert news is not None
    return news


def test_golden_acknowledgement(mast: StreamContext) -> None:
    ground = commander(mast)
    ground.acknowledge(told([69_970, 69_990, 69_998, 69_999, 70_000]))
    #     header: version 2, kind 8, sender 5, counter 70000 & 1023 = 368, no time stamp; rollover 68, began 4434, of
    #     the 32 before: the first, the second, the tenth and the thirtieth
    assert spoken(ground, 0, 2)[0].hex() == "a055c000" + "0044" + "1152" + "c0400004" + "350a17ea"


@given(st.integers(0, (1 << 26) - 101), st.sets(st.integers(0, 100), min_size=1))
def test_exactly_what_was_heard_is_told(first: int, later: set[int]) -> None:
    near = sorted(first + each for each in later)
    acknowledge = told(near)
    assert Acknowledge.from_payload(acknowledge.to_payload() + bytes(9), acknowledge.newest) == acknowledge
    assert acknowledge.newest == near[-1]
    assert acknowledge.began_at == near[0]
    for counter in range(near[-1] - ACKNOWLEDGED_PACKETS, near[-1] + 1):
        assert acknowledge.hears(counter) is (counter in near)
    assert acknowledge.hears(near[-1] - ACKNOWLEDGED_PACKETS - 1) is None
    assert acknowledge.hears(near[-1] + 1) is None


@given(st.lists(st.integers(100, 160), min_size=1))
def test_order_and_repeats_make_no_difference_but_to_the_beginning(counters: list[int]) -> None:
    late, right = told(counters), told(sorted(set(counters)))
    reachable = [counter for i, counter in enumerate(counters) if max(counters[: i + 1]) - counter <= 32]
    if set(reachable) == set(counters):
        assert replace(late, began=0) == replace(right, began=0)


def test_a_gap_is_noticed_by_what_comes_after_it() -> None:
    ear = Heard()
    assert [ear.add(counter) for counter in (7, 8, 10, 9, 11, 11, 20)] == [
        False,
        False,
        True,
        False,
        False,
        False,
        True,
    ]


def test_only_news_are_told() -> None:
    ear = Heard()
    assert ear.news() is None
    ear.add(5)
    assert ear.news() == Acknowledge(5, 5, 0)
    ear.add(5)
    assert ear.news() is None
    ear.add(7)
    assert ear.news() == Acknowledge(7, 5, 1 << 30)


@given(st.binary(max_size=40), COUNTERS)
def test_noise_is_an_acknowledgement_or_its_one_error(noise: bytes, counter: int) -> None:
    try:
        found = Acknowledge.from_payload(noise, counter)
    except PacketError:
        return
    assert found.newest == counter
    assert 0 <= found.began_at <= counter


def test_a_newer_one_takes_the_place_of_an_older_and_none_is_repeated(mast: StreamContext) -> None:
    ground, ear = commander(mast), listener(mast)
    ground.acknowledge(told([1]))
    ground.acknowledge(told([1, 2]))
    assert heard(ear, spoken(ground, 0, 60)) == [told([1, 2])]


def test_commands_go_first_and_need_not_wait_for_anything(mast: StreamContext) -> None:
    ground, ear = commander(mast), listener(mast)
    ground.acknowledge(told([1, 2]))
    ground.give(AskStill())
    first = heard(ear, spoken(ground, 0, 3))
    assert first == [NumberedCommand(70_000, AskStill()), told([1, 2])]
    ground.acknowledge(told([1, 2, 71_000]))  # beyond the command's number, which is repeated all the same
    assert heard(ear, spoken(ground, 3, 4)) == [told([1, 2, 71_000])]
    assert heard(ear, spoken(ground, 4, 6)) == []  # known already
    assert ear.repeats == 1
    assert ground.take(Reply(70_000 & 0xFFFF, Outcome.DONE, DEFAULT_BITRATE_BPS, Preset.STANDARD)) == AskStill()


def test_forged_and_repeated_ones_are_ignored(mast: StreamContext) -> None:
    ground, ear = commander(mast), listener(mast)
    packets = []
    for k in range(3):
        ground.acknowledge(told(range(5 + k)))
        packets += spoken(ground, 2 * k, 2 * k + 2)
    assert [each.newest for each in heard(ear, packets) if isinstance(each, Acknowledge)] == [4, 5, 6]
    assert heard(ear, packets) == []
    assert ear.link.statistics.packets_replayed == 3
    assert ear.repeats == 0  # or the mast would repeat its last reply
    assert heard(listener(replace(mast, epoch=mast.epoch + 1)), packets) == []
    stranger = commander(mast, master=MasterKey(bytes(32)))
    stranger.acknowledge(told(range(100)))
    assert heard(ear, spoken(stranger, 0, 2)) == []
    for at in range(len(packets[0])):
        forged = bytearray(packets[0])
        forged[at] ^= 1
        assert heard(listener(mast), [bytes(forged)]) == []


def test_other_kinds_are_none(mast: StreamContext) -> None:
    ground = commander(mast)
    ground.give(AskStill())
    (command,) = spoken(ground, 0, 1)
    as_acknowledgement = bytes([command[0] & 0xC3 | 8 << 2]) + command[1:]
    assert heard(listener(mast), [as_acknowledgement]) == []

"""Commands to a mast: authentic, each done once, repeated until they are answered."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pantel_link import MasterKey, PacketError, PacketProfile, Preset, Security, StreamContext, StreamProfile
from pantel_link.back_channel import (
    Acknowledge,
    AskStill,
    Command,
    Commander,
    CommandListener,
    Confirm,
    NumberedCommand,
    Outcome,
    Region,
    Reply,
    SetLine,
    Watch,
    command_from_payload,
    command_to_payload,
)

S = 1_000_000_000
MASTER = MasterKey(bytes(range(32)))
PACKETS = PacketProfile(128, len)
COMMANDS = [
    AskStill(),
    AskStill(1200, Region(0.0, 0.2, 1.0, 0.8)),
    SetLine(480),
    SetLine(preset=Preset.HEAVY),
    Confirm(0xFFFF),
    Watch(Region(0.2, 0.4, 0.6, 0.8), 60),
]


@pytest.fixture
def mast(context: StreamContext) -> StreamContext:
    return replace(context, security=Security.AUTHENTICATED)


def commander(mast: StreamContext, *, begin: int = 70_000, master: MasterKey = MASTER) -> Commander:
    key = master.sender_key(mast.sender, mast.callsign)
    numbers = itertools.count(begin)
    return Commander(mast, key, lambda: next(numbers), now_ns=0, profile=PACKETS)


def listener(mast: StreamContext) -> CommandListener:
    return CommandListener(mast, MASTER.sender_key(mast.sender, mast.callsign))


def spoken(ground: Commander, *, seconds: int = 60) -> list[bytes]:
    return [packet for k in range(10 * seconds) if (packet := ground.due(k * S // 10))]


def heard(ear: CommandListener, packets: list[bytes]) -> list[NumberedCommand | Acknowledge]:
    return [each for packet in packets for each in ear.receive(packet, S, whole_packet=True)]


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_commands_survive(command: Command) -> None:
    payload = command_to_payload(command, 0xABCD)
    assert len(payload) <= 21  # of the smallest packet
    found = command_from_payload(payload + bytes(10))
    if isinstance(command, AskStill) and command.region:
        assert isinstance(found, AskStill)
        assert found.region is not None
        assert found.region.top == pytest.approx(0.2, abs=1 / 255)
    else:
        assert found == command


def test_golden_command_and_reply(mast: StreamContext) -> None:
    ground = commander(mast)
    ground.give(SetLine(480, Preset.HEAVY))
    #     header: version 2, kind 5, sender 5, number 70000 & 1023 = 368, no time stamp; rollover 68, what 2, 480, 2
    assert spoken(ground, seconds=2)[0].hex() == "9455c000" + "0044" + "02" + "01e002" + "8954aab2"
    reply = Reply(70_000 & 0xFFFF, Outcome.ON_TRIAL, 480, Preset.HEAVY)
    assert reply.to_payload().hex() == "1170" + "02" + "01e0" + "02"
    assert Reply.from_payload(reply.to_payload() + bytes(27)) == reply


def test_a_command_is_repeated_until_it_is_answered_and_done_once(mast: StreamContext) -> None:
    ground, ear = commander(mast), listener(mast)
    ground.give(AskStill())
    packets = spoken(ground, seconds=12)
    assert len(packets) == 3
    assert heard(ear, packets) == [NumberedCommand(70_000, AskStill())]
    assert ear.repeats == 2
    assert ground.take(Reply(1, Outcome.DONE, 960, Preset.STANDARD)) is None  # to another command
    assert ground.take(Reply(70_000 & 0xFFFF, Outcome.DONE, 960, Preset.STANDARD)) == AskStill()
    assert ground.due(60 * S) == b""
    assert ground.given_up(600 * S) is None


def test_a_command_that_nobody_answers_is_given_up(mast: StreamContext) -> None:
    ground = commander(mast)
    ground.give(AskStill())
    assert len(spoken(ground, seconds=600)) == 5
    assert ground.given_up(600 * S) == AskStill()
    assert ground.given_up(600 * S) is None


def test_a_setting_on_trial_is_confirmed_by_itself(mast: StreamContext) -> None:
    ground, ear = commander(mast), listener(mast)
    ground.give(SetLine(480))
    ground.give(AskStill())
    first = heard(ear, spoken(ground, seconds=1))
    assert first == [NumberedCommand(70_000, SetLine(480))]
    ground.take(Reply(70_000 & 0xFFFF, Outcome.ON_TRIAL, 480, Preset.STANDARD))
    assert heard(ear, spoken(ground, seconds=2)) == [NumberedCommand(70_001, Confirm(70_000 & 0xFFFF))]
    ground.take(Reply(70_001 & 0xFFFF, Outcome.DONE, 480, Preset.STANDARD))
    assert heard(ear, spoken(ground, seconds=2)) == [NumberedCommand(70_002, AskStill())]


def test_recordings_and_strangers_are_not_obeyed(mast: StreamContext) -> None:
    ear = listener(mast)
    ground = commander(mast)
    ground.give(AskStill())
    old = spoken(ground, seconds=1)
    ground.take(Reply(70_000 & 0xFFFF, Outcome.DONE, 960, Preset.STANDARD))
    ground.give(SetLine(480))
    assert len(heard(ear, old + spoken(ground, seconds=1))) == 2
    assert heard(ear, old) == []
    assert ear.link.statistics.packets_replayed == 1
    restarted = replace(mast, epoch=mast.epoch + 1)
    assert heard(listener(restarted), old) == []
    stranger = commander(mast, begin=80_000, master=MasterKey(bytes(32)))
    stranger.give(AskStill())
    assert heard(ear, spoken(stranger, seconds=1)) == []
    for at in range(len(old[0])):
        forged = bytearray(old[0])
        forged[at] ^= 1
        assert heard(listener(mast), [bytes(forged)]) == []


def test_commands_cross_a_stream_among_noise(mast: StreamContext) -> None:
    key = MASTER.sender_key(mast.sender, mast.callsign)
    ground = Commander(mast, key, lambda: 7, now_ns=0, profile=StreamProfile(Preset.HEAVY))
    ground.give(AskStill())
    octets = bytes(100)
    for k in range(60):
        octets += ground.due(k * S // 10)
    found = listener(mast).receive(octets + bytes(100), S, whole_packet=False)
    assert found == [NumberedCommand(7, AskStill())]


@given(st.binary(max_size=40))
def test_noise_is_a_command_or_its_one_error(noise: bytes) -> None:
    for read in (command_from_payload, Reply.from_payload):
        try:
            read(noise)
        except PacketError:
            continue


@pytest.mark.parametrize("sides", [(0.5, 0, 0.5, 1), (0, 0, 1, 1.1), (-0.1, 0, 1, 1)])
def test_impossible_regions(sides: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="a region lies within"):
        Region(*sides)

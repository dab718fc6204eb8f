"""Several lines into one receiver: streams that they share, and floods of forged introductions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pantel_link import (
    Keyring,
    LengthClass,
    LinkReceiver,
    LinkSender,
    MasterKey,
    PacketKind,
    PacketProfile,
    ReceivedPacket,
    Security,
    StreamContext,
)
from pantel_link.streams import KnownStreams

S = 1_000_000_000


def _codewords(context: StreamContext, seconds: int) -> list[tuple[int, bytes]]:
    """Return what a sender puts on the line, an IDENT first, each codeword with the time at which it has left."""
    sender = LinkSender(context, now_ns=0)
    length = sender.packet_octets(LengthClass.LIVE)
    sent: list[tuple[int, bytes]] = []
    octets = b""
    for now_ns in range(0, seconds * S, S // 100):
        if sender.ready(now_ns):
            sender.submit(PacketKind.SCENE, b"news", sender.stamp_ns(now_ns))
        octets += sender.due(now_ns)
        if len(octets) >= length:
            sent.append((now_ns, octets[:length]))
            octets = octets[length:]
    return sent


def _two_lines() -> tuple[LinkReceiver, LinkReceiver]:
    streams = KnownStreams((), Keyring(), None)
    return LinkReceiver(streams=streams), LinkReceiver(streams=streams)


def _hear(lines: list[tuple[LinkReceiver, int, set[int]]], sent: list[tuple[int, bytes]]) -> list[ReceivedPacket]:
    """Have lines bring what was sent, each with a delay [ns] and without some of the codewords."""
    coming = [
        (time_ns + delay_ns, link, octets)
        for link, delay_ns, lost in lines
        for number, (time_ns, octets) in enumerate(sent)
        if number not in lost
    ]
    heard: list[ReceivedPacket] = []
    for time_ns, link, octets in sorted(coming, key=lambda each: each[0]):
        heard += link.receive(octets, time_ns)
    return heard


def test_what_two_lines_bring_is_taken_once_and_each_counts_for_itself(context: StreamContext) -> None:
    near, far = _two_lines()
    sent = _codewords(context, 20)
    heard = _hear([(near, 0, {5, 6, 7}), (far, 700_000_000, {6, 9})], sent)
    assert len(heard) == len(sent) - 1  # what neither has brought
    assert len({each.packet.counter for each in heard}) == len(heard)
    together = near.statistics_of(context)
    assert together is not None
    assert together == far.statistics_of(context)
    assert (together.packets_good, together.packets_lost) == (len(sent) - 1, 1)
    assert together.packets_duplicate == len(sent) - 4
    for line, lost in ((near, 3), (far, 2)):
        assert line.statistics.packets_lost == lost
        assert line.statistics.packets_good == len(sent) - lost
        assert line.statistics.packets_duplicate == 0


@pytest.mark.parametrize("delay_s", [0.0, 0.7, 3.0])
def test_a_slower_line_dates_nothing_later(context: StreamContext, delay_s: float) -> None:
    sent = _codewords(context, 30)
    dated = {each.packet.counter: each.stamp_ns for each in _hear([(LinkReceiver(), 0, set())], sent)}
    near, far = _two_lines()
    holes = set(range(20, 30))  # which only the slower line brings
    heard = _hear([(near, 0, holes), (far, round(delay_s * S), set())], sent)
    assert {each.packet.counter: each.stamp_ns for each in heard} == dated


def test_a_faster_line_that_comes_later_mends_the_dates(context: StreamContext) -> None:
    sent = _codewords(context, 30)
    dated = {each.packet.counter: each.stamp_ns for each in _hear([(LinkReceiver(), 0, set())], sent)}
    near, far = _two_lines()
    heard = _hear([(near, 0, set(range(40))), (far, 700_000_000, set())], sent)
    late = [each.stamp_ns - dated[each.packet.counter] for each in heard]
    assert set(late[:38]) == {700_000_000}
    assert set(late[42:]) == {0}


def test_forged_introductions_push_out_nobody_who_has_told_something(context: StreamContext) -> None:
    receiver = LinkReceiver()
    genuine = [replace(context, sender=number, callsign="K1ABC") for number in range(64)]
    for each in genuine:
        for time_ns, octets in _codewords(each, 2):
            receiver.receive(octets, time_ns)
    for epoch in range(500):
        (_, octets), *_ = _codewords(replace(context, epoch=epoch), 1)
        receiver.receive(octets, 3 * S)
    assert len(receiver.contexts) == 128
    assert set(genuine) <= set(receiver.contexts)
    assert receiver.contexts[-1].epoch == 499


def test_where_all_have_told_something_the_one_heard_first_makes_room(context: StreamContext) -> None:
    receiver = LinkReceiver()
    streams = [replace(context, epoch=epoch) for epoch in range(129)]
    for each in streams:
        for time_ns, octets in _codewords(each, 2):
            receiver.receive(octets, time_ns)
    assert receiver.contexts == tuple(streams[1:])


@pytest.mark.parametrize("forged", [False, True])
def test_where_packets_arrive_whole_only_what_tells_nothing_new_is_limited(
    forged: bool, context: StreamContext
) -> None:
    master, forger = MasterKey(bytes(32)), MasterKey(bytes(31) + b"x")
    link = LinkReceiver(keyring=Keyring(master), max_packets_per_s=20)
    profile = PacketProfile(256, len)
    masts = []
    for number in range(32):
        keyed = replace(context, sender=number, security=Security.AUTHENTICATED)
        key = (forger if forged else master).sender_key(number, context.callsign)
        masts.append(LinkSender(keyed, now_ns=10 * S, profile=profile, key=key))
    sent = heard = 0
    for now_ns in range(10 * S, 40 * S, S // 50):
        for mast in masts:
            if mast.ready(now_ns):
                mast.submit(PacketKind.SCENE, b"news", mast.stamp_ns(now_ns))
            while packet := mast.due(now_ns):
                sent += 1
                heard += len(link.receive_packet(packet, now_ns))
    assert sent > 30 * 32 * 3
    if forged:
        assert heard == 0
        assert sent - link.statistics.packets_flooded == pytest.approx(100 + 20 * 30, abs=20)
    else:
        assert heard == sent
        assert link.statistics.packets_flooded == 0

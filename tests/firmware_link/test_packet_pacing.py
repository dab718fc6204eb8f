"""The promise where packets leave whole, and duty cycles: at most so many octets in any window."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pantel_link import LengthClass, LinkReceiver, LinkSender, PacketKind, PacketProfile, StreamContext, StreamProfile
from pantel_link.pacing import WindowLimit
from pantel_link.ports import packet_pair
from pantel_link.sender import ident_interval_ns

S = 1_000_000_000
OVERHEAD_OCTETS = 60
"""As a KISS port with 300 ms of TXDELAY and AX.25 frames has it."""


def profile() -> PacketProfile:
    return PacketProfile(256, lambda packet: len(packet) + OVERHEAD_OCTETS)


def most_octets(sent: list[tuple[int, int]], window_ns: int) -> int:
    """Return the most octets in any half-open window; it can only begin where something was sent."""
    return max((sum(n for t, n in sent if start <= t < start + window_ns) for start, _ in sent), default=0)


@given(st.lists(st.tuples(st.integers(0, 3 * S), st.integers(1, 400)), max_size=150), st.integers(1, 20))
def test_a_window_never_holds_more(wishes: list[tuple[int, int]], seconds: int) -> None:
    limit = WindowLimit(1000, seconds * S)
    now_ns = 0
    sent = []
    for pause_ns, octets in wishes:
        now_ns += pause_ns
        at_ns = limit.room_at_ns(now_ns, octets)
        if at_ns > now_ns:
            assert limit.room_at_ns(at_ns - 1, octets) == at_ns
            now_ns = at_ns
        assert limit.room_at_ns(now_ns, octets) == now_ns
        limit.charge(now_ns, octets)
        sent.append((now_ns, octets))
        assert len(limit._sent) <= 257
    assert most_octets(sent, seconds * S) <= 1000


def test_what_no_window_can_hold_waits_for_an_empty_one() -> None:
    limit = WindowLimit(100, S)
    limit.charge(0, 50)
    assert S <= limit.room_at_ns(0, 1000) <= S + S // 256
    assert limit.room_at_ns(2 * S, 1000) == 2 * S


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.one_of(st.integers(0, 20_000_000), st.integers(0, 2 * S), st.just(11 * S)), min_size=1, max_size=200),
    st.sampled_from(LengthClass),
    st.integers(50, 976),
)
def test_a_sender_of_whole_packets_keeps_the_promise(steps: list[int], length: LengthClass, bitrate: int) -> None:
    sender = LinkSender(
        StreamContext(5, "N0CALL", 1, bytes(3), 320, 240), now_ns=0, profile=profile(), bitrate_bps=bitrate
    )
    now_ns = 0
    sent = []
    for step in steps:
        now_ns += step
        while packet := sender.due(now_ns):
            sent.append((now_ns, len(packet) + OVERHEAD_OCTETS))
        if sender.ready(now_ns):
            sender.submit(PacketKind.SCENE, bytes(sender.capacity_bytes(length)), now_ns, length)
    assert most_octets(sent, 10 * S) <= 1250
    assert sender.statistics.wire_octets == sum(octets for _, octets in sent)


def test_whole_packets_use_all_of_the_air_and_are_dated_when_they_leave(context: StreamContext) -> None:
    sender, receiver = LinkSender(context, now_ns=0, profile=profile()), LinkReceiver()
    octets = 0
    stamps_ns = {}
    for now_ns in range(0, 100 * S, S // 20):
        if sender.ready(now_ns):
            stamp_ns = sender.stamp_ns(now_ns)
            assert now_ns - 25_000_000 < stamp_ns <= now_ns  # it leaves at once
            stamps_ns[sender.submit(PacketKind.SCENE, b"picture", stamp_ns)] = stamp_ns
        while packet := sender.due(now_ns):
            octets += len(packet) + OVERHEAD_OCTETS
            for each in receiver.receive_packet(packet, now_ns, len(packet) + OVERHEAD_OCTETS):
                if each.packet.kind is PacketKind.SCENE:
                    assert each.packet.payload == b"picture"  # it has its length
    assert octets >= 0.9 * 100 * 120
    assert receiver.statistics.packets_lost == 0
    assert receiver.statistics.wire_octets == octets


@pytest.mark.parametrize("crossing_bps", [0, 1200])
def test_packets_are_dated_by_how_fast_they_crossed(context: StreamContext, crossing_bps: int) -> None:
    """A network takes no time, a modem's rate is not the pace: 48 octets and headers would be dated 0.5 s too early."""
    near, far = packet_pair()
    far.crossing_bps = crossing_bps
    sender, receiver = LinkSender(context, now_ns=0, profile=profile()), LinkReceiver()
    stamps_ns, found_ns = [], []
    for now_ns in range(0, 20 * S, S // 40):
        if sender.ready(now_ns):
            stamps_ns.append(sender.stamp_ns(now_ns))
            sender.submit(PacketKind.SCENE, bytes(40), stamps_ns[-1])
        while packet := sender.due(now_ns):
            near.write(packet)
            arrival_ns = now_ns + (8 * far.wire_octets(packet) * S // crossing_bps if crossing_bps else 0)
            received = receiver.receive_from(far, far.read(256), arrival_ns)
            found_ns += [each.stamp_ns for each in received if each.packet.kind is PacketKind.SCENE]
    assert len(found_ns) == len(stamps_ns) > 15
    assert all(abs(found - stamp) <= S // 40 for found, stamp in zip(found_ns, stamps_ns, strict=True))


def test_a_changed_line_keeps_the_promise_too(context: StreamContext) -> None:
    sender = LinkSender(context, now_ns=0, profile=profile())
    sent = []
    for now_ns in range(0, 200 * S, S // 20):
        if now_ns % (4 * S) == 0:
            sender.change_line(now_ns, bitrate_bps=976 if now_ns % (8 * S) else 960)
        if sender.ready(now_ns):
            sender.submit(PacketKind.SCENE, bytes(20), now_ns, LengthClass.STILL)
        while packet := sender.due(now_ns):
            sent.append((now_ns, len(packet) + OVERHEAD_OCTETS))
    assert most_octets(sent, 10 * S) <= 1250
    assert sum(octets for _, octets in sent) >= 0.85 * 200 * 120
    with pytest.raises(ValueError, match="bitrate_bps is 20000"):
        sender.change_line(200 * S, bitrate_bps=20_000)
    assert sender.bitrate_bps == 976


def test_a_duty_cycle_is_kept_over_any_hour(context: StreamContext) -> None:
    sender = LinkSender(context, now_ns=0, profile=StreamProfile(), duty_cycle=0.1)
    sent: list[tuple[int, int]] = []
    for now_ns in range(0, 2 * 3600 * S, S // 20):
        if sender.ready(now_ns):
            sender.submit(PacketKind.SCENE, b"x", now_ns)
        while chunk := sender.due(now_ns):
            sent.append((now_ns, len(chunk)))
    allowed = 3600 * 120 // 10
    assert 0.9 * 2 * allowed <= sum(octets for _, octets in sent)
    hour = [sum(n for t, n in sent if start <= t < start + 3600 * S) for start in range(0, 3600 * S, 60 * S)]
    assert max(hour) <= allowed
    pauses_s = [(after[0] - before[0]) / S for before, after in itertools.pairwise(sent)]
    assert max(pauses_s) <= 20  # spread over the hour …
    assert sorted(pauses_s)[len(pauses_s) // 2] <= 0.1  # … in packets that leave in one go


@pytest.mark.parametrize(("bitrate", "seconds"), [(976, 15), (960, 15), (480, 30), (96, 150), (10, 600)])
def test_introductions_come_as_often_as_the_line_allows(bitrate: int, seconds: int) -> None:
    assert ident_interval_ns(bitrate) == seconds * S

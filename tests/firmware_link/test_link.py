"""Sender, bad line and receiver together, on a virtual clock."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pantel_link import (
    Bursts,
    ChannelSettings,
    Identity,
    LengthClass,
    LinkReceiver,
    LinkSender,
    NullModem,
    Packet,
    PacketKind,
    PayloadError,
    Preset,
    ReceivedPacket,
    StreamContext,
    StreamProfile,
    VirtualClock,
    make_seal,
)
from pantel_link.time_stamp import TICK_NS

S = 1_000_000_000
POLL_S = 0.05
LATEST_NS = round(2 * POLL_S * S) + TICK_NS
"""How late a time stamp may be found: each side is asked now and then, and stamps are rounded down."""


@dataclass
class Run:
    """What was sent and received."""

    sender: LinkSender
    receiver: LinkReceiver
    received: list[ReceivedPacket]
    octets: bytes

    @property
    def delivery(self) -> float:
        return len(self.received) / self.sender.statistics.packets


def run_link(
    context: StreamContext,
    line: ChannelSettings,
    *,
    seconds: float = 400.0,
    preset: Preset = Preset.STANDARD,
    length_class: LengthClass = LengthClass.LIVE,
) -> Run:
    """Send random payloads for a while, asking now and then, and check everything that arrives."""
    clock = VirtualClock(start_ns=123 * S)
    modem = NullModem(clock, line)
    sender = LinkSender(context, now_ns=clock.now_ns(), profile=StreamProfile(preset))
    run = Run(sender, LinkReceiver(), [], b"")
    submitted: dict[int, tuple[bytes, int]] = {}
    generator = random.Random(7)
    end_ns = clock.now_ns() + round(seconds * S)
    while clock.now_ns() < end_ns:
        now_ns = clock.now_ns()
        if sender.ready(now_ns):
            payload = generator.randbytes(generator.randrange(sender.capacity_bytes(length_class) + 1))
            stamp_ns = sender.stamp_ns(now_ns)
            submitted[sender.submit(PacketKind.SCENE, payload, stamp_ns, length_class)] = payload, stamp_ns
        while chunk := sender.due(now_ns):
            assert modem.near.write(chunk) == len(chunk)
        clock.sleep(POLL_S)
        octets = modem.far.read(4096)
        run.octets += octets
        for each in run.receiver.receive(octets, clock.now_ns()):
            run.received.append(each)
            assert each.context == context
            if each.packet.kind is PacketKind.SCENE:
                payload, stamp_ns = submitted[each.packet.counter]
                assert each.packet.payload == payload.ljust(sender.capacity_bytes(length_class), b"\0")
                assert -TICK_NS <= each.stamp_ns - stamp_ns <= LATEST_NS
    return run


def first_packet(sender: LinkSender) -> bytes:
    """Return the octets of the IDENT packet that a sender born at 0 begins with."""
    octets = b""
    now_ns = 0
    while len(octets) < 48:
        now_ns = sender.next_due_ns(now_ns)
        octets += sender.due(now_ns)
    return octets


@pytest.mark.parametrize("preset", Preset)
@pytest.mark.parametrize("length_class", LengthClass)
def test_a_perfect_line_delivers_everything(context: StreamContext, preset: Preset, length_class: LengthClass) -> None:
    run = run_link(context, ChannelSettings(), seconds=60, preset=preset, length_class=length_class)
    statistics = run.receiver.statistics
    assert run.sender.statistics.packets - len(run.received) <= 2  # still on the line
    assert run.sender.statistics.idents in (6, 7)  # at 0, 3, 7 s, then every 15 s
    assert statistics.packets_lost == statistics.packets_duplicate == 0
    assert statistics.bit_error_rate == 0.0
    assert statistics.packet_loss == 0.0


def test_bit_errors_and_losses_cost_what_physics_says(context: StreamContext) -> None:
    """At BER 1e-3 a standard live packet survives with 0.994; a packet is hit by a drop-out with 0.1."""
    run = run_link(context, ChannelSettings(bit_error_rate=1e-3, loss=0.1, seed=1865), seconds=1200)
    statistics = run.receiver.statistics
    assert run.sender.statistics.packets > 2900
    # A drop-out of up to 2 octets at the edge of a packet is corrected, hence a little more than 0.9.
    assert 0.87 <= run.delivery <= 0.95
    assert statistics.packet_loss == pytest.approx(1 - run.delivery, abs=0.01)
    assert statistics.bit_error_rate == pytest.approx(1e-3, rel=0.15)
    assert statistics.packets_duplicate == 0


@pytest.mark.parametrize(
    ("preset", "ber", "at_least", "at_most"),
    [
        # Binomial: 45 octets (and 24 bits of marker) with 1, 2 or 8 wrong ones corrected.
        (Preset.LIGHT, 1e-3, 0.92, 0.97),
        (Preset.STANDARD, 1e-3, 0.985, 1.0),
        (Preset.STANDARD, 1e-2, 0.22, 0.4),
        (Preset.HEAVY, 1e-2, 0.975, 1.0),
    ],
)
def test_presets_survive_what_their_parity_says(
    context: StreamContext, preset: Preset, ber: float, at_least: float, at_most: float
) -> None:
    run = run_link(context, ChannelSettings(bit_error_rate=ber, seed=3), preset=preset)
    assert at_least <= run.delivery <= at_most


def test_slips_cost_about_one_packet_each(context: StreamContext) -> None:
    run = run_link(context, ChannelSettings(slip_rate=1e-3, seed=3))
    # 1 - (1 - 1e-3)^48 = 0.047; a slip within the last octets is corrected.
    assert 0.92 <= run.delivery <= 0.985


def test_bursts_cost_the_packets_that_they_hit(context: StreamContext) -> None:
    bursts = Bursts(mean_gap_octets=1000, mean_length_octets=10)
    run = run_link(context, ChannelSettings(bursts=bursts, seed=3))
    assert 0.90 <= run.delivery <= 0.975


def test_every_octet_of_air_is_used(context: StreamContext) -> None:
    run = run_link(context, ChannelSettings(), seconds=100)
    assert run.sender.statistics.wire_octets >= 0.99 * 100 * 120


def test_what_was_heard_before_the_identity_is_delivered_with_it(context: StreamContext) -> None:
    octets = run_link(context, ChannelSettings(), seconds=40).octets
    idents_end = 48 * (2 + 7 * 960 // 384)  # those at 0, 3 and 7 s: the next one comes at 22 s
    late = octets[idents_end:]
    informed = LinkReceiver(contexts=[context])
    expected = informed.receive(late, 0)
    for known in ((), [replace(context, epoch=9)]):
        newcomer = LinkReceiver(contexts=known)
        heard = newcomer.receive(late, 0)
        assert [each.packet for each in heard] == [each.packet for each in expected]
        assert heard[0].packet.kind is PacketKind.SCENE
        assert newcomer.statistics.packets_without_context == newcomer.statistics.packets_rejected == 0
        assert newcomer.contexts[-1] == context


def test_only_so_much_is_kept_of_an_unknown_stream(context: StreamContext) -> None:
    """Without its IDENT a stream leaves nothing behind but counters and the last 64 packets."""
    octets = run_link(context, ChannelSettings(), seconds=40).octets
    ident, rest = octets[:48], octets[48:]
    newcomer = LinkReceiver()
    scene = rest[: 2 * 48]  # before the IDENT at 3 s
    for _ in range(33):
        assert newcomer.receive(scene, 0) == []
    heard = newcomer.receive(ident, S)
    assert newcomer.statistics.packets_without_context == 66 - 64
    assert newcomer.statistics.packets_duplicate == 64 - 2 + 1  # the IDENT is older than the first packet heard
    assert len(heard) == 2


def test_a_kind_of_a_newer_sender_costs_nothing_but_its_packet(context: StreamContext) -> None:
    """So kinds can be added within a version, as ALARM was."""
    seal, receiver = make_seal(context), LinkReceiver(contexts=[context])
    unassigned = cast("PacketKind", max(PacketKind) + 1)
    for counter, kind in enumerate((PacketKind.SCENE, unassigned, PacketKind.SCENE)):
        heard = receiver.receive_packet(Packet(kind, context.sender, counter, 0, b"news").to_bytes(seal), S)
        assert len(heard) == (kind is PacketKind.SCENE)
    assert (receiver.statistics.packets_rejected, receiver.statistics.packets_lost) == (1, 1)


def test_the_identity_tells_utc_when_it_is_known(context: StreamContext) -> None:
    sender = LinkSender(context, now_ns=0)
    sender.utc_offset_ns = 1_700_000_000 * S
    packet = LinkReceiver().receive(first_packet(sender), 0)[0].packet
    assert Identity.from_payload(packet.sender, packet.payload) == Identity(context, 0, 1_700_000_000)


def test_a_packet_that_a_gone_port_kept_out_is_dropped(context: StreamContext) -> None:
    """After a minute its time stamp would name another time."""
    sender = LinkSender(context, now_ns=0)
    receiver = LinkReceiver()
    receiver.receive(first_packet(sender), S // 2)
    sender.submit(PacketKind.SCENE, b"old", S // 2)
    for time_ns in range(S, 60 * S, S // 10):
        sender.put_back(sender.due(time_ns))
    assert sender.ready(60 * S) is False  # the IDENT packet is due again
    received: list[ReceivedPacket] = []
    stamps_ns = []
    for time_ns in range(60 * S, 62 * S, S // 10):
        if sender.ready(time_ns):
            stamps_ns.append(sender.stamp_ns(time_ns))
            sender.submit(PacketKind.SCENE, b"new", stamps_ns[-1])
        while chunk := sender.due(time_ns):
            received += receiver.receive(chunk, time_ns)
    assert [each.packet.kind for each in received[:2]] == [PacketKind.IDENT, PacketKind.SCENE]
    assert received[1].packet.payload.startswith(b"new")
    assert abs(received[1].stamp_ns - stamps_ns[0]) <= 0.35 * S


def test_a_sender_that_finishes_lets_its_last_packet_out_and_starts_no_other(context: StreamContext) -> None:
    sender = LinkSender(context, now_ns=0)
    octets = first_packet(sender)
    sender.submit(PacketKind.SCENE, b"last", S // 2)
    sender.finish()
    assert not sender.idle(S // 2)
    with pytest.raises(PayloadError):
        sender.submit(PacketKind.SCENE, b"one more", S // 2)
    now_ns = last_chunk_ns = S // 2
    while not sender.idle(now_ns):
        now_ns = sender.next_due_ns(now_ns)
        if chunk := sender.due(now_ns):
            octets += chunk
            last_chunk_ns = now_ns
    assert now_ns >= last_chunk_ns + 8 * 8 * S // 960  # the last octet has had time to leave
    assert not sender.ready(60 * S)
    assert sender.due(60 * S) == b""  # not even an IDENT packet
    assert len(octets) == 2 * 48
    assert [each.packet.payload[:4] for each in LinkReceiver().receive(octets, now_ns)][1] == b"last"


def test_repeated_packets_are_delivered_once(context: StreamContext) -> None:
    octets = run_link(context, ChannelSettings(), seconds=20).octets
    receiver = LinkReceiver()
    assert receiver.receive(octets, 0)
    good = receiver.statistics.packets_good
    assert receiver.receive(octets, 0) == []
    assert receiver.statistics.packets_duplicate == good


def test_two_senders_and_a_restart_do_not_disturb_each_other(context: StreamContext) -> None:
    other = replace(context, sender=6, callsign="DL1ABC")
    restarted = replace(context, epoch=context.epoch + 1)
    runs = [run_link(each, ChannelSettings(), seconds=20) for each in (context, other, restarted)]
    receiver = LinkReceiver()
    heard = [len(receiver.receive(run.octets, 0)) for run in runs]
    assert heard == [len(run.received) for run in runs]
    assert receiver.statistics.packets_lost == 0
    assert receiver.contexts == (context, other, restarted)


def test_the_streams_that_are_remembered_are_bounded(context: StreamContext) -> None:
    receiver = LinkReceiver()
    for epoch in range(140):
        sender = LinkSender(replace(context, epoch=epoch), now_ns=0)
        receiver.receive(first_packet(sender), 0)
    assert [each.epoch for each in receiver.contexts] == list(range(12, 140))


MUTATION = st.tuples(st.sampled_from(["flip", "delete", "insert", "repeat"]), st.floats(0, 1), st.integers(0, 255))


@settings(deadline=None, max_examples=60)
@given(st.lists(MUTATION, max_size=60), st.integers(1, 200))
def test_mutated_streams_are_accepted_or_counted_and_never_raise(
    mutations: list[tuple[str, float, int]], step: int
) -> None:
    context = StreamContext(5, "N0CALL", 1, bytes(3), 320, 240)
    sender = LinkSender(context, now_ns=0)
    stream = bytearray()
    sent: set[bytes] = set()
    for time_ns in range(0, 8 * S, S // 20):
        if sender.ready(time_ns):
            payload = bytes([len(sent)]) * 33
            sender.submit(PacketKind.SCENE, payload, time_ns)
            sent.add(payload)
        while chunk := sender.due(time_ns):
            stream += chunk
    for action, where, value in mutations:
        at = round(where * (len(stream) - 1))
        if action == "flip":
            stream[at] ^= value
        elif action == "delete":
            del stream[at]
        elif action == "insert":
            stream.insert(at, value)
        else:
            stream[at:at] = stream[at : at + value]
    receiver = LinkReceiver()
    for start in range(0, len(stream), step):
        for each in receiver.receive(bytes(stream[start : start + step]), start * S // 120):
            assert each.packet.kind is PacketKind.IDENT or each.packet.payload in sent
    counted = receiver.statistics
    assert counted.wire_octets == len(stream)
    assert counted.codewords_corrected == (
        counted.packets_good + counted.packets_duplicate + counted.packets_without_context + counted.packets_rejected
    )


def test_who_is_heard_need_not_introduce_itself_so_often(context: StreamContext) -> None:
    sender = LinkSender(context, now_ns=0)
    idents = []
    for tenth in range(2000):
        now_ns = tenth * S // 10
        if tenth % 50 == 25 and tenth < 1500:
            sender.postpone_ident(now_ns)
        before = sender.statistics.idents
        while sender.due(now_ns):
            pass
        if sender.statistics.idents > before:
            idents.append(round(now_ns / S))
    # After the first acknowledgement every minute, and 15 s after the last one, at 147.5 s, as ever
    assert idents == [0, 60, 120, 162, 178, 192]

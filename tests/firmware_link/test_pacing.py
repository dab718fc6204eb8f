"""The promise: at most 1000 bit/s over any 10 s, or the bit rate if that is higher, however it is asked."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pantel_link import LengthClass, LinkSender, PacketKind, PayloadError, Preset, StreamContext, StreamProfile
from pantel_link.pacing import CHUNK_OCTETS, TokenBucket, check_bitrate
from pantel_link.profiles import PacketProfile
from pantel_link.time_stamp import TICK_NS
from pantel_link.wire_format import wire_format

S = 1_000_000_000
WIRE_OCTETS = wire_format(Preset.STANDARD, LengthClass.LIVE).wire_octets
STEPS_NS = st.lists(
    st.one_of(st.integers(0, 20_000_000), st.integers(0, 2 * S), st.just(11 * S)), min_size=1, max_size=200
)


def bits_in_any_window(written: list[tuple[int, int]], window_ns: int) -> int:
    """Return the most bits in any half-open window; it can only begin where octets were written."""
    return max((sum(8 * n for t, n in written if start <= t < start + window_ns) for start, _ in written), default=0)


@given(STEPS_NS, st.integers(1, 64), st.integers(50, 5000))
def test_a_bucket_never_grants_more_than_rate_and_burst(steps: list[int], wanted: int, bitrate: int) -> None:
    bucket = TokenBucket(bitrate, now_ns=0)
    now_ns = 0
    granted = []
    for step in steps:
        now_ns += step
        granted.append((now_ns, bucket.take(now_ns, wanted)))
    for window_ns in (S // 10, S, 10 * S):
        allowed = window_ns * bitrate // S + 8 * bucket.burst_octets
        assert bits_in_any_window(granted, window_ns) <= allowed
    assert 8 * sum(octets for _, octets in granted) * S <= now_ns * bitrate


@given(st.integers(1, 2000), st.integers(1, 30), st.integers(0, 10 * S))
def test_the_bucket_knows_when_it_will_grant(bitrate: int, octets: int, now_ns: int) -> None:
    bucket = TokenBucket(bitrate, now_ns=0, burst_octets=30)
    at_ns = bucket.available_at_ns(now_ns, octets)
    if at_ns > now_ns:
        assert TokenBucket(bitrate, now_ns=0, burst_octets=30).take(at_ns - 1, octets) < octets
    assert bucket.take(at_ns, octets) == octets


def test_a_clock_that_stands_or_goes_back_grants_nothing() -> None:
    bucket = TokenBucket(960, now_ns=S)
    assert bucket.take(S, 8) == 0
    assert bucket.take(0, 8) == 0
    assert bucket.take(S + S // 15 + 1, 8) == 8


@settings(deadline=None, max_examples=50)
@given(STEPS_NS, st.sampled_from(Preset), st.sampled_from(LengthClass), st.integers(50, 10_000))
def test_a_sender_keeps_the_promise(steps: list[int], preset: Preset, length_class: LengthClass, bitrate: int) -> None:
    context = StreamContext(5, "N0CALL", 1, bytes(3), 320, 240)
    sender = LinkSender(context, now_ns=0, profile=StreamProfile(preset), bitrate_bps=bitrate)
    now_ns = 0
    written = []
    for step in steps:
        now_ns += step
        while chunk := sender.due(now_ns):
            assert len(chunk) <= CHUNK_OCTETS
            written.append((now_ns, len(chunk)))
        if sender.ready(now_ns):
            sender.submit(PacketKind.SCENE, b"x", now_ns, length_class)
    assert bits_in_any_window(written, 10 * S) <= 10 * max(bitrate, 1000)
    assert sender.statistics.wire_octets == sum(octets for _, octets in written)


@pytest.mark.parametrize("step_ms", [5, 50, 100, 200])
def test_a_sender_that_is_asked_in_time_wastes_no_air(context: StreamContext, step_ms: int) -> None:
    sender = LinkSender(context, now_ns=0)
    sent = 0
    for time_ns in range(0, 60 * S, step_ms * 1_000_000):
        if sender.ready(time_ns):
            sender.submit(PacketKind.SCENE, b"x", time_ns)
        while chunk := sender.due(time_ns):
            sent += len(chunk)
            if sender.ready(time_ns):
                sender.submit(PacketKind.SCENE, b"x", time_ns)
    assert sent >= 0.99 * 120 * 60


def test_impossible_bit_rates_are_refused(context: StreamContext) -> None:
    check_bitrate(10_000)
    for bitrate in (0, -1, 10_001, 96_000):
        with pytest.raises(ValueError, match="bitrate_bps is"):
            LinkSender(context, now_ns=0, bitrate_bps=bitrate)
    with pytest.raises(ValueError, match="must be positive"):
        TokenBucket(0, now_ns=0)


@pytest.mark.parametrize(("before", "after"), [(3000, 960), (960, 3000), (1000, 976)])
def test_a_line_that_was_set_otherwise_is_not_silent_and_keeps_its_limit(
    context: StreamContext, before: int, after: int
) -> None:
    sender = LinkSender(context, now_ns=0, bitrate_bps=before)
    written = []
    for now_ns in range(0, 60 * S, S // 20):
        if now_ns == 30 * S:
            sender.change_line(now_ns, bitrate_bps=after)
        if sender.ready(now_ns):
            sender.submit(PacketKind.SCENE, b"x", now_ns, sender.scene_length_class)
        while chunk := sender.due(now_ns):
            written.append((now_ns, len(chunk)))
    early, late = ([each for each in written if begins <= each[0] < begins + 30 * S] for begins in (0, 30 * S))
    for sent, bitrate in ((early, before), (late, after)):
        assert bits_in_any_window(sent, 10 * S) <= 10 * max(bitrate, 1000)
        assert sum(8 * octets for _, octets in sent) >= 0.97 * 30 * bitrate
    assert bits_in_any_window(written, 10 * S) <= 10 * max(before, after, 1000)


@pytest.mark.parametrize(("bitrate", "length"), [(100, "live"), (960, "live"), (2600, "live"), (2640, "still")])
def test_scenes_leave_in_long_packets_where_these_leave_fast(context: StreamContext, bitrate: int, length: str) -> None:
    assert LinkSender(context, now_ns=0, bitrate_bps=bitrate).scene_length_class == length


@pytest.mark.parametrize(("bitrate", "length"), [(100, "live"), (800, "live"), (840, "still"), (2640, "still")])
def test_while_nothing_moves_scenes_may_leave_in_longer_packets(
    context: StreamContext, bitrate: int, length: str
) -> None:
    assert LinkSender(context, now_ns=0, bitrate_bps=bitrate).calm_length_class == length


def test_pauses_of_a_duty_cycle_keep_packets_short(context: StreamContext) -> None:
    assert LinkSender(context, now_ns=0, duty_cycle=0.1).calm_length_class == "live"
    assert LinkSender(context, now_ns=0, bitrate_bps=3000, duty_cycle=0.1).calm_length_class == "still"


def test_packets_that_leave_whole_stay_short(context: StreamContext) -> None:
    profile = PacketProfile(400, lambda octets: len(octets) + 6)
    assert LinkSender(context, now_ns=0, profile=profile).calm_length_class == "live"


def test_a_payload_takes_a_packet_as_short_as_can_be(context: StreamContext) -> None:
    sender = LinkSender(context, now_ns=0)
    assert [sender.length_class_for(octets) for octets in (0, 33, 34, 112)] == ["live", "live", "still", "still"]


def test_a_sender_queues_nothing(context: StreamContext) -> None:
    sender = LinkSender(context, now_ns=0)
    assert not sender.ready(0)  # the IDENT packet goes first
    with pytest.raises(PayloadError, match="still in flight"):
        sender.submit(PacketKind.SCENE, b"x", 0)
    now_ns = 0
    while not sender.ready(now_ns):
        now_ns = sender.next_due_ns(now_ns)
        assert sender.due(now_ns)
    with pytest.raises(PayloadError, match="payload has 34 octets; a live packet carries 33"):
        sender.submit(PacketKind.SCENE, bytes(34), now_ns)
    assert sender.submit(PacketKind.SCENE, bytes(33), now_ns) == 1


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, S // 2), min_size=1, max_size=30), st.sampled_from([50, 480, 960, 1000, 9600]))
def test_a_packet_is_stamped_with_the_time_at_which_its_first_octet_is_granted(
    pauses_ns: list[int], bitrate_bps: int
) -> None:
    """Whether it waits behind the end of another packet, or after a pause with octets saved up."""
    sender = LinkSender(StreamContext(5, "N0CALL", 1, bytes(3), 320, 240), now_ns=0, bitrate_bps=bitrate_bps)
    now_ns = 0
    stamps_ns: dict[int, int] = {}  # by the octet with which the packet begins
    for pause_ns in pauses_ns:
        end_ns = now_ns + pause_ns
        while now_ns < end_ns or not sender.ready(now_ns):
            due_ns = sender.next_due_ns(now_ns)
            now_ns = min(end_ns, due_ns) if now_ns < end_ns else due_ns
            while chunk := sender.due(now_ns):
                granted = sender.statistics.wire_octets
                for first_octet in range(granted - len(chunk), granted):
                    if first_octet in stamps_ns:
                        assert stamps_ns.pop(first_octet) == now_ns // TICK_NS * TICK_NS
        stamp_ns = sender.stamp_ns(now_ns)
        stamps_ns[WIRE_OCTETS * sender.statistics.packets] = stamp_ns
        sender.submit(PacketKind.SCENE, b"x", stamp_ns)


def test_what_the_port_refuses_is_sent_again_and_charged_once_more(context: StreamContext) -> None:
    sender = LinkSender(context, now_ns=0)
    first = sender.due(S // 4)
    sender.put_back(first[3:])
    assert sender.statistics.wire_octets == 3
    assert sender.due(S // 4) == first[3:] + sender_octets_after(context, 8, 3)


def sender_octets_after(context: StreamContext, skipped: int, count: int) -> bytes:
    twin = LinkSender(context, now_ns=0)
    octets = b""
    while chunk := twin.due(S // 4):
        octets += chunk
    return octets[skipped : skipped + count]


def test_next_due_of_an_idle_sender_is_its_next_ident(context: StreamContext) -> None:
    sender = LinkSender(context, now_ns=0)
    now_ns = 0
    while sender.statistics.wire_octets < 48:
        now_ns = sender.next_due_ns(now_ns)
        sender.due(now_ns)
    assert sender.next_due_ns(now_ns) == 3 * S
    assert sender.statistics.idents == 1
    assert sender.due(3 * S)
    assert sender.statistics.idents == 2

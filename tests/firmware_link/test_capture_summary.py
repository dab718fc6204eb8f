"""What a capture tells of its senders, with and without their keys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pantel_link import (
    HeardCodeword,
    Keyring,
    LengthClass,
    LinkReceiver,
    LinkSender,
    MasterKey,
    PacketKind,
    PacketProfile,
    Preset,
    Profile,
    Security,
    SentListener,
    StreamContext,
    StreamProfile,
    wire_format,
)
from pantel_link.captures import (
    CapturedCodeword,
    CaptureEvent,
    CaptureHeader,
    CaptureSummary,
    CaptureWriter,
    LinkType,
    SenderSummary,
    impair,
    read_capture,
    summarize,
)

_S = 1_000_000_000
_UTC_S = 1_700_000_000
_KEY = MasterKey(bytes(range(32)))
_CAPTURES = Path(__file__).parents[1] / "captures"


def _send(
    context: StreamContext,
    receiver: LinkReceiver,
    *,
    seconds: int = 40,
    profile: Profile | None = None,
    listener: SentListener | None = None,
) -> None:
    """Let a sender speak, and a receiver hear it."""
    key = _KEY.sender_key(context.sender, context.callsign)
    sender = LinkSender(context, now_ns=0, profile=profile, key=key, listener=listener)
    sender.utc_offset_ns = _UTC_S * _S
    for now_ns in range(0, seconds * _S, _S // 20):
        if sender.ready(now_ns):
            kind, length_class = PacketKind.SCENE, LengthClass.LIVE
            if sender.statistics.packets % 7 == 5:
                kind, length_class = PacketKind.STILL, LengthClass.STILL
            sender.submit(kind, bytes(20), sender.stamp_ns(now_ns), length_class)
        while chunk := sender.due(now_ns):
            if isinstance(profile, PacketProfile):
                receiver.receive_packet(chunk, now_ns, len(chunk) + 28)
            else:
                receiver.receive(chunk, now_ns)


def _captured(path: Path, *contexts: StreamContext, key: MasterKey | None = None) -> list[CaptureEvent]:
    """Return the capture of one sender after the other."""
    writer = CaptureWriter(path, CaptureHeader(clock_offset_ns=_UTC_S * _S))
    receiver = LinkReceiver(listener=writer, keyring=Keyring(key))
    for context in contexts:
        _send(context, receiver)
    writer.close(40 * _S)
    return list(read_capture(path))


def _only(summary: CaptureSummary) -> SenderSummary:
    (sender,) = summary.senders
    return sender


@pytest.fixture
def clean(tmp_path: Path, context: StreamContext) -> list[CaptureEvent]:
    return _captured(tmp_path / "line.pcapng", context)


def test_a_clean_line(clean: list[CaptureEvent], context: StreamContext) -> None:
    summary = summarize(clean)
    sender = _only(summary)
    codewords = sum(isinstance(event, CapturedCodeword) for event in clean)
    assert (summary.runs, summary.dated, summary.codewords) == (1, True, codewords)
    assert (summary.failed, summary.unknown) == (0, 0)
    assert sum(summary.formats.values()) == codewords
    assert set(summary.formats) == {"standard live", "standard still"}
    assert sender.context == context
    assert (sender.outbound, sender.verified, sender.packets) == (False, True, codewords)
    assert set(sender.kinds) == {PacketKind.IDENT, PacketKind.SCENE, PacketKind.STILL}
    assert (sender.lost, sender.duplicates, sender.bit_error_rate, sender.packet_loss) == (0, 0, 0.0, 0.0)
    live, still = (wire_format(Preset.STANDARD, length_class) for length_class in LengthClass)
    wire_octets = live.wire_octets * summary.formats["standard live"]
    wire_octets += still.wire_octets * summary.formats["standard still"]
    assert sender.wire_octets == wire_octets
    assert 900 < 8 * wire_octets / sender.seconds <= 970
    scene_octets = live.payload_octets * sender.kinds[PacketKind.SCENE]
    assert sender.payload_octets == scene_octets + still.payload_octets * sender.kinds[PacketKind.STILL]
    assert sender.first_ident_utc_s == _UTC_S
    assert sender.last_ident_utc_s in range(_UTC_S + 37, _UTC_S + 40)  # 15 s after the third
    assert summary.first_ns is not None
    assert sender.first_ns == summary.first_ns
    assert summary.seconds == pytest.approx(40 - (summary.first_ns - _UTC_S * _S) / _S)


def test_a_bad_line(clean: list[CaptureEvent]) -> None:
    impaired = list(impair(clean, loss=0.1, bit_error_rate=2e-3, seed=3))
    summary = summarize(impaired)
    sender = _only(summary)
    assert 0 < summary.failed < summary.codewords
    codewords = sum(isinstance(event, CapturedCodeword) for event in clean)
    assert sender.packets + sender.lost <= codewords
    assert sender.lost >= codewords - summary.codewords + summary.failed - 2  # none is missed before the first and last
    assert 0.5e-3 < (sender.bit_error_rate or 0) < 2.5e-3
    longest = sender.silences[0]
    times_ns = [event.arrival_ns for event in impaired if isinstance(event, CapturedCodeword)]
    assert longest.seconds > 0.8
    assert sender.silences == sorted(sender.silences, reverse=True)
    assert longest.begun_ns - _UTC_S * _S in times_ns


def test_duplicates_and_packets_before_the_ident(clean: list[CaptureEvent]) -> None:
    header, ident, *rest = clean
    again = _only(summarize([header, ident, *rest[:5], *rest]))
    assert again.duplicates == 5
    known = _only(summarize(clean))
    late = _only(summarize([header, *rest]))  # the next IDENT tells whose they were
    assert late.packets == known.packets - 1
    assert summarize([header, *rest]).unknown == 0
    nobody = summarize([header, *rest[:3]])
    assert (nobody.unknown, nobody.senders) == (3, [])


def test_runs_of_a_receiver_are_no_silence(clean: list[CaptureEvent]) -> None:
    header = clean[0]
    assert isinstance(header, CaptureHeader)
    later = replace(header, clock_offset_ns=header.clock_offset_ns + 1000 * _S)
    summary = summarize([*clean, later, *clean[1:]])
    sender = _only(summary)
    once = _only(summarize(clean))
    assert summary.runs == 2
    assert sender.packets == 2 * once.packets
    assert sender.seconds == pytest.approx(2 * once.seconds)
    assert sender.silences[0].seconds < 2
    assert summary.seconds > 1000


@pytest.mark.parametrize("security", [Security.AUTHENTICATED, Security.ENCRYPTED])
def test_without_the_key_what_can_be_read_is_told_unverified(
    security: Security, tmp_path: Path, context: StreamContext
) -> None:
    if security is Security.ENCRYPTED:
        pytest.importorskip("cryptography", reason="encryption is not installed")
    secured = replace(context, security=security)
    events = _captured(tmp_path / "line.pcapng", secured, key=_KEY)
    verified = _only(summarize(events, _KEY))
    unverified = _only(summarize(events))
    assert (verified.verified, unverified.verified) == (True, False)
    assert replace(unverified, verified=True) == verified
    header, _, *rest = events
    for key in (None, _KEY):  # the beginning is missing
        late = summarize([header, *rest], key)
        assert (_only(late).packets, late.unknown) == (verified.packets - 1, 0)


def test_a_key_hides_no_sender_that_has_none(tmp_path: Path, context: StreamContext) -> None:
    other = replace(context, sender=9, callsign="DK1AB", security=Security.AUTHENTICATED)
    events = _captured(tmp_path / "line.pcapng", context, other)
    for key, verified in ((None, [True, False]), (_KEY, [True, True]), (_KEY.sender_key(1, "DK1AB"), [True, False])):
        summary = summarize(events, key)
        assert [sender.context for sender in summary.senders] == [context, other]
        assert [sender.verified for sender in summary.senders] == verified
    wrong = summarize(events, MasterKey(bytes(32)))
    assert [sender.context for sender in wrong.senders] == [context]
    assert wrong.unknown > 10


@pytest.mark.parametrize("key", [None, _KEY])
def test_a_later_file_of_a_stream_with_a_key(key: MasterKey | None, tmp_path: Path, context: StreamContext) -> None:
    secured = replace(context, security=Security.AUTHENTICATED)
    header, *events = _captured(tmp_path / "line.pcapng", secured, key=_KEY)
    assert isinstance(header, CaptureHeader)
    later = replace(header, contexts=(secured,), counters={secured: 3})
    sender = _only(summarize([later, *events[4:8]], key))
    assert (sender.packets, sender.lost, sender.verified) == (4, 0, key is not None)


def test_both_directions(tmp_path: Path, context: StreamContext) -> None:
    path = tmp_path / "line.pcapng"
    home = replace(context, sender=6, callsign="DK1AB")
    writer = CaptureWriter(path, CaptureHeader(clock_offset_ns=_UTC_S * _S))
    _send(context, LinkReceiver(listener=writer))
    _send(home, LinkReceiver(), listener=writer, profile=StreamProfile())
    writer.close(40 * _S)
    summary = summarize(read_capture(path))
    assert [(sender.context, sender.outbound) for sender in summary.senders] == [(context, False), (home, True)]
    heard, sent = summary.senders
    assert summary.sent == sent.packets
    assert summary.codewords == heard.packets


def test_packets_that_arrive_whole(tmp_path: Path, context: StreamContext) -> None:
    path = tmp_path / "line.pcapng"
    writer = CaptureWriter(
        path, CaptureHeader(), link_type=LinkType.PACKET, wire_octets=lambda packet: len(packet) + 28
    )
    _send(context, LinkReceiver(listener=writer), profile=PacketProfile(256, lambda packet: len(packet) + 28))
    writer.close(40 * _S)
    summary = summarize(read_capture(path))
    sender = _only(summary)
    assert set(summary.formats) == {"packet"}
    assert sender.bit_error_rate is None
    assert not summary.dated
    idents = sender.kinds[PacketKind.IDENT]
    assert sender.wire_octets == (21 + 8 + 28) * idents + (20 + 8 + 28) * (sender.packets - idents)


def test_old_captures() -> None:
    summary = summarize(read_capture(_CAPTURES / "version-1.pcapng"))
    sender = _only(summary)
    assert (sender.context.version, sender.packets, sender.lost, summary.failed) == (1, 27, 2, 1)


def test_nothing_and_noise(tmp_path: Path) -> None:
    path = tmp_path / "line.pcapng"
    writer = CaptureWriter(path, CaptureHeader())
    nothing = summarize(read_capture(path))
    assert (nothing.codewords, nothing.seconds, nothing.senders) == (0, 0.0, [])
    for size in (0, 5, 48, 128):
        writer.on_codeword(HeardCodeword(bytes(size), _S, None, None, "x"))
    writer.close(3 * _S)
    summary = summarize(read_capture(path))
    assert (summary.codewords, summary.failed, summary.formats["other"], summary.seconds) == (4, 4, 4, 2.0)
    assert summarize([CapturedCodeword(b"nobody's", 0, "")]) == CaptureSummary()

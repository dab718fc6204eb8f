"""Captures of several receivers as one run, and captures of a line that was worse."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pantel_link import CaptureError, LinkReceiver, LinkSender, PacketKind, ReceivedPacket, SentCodeword, StreamContext
from pantel_link.captures import (
    CapturedCodeword,
    CaptureEnd,
    CaptureEvent,
    CaptureHeader,
    CaptureLimits,
    CaptureWriter,
    ReplayLink,
    ReplayPort,
    impair,
    merge_captures,
    read_capture,
)
from pantel_link.captures.family import CaptureFamily

_S = 1_000_000_000
_UTC_NS = 1_700_000_000 * _S


class _Notes:
    """A sender's listener that keeps everything."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, bytes]] = []

    def on_sent(self, codeword: SentCodeword) -> None:
        self.sent.append((codeword.sent_ns, codeword.octets))


def _transmission(context: StreamContext, seconds: int) -> list[tuple[int, bytes]]:
    """Return UTC and octets of each codeword of a transmission."""
    notes = _Notes()
    sender = LinkSender(context, now_ns=0, listener=notes)
    for now_ns in range(0, seconds * _S, _S // 20):
        if sender.ready(now_ns):
            sender.submit(PacketKind.SCENE, b"scene", sender.stamp_ns(now_ns))
        while sender.due(now_ns):
            pass
    return [(_UTC_NS + sent_ns + 2 * _S // 5, octets) for sent_ns, octets in notes.sent]


def _capture(
    transmission: Iterable[tuple[int, bytes]], *, clock_offset_ns: int, late_ns: int = 0, end: bool = True
) -> list[CaptureEvent]:
    """Return what a receiver captures whose monotonic clock has an offset and whose UTC is wrong by `late_ns`."""
    header = CaptureHeader(clock_offset_ns=clock_offset_ns)
    arrivals = [(utc_ns + late_ns - clock_offset_ns, octets) for utc_ns, octets in transmission]
    events: list[CaptureEvent] = [CapturedCodeword(octets, arrival_ns, "") for arrival_ns, octets in arrivals]
    return [header, *events, *([CaptureEnd(arrivals[-1][0] + _S)] if end else [])]


def _received(events: Sequence[CaptureEvent]) -> tuple[list[ReceivedPacket], ReplayLink]:
    header, *rest = events
    assert isinstance(header, CaptureHeader)
    link = ReplayLink.from_header(header, ReplayPort("replay"))
    codewords = [event for event in rest if isinstance(event, CapturedCodeword)]
    return [each for event in codewords for each in link.receive_captured(event, event.arrival_ns)], link


def test_what_two_receivers_heard_is_one_transmission(context: StreamContext) -> None:
    sent = _transmission(context, 60)
    near = _capture([each for number, each in enumerate(sent) if number % 3], clock_offset_ns=_UTC_NS - 5)
    far = _capture([each for number, each in enumerate(sent) if number % 4], clock_offset_ns=3 * _S, late_ns=_S // 5)
    merged = merge_captures([*near, *far])
    header, *rest = merged
    assert header == near[0]
    assert isinstance(rest[-1], CaptureEnd)
    assert rest[-1].time_ns + _UTC_NS - 5 == sent[-1][0] + _S // 5 + _S
    arrivals_ns = [event.arrival_ns for event in rest if isinstance(event, CapturedCodeword)]
    assert arrivals_ns == sorted(arrivals_ns)
    received, link = _received(merged)
    both = [number for number in range(len(sent)) if number % 3 or number % 4]
    heard_from = min(both)
    assert [each.packet.counter for each in received] == [number for number in both if number >= heard_from]
    assert link.statistics.packets_duplicate == sum(1 for number in both if number % 3 and number % 4)
    assert link.statistics.packets_lost == len(range(heard_from, len(sent))) - len(received)
    assert [_received(each)[1].statistics.packets_duplicate for each in (near, far)] == [0, 0]


def test_files_of_one_receiver_are_one_run_again(context: StreamContext, tmp_path: Path) -> None:
    path = tmp_path / "line.pcapng"
    writer = CaptureWriter(path, CaptureHeader(clock_offset_ns=_UTC_NS), limits=CaptureLimits(5000, 10**18, 10**9))
    receiver = LinkReceiver(listener=writer)
    live = [
        each for utc_ns, octets in _transmission(context, 60) for each in receiver.receive(octets, utc_ns - _UTC_NS)
    ]
    writer.close(61 * _S)
    files = [path, *CaptureFamily(path).older()]  # in any order
    assert len(files) > 3
    merged = merge_captures(event for file in files for event in read_capture(file))
    assert merged[0] == CaptureHeader(clock_offset_ns=_UTC_NS)
    assert merged[-1] == CaptureEnd(61 * _S)
    received, link = _received(merged)
    assert received == live
    dismissed = receiver.statistics.markers_overlapped
    markers = link.statistics.markers + dismissed
    assert replace(link.statistics, markers=markers, markers_overlapped=dismissed) == receiver.statistics


def test_without_an_end_there_is_none(context: StreamContext) -> None:
    sent = _transmission(context, 10)
    early = _capture(sent[:4], clock_offset_ns=_UTC_NS)
    merged = merge_captures([*early, *_capture(sent, clock_offset_ns=_UTC_NS, end=False)])
    assert isinstance(merged[-1], CapturedCodeword)
    assert merge_captures([]) == []
    assert merge_captures([CaptureHeader()]) == [CaptureHeader()]
    assert merge_captures([CapturedCodeword(b"nobody's", 0, ""), CaptureHeader()]) == [CaptureHeader()]


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (CaptureHeader(bitrate_bps=480, clock_offset_ns=_UTC_NS), r"different bit rates \(480, 960 bit/s\)"),
        (CaptureHeader(), "did not know the time"),
    ],
)
def test_captures_that_cannot_belong_together(other: CaptureHeader, says: str) -> None:
    with pytest.raises(CaptureError, match=says):
        merge_captures([CaptureHeader(clock_offset_ns=_UTC_NS), other])


def _impaired(events: Iterable[CaptureEvent], **how: float) -> list[CaptureEvent]:
    return list(impair(events, seed=int(how.pop("seed", 0)), **how))


def test_a_worse_line_loses_and_errs_as_asked(context: StreamContext) -> None:
    events = _capture(_transmission(context, 600), clock_offset_ns=_UTC_NS)
    count = len(events) - 2
    worse = _impaired(events, loss=0.2, bit_error_rate=1e-3)
    assert (worse[0], worse[-1]) == (events[0], events[-1])
    assert count * 0.77 < len(worse) - 2 < count * 0.83
    link = _received(worse)[1]
    assert 0.5e-3 < (link.statistics.bit_error_rate or 0) < 1.1e-3  # those that failed had more
    assert link.statistics.codewords_failed > 0
    assert _impaired(events) == events


def test_the_same_seed_is_the_same_line(context: StreamContext) -> None:
    events = _capture(_transmission(context, 60), clock_offset_ns=_UTC_NS)
    first = _impaired(events, loss=0.2, bit_error_rate=1e-3, seed=1)
    assert first == _impaired(events, loss=0.2, bit_error_rate=1e-3, seed=1)
    assert first != _impaired(events, loss=0.2, bit_error_rate=1e-3, seed=2)
    arrivals = [each.arrival_ns for each in first if isinstance(each, CapturedCodeword)]
    lost_alone = _impaired(events, loss=0.2, seed=1)
    assert arrivals == [each.arrival_ns for each in lost_alone if isinstance(each, CapturedCodeword)]
    more = _impaired(events, loss=0.3, seed=1)
    assert {id(each) for each in more} < {id(each) for each in lost_alone}


def test_what_was_sent_stays_and_a_packet_with_a_wrong_bit_is_lost() -> None:
    sent = CapturedCodeword(bytes(48), 0, "sent", outbound=True)
    whole = CapturedCodeword(bytes(48), 0, "good", whole=True)
    assert _impaired([sent] * 50, loss=0.9, bit_error_rate=0.5) == [sent] * 50
    left = _impaired([whole] * 1000, bit_error_rate=1e-3)
    assert set(left) == {whole}
    assert 630 < len(left) < 730  # 0.999 to the 384th is 0.68


@pytest.mark.parametrize("how", [{"loss": 1.0}, {"loss": -0.1}, {"bit_error_rate": 1.0}])
def test_impossible_probabilities(how: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must lie in"):
        _impaired([], **how)

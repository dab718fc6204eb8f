"""Captures of both directions, and captures that go on in new files."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pantel_link import (
    HeardCodeword,
    Keyring,
    LinkReceiver,
    LinkSender,
    MasterKey,
    Packet,
    PacketKind,
    Security,
    StreamContext,
    make_seal,
)
from pantel_link.captures import (
    CapturedCodeword,
    CaptureEnd,
    CaptureEvent,
    CaptureFamily,
    CaptureHeader,
    CaptureLimits,
    CaptureWriter,
    ReplayLink,
    ReplayPort,
    read_capture,
)
from pantel_link.framing import frame_packet
from pantel_link.wire_format import WIRE_FORMATS

_S = 1_000_000_000
_OFFSET_NS = 1_700_000_000 * _S
_CONTEXT = StreamContext(5, "DK1AB-7", 0x010203, bytes.fromhex("a1b2c3"), 320, 240)
_SECURED = StreamContext(6, "DK1AB", 9, bytes.fromhex("a1b2c3"), 320, 240, Security.AUTHENTICATED)
_KEY = MasterKey(bytes(range(32)))
_DAY_NS = 86_400 * _S


Begin = Callable[..., CaptureWriter]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Return a function that begins a capture as the writer does, in the test's folder by default."""
    writers = []

    def make(header: CaptureHeader, path: Path = tmp_path / "line.pcapng", **options: Any) -> CaptureWriter:
        writers.append(CaptureWriter(path, header, **options))
        return writers[-1]

    yield make
    for writer in writers:
        writer._file.close()


def _codewords(path: Path) -> list[CapturedCodeword]:
    return [event for event in read_capture(path) if isinstance(event, CapturedCodeword)]


def _bad(time_ns: int) -> HeardCodeword:
    return HeardCodeword(bytes(48), time_ns, None, None, "x")


def _limits(max_bytes: int = 1 << 30, max_age_ns: int = 365 * _DAY_NS, quota_bytes: int = 1 << 40) -> CaptureLimits:
    return CaptureLimits(max_bytes, max_age_ns, quota_bytes)


def test_what_is_sent_goes_into_the_same_file(begin: Begin, tmp_path: Path) -> None:
    path = tmp_path / "line.pcapng"
    writer = begin(CaptureHeader(clock_offset_ns=_OFFSET_NS))
    sender = LinkSender(_CONTEXT, now_ns=7 * _S, listener=writer)
    stamp_ns = sender.stamp_ns(7 * _S)
    assert not sender.ready(7 * _S)  # it introduces itself
    writer.on_codeword(_bad(9 * _S))
    sent, heard = _codewords(path)
    assert (sent.outbound, sent.arrival_ns, sent.verdict) == (True, stamp_ns, "sent; ident packet 0 of sender 5")
    assert (heard.outbound, heard.arrival_ns) == (False, 9 * _S)
    link = ReplayLink()
    assert link.receive_captured(sent, 7 * _S) == []
    assert link.statistics.wire_octets == 0
    assert len(link.receive_codeword(sent.octets, 7 * _S)) == 1


def test_a_full_file_becomes_an_older_one(begin: Begin, tmp_path: Path) -> None:
    path = tmp_path / "line.pcapng"
    (tmp_path / "line.000007.pcapng").write_text("Dear diary")
    (tmp_path / "line.old.pcapng").write_text("Dear diary")
    writer = begin(CaptureHeader(clock_offset_ns=_OFFSET_NS), limits=_limits(max_bytes=1000))
    for second in range(20):
        writer.on_codeword(_bad(second * _S))
    writer.close(20 * _S)
    family = CaptureFamily(path)
    numbers = [int(older.name.split(".")[1]) for older in family.older()]
    assert numbers == list(range(8, 8 + len(numbers)))
    files = [*family.older(), path]
    assert all(each.stat().st_size <= 1000 for each in files)
    heard: list[int] = []
    for each in files:
        header, *codewords, end = read_capture(each)
        assert isinstance(header, CaptureHeader)
        assert isinstance(end, CaptureEnd)
        times_ns = [codeword.arrival_ns for codeword in codewords if isinstance(codeword, CapturedCodeword)]
        assert end.time_ns == times_ns[-1] + _S
        heard += times_ns
    assert heard == [second * _S for second in range(20)]
    assert (tmp_path / "line.000007.pcapng").read_text() == "Dear diary"


def test_the_quota_takes_the_oldest_and_nothing_else(
    begin: Begin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "line.pcapng"
    others = {
        "line.000001.pcapng": b"Dear diary",
        "line.pcapng.1": b"Dear diary",
        "line.000002.pcap": b"Dear diary",
        "other.000002.pcapng": b"Dear diary",
    }
    for name, content in others.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "line.000002.pcapng").symlink_to(tmp_path / "line.pcapng.1")
    caplog.set_level(logging.INFO)
    for start in range(0, 60, 20):
        header = CaptureHeader(clock_offset_ns=_OFFSET_NS)
        writer = begin(header, limits=_limits(max_bytes=1500, quota_bytes=5000))
        for second in range(start, start + 20):
            writer.on_codeword(_bad(second * _S))
            family = [*CaptureFamily(path).older(), path]
            assert sum(each.stat().st_size for each in family) <= 5000
        writer.close((start + 20) * _S)
    assert "removed to make room" in caplog.text
    family = [*CaptureFamily(path).older(), path]
    assert len(family) > 2
    heard = [codeword.arrival_ns for each in family for codeword in _codewords(each)]
    assert heard == [second * _S for second in range(60 - len(heard), 60)]
    assert {name: (tmp_path / name).read_bytes() for name in others} == others
    assert (tmp_path / "line.000002.pcapng").is_symlink()


def test_a_quota_below_the_size_of_a_file(begin: Begin, tmp_path: Path) -> None:
    path = tmp_path / "line.pcapng"
    writer = begin(CaptureHeader(), limits=_limits(max_bytes=10_000, quota_bytes=1000))
    for second in range(20):
        writer.on_codeword(_bad(second * _S))
    writer.close(20 * _S)
    assert CaptureFamily(path).older() == []
    assert path.stat().st_size <= 1000


def test_a_file_is_old_from_its_first_codeword_on_and_after_restarts_too(begin: Begin, tmp_path: Path) -> None:
    path = tmp_path / "line.pcapng"
    for start in range(0, 50, 10):
        header = CaptureHeader(clock_offset_ns=_OFFSET_NS + start * _S)  # the monotonic clock begins anew
        writer = begin(header, limits=_limits(max_age_ns=30 * _S))
        for second in range(5):
            writer.on_codeword(_bad(second * _S))
        writer.close(5 * _S)
    (older,) = CaptureFamily(path).older()
    assert (len(_codewords(older)), len(_codewords(path))) == (15, 10)


def test_a_clock_that_was_set_back_makes_no_file_old(begin: Begin, tmp_path: Path) -> None:
    path = tmp_path / "line.pcapng"
    limits = _limits(max_age_ns=30 * _S)
    begin(CaptureHeader(clock_offset_ns=_OFFSET_NS), limits=limits).on_codeword(_bad(0))
    writer = begin(CaptureHeader(), limits=limits)
    writer.on_codeword(_bad(_S))
    writer.on_codeword(_bad(30 * _S))
    assert CaptureFamily(path).older() == []
    writer.on_codeword(_bad(31 * _S))
    assert len(CaptureFamily(path).older()) == 1


def _send(sender: LinkSender, receiver: LinkReceiver, start_s: int, end_s: int) -> int:
    """Let a sender speak for a time; return how many packets were received."""
    received, chunk = 0, b""
    for now_ns in range(start_s * _S, end_s * _S, _S // 20):
        if sender.ready(now_ns):
            sender.submit(PacketKind.SCENE, b"scene", sender.stamp_ns(now_ns))
        while chunk := sender.due(now_ns):
            received += len(receiver.receive(chunk, now_ns))
    return received


@pytest.mark.parametrize(("context", "key"), [(_CONTEXT, None), (_SECURED, _KEY)])
def test_a_later_file_needs_no_ident(
    context: StreamContext, key: MasterKey | None, begin: Begin, tmp_path: Path
) -> None:
    path = tmp_path / "line.pcapng"
    sender_key = None if key is None else key.sender_key(context.sender, context.callsign)
    sender = LinkSender(context, now_ns=0, key=sender_key)
    writer = begin(CaptureHeader(clock_offset_ns=_OFFSET_NS), limits=_limits(max_age_ns=500 * _S))
    receiver = LinkReceiver(listener=writer, keyring=Keyring(key))
    _send(sender, receiver, 0, 502)  # more than 1024 packets, so that headers do not tell the whole counter
    writer.close(502 * _S)
    (older,) = CaptureFamily(path).older()
    assert [each.contexts for each in read_capture(older) if isinstance(each, CaptureHeader)] == [()]
    header, *events = read_capture(path)
    assert isinstance(header, CaptureHeader)
    assert header.contexts == (context,)
    assert header.counters == ({} if key is None else {context: 1024 + header.counters[context] % 1024})
    codewords = [event for event in events if isinstance(event, CapturedCodeword)]
    assert 1 < len(codewords) < 10
    assert not any("ident" in codeword.verdict for codeword in codewords)
    link = ReplayLink.from_header(header, ReplayPort("replay"), keyring=Keyring(key))
    received = [each for codeword in codewords for each in link.receive_captured(codeword, codeword.arrival_ns)]
    assert len(received) == len(codewords)
    assert link.statistics.packets_lost == 0


def test_the_head_of_a_later_file_knows_each_sender_s_newest_start(begin: Begin, tmp_path: Path) -> None:
    path = tmp_path / "line.pcapng"
    writer = begin(CaptureHeader(contexts=(_SECURED,)), limits=_limits(max_age_ns=10 * _S))
    again = StreamContext(6, "DK1AB", 10, bytes.fromhex("a1b2c3"), 320, 240, Security.AUTHENTICATED)
    other = StreamContext(6, "DL2CD", 3, bytes.fromhex("a1b2c3"), 96, 64)
    receiver = LinkReceiver(listener=writer, keyring=Keyring(_KEY))
    for context in (_SECURED, again):
        _send(LinkSender(context, now_ns=0, key=_KEY.sender_key(6, "DK1AB")), receiver, 0, 4)
    _send(LinkSender(other, now_ns=0), LinkReceiver(listener=writer), 0, 4)
    writer.on_codeword(_bad(11 * _S))
    header = next(read_capture(path))
    assert isinstance(header, CaptureHeader)
    assert header.contexts == (again, other)
    assert header.counters == {again: 8}
    ReplayLink.from_header(header, ReplayPort("replay"), keyring=Keyring(_KEY))


def test_streams_of_version_1_are_known_in_a_later_file(begin: Begin, tmp_path: Path) -> None:
    old = StreamContext(5, "N0CALL", 1, bytes.fromhex("a1b2c3d4"), 320, 240, version=1)
    path = tmp_path / "line.pcapng"
    writer = begin(CaptureHeader(), limits=_limits(max_age_ns=10 * _S))
    ident = Packet(PacketKind.IDENT, 5, 7, 0, old.description() + bytes(4))
    octets = frame_packet(ident, make_seal(old), WIRE_FORMATS[1])
    assert len(LinkReceiver(listener=writer).receive(octets, _S)) == 1
    writer.on_codeword(_bad(11 * _S))
    header = next(read_capture(path))
    assert isinstance(header, CaptureHeader)
    assert header.contexts == (old,)


def test_the_head_of_a_later_file_names_no_more_streams_than_a_receiver_knows(begin: Begin, tmp_path: Path) -> None:
    writer = begin(CaptureHeader(), limits=_limits(max_age_ns=10 * _S))
    receiver = LinkReceiver(listener=writer)
    for number in range(90):
        context = StreamContext(number % 7, f"DK{number}AB", number, bytes(3), 320, 240)
        _send(LinkSender(context, now_ns=0), receiver, 0, 1)
    writer.on_codeword(_bad(11 * _S))
    header = next(read_capture(tmp_path / "line.pcapng"))
    assert isinstance(header, CaptureHeader)
    assert [context.epoch for context in header.contexts] == list(range(26, 90))


def test_a_folder_that_takes_no_new_file(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "line.pcapng"
    writer = begin(CaptureHeader(), limits=_limits(max_bytes=1000))

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patched, caplog.at_level(logging.INFO):
        patched.setattr(Path, "rename", refuse)
        for second in range(10):
            writer.on_codeword(_bad(second * _S))
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert len(_codewords(path)) == 10
    writer.on_codeword(_bad(10 * _S))
    assert len(_codewords(path)) == 1
    (older,) = CaptureFamily(path).older()
    assert len(_codewords(older)) == 10


def test_a_quota_that_cannot_be_kept_is_logged(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "line.pcapng"

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "unlink", refuse)
    writer = begin(CaptureHeader(), limits=_limits(max_bytes=1000, quota_bytes=1000))
    for second in range(10):
        writer.on_codeword(_bad(second * _S))
    assert "cannot write" in caplog.text
    assert sum(len(_codewords(each)) for each in (*CaptureFamily(path).older(), path)) == 10


def test_a_name_without_a_suffix_and_a_link(begin: Begin, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "line").symlink_to(tmp_path / "disk" / "line")
    writer = begin(CaptureHeader(), tmp_path / "line", limits=_limits(max_bytes=600))
    for second in range(4):
        writer.on_codeword(_bad(second * _S))
    assert (tmp_path / "line").is_symlink()
    assert {each.name for each in (tmp_path / "disk").iterdir()} >= {"line", "line.000001"}


def test_events_are_of_three_kinds(begin: Begin, tmp_path: Path) -> None:
    path = tmp_path / "line.pcapng"
    begin(CaptureHeader()).close(1)
    events: list[CaptureEvent] = list(read_capture(path))
    assert events == [CaptureHeader(), CaptureEnd(1)]

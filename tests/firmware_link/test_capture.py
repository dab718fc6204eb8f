"""Captures: what a receiver heard can be read again, by us and by others, and no file can upset the reader."""

from __future__ import annotations

import logging
import os
import random
import resource
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pantel_link import (
    CaptureError,
    ChannelSettings,
    HeardCodeword,
    LinkReceiver,
    LinkSender,
    NullModem,
    PacketKind,
    ReceivedPacket,
    StreamContext,
    VirtualClock,
)
from pantel_link.captures import (
    CapturedCodeword,
    CaptureEnd,
    CaptureEvent,
    CaptureHeader,
    CaptureWriter,
    ReplayLink,
    ReplayPort,
    read_capture,
)
from pantel_link.captures.pcapng import make_block

_S = 1_000_000_000
_CONTEXT = StreamContext(5, "N0CALL", 0x010203, bytes.fromhex("a1b2c3"), 320, 240)
_HEADER = CaptureHeader(clock_offset_ns=1_700_000_000 * _S + 123, contexts=(_CONTEXT,))
_BAD = HeardCodeword(bytes(range(48)), 2 * _S + 1, None, None, "more errors than the parity corrects")


class _Notes:
    """A listener that keeps everything."""

    def __init__(self, writer: CaptureWriter | None = None) -> None:
        self.heard: list[HeardCodeword] = []
        self._writer = writer

    def on_codeword(self, codeword: HeardCodeword) -> None:
        self.heard.append(codeword)
        if self._writer is not None:
            self._writer.on_codeword(codeword)


def _record(path: Path, seconds: float = 60.0) -> tuple[list[HeardCodeword], list[ReceivedPacket], LinkReceiver]:
    """Let random payloads cross a bad line into a file; return what was heard and received."""
    clock = VirtualClock(start_ns=77 * _S)
    modem = NullModem(clock, ChannelSettings(bit_error_rate=3e-3, loss=0.1, slip_rate=1e-3, seed=4))
    sender = LinkSender(_CONTEXT, now_ns=clock.now_ns())
    writer = CaptureWriter(path, CaptureHeader(clock_offset_ns=5), interface="null modem")
    notes = _Notes(writer)
    receiver = LinkReceiver(listener=notes)
    generator = random.Random(7)
    received = []
    end_ns = clock.now_ns() + round(seconds * _S)
    while clock.now_ns() < end_ns:
        if sender.ready(clock.now_ns()):
            payload = generator.randbytes(sender.payload_capacity_bytes)
            sender.submit(PacketKind.SCENE, payload, clock.now_ns())
        while chunk := sender.due(clock.now_ns()):
            modem.near.write(chunk)
        received += receiver.receive(modem.far.read(4096), clock.now_ns())
        clock.sleep(0.05)
    writer.close(clock.now_ns())
    return notes.heard, received, receiver


@pytest.fixture(scope="module")
def recorded(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, list[HeardCodeword], list[ReceivedPacket], LinkReceiver]:
    path = tmp_path_factory.mktemp("captures") / "line.pcapng"
    return path, *_record(path)


def _codewords(events: list[CaptureEvent]) -> list[CapturedCodeword]:
    return [event for event in events if isinstance(event, CapturedCodeword)]


def test_a_capture_holds_what_was_heard(
    recorded: tuple[Path, list[HeardCodeword], list[ReceivedPacket], LinkReceiver],
) -> None:
    path, heard, _, _ = recorded
    events = list(read_capture(path))
    assert events[0] == CaptureHeader(clock_offset_ns=5)
    assert events[-1] == CaptureEnd(137 * _S)
    assert _codewords(events) == events[1:-1]
    assert [(each.octets, each.arrival_ns) for each in _codewords(events)] == [
        (each.octets, each.arrival_ns) for each in heard
    ]
    verdicts = [each.verdict for each in _codewords(events)]
    assert {verdict.split()[0] for verdict in verdicts} == {"good;", "corrected", "bad:"}


def test_a_replay_receives_the_same_packets(
    recorded: tuple[Path, list[HeardCodeword], list[ReceivedPacket], LinkReceiver],
) -> None:
    path, _, received, live = recorded
    port = ReplayPort("replay")
    link = ReplayLink.from_header(CaptureHeader(clock_offset_ns=5), port)
    again = []
    for codeword in _codewords(list(read_capture(path))):
        port.offer(codeword)
        again += link.receive(port.read(4096), codeword.arrival_ns)
        assert port.read(4096) == b""
    assert len(received) > 60
    assert again == received
    counted, before = link.statistics, live.statistics
    assert counted.packets_lost == before.packets_lost
    assert counted.bit_error_rate == before.bit_error_rate
    assert counted.codewords_failed == before.codewords_failed
    assert ReplayLink().receive(b"no codeword", 0) == []
    assert ReplayLink().receive(b"", 0) == []


def test_a_codeword_that_comes_again_is_no_second_packet() -> None:
    sender = LinkSender(_CONTEXT, now_ns=0)
    octets = b"".join(sender.due(tenths * _S // 10) for tenths in range(20))
    assert len(octets) == 48
    link = ReplayLink()
    assert [each.packet.kind for each in link.receive(octets, _S)] == [PacketKind.IDENT]
    assert link.receive(octets, 2 * _S) == []
    assert link.statistics.packets_duplicate == 1


def test_golden_capture(tmp_path: Path) -> None:
    writer = CaptureWriter(tmp_path / "a.pcapng", CaptureHeader(), interface="pty")
    writer.on_codeword(HeardCodeword(b"abcde", 0x1_0000_0002, None, None, "x"))
    writer.close(0x1_0000_0003)
    octets = (tmp_path / "a.pcapng").read_bytes()
    head, _, rest = octets.rpartition(b"pantel")
    assert head[:24].hex() == "0a0d0d0a" + struct.pack("<I", octets[4] | octets[5] << 8).hex() + (
        "4d3c2b1a01000000ffffffffffffffff"
    )
    interface = "0100000034000000 9300000000000000"  # USER0
    interface += "0200030070747900 08000800c003000000000000 0900010009000000 00000000"  # "pty", 960 bit/s, nanoseconds
    packet = "0600000040000000 00000000 01000000 02000000 05000000 05000000 6162636465000000"
    packet += "010006006261643a20780000 0200040001000001 00000000"  # "bad: x", inbound with a wrong checksum
    end = "0500000040000000 00000000 01000000 03000000"
    end += "030008000100000003000000 040008000100000000000000 050008000000000000000000 00000000"
    golden = f"000000000000 {head[4:8].hex()} {interface} 34000000 {packet} 40000000 {end} 40000000"
    assert rest.hex() == golden.replace(" ", "")


def test_a_file_is_continued_by_a_section_and_what_was_cut_off_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    first = CaptureWriter(path, _HEADER)
    first.on_codeword(_BAD)
    first.close(3 * _S)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:50])  # a power cut in the middle of the next section
    second = CaptureWriter(path, CaptureHeader(bitrate_bps=480))
    second.on_codeword(_BAD)
    second.close(9 * _S)
    codeword = CapturedCodeword(_BAD.octets, _BAD.arrival_ns, _BAD.verdict)
    assert list(read_capture(path)) == [
        _HEADER,
        codeword,
        CaptureEnd(3 * _S),
        CaptureHeader(bitrate_bps=480),
        codeword,
        CaptureEnd(9 * _S),
    ]


def test_a_power_cut_before_the_first_block_was_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    CaptureWriter(path, _HEADER).close(0)
    whole = path.read_bytes()
    for torn in (b"", whole[:1], whole[:3], whole[:30], whole[:30].ljust(300, b"\0"), bytes(1), bytes(200_000)):
        path.write_bytes(torn)
        CaptureWriter(path, _HEADER).close(_S)
        assert list(read_capture(path)) == [_HEADER, CaptureEnd(_S)]


def test_another_file_is_never_touched(tmp_path: Path) -> None:
    path = tmp_path / "diary.txt"
    for diary in ("Dear diary", "\nDear diary", 70_000 * "\0" + "Dear diary"):
        path.write_text(diary)
        with pytest.raises(CaptureError, match="exists and is no capture"):
            CaptureWriter(path, _HEADER)
        assert path.read_text() == diary


@contextmanager
def _disk_of(octets: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room_octets", [100, 400, 500])
def test_a_full_disk_is_logged_once_and_costs_only_its_codewords(
    room_octets: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.pcapng"
    with caplog.at_level(logging.INFO):
        with _disk_of(room_octets):
            writer = CaptureWriter(path, _HEADER)
            for _ in range(5):
                writer.on_codeword(_BAD)
        writer.on_codeword(_BAD)
        writer.close(4 * _S)
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]
    events = list(read_capture(path))
    assert events[0] == _HEADER
    assert events[-1] == CaptureEnd(4 * _S)
    assert 1 <= len(_codewords(events)) < 5


def _sample(tmp_path: Path) -> bytes:
    path = tmp_path / "sample.pcapng"
    writer = CaptureWriter(path, _HEADER, interface="pty")
    for number in range(3):
        writer.on_codeword(HeardCodeword(bytes(48), number * _S, None, None, "x"))
    writer.close(3 * _S)
    octets = path.read_bytes()
    path.unlink()
    return octets


def test_a_file_that_is_cut_off_ends_at_its_last_whole_block(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = _sample(tmp_path)
    path = tmp_path / "cut.pcapng"
    most = 0
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        caplog.clear()
        try:
            events = list(read_capture(path))
        except CaptureError:
            assert most == 0
            continue
        assert len(events) - most in {0, 1}
        most = len(events)
        assert len(caplog.records) <= 1
    assert most == 4  # all but the end


@given(data=st.data())
def test_any_file_is_read_or_refused(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp()
    octets = bytearray(_sample(folder))
    for _ in range(data.draw(st.integers(1, 6))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    path = folder / "mutated.pcapng"
    path.write_bytes(octets)
    try:
        for event in read_capture(path):
            assert isinstance(event, CaptureHeader | CapturedCodeword | CaptureEnd)
    except CaptureError:
        pass


@given(noise=st.binary(max_size=200))
def test_noise_is_no_capture(noise: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.pcapng"
    path.write_bytes(noise)
    with pytest.raises(CaptureError, match="is no capture"):
        list(read_capture(path))


def _other_section(order: str, comment: bytes = b"") -> bytes:
    """Return a capture in microseconds, as another program might write it, in either octet order."""

    def block(kind: int, body: bytes) -> bytes:
        return struct.pack(f"{order}II", kind, len(body) + 12) + body + struct.pack(f"{order}I", len(body) + 12)

    options = b""
    if comment:
        options = struct.pack(f"{order}HH", 1, len(comment)) + comment + bytes(-len(comment) % 4) + bytes(4)
    return (
        block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1) + options)
        + block(1, struct.pack(f"{order}HHI", 1, 0, 0))  # an Ethernet interface, which is not ours
        + block(1, struct.pack(f"{order}HHI", 147, 0, 0))
        + block(6, struct.pack(f"{order}5I", 0, 0, 7, 4, 4) + b"mail")
        + block(6, struct.pack(f"{order}5I", 1, 0, 2_000_000, 4, 4) + b"ours")
        + block(0xBAD, b"whatever")
    )


@pytest.mark.parametrize("order", ["<", ">"])
def test_files_of_other_programs(order: str, tmp_path: Path) -> None:
    path = tmp_path / "other.pcapng"
    path.write_bytes(_other_section(order, b"mine"))
    assert list(read_capture(path)) == [CaptureHeader(), CapturedCodeword(b"ours", 2 * _S, "")]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ('{"pantel_capture": 2, "playout_delay_ns": 0, "picture_interval_ns": 1, %s}', "version 2"),
        ('{"pantel_capture": 1}', "no head"),
        ('["pantel_capture"]', "no head"),
        ('"pantel_capture" {', "no head"),
        ('{"pantel_capture": 1, "playout_delay_ns": 0, "picture_interval_ns": 1, %s}', "no possible receiver"),
        ('{"pantel_capture": 1, "playout_delay_ns": 0, "picture_interval_ns": 19999999, %s}', "no possible receiver"),
        ('{"pantel_capture": 1, "playout_delay_ns": 1, "picture_interval_ns": 1e999, %s}', "no head"),
        (
            '{"pantel_capture": 1, "playout_delay_ns": 1, "picture_interval_ns": 90000000, "crossing_bps": -1, %s}',
            "no possible receiver",
        ),
        ('{"pantel_capture": 1, "playout_delay_ns": 1, "picture_interval_ns": 1, "contexts": [""]}', "no head"),
        (
            '{"pantel_capture": 1, "playout_delay_ns": 1, "picture_interval_ns": 90000000, "counters": [], %s}',
            "no head",
        ),
    ],
)
def test_a_head_that_makes_no_sense(values: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "other.pcapng"
    comment = values.replace("%s", '"clock_offset_ns": 0, "contexts": []')
    path.write_bytes(_other_section("<", comment.encode()))
    with pytest.raises(CaptureError, match=says):
        list(read_capture(path))


def test_a_length_beyond_all_measure_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "huge.pcapng"
    path.write_bytes(_sample(tmp_path) + struct.pack("<II", 6, 0xFFFF_FFF0) + make_block(1, b""))
    assert len(list(read_capture(path))) == 5


@pytest.mark.real
def test_wireshark_reads_it(
    recorded: tuple[Path, list[HeardCodeword], list[ReceivedPacket], LinkReceiver], tmp_path: Path
) -> None:
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("tshark is not here (Debian package tshark)")
    path, heard, _, _ = recorded
    fields = ("frame.time_epoch", "frame.len", "frame.comment", "frame.encap_type", "frame.packet_flags_direction")
    command = [tshark, "-r", str(path), "-T", "fields", "-E", "separator=|"]
    command += [part for field in fields for part in ("-e", field)]
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=60)
    rows = [line.split("|") for line in done.stdout.splitlines()]
    assert len(rows) == len(heard)
    for (time_s, size, verdict, *_), each in zip(rows, heard, strict=True):
        assert round(float(time_s) * 1000) == round(each.arrival_ns / 1e6)
        assert int(size) == len(each.octets)
        assert verdict == each.verdict

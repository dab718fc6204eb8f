"""Captures of packets that arrive whole: how they are recorded, and what is not ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from pantel_link import (
    HeardCodeword,
    LinkReceiver,
    LinkSender,
    MonotonicClock,
    Packet,
    PacketKind,
    PacketProfile,
    SentCodeword,
    StreamContext,
)
from pantel_link.captures import (
    CapturedCodeword,
    CaptureHeader,
    CaptureWriter,
    LinkType,
    ReplayLink,
    ReplayPort,
    read_capture,
)
from pantel_link.captures.pcapng import ENHANCED_PACKET, read_blocks
from pantel_link.ports import ReconnectingPacketPort, memory_pair, open_port, packet_pair
from pantel_link.ports.ax25 import UiFrame

_S = 1_000_000_000
_CONTEXT = StreamContext(5, "DK1AB-7", 0x010203, bytes.fromhex("a1b2c3"), 320, 240)


def _codewords(path: Path) -> list[CapturedCodeword]:
    return [event for event in read_capture(path) if isinstance(event, CapturedCodeword)]


def _bad(time_ns: int) -> HeardCodeword:
    return HeardCodeword(bytes(48), time_ns, None, None, "x")


def _records(path: Path) -> list[bytes]:
    """Return the records of a file as any program finds them."""
    with path.open("rb") as file:
        bodies = [block.body for block in read_blocks(file) if block.kind == ENHANCED_PACKET]
    return [body[20 : 20 + int.from_bytes(body[12:16], "little")] for body in bodies]


@pytest.mark.parametrize(
    ("link_type", "crossing_bps"), [(LinkType.PACKET, 0), (LinkType.AX25_KISS, 1200), (LinkType.AX25_KISS, None)]
)
def test_packets_that_arrive_whole_are_replayed_with_all_that_was_around_them(
    link_type: LinkType, crossing_bps: int | None, tmp_path: Path
) -> None:
    def wire_octets(packet: bytes) -> int:
        return len(packet) + 100

    path = tmp_path / "line.pcapng"
    writer = CaptureWriter(path, CaptureHeader(crossing_bps=crossing_bps), link_type=link_type, wire_octets=wire_octets)
    sender = LinkSender(_CONTEXT, now_ns=0, profile=PacketProfile(256, wire_octets))
    receiver = LinkReceiver(listener=writer)
    received = []
    for now_ns in range(0, 20 * _S, _S // 10):
        if sender.ready(now_ns):
            sender.submit(PacketKind.SCENE, bytes(range(9)), sender.stamp_ns(now_ns))
        if packet := sender.due(now_ns):
            received += receiver.receive_packet(packet, now_ns + _S, wire_octets(packet), crossing_bps=crossing_bps)
    writer.close(21 * _S)
    header, *events, _ = read_capture(path)
    assert isinstance(header, CaptureHeader)
    port = ReplayPort("replay")
    link = ReplayLink.from_header(header, port)
    again = []
    for event in events:
        assert isinstance(event, CapturedCodeword)
        assert event.whole
        port.offer(event)
        again += link.receive(port.read(4096), event.arrival_ns)
    assert again == received
    assert len(received) > 10
    assert link.statistics == receiver.statistics


def test_a_packet_of_a_modem_is_recorded_as_libpcap_expects(tmp_path: Path) -> None:
    path = tmp_path / "line.pcapng"
    writer = CaptureWriter(path, CaptureHeader(), link_type=LinkType.AX25_KISS, callsign="DL2CD-15")
    ident = LinkSender(_CONTEXT, now_ns=0, profile=PacketProfile(256, len)).due(9 * _S)
    LinkReceiver(listener=writer).receive_packet(ident, 1)
    writer.on_sent(SentCodeword(b"packet", 2, Packet(PacketKind.TEXT, 3, 0, 0, b"")))
    writer.on_codeword(HeardCodeword(b"other", 3, None, None, "x"))
    writer.close(4)
    heard, sent, bad = _records(path)
    assert heard == bytes(1) + UiFrame("DK1AB-7", ident).to_bytes()  # its IDENT says who
    assert sent == bytes(1) + UiFrame("DL2CD-15", b"packet").to_bytes()
    assert bad == bytes(1) + UiFrame("N0CALL", b"other").to_bytes()
    assert [each.octets for each in _codewords(path)] == [ident, b"packet", b"other"]


def test_a_callsign_that_is_no_address_of_ax25() -> None:
    record = LinkType.AX25_KISS.to_record(b"packet", "DK1AB/P")
    assert record == bytes(1) + UiFrame("N0CALL", b"packet").to_bytes()


def test_frames_of_other_programs_are_no_packets(tmp_path: Path) -> None:
    path = tmp_path / "line.pcapng"
    writer = CaptureWriter(path, CaptureHeader(), link_type=LinkType.AX25_KISS)
    writer.on_codeword(_bad(1))
    writer.on_codeword(_bad(2))
    writer.close(3)
    octets = path.read_bytes()
    for before, after in (
        (b"\x00" + UiFrame("N0CALL", b"").to_bytes(), None),
        (b"\xa0\x82\x9c\xa8\x8a\x98", b"\x82" * 6),
    ):
        first = octets.index(before)
        changed = b"\x06" + before[1:] if after is None else after
        path.write_bytes(octets[:first] + changed + octets[first + len(before) :])
        assert len(_codewords(path)) == 1


@pytest.mark.parametrize(
    ("url", "link_type"),
    [
        ("udp://127.0.0.1:9?local=0010", LinkType.PACKET),
        ("kiss+tcp://localhost:8001", LinkType.AX25_KISS),
        ("kiss+tcp://localhost:8001?txdelay_ms=10&ax25=1", LinkType.AX25_KISS),
        ("kiss+tcp://localhost:8001?txdelay_ms=10&ax25=0", LinkType.PACKET),
        ("kiss+serial:/dev/ttyUSB0?ax25=0&txtail_ms=0", LinkType.PACKET),
    ],
)
def test_the_port_says_what_it_carries(url: str, link_type: LinkType) -> None:
    near, _ = packet_pair()
    near.name = url
    assert LinkType.of_port(near) is link_type
    assert LinkType.of_port(ReconnectingPacketPort(near, lambda: near, MonotonicClock())) is link_type
    stream, _ = memory_pair()
    stream.name = url
    assert LinkType.of_port(stream) is LinkType.STREAM


def test_a_port_that_is_open_says_it_too() -> None:
    with open_port("udp://127.0.0.1:40001?local=40002") as port:
        assert LinkType.of_port(port) is LinkType.PACKET

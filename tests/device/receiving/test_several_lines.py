"""Several lines into one receiver: each by itself, and all of one scene."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.album import Album
from tests.device.receiving.hearing import sent_octets

from pantel_device.line_profile import line_profile
from pantel_device.outbox import COMMANDS, Outbox
from pantel_device.receiving.ground import Ground, Request, Way
from pantel_device.receiving.line import Line
from pantel_device.receiving.receiver import Receiver
from pantel_device.receiving.replay import replay
from pantel_link import (
    Keyring,
    LinkReceiver,
    LinkSender,
    MasterKey,
    PacketKind,
    PacketProfile,
    Port,
    PortError,
    PortGone,
    Preset,
    Security,
    StreamContext,
    VirtualClock,
    memory_pair,
)
from pantel_link.back_channel import AskStill, CommandListener
from pantel_link.captures import CaptureEvent, CaptureHeader, CaptureWriter, merge_captures, read_capture
from pantel_link.packet import SealedPacket
from pantel_link.ports import reconnecting
from pantel_link.ports.memory import packet_pair
from pantel_link.streams import KnownStreams

_S = 1_000_000_000
_KEY = MasterKey(bytes(range(32)))


class _Line:
    """A line into a receiver, with a capture."""

    def __init__(self, name: str, folder: Path, streams: KnownStreams) -> None:
        self.near, self.far = memory_pair()
        self.far.name = name
        self.capture = folder / f"{name}.pcapng"
        self._writer = CaptureWriter(
            self.capture, CaptureHeader(playout_delay_ns=0, clock_offset_ns=_S), interface=name
        )
        self.link = LinkReceiver(streams=streams, listener=self._writer)

    def close(self, now_ns: int) -> None:
        self._writer.close(now_ns)


class _Home:
    """A receiver of two lines."""

    def __init__(self, folder: Path) -> None:
        streams = KnownStreams((), Keyring(), None)
        self.album = Album()
        self.ports: dict[str, None] = {}  # at which the sender was heard, in the order of time
        self.lines = [_Line(name, folder, streams) for name in ("north", "south")]
        north, south = self.lines
        further = [Line.of(south.far, south.link)]
        self.receiver = Receiver(
            port=north.far, link=north.link, further=further, sinks=[self.album], playout_delay_ns=0
        )
        self.receiver.advance(0)

    def hear(self, said: dict[int, list[tuple[int, bytes]]], seconds: int) -> None:
        """Let time pass; what comes to each line is given with its time [ns]."""
        coming = sorted((time_ns, line, chunk) for line, chunks in said.items() for time_ns, chunk in chunks)
        for now_ns in range(0, seconds * _S + 1, _S // 50):
            while coming and coming[0][0] <= now_ns:
                _, number, chunk = coming.pop(0)
                self.lines[number].near.write(chunk)
            self.receiver.advance(now_ns)
            self.ports |= {contact.port: None for contact in self.receiver.contacts}
        for line in self.lines:
            line.close(seconds * _S)


def _said(context: StreamContext, payload: bytes, *, seconds: int, delay_s: float = 0.0) -> list[tuple[int, bytes]]:
    """Return what a sender that tells the same again and again puts on the line."""
    sender = LinkSender(context, now_ns=0)
    chunks = []
    for now_ns in range(0, seconds * _S, _S // 50):
        if sender.ready(now_ns):
            sender.submit(PacketKind.SCENE, payload, sender.stamp_ns(now_ns))
        while chunk := sender.due(now_ns):
            chunks.append((now_ns + round(delay_s * _S), chunk))
    return chunks


def _pictures(album: Album) -> list[tuple[int, int, bytes]]:
    return [(each.time_ns, each.sender.number, each.pixels.tobytes()) for each in album.pictures]


def test_the_captures_of_both_lines_together_show_what_was_shown(
    context: StreamContext, payload: bytes, tmp_path: Path
) -> None:
    home = _Home(tmp_path)
    heard_by_both = _said(context, payload, seconds=12)
    another = _said(replace(context, sender=7), payload, seconds=12, delay_s=0.13)
    home.hear({0: heard_by_both, 1: [(time_ns + _S // 3, chunk) for time_ns, chunk in heard_by_both]}, 14)
    assert home.receiver.lines[1].statistics.packets_good > 20
    alone = Album()
    (run,) = replay(merge_captures(_events(home)), [alone])
    assert run.statistics.packets_duplicate == home.receiver.lines[1].statistics.packets_good
    assert _pictures(alone) == _pictures(home.album)

    (tmp_path / "two").mkdir()
    home = _Home(tmp_path / "two")
    home.hear({0: heard_by_both, 1: another}, 14)
    assert {number for _, number, _ in _pictures(home.album)} == {0, 7}
    together = Album()
    (run,) = replay(merge_captures(_events(home)), [together])
    assert _pictures(together) == _pictures(home.album)
    for line, number in ((0, 0), (1, 7)):
        alone = Album()
        (run,) = replay(read_capture(home.lines[line].capture), [alone])
        assert {each[1] for each in _pictures(alone)} == {number}
        assert run.statistics.packets_good == home.receiver.lines[line].statistics.packets_good


def _events(home: _Home) -> Iterator[CaptureEvent]:
    for line in home.lines:
        yield from read_capture(line.capture)


class _Plug(Port):
    """A port that somebody can pull out."""

    def __init__(self, port: Port) -> None:
        self.name, self.pulled, self._port = port.name, False, port

    def open(self) -> Port:
        if self.pulled:
            raise PortError("it is pulled out")
        return self

    def read(self, max_octets: int) -> bytes:
        if self.pulled:
            raise PortGone("it is pulled out")
        return self._port.read(max_octets)

    def write(self, octets: bytes) -> int:
        return self._port.write(octets)


def test_a_line_that_is_pulled_out_or_never_there_disturbs_no_other(context: StreamContext, payload: bytes) -> None:
    clock = VirtualClock()
    streams = KnownStreams((), Keyring(), None)
    (_, first), (near, second) = memory_pair(), memory_pair()
    plug = _Plug(first)
    port = reconnecting(plug, plug.open, clock)
    album = Album()
    missing = Line("/dev/ttyUSB7", 960)
    receiver = Receiver(
        port=port,
        link=LinkReceiver(streams=streams),
        further=[missing, Line.of(second, LinkReceiver(streams=streams))],
        sinks=[album],
    )
    receiver.advance(clock.now_ns())
    plug.pulled = True
    near.write(sent_octets(context, payload))
    for _ in range(120):
        clock.sleep(0.1)
        receiver.advance(clock.now_ns())
    assert [line.up for line in receiver.lines] == [False, False, True]
    assert album.pictures[-1].time_ns == clock.now_ns()
    reports = [event.fields for event in album.events if event.kind == "link_report"]
    assert [(each["port"], each["packets_good"]) for each in reports] == [
        ("memory far", 0),
        ("/dev/ttyUSB7", 0),
        ("memory far", 2),
    ]
    (report,) = (event.fields for event in album.events if event.kind == "sender_report")
    assert (report["port"], report["packets_good"]) == ("memory far", 2)

    late_near, late = memory_pair()
    missing.connect(late, LinkReceiver(streams=streams))
    late_near.write(sent_octets(replace(context, sender=3), payload))
    receiver.advance(clock.now_ns() + 1)
    assert [contact.sender.number for contact in receiver.contacts] == [0, 3]


def test_a_sender_keeps_its_line_until_that_is_silent(context: StreamContext, payload: bytes, tmp_path: Path) -> None:
    home = _Home(tmp_path)
    said = _said(context, payload, seconds=70)
    north = [(time_ns, chunk) for time_ns, chunk in said if time_ns < 20 * _S]
    south = [(time_ns + _S // 10, chunk) for time_ns, chunk in said]
    home.hear({0: north, 1: south}, 71)
    assert list(home.ports) == ["north", "south"]
    assert home.receiver.contacts[0].port == "south"


@pytest.mark.parametrize("line", [0, 1])
def test_what_goes_back_goes_out_where_the_sender_is_heard(line: int, context: StreamContext, tmp_path: Path) -> None:
    keyed = replace(context, security=Security.AUTHENTICATED)
    key = _KEY.sender_key(0, "DK1AB")
    streams = KnownStreams((), Keyring(_KEY), None)
    pairs = [memory_pair(), memory_pair()]
    links = [LinkReceiver(streams=streams) for _ in pairs]
    ports = [far for _, far in pairs]
    ground = Ground(
        key=_KEY,
        state_dir=tmp_path,
        port=ports[0],
        profile=line_profile(ports[0], Preset.STANDARD),
        bitrate_bps=960,
        link=links[0],
    )
    ground.add_way(Way(ports[1], line_profile(ports[1], Preset.STANDARD), 960))
    further = [Line.of(ports[1], links[1])]
    receiver = Receiver(port=ports[0], link=links[0], further=further, sinks=[], ground=ground)
    Outbox(tmp_path / COMMANDS).put(Request(AskStill(600, None)).to_text())
    pairs[line][0].write(sent_octets(keyed, b"", kind=PacketKind.SCENE, key=key))
    for now_ns in range(0, 3 * _S, _S // 50):
        receiver.advance(now_ns)
    assert pairs[1 - line][0].read(4096) == b""
    found = CommandListener(keyed, key).receive(pairs[line][0].read(4096), 3 * _S, whole_packet=False)
    assert [each.command for each in found] == [AskStill(600, None)]  # type: ignore[union-attr]


def test_what_lines_heard_before_the_introduction_came_on_one_is_read(context: StreamContext, payload: bytes) -> None:
    streams = KnownStreams((), Keyring(), None)
    north, south = LinkReceiver(streams=streams), LinkReceiver(streams=streams)
    profile = PacketProfile(256, len)
    sender = LinkSender(context, now_ns=0, profile=profile)
    packets = []
    for second in range(1, 5):
        sender.submit(PacketKind.SCENE, payload, second * _S)
        while packet := sender.due(second * _S):
            packets.append(packet)
    kinds = [SealedPacket.from_bytes(packet).kind for packet in packets]
    introduction = packets[kinds.index(PacketKind.IDENT)]
    told = [packet for packet, kind in zip(packets, kinds, strict=True) if kind is PacketKind.SCENE]
    for second, packet in enumerate(told):
        assert (south, north)[second % 2].receive_packet(packet, second * _S) == []
    received = north.receive_packet(introduction, 5 * _S)
    assert [each.arrival_ns for each in received] == [0, _S, 2 * _S, 3 * _S, 5 * _S]
    assert [each.packet.kind for each in received] == [PacketKind.SCENE] * 4 + [PacketKind.IDENT]
    assert south.statistics.packets_good == 2
    assert south.statistics.packets_without_context == north.statistics.packets_without_context == 0


def test_packets_of_64_masts_on_one_port_do_not_queue_up(context: StreamContext) -> None:
    near, far = packet_pair()
    receiver = Receiver(port=far, link=LinkReceiver(), sinks=[])
    profile = PacketProfile(256, len)
    for number in range(64):
        near.write(LinkSender(replace(context, sender=number), now_ns=0, profile=profile).due(_S))
    receiver.advance(_S)
    assert len(receiver.contacts) == 64


def test_noise_on_a_fast_line_keeps_the_pictures_waiting_for_a_moment_only() -> None:
    near, far = memory_pair()
    receiver = Receiver(port=far, link=LinkReceiver(), sinks=[])
    near.write(bytes(100_000))
    receiver.advance(_S)
    assert receiver.lines[0].statistics.wire_octets == 4 * 4096

"""The dissector for Wireshark names every field, and gives it the value that Python knows."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.firmware_link import golden_capture

from pantel_link import (
    HeardCodeword,
    Identity,
    LengthClass,
    LinkSender,
    MasterKey,
    Packet,
    PacketError,
    PacketKind,
    PacketProfile,
    Security,
    SentCodeword,
    StreamContext,
    make_seal,
)
from pantel_link.captures import (
    DISSECTOR,
    CapturedCodeword,
    CaptureHeader,
    CaptureWriter,
    LinkType,
    read_capture,
)
from pantel_link.context import description_octets
from pantel_link.errors import CallsignError
from pantel_link.fec import reed_solomon
from pantel_link.framing import announced_format, frame_packet
from pantel_link.packet import SealedPacket
from pantel_link.stills import Fragment
from pantel_link.whitening import whiten
from pantel_link.wire_format import MARKER_OCTETS, WIRE_FORMATS

pytestmark = pytest.mark.real

_S = 1_000_000_000
_CAPTURES = Path(__file__).parents[1] / "captures"
_CONTENT = {
    PacketKind.SCENE: "pantel.scene",
    PacketKind.TELEMETRY: "pantel.telemetry",
    PacketKind.TEXT: "pantel.text",
    PacketKind.COMMAND: "pantel.command",
    PacketKind.REPLY: "pantel.reply",
}
_FIELDS = (
    *("marker", "format", "marker_errors", "whitened", "codeword", "parity", "syndromes", "needs_correction"),
    *("version", "kind", "sender", "sequence", "tick", "seconds", "payload", "encrypted", "padding", "trailer"),
    *("ident.epoch", "ident.model_hash", "ident.width", "ident.height", "ident.security", "ident.reserved"),
    *("ident.callsign", "ident.rollover", "ident.counter", "ident.utc"),
    *("still.block", "still.symbols", "still.index", "still.repair", "still.symbol"),
    *("scene", "telemetry", "text", "command", "reply"),
)
_PACKETS = [
    Packet(kind, sender=sender, counter=counter, tick=tick, payload=bytes(range(size)))
    for kind, sender, counter, tick, size in (
        (PacketKind.SCENE, 63, 1023, 1023, 33),
        (PacketKind.STILL, 0, 1024, 0, 50),
        (PacketKind.REPLY, 42, 5, 512, 1),
        (PacketKind.TEXT, 1, 1, 1, 0),
    )
]
Tshark = Callable[..., list[str]]


@pytest.fixture
def tshark(tmp_path: Path) -> Tshark:
    """Return a function that runs tshark with the dissector and returns its lines."""
    program = shutil.which("tshark")
    if program is None:
        pytest.skip("tshark is not here (Debian package tshark)")

    def run(path: Path, *arguments: str) -> list[str]:
        command = [program, "-X", f"lua_script:{DISSECTOR}", "-r", str(path), *arguments]
        environment = {**os.environ, "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "TZ": "UTC"}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=120)
        assert "Lua" not in done.stderr
        return done.stdout.splitlines()

    return run


def _dissect(tshark: Tshark, path: Path) -> list[dict[str, str]]:
    """Return the fields of each frame that have a value."""
    names = [f"pantel.{field}" for field in _FIELDS]
    arguments = [part for name in names for part in ("-e", name)]
    rows = tshark(path, "-T", "fields", "-E", "separator=|", "-E", "occurrence=a", *arguments)
    frames = [dict(zip(names, row.split("|"), strict=True)) for row in rows]
    return [{name: _plain(name, value) for name, value in frame.items() if value} for frame in frames]


def _plain(name: str, value: str) -> str:
    """Return a value as all versions of tshark could have written it."""
    if name.endswith(("needs_correction", "repair")):
        return str(value in {"1", "True"})
    if name.endswith("utc"):
        if value.endswith("Z"):
            return str(round(datetime.fromisoformat(value[:19] + "+00:00").timestamp()))
        moment = datetime.strptime(value.partition(".")[0], "%b %d, %Y %H:%M:%S").replace(tzinfo=UTC)
        return str(round(moment.timestamp()))
    return value


def _codeword_fields(octets: bytes) -> dict[str, str]:
    """Return what the fields of marker and codeword must be; what has errors is not corrected."""
    wire_format = announced_format(int.from_bytes(octets[:MARKER_OCTETS], "big"))
    assert wire_format is not None
    marker, whitened = octets[:MARKER_OCTETS], octets[MARKER_OCTETS:]
    codeword = whiten(whitened)
    message, parity = codeword[: wire_format.packet_octets], codeword[wire_format.packet_octets :]
    right = reed_solomon(wire_format).encode(message) == codeword
    fields = {
        "pantel.marker": marker.hex(),
        "pantel.format": f"{wire_format.preset} {wire_format.length_class}",
        "pantel.marker_errors": str((int.from_bytes(marker, "big") ^ wire_format.marker).bit_count()),
        "pantel.whitened": whitened.hex(),
        "pantel.codeword": codeword.hex(),
        "pantel.parity": parity.hex(),
        "pantel.needs_correction": str(not right),
    }
    return fields | ({"pantel.syndromes": "00" * len(parity)} if right else {}) | _packet_fields(message)


def _packet_fields(message: bytes, *, encrypted: bool = False) -> dict[str, str]:
    """Return what the fields of a packet must be."""
    sealed = SealedPacket.from_bytes(message)
    fields = {
        "pantel.version": str(sealed.version),
        "pantel.kind": str(int(sealed.kind)),
        "pantel.sender": str(sealed.sender),
        "pantel.sequence": str(sealed.sequence),
        "pantel.tick": str(sealed.tick),
        "pantel.seconds": f"{sealed.tick * 0.025:g}",
        "pantel.trailer": message[-4:].hex(),
    }
    payload = message[4:-4]
    if not payload:
        return fields
    fields["pantel.payload"] = payload.hex()
    if sealed.kind is PacketKind.IDENT:
        return fields | _identity_fields(sealed, payload)
    if encrypted:
        return fields | {"pantel.encrypted": payload.hex()}
    if sealed.kind is PacketKind.STILL:
        fragment = Fragment.from_payload(payload)
        return fields | {
            "pantel.still.block": str(fragment.block),
            "pantel.still.symbols": str(fragment.content_symbols),
            "pantel.still.index": str(fragment.index),
            "pantel.still.repair": str(fragment.index >= fragment.content_symbols),
            "pantel.still.symbol": fragment.symbol.hex(),
        }
    return fields | {_CONTENT[sealed.kind]: payload.hex()}


def _identity_fields(sealed: SealedPacket, payload: bytes) -> dict[str, str]:
    identity = Identity.from_payload(sealed.sender, payload, version=sealed.version)
    context = identity.context
    fields = {
        "pantel.ident.epoch": str(context.epoch),
        "pantel.ident.model_hash": context.model_hash.hex(),
        "pantel.ident.width": str(context.width_px),
        "pantel.ident.height": str(context.height_px),
        "pantel.ident.reserved": "0",
        "pantel.ident.callsign": context.callsign,
        "pantel.ident.utc": str(identity.utc_s or 0),
    }
    if payload[21:]:
        fields["pantel.padding"] = payload[21:].hex()
    if sealed.version == 1:
        return fields
    assert description_octets(sealed.version) == 15
    return fields | {
        "pantel.ident.security": str(int(context.security)),
        "pantel.ident.rollover": str(identity.rollover),
        "pantel.ident.counter": str(identity.rollover << 10 | sealed.sequence),
    }


def _check(dissected: Sequence[dict[str, str]], expected: Sequence[dict[str, str]]) -> None:
    assert len(dissected) == len(expected)
    for found, wanted in zip(dissected, expected, strict=True):
        if wanted.get("pantel.needs_correction") == "True":
            syndromes = found.pop("pantel.syndromes")
            assert set(syndromes) != {"0"}
            assert len(syndromes) == len(wanted["pantel.parity"])
        assert found == wanted


def _codewords(path: Path) -> Iterator[CapturedCodeword]:
    return (event for event in read_capture(path) if isinstance(event, CapturedCodeword))


@pytest.mark.parametrize("version", [1, 2])
def test_every_field_of_a_golden_capture(version: int, tshark: Tshark) -> None:
    path = _CAPTURES / f"version-{version}.pcapng"
    expected = []
    for codeword in _codewords(path):
        try:
            expected.append(_codeword_fields(codeword.octets))
        except (PacketError, CallsignError):
            expected.append({})  # beyond repair, so that the header itself is nonsense
    dissected = _dissect(tshark, path)
    sound = [index for index, fields in enumerate(expected) if fields]
    assert len(sound) >= len(expected) - 1
    _check([dissected[index] for index in sound], [expected[index] for index in sound])


def test_the_golden_capture_can_be_made_again(tmp_path: Path) -> None:
    golden_capture.write_golden(tmp_path / "again.pcapng")
    assert (tmp_path / "again.pcapng").read_bytes() == golden_capture.PATH.read_bytes()


def test_errors_are_expert_information(tshark: Tshark) -> None:
    path = _CAPTURES / "version-2.pcapng"
    messages = tshark(path, "-T", "fields", "-e", "_ws.expert.message", "-Y", "pantel.needs_correction == 1")
    assert len(messages) == 2
    assert all("The parity does not fit" in message for message in messages)
    assert "Wrong bits in the marker" in messages[0]


def test_directions_and_verdicts_are_wireshark_s_own(tshark: Tshark) -> None:
    path = _CAPTURES / "version-2.pcapng"
    rows = tshark(path, "-T", "fields", "-e", "frame.packet_flags_direction", "-e", "frame.comment")
    found = [(int(direction, 16), verdict) for direction, verdict in (row.split("\t") for row in rows)]
    assert found == [(1 + codeword.outbound, codeword.verdict) for codeword in _codewords(path)]
    assert {direction for direction, _ in found} == {1, 2}


@pytest.mark.parametrize("wire_format", WIRE_FORMATS, ids=lambda each: f"{each.preset} {each.length_class}")
def test_every_format(wire_format: object, tshark: Tshark, tmp_path: Path, context: StreamContext) -> None:
    path = tmp_path / "line.pcapng"
    writer = CaptureWriter(path, CaptureHeader())
    expected = []
    for packet in _PACKETS:
        chosen = next(each for each in WIRE_FORMATS if each is wire_format)
        octets = frame_packet(
            Packet(packet.kind, 5, packet.counter, packet.tick, packet.payload[: chosen.payload_octets]),
            make_seal(context),
            chosen,
        )
        wrong = bytes([octets[0] ^ 0x10, *octets[1:-1], octets[-1] ^ 1])
        for each in (octets, wrong):
            writer.on_codeword(HeardCodeword(each, _S, 0, packet))
            expected.append(_codeword_fields(each))
    writer.close(2 * _S)
    _check(_dissect(tshark, path), expected)


@pytest.mark.parametrize("link_type", [LinkType.PACKET, LinkType.AX25_KISS])
def test_packets_that_arrive_whole(link_type: LinkType, tshark: Tshark, tmp_path: Path, context: StreamContext) -> None:
    path = tmp_path / "line.pcapng"
    writer = CaptureWriter(path, CaptureHeader(), link_type=link_type, wire_octets=lambda packet: len(packet) + 60)
    ident = Packet(PacketKind.IDENT, 5, 3000, 9, Identity(context, 3000 >> 10, 1_700_000_000).to_payload())
    for packet in (*_PACKETS, ident):
        writer.on_sent(SentCodeword(packet.to_bytes(make_seal(context)), _S, packet))
    writer.close(2 * _S)
    _check(_dissect(tshark, path), [_packet_fields(each.octets) for each in _codewords(path)])
    sizes = tshark(path, "-T", "fields", "-e", "frame.len")
    assert [int(size) for size in sizes] == [len(each.octets) + 60 for each in _codewords(path)]


def test_frames_of_other_programs_stay_theirs(tshark: Tshark, tmp_path: Path) -> None:
    path = tmp_path / "line.pcapng"
    writer = CaptureWriter(path, CaptureHeader(), link_type=LinkType.AX25_KISS, callsign="DK1AB-7")
    packet = _PACKETS[0]
    for _ in range(2):
        writer.on_sent(SentCodeword(b">hello, all the world", _S, packet))
    writer.close(2 * _S)
    octets = path.read_bytes()
    ours, theirs = (bytes(ord(letter) << 1 for letter in name) for name in ("PANTEL", "APRS  "))
    path.write_bytes(octets.replace(ours, theirs, 1))
    protocols = tshark(path, "-T", "fields", "-e", "frame.protocols")
    assert ["ax25_nol3" in each for each in protocols] == [True, False]
    assert tshark(path, "-Y", "pantel", "-T", "fields", "-e", "frame.number") == ["2"]
    text = "\n".join(tshark(path, "-V"))
    assert text.count("Src: DK1AB-7, Dst: APRS") == text.count("Src: DK1AB-7, Dst: PANTEL") == 1


def test_what_is_encrypted_is_called_so(tshark: Tshark, tmp_path: Path) -> None:
    pytest.importorskip("cryptography", reason="encryption is not installed")
    path = tmp_path / "line.pcapng"
    writer = CaptureWriter(path, CaptureHeader(), link_type=LinkType.PACKET)
    context = StreamContext(5, "DK1AB", 7, bytes(3), 320, 240, Security.ENCRYPTED)
    key = MasterKey(bytes(32)).sender_key(5, "DK1AB")
    sender = LinkSender(context, now_ns=0, profile=PacketProfile(256, len), key=key, listener=writer)
    for now_ns in range(0, 60 * _S, _S):
        sender.due(now_ns)
        if sender.ready(now_ns):
            kind = (PacketKind.STILL, PacketKind.SCENE)[sender.statistics.packets % 2]
            sender.submit(kind, bytes(40), sender.stamp_ns(now_ns), LengthClass.LIVE)
    writer.close(60 * _S)
    _check(_dissect(tshark, path), [_packet_fields(each.octets, encrypted=True) for each in _codewords(path)])


def test_noise_upsets_nothing(tshark: Tshark, tmp_path: Path) -> None:
    generator = random.Random(5)
    for link_type in LinkType:
        path = tmp_path / f"{link_type.name}.pcapng"
        writer = CaptureWriter(path, CaptureHeader(), link_type=link_type)
        for _ in range(300):
            noise = generator.randbytes(generator.choice((0, 1, 2, 3, 4, 8, 9, 11, 30, 48, 128, 200)))
            if generator.random() < 0.5:
                noise = generator.choice(WIRE_FORMATS).marker.to_bytes(3, "big") + noise[3:]
            writer.on_codeword(HeardCodeword(noise, _S, None, None, "x"))
        writer.close(2 * _S)
        text = "\n".join(tshark(path, "-V"))
        assert text.count("Pantel") >= 100
        assert "Lua Error" not in text
        assert "Dissector bug" not in text

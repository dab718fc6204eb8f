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
from tests.firmware_link.dissected_fields import FIELDS, SHARES, codeword_fields, message_fields, packet_fields

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
    Preset,
    Security,
    SentCodeword,
    StreamContext,
    make_seal,
)
from pantel_link.back_channel import (
    Acknowledge,
    AskStill,
    Confirm,
    Outcome,
    Reply,
    SetLine,
    Watch,
    command_to_payload,
)
from pantel_link.captures import (
    DISSECTOR,
    CapturedCodeword,
    CaptureHeader,
    CaptureWriter,
    LinkType,
    read_capture,
)
from pantel_link.errors import CallsignError
from pantel_link.framing import frame_packet
from pantel_link.messages import Alarm, Telemetry, text_parts
from pantel_link.region import Region
from pantel_link.seal import make_back_seal
from pantel_link.wire_format import WIRE_FORMATS

pytestmark = pytest.mark.real

_S = 1_000_000_000
_CAPTURES = Path(__file__).parents[1] / "captures"
_PACKETS = [
    Packet(kind, sender=sender, counter=counter, tick=tick, payload=bytes(range(size)))
    for kind, sender, counter, tick, size in (
        (PacketKind.SCENE, 63, 1023, 1023, 33),
        (PacketKind.STILL, 0, 1024, 0, 50),
        (PacketKind.SCENE, 42, 5, 512, 1),
        (PacketKind.TEXT, 1, 1, 1, 0),
    )
]
_TELLING = (
    Telemetry(),
    Telemetry(0, -0.1, -90, 180, -431, 0, 0, 0),
    Telemetry(65.535, 3276.7, 89.9999999, -179.9999999, 32767, 4294967295, 4294967295, -3276.8),
    Telemetry(uptime_s=1),
)
_COMMANDS = (
    *golden_capture.COMMANDS,
    AskStill(),
    AskStill(65535, Region(0, 0, 1, 1)),
    AskStill(0, Region(0.3, 0.1, 0.4, 0.2)),
    *(SetLine(0, preset) for preset in (*Preset, None)),
    Confirm(65535),
    Watch(Region(0, 0, 1, 1), 65535),
    Watch(Region(0.3, 0.1, 0.4, 0.2), 0),
)
_ACKNOWLEDGEMENTS = (Acknowledge(0, 0, 0), Acknowledge((1 << 26) - 1, 65535, 0xFFFFFFFF), Acknowledge(5000, 7, 1 << 31))
_ALARMS = (
    Alarm(255, True, 127, 409.5, Region(0, 0, 1, 1), "Tor Süd 😀"),
    Alarm(0, False, 0, 0.0, Region(0.1, 0.2, 0.3, 0.4), ""),
    Alarm(7, True, 1, 8.3, Region(0.5, 0.4, 0.6, 1), "gate"),
)
_MESSAGES = [
    *((PacketKind.TELEMETRY, each.to_payload(60) or b"\0") for each in _TELLING),
    *((PacketKind.TEXT, each.to_payload()) for each in text_parts(255, "ä€😀 73; " * 50, 33)),
    *((PacketKind.TEXT, each.to_payload() + bytes(3)) for each in text_parts(0, "", 33)),
    *((PacketKind.COMMAND, command_to_payload(each, 65535 - i)) for i, each in enumerate(_COMMANDS)),
    *((PacketKind.REPLY, Reply(65535, each, 300, preset).to_payload()) for each in Outcome for preset in Preset),
    *((PacketKind.ACKNOWLEDGE, each.to_payload() + bytes(i)) for i, each in enumerate(_ACKNOWLEDGEMENTS)),
    *((PacketKind.ALARM, each.to_payload(33) + bytes(i)) for i, each in enumerate(_ALARMS)),
]
Tshark = Callable[..., list[str]]


@pytest.fixture
def tshark(tmp_path: Path) -> Tshark:
    """Return a function that runs tshark with the dissector and returns its lines."""
    program = shutil.which("tshark")
    if program is None:
        pytest.skip("tshark is not here (Debian package tshark)")

    def run(path: Path, *arguments: str, script: Path | None = DISSECTOR) -> list[str]:
        scripts = ["-X", f"lua_script:{script}"] if script else []
        command = [program, *scripts, "-r", str(path), *arguments]
        environment = {**os.environ, "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "TZ": "UTC"}
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, env=environment, timeout=120)
        assert "Lua" not in done.stderr
        return done.stdout.splitlines()

    return run


def _dissect(tshark: Tshark, path: Path) -> list[dict[str, str]]:
    """Return the fields of each frame that have a value."""
    names = [f"pantel.{field}" for field in FIELDS]
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
    return f"{float(value):.7f}" if name.removeprefix("pantel.") in SHARES else value


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
            expected.append(codeword_fields(codeword.octets))
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
            expected.append(codeword_fields(each))
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
    _check(_dissect(tshark, path), [packet_fields(each.octets) for each in _codewords(path)])
    sizes = tshark(path, "-T", "fields", "-e", "frame.len")
    assert [int(size) for size in sizes] == [len(each.octets) + 60 for each in _codewords(path)]


def _write_messages(path: Path, messages: Sequence[tuple[PacketKind, bytes]], context: StreamContext) -> None:
    writer = CaptureWriter(path, CaptureHeader(), link_type=LinkType.PACKET)
    for counter, (kind, payload) in enumerate(messages, 1000):
        packet = Packet(kind, 5, counter, 0, payload)
        writer.on_sent(SentCodeword(packet.to_bytes(make_seal(context)), _S, packet))
    writer.close(2 * _S)


def test_every_field_of_messages(tshark: Tshark, tmp_path: Path, context: StreamContext) -> None:
    path = tmp_path / "line.pcapng"
    _write_messages(path, _MESSAGES, context)
    _check(_dissect(tshark, path), [packet_fields(each.octets) for each in _codewords(path)])
    text = "\n".join(tshark(path, "-V"))
    names = {line.strip() for line in text.splitlines()}
    assert names >= {f"Outcome: {each.name.lower().replace('_', ' ')} ({each})" for each in Outcome}
    assert names >= {f"Preset: {name} ({i})" for i, name in enumerate((*Preset, "as it is"))}
    assert names >= {"Phase: began (1)", "Phase: ended (0)", "Before the time stamp [s]: 409.5", "Zone: gate"}
    assert names >= {"What: still (1)", "What: line (2)", "What: confirm (3)", "What: watch (4)", "Battery [V]: 65.535"}
    assert not any(words in text for words in ("Too short", "needs", "no sense", "Unknown", "Padding is not zero"))


def test_messages_that_make_no_sense(tshark: Tshark, tmp_path: Path, context: StreamContext) -> None:
    path = tmp_path / "line.pcapng"
    cases = [(kind, payload[:size]) for kind, payload in _MESSAGES for size in range(len(payload.rstrip(b"\0")))]
    with_ends = [(PacketKind.TELEMETRY, bytes.fromhex("02ffff09aabb")), (PacketKind.TELEMETRY, bytes.fromhex("0001"))]
    odd = [(PacketKind.TEXT, b"\x01\x12a"), (PacketKind.COMMAND, b"\0\0\x09"), (PacketKind.REPLY, b"\0\0\x04\0\0\x03")]
    odd += [(PacketKind.COMMAND, bytes.fromhex("0000010000 05050505")), (PacketKind.COMMAND, b"\0\0\2\0\0\4")]
    odd += [(PacketKind.ALARM, bytes.fromhex("00810000 05050505"))]
    _write_messages(path, [*with_ends, *odd, *cases], context)
    rows = tshark(path, "-T", "fields", "-e", "pantel.telemetry.unknown", "-e", "_ws.expert.message")
    assert "Unknown tag" in rows[0].removeprefix("09aabb\t")
    assert "Padding is not zero" in rows[1]
    assert all("," in row for row in rows[2 : 2 + len(odd)])  # the comment of the packet, and more
    for (kind, payload), row in zip(cases, rows[2 + len(odd) :], strict=True):
        try:
            message_fields(kind, payload, 0)
            readable = bool(payload) or kind is PacketKind.TELEMETRY
        except PacketError:
            readable = False
        assert ("needs" in row or "No payload" in row) is not readable, (kind, payload, row)


def test_random_messages_upset_nothing(tshark: Tshark, tmp_path: Path, context: StreamContext) -> None:
    generator = random.Random(6)
    kinds = set(PacketKind) - {PacketKind.IDENT, PacketKind.SCENE, PacketKind.STILL}
    messages = []
    for kind in 300 * sorted(kinds):
        noise = generator.randbytes(generator.randrange(40))
        start = bytes(generator.randrange(10) for _ in range(3)) if generator.random() < 0.7 else b""
        messages.append((kind, start + noise))
    path = tmp_path / "line.pcapng"
    _write_messages(path, messages, context)
    text = "\n".join(tshark(path, "-V"))
    assert text.count("Pantel, whole packet") == len(messages)
    assert "Lua Error" not in text
    assert "Dissector bug" not in text


@pytest.mark.parametrize("how", ["links", "copies", "a link to the folder"])
def test_as_a_plugin(how: str, tshark: Tshark, tmp_path: Path) -> None:
    plugins = tmp_path / ".local" / "lib" / "wireshark" / "plugins"
    plugins.mkdir(parents=True)
    both = (DISSECTOR, DISSECTOR.with_name("pantel_messages.lua"))
    if how == "a link to the folder":
        (plugins / "pantel").symlink_to(DISSECTOR.parent)
    for script in both if how != "a link to the folder" else ():
        if how == "links":
            (plugins / script.name).symlink_to(script)
        else:
            shutil.copy(script, plugins)
    rows = tshark(golden_capture.PATH, "-Y", "pantel.reply", "-T", "fields", "-e", "pantel.reply.number", script=None)
    assert rows == ["3075", "3075"]


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
            kind = (PacketKind.STILL, PacketKind.SCENE, PacketKind.TEXT, PacketKind.REPLY)[now_ns // _S % 4]
            sender.submit(kind, bytes(40), sender.stamp_ns(now_ns), LengthClass.LIVE)
    back_seal = make_back_seal(context, key.key)
    command = Packet(PacketKind.COMMAND, 5, 3 << 10, 0, command_to_payload(AskStill(500), 3))
    acknowledgement = Packet(PacketKind.ACKNOWLEDGE, 5, 30, 0, Acknowledge(30, 1, 1 << 30).to_payload())
    for packet in (command, acknowledgement):  # never encrypted
        writer.on_sent(SentCodeword(packet.to_bytes(back_seal), 60 * _S, packet))
    writer.close(60 * _S)
    *others, asked, heard = _codewords(path)
    expected = [packet_fields(each.octets, encrypted=True) for each in others]
    _check(_dissect(tshark, path), [*expected, packet_fields(asked.octets), packet_fields(heard.octets)])


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

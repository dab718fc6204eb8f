"""Lines, telemetry and stills on their way out: in turn, and never in the way of the scene."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pantel_device.cli import main
from pantel_device.frame import Frame
from pantel_device.outbox import LINES, Outbox, attending
from pantel_device.sending.messages_out import Messages
from pantel_device.sending.still_sender import StillSender
from pantel_device.sending.telemetry import TelemetryReader
from pantel_link import PacketKind, StreamContext
from pantel_link.back_channel import AskStill, Region
from pantel_link.messages import Telemetry, TextPart
from pantel_link.stills import Fragment, StillAssembler
from pantel_link.traffic import TrafficClass
from pantel_models import load_still_codec

_S = 1_000_000_000


def test_lines_wait_in_a_folder_and_leave_in_order(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox")
    assert outbox.waiting() == []
    for line in ("first", "zweite Zeile: Grüße"):
        outbox.put(line)
    (tmp_path / "outbox" / "notes.txt").write_text("not ours")
    assert [text for _, text in outbox.waiting()] == ["first", "zweite Zeile: Grüße"]
    outbox.remove(outbox.waiting()[0][0])
    assert [text for _, text in outbox.waiting()] == ["zweite Zeile: Grüße"]
    assert (tmp_path / "outbox" / "notes.txt").exists()


def test_a_line_of_which_a_power_cut_left_nothing_is_removed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    outbox = Outbox(tmp_path)
    outbox.put("whole")
    for number, left in enumerate((b"", b"\n", bytes(20), b"gate op" + bytes(4)), 2):
        (tmp_path / f"{number:08d}.txt").write_bytes(left)
    assert [text for _, text in outbox.waiting()] == ["whole"]
    assert len(list(tmp_path.iterdir())) == 1
    assert len(caplog.records) == 4


def test_a_line_is_said_twice_and_telemetry_at_intervals(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    outbox.put("x" * 40)
    messages = Messages(
        lambda: 33, outbox=outbox, telemetry=lambda: Telemetry(battery_v=12.0), telemetry_interval_ns=60 * _S
    )
    said = []
    for second in range(100):
        while messages.wants(second * _S) is not None:
            assert messages.wants(second * _S) is TrafficClass.MESSAGE
            said.append((second, messages.take(second * _S)))
    assert [(second, news.kind) for second, news in said] == [
        *[(0, PacketKind.TEXT)] * 4,
        (30, PacketKind.TELEMETRY),
        (90, PacketKind.TELEMETRY),
    ]
    assert outbox.waiting() == []
    parts = [TextPart.from_payload(news.payload) for _, news in said[:4]]
    assert [part.part for part in parts] == [0, 1, 0, 1]
    assert len({part.message for part in parts}) == 1


def test_a_line_that_was_not_said_survives_a_restart(tmp_path: Path) -> None:
    for line in ("one", "two", "three"):
        Outbox(tmp_path).put(line)
    first = Messages(lambda: 33, outbox=Outbox(tmp_path))
    assert first.wants(0) is TrafficClass.MESSAGE
    first.take(0)
    again = Messages(lambda: 33, outbox=Outbox(tmp_path))
    texts = []
    while again.wants(0) is not None:
        texts.append(TextPart.from_payload(again.take(0).payload).text)
    assert texts == [b"one", b"two", b"three"] * 2
    assert Outbox(tmp_path).waiting() == []


def test_a_line_is_cut_anew_when_packets_become_shorter(tmp_path: Path) -> None:
    Outbox(tmp_path).put("x" * 40)
    octets = 33
    messages = Messages(lambda: octets, outbox=Outbox(tmp_path))
    assert messages.wants(0) is TrafficClass.MESSAGE
    parts = [TextPart.from_payload(messages.take(0).payload)]
    octets = 21
    while messages.wants(0) is not None:
        parts.append(TextPart.from_payload(messages.take(0).payload))
    assert [(part.part, part.parts) for part in parts] == [(0, 2), *[(0, 3), (1, 3), (2, 3)] * 2]


def test_telemetry_knows_the_machine_and_what_a_file_says(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "measured.json"
    read = TelemetryReader(tmp_path, file)
    machine = read().known()
    read()
    assert {"uptime_s", "disk_free_mib"} <= set(machine)
    assert caplog.text.count("no telemetry from") == 1
    file.write_text(json.dumps({"battery_v": 12.5, "latitude_deg": None}))
    assert read().battery_v == 12.5
    for wrong in ("[]", '{"volts": 1}', '{"battery_v": "full"}', "{"):
        file.write_text(wrong)
        assert read().battery_v is None
    assert "unknown keys" not in caplog.text or "known: altitude_m" in caplog.text


def test_a_still_is_sent_with_the_repair_that_it_needs_and_then_more_if_there_is_air() -> None:
    codec = load_still_codec()
    sender = StillSender(
        codec, lambda: 109, still_bytes=300, interval_ns=60 * _S, loss=0.1, utc_s=lambda: 1_800_000_000
    )
    generator = np.random.default_rng(3)
    pixels = np.repeat(np.repeat(generator.integers(0, 255, (6, 8, 3), np.uint8), 16, axis=0), 16, axis=1)
    assert sender.wants(0) is None
    sender.look(Frame(0, 0, pixels))
    assert sender.wants(29 * _S) is None
    classes = []
    payloads = []
    for _ in range(12):
        traffic = sender.wants(30 * _S)
        assert traffic is not None
        classes.append(traffic)
        payloads.append(sender.take(30 * _S).payload)
    needed = classes.index(TrafficClass.REPAIR)
    assert classes == [TrafficClass.STILL] * needed + [TrafficClass.REPAIR] * (12 - needed)
    fragment = Fragment.from_payload(payloads[0])
    assert needed > fragment.content_symbols == 3
    sender.ask(AskStill(region=Region(0.0, 0.0, 0.5, 0.5)))
    assert sender.wants(31 * _S) is TrafficClass.STILL
    assert Fragment.from_payload(sender.take(31 * _S).payload).block == fragment.block + 1


def test_a_still_is_cut_anew_when_packets_become_shorter() -> None:
    octets = 112
    sender = StillSender(
        load_still_codec(), lambda: octets, still_bytes=300, interval_ns=None, loss=0.0, utc_s=lambda: None
    )
    sender.look(Frame(0, 0, np.full((48, 64, 3), 90, np.uint8)))
    sender.ask(AskStill())
    assembler = StillAssembler()
    context = StreamContext(0, "N0CALL", 1, bytes(3), 64, 48)
    stills = []
    for _ in range(3):
        while sender.wants(0) is TrafficClass.STILL:
            payload = sender.take(0).payload
            assert len(payload) == octets
            if still := assembler.take(context, Fragment.from_payload(payload), 0):
                stills.append(still)
            octets = 86
    assert stills[-1].complete


def test_say_and_its_mistakes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with attending(tmp_path / LINES):
        assert main(["say", "all well", "--state-dir", str(tmp_path)]) == 0
    assert [text for _, text in Outbox(tmp_path / "outbox").waiting()] == ["all well"]
    for text in ("  ", "x" * 481):
        assert main(["say", text, "--state-dir", str(tmp_path)]) == 2
    (tmp_path / "file").write_text("")
    assert main(["say", "x", "--state-dir", str(tmp_path / "file")]) == 1
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 3
    assert f"no pantel send reads {tmp_path / 'file' / LINES}: start it" in errors[2]

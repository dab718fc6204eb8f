"""`pantel capture`: what captures hold, in words and as JSON, and where the dissector lies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pantel_device.cli import main
from pantel_link import (
    Keyring,
    LinkReceiver,
    LinkSender,
    MasterKey,
    PacketKind,
    Security,
    StreamContext,
    write_key,
)
from pantel_link.captures import CaptureHeader, CaptureWriter

_S = 1_000_000_000
_GOLDEN = Path(__file__).parents[1] / "captures" / "version-2.pcapng"
_KEY = MasterKey(bytes(range(32)))


def _told(tmp_path: Path, *arguments: str) -> list[dict[str, Any]]:
    """Return the figures of files."""
    report = tmp_path / "report.json"
    assert main(["capture", "info", *arguments, "--json", str(report)]) == 0
    files: list[dict[str, Any]] = json.loads(report.read_text())["files"]
    return files


def _secured_capture(path: Path) -> None:
    """Write what a receiver with a key heard of a sender with a key, in a minute that somebody knew not to be UTC."""
    context = StreamContext(3, "DK1AB", 7, bytes.fromhex("a1b2c3"), 320, 240, Security.AUTHENTICATED)
    writer = CaptureWriter(path, CaptureHeader())
    receiver = LinkReceiver(listener=writer, keyring=Keyring(_KEY))
    sender = LinkSender(context, now_ns=0, key=_KEY.sender_key(3, "DK1AB"))
    for now_ns in range(0, 10 * _S, _S // 20):
        if sender.ready(now_ns):
            sender.submit(PacketKind.SCENE, b"scene", sender.stamp_ns(now_ns))
        while chunk := sender.due(now_ns):
            receiver.receive(chunk, now_ns)
    writer.close(10 * _S)


def _documented_keys() -> set[str]:
    """Return what docs/reports.md names in its section on captures."""
    page = Path(__file__).parents[2] / "docs" / "reports.md"
    return set(page.read_text().split("## `pantel capture info`")[1].split("\n## ")[0].split("`")[1::2])


def test_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["capture", "info", str(_GOLDEN)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{_GOLDEN}: 8.9 s from 2023-11-14T22:13:20Z, 1 run"
    assert lines[1].endswith("1 beyond repair (5.9%), 0 of nobody known")
    mast = lines[lines.index("  DK1AB-7 heard as sender 5, epoch 66051, checked, model a1b2c3, 320x240") :]
    assert mast[1] == "    packets: 2 ident, 3 scene, 3 still, 2 telemetry, 2 text, 2 reply, 2 alarm"
    assert "by its own clock 2023-11-14T22:13:20Z to 2023-11-14T22:13:28Z" in mast[2]
    assert mast[4].startswith("    errors: bit error rate 2.")
    assert "1 packets lost (5.9%), 0 duplicates, 0 recordings" in mast[4]
    assert mast[5].startswith("    longest silences: 1.1 s at 2023-11-14T22:13:2")
    home = lines[lines.index("  DK1AB sent as sender 6, epoch 77, checked, model a1b2c3, 320x240") :]
    assert home[2].endswith("by its own clock unknown")
    assert "longest silences" in home[4]  # what was sent has no errors


def test_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (told,) = _told(tmp_path, str(_GOLDEN))
    assert (told["codewords"], told["codewords_failed"], told["codewords_sent"], told["runs"]) == (17, 1, 7, 1)
    assert told["codewords_failed_share"] == pytest.approx(1 / 17)
    assert told["formats"] == {"standard live": 14, "standard still": 3}
    home, mast = told["senders"]
    assert (home["outbound"], mast["outbound"]) == (True, False)
    assert mast["callsign"] == "DK1AB-7"
    packets = {"ident": 2, "scene": 3, "still": 3, "telemetry": 2, "text": 2, "command": 0, "reply": 2, "alarm": 2}
    assert mast["packets"] == packets | {"acknowledge": 0}
    assert 800 < mast["wire_bps"] <= 960
    assert 0 < mast["payload_bps"] < mast["wire_bps"]
    assert mast["packet_loss"] == pytest.approx(1 / 17)
    assert mast["first_ident_utc_s"] == 1_700_000_000
    assert [set(silence) for silence in mast["silences"]] == [{"begun_s", "seconds"}] * 3
    documented = _documented_keys()
    assert set(told) | set(mast) | set(mast["silences"][0]) <= documented
    assert "DK1AB" in capsys.readouterr().out


def test_without_its_key_a_stream_is_described_and_called_unverified(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, key = tmp_path / "line.pcapng", tmp_path / "master.key"
    _secured_capture(path)
    write_key(key, _KEY)
    unverified, verified = _told(tmp_path, str(path))[0], _told(tmp_path, str(path), "--key", str(key))[0]
    out = capsys.readouterr().out
    assert "authenticated (UNVERIFIED: anybody may have made this; name the key with --key)" in out
    assert "authenticated (verified)" in out
    assert [each["senders"][0].pop("verified") for each in (unverified, verified)] == [False, True]
    assert unverified == verified
    assert unverified["senders"][0]["security"] == "authenticated"
    assert unverified["dated"] is False
    assert "from 0.4 s" in out


def test_several_files_and_an_empty_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "silence.pcapng"
    CaptureWriter(path, CaptureHeader()).close(9 * _S)
    golden, silence = _told(tmp_path, str(_GOLDEN), str(path))
    assert golden["capture"] == str(_GOLDEN)
    assert (silence["codewords"], silence["codewords_failed_share"], silence["first_s"]) == (0, None, None)
    assert "heard: nothing; 0 beyond repair, 0 of nobody known" in capsys.readouterr().out


def test_mistakes_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.pcapng").touch()
    (tmp_path / "diary.txt").write_text("Dear diary")
    cases = [
        (["info", str(tmp_path / "missing.pcapng")], 1, "missing.pcapng: No such file or directory; name a file that"),
        (["info", str(tmp_path)], 1, f"cannot read {tmp_path}: Is a directory; name a file that"),
        (["info", str(tmp_path / "empty.pcapng")], 1, "is no capture: it holds no codewords"),
        (["info", str(tmp_path / "diary.txt")], 1, "is no capture: not a pcapng file"),
        (["info", str(_GOLDEN), "--key", str(tmp_path / "none.key")], 2, "cannot read the key"),
        (["info", str(_GOLDEN), "--json", str(tmp_path / "nowhere" / "a.json")], 2, "there is no folder"),
        (["info", ""], 2, "argument FILE: the name is empty; name a file"),
        (["info"], 2, "the following arguments are required: FILE"),
        ([], 2, "the following arguments are required: ACTION"),
    ]
    for arguments, code, says in cases:
        assert main(["capture", *arguments]) == code
        err = capsys.readouterr().err
        assert err.count("\n") == 1
        assert says in err


def test_a_file_that_is_cut_off_warns(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cut.pcapng"
    path.write_bytes(_GOLDEN.read_bytes()[:-100])
    assert main(["capture", "info", str(path)]) == 0
    assert "capture ends early" in caplog.text
    assert "DK1AB-7" in capsys.readouterr().out


def test_the_dissector_lies_where_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["capture", "dissector"]) == 0
    path = Path(capsys.readouterr().out.removesuffix("\n"))
    assert path.is_absolute()
    assert "wtap_encap" in path.read_text()
    assert main(["capture", "dissector", "--help"]) == 0
    told = capsys.readouterr().out
    assert "ln -s $(pantel capture dissector) ~/.local/lib/wireshark/plugins/" in told
    assert "ln -s $(dirname $(pantel capture dissector))/pantel_messages.lua ~/.local/lib/wireshark/plugins/" in told
    assert path.with_name("pantel_messages.lua").is_file()

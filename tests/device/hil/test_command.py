"""`pantel hil` in real time, on pseudo-terminals, a looped port and UDP; and what it says to mistakes."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from pantel_device.cli import main
from pantel_device.commands import hil
from pantel_device.sending.boot_epoch import begin_epochs
from pantel_link import ChannelSettings, MasterKey, MonotonicClock, PtyNullModem, write_key

Pantel = Callable[..., tuple[int, str, str]]


@pytest.fixture
def pantel(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pantel:
    """Run a command in an empty folder; return exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def run(*argv: str) -> tuple[int, str, str]:
        code = main(argv)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def _content(path: str) -> Any:
    return json.loads(Path(path).read_text())


@pytest.mark.slow
def test_a_null_modem_of_pseudo_terminals(pantel: Pantel) -> None:
    with PtyNullModem(ChannelSettings()) as modem:
        ends = "--port", str(modem.near_path), "--peer", str(modem.far_path)
        files = "--json", "hil.json", "--junit", "hil.xml", "--report", "hil.html"
        code, out, err = pantel("hil", *ends, "--seconds", "3", "--max-latency-s", "1.5", *files)
    assert code == 0, out
    assert "9 passed" in out
    assert "hil: 5/5 break" in err
    content = _content("hil.json")
    assert content["passed"] is True
    assert content["line"]["packets_received"] == content["line"]["packets_sent"] >= 7
    assert content["still"]["exact"] is True
    assert content["recovery"]["method"] == "reopen"
    suite = ET.parse("hil.xml").getroot()[0]  # noqa: S314 - our own
    assert suite.attrib["failures"] == "0"
    assert Path("hil.html").read_text().startswith("<!doctype html>")


@pytest.mark.slow
def test_a_looped_port_with_a_key(pantel: Pantel, tmp_path: Path) -> None:
    sender_key = MasterKey(bytes(range(32))).sender_key(0, "K1ABC")
    write_key(tmp_path / "mast.key", sender_key)
    begin_epochs(tmp_path / "state" / "pantel", sender_key)
    key = "--key-file", "mast.key", "--callsign", "K1ABC"
    code, out, _ = pantel("hil", "--port", "loop://", "--seconds", "0.5", *key, "--json", "hil.json")
    assert code == 0, out
    content = _content("hil.json")
    assert content["settings"]["security"] == "authenticated"
    assert content["line"]["packets_sent"] == 2
    assert content["line"]["latency_min_s"] < 0.4  # a loop has no bit rate


@pytest.mark.slow
def test_packets_by_udp(pantel: Pantel) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        near, far = one.getsockname()[1], other.getsockname()[1]
    ends = "--port", f"udp://127.0.0.1:{far}?local={near}", "--peer", f"udp://127.0.0.1:{near}?local={far}"
    code, out, _ = pantel("hil", *ends, "--seconds", "2", "--json", "hil.json")
    assert code == 0, out
    assert "8 passed, 1 skipped" in out
    content = _content("hil.json")
    assert content["settings"]["kind"] == "packet"
    assert content["settings"]["preset"] is None


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.skipif(shutil.which("socat") is None, reason="needs the Debian package socat")
def test_a_cable_that_is_pulled_by_a_command(pantel: Pantel, tmp_path: Path) -> None:
    plug = (
        "setsid socat pty,raw,echo=0,link=ttyA pty,raw,echo=0,link=ttyB >&- 2>&- & echo $! > socat.pid; "
        "until test -e ttyA && test -e ttyB; do sleep 0.01; done"
    )
    pull = "kill $(cat socat.pid); while test -e ttyA; do sleep 0.01; done"
    subprocess.run(["sh", "-c", plug], check=True)
    try:
        commands = "--break", pull, "--mend", plug
        ends = "--port", str(tmp_path / "ttyA"), "--peer", str(tmp_path / "ttyB")
        code, out, _ = pantel("hil", *ends, "--seconds", "1", *commands, "--json", "hil.json")
    finally:
        subprocess.run(["sh", "-c", pull], check=True)
    assert code == 0, out
    recovery = _content("hil.json")["recovery"]
    assert recovery["method"] == "command"
    assert recovery["outages"] == 2
    assert recovery["recovery_s"] > 0.5


def test_a_line_that_fails(pantel: Pantel) -> None:
    code, out, _ = pantel("hil", "--port", "pty:", "--peer", "pty:far", "--seconds", "0.6", "--json", "hil.json")
    assert code == 1
    assert "2 failed, 7 skipped" in out
    assert "check that TX leads to RX" in out
    assert _content("hil.json")["passed"] is False


def test_a_pseudo_terminal_may_be_named_in_any_order(tmp_path: Path) -> None:
    link = str(tmp_path / "line")
    for port, peer in ((f"pty:{link}", link), (link, f"pty:{link}")):
        arguments = Namespace(port=port, peer=peer, baud_rate=1200, callsign="N0CALL")
        ends = hil._open_ends(arguments, MonotonicClock())
        assert ends.near.name == port
        ends.near.write(b"pantel")
        assert ends.far.read(6) == b"pantel"
        ends.close()


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        ((), 2, "the following arguments are required: --port"),
        (("--port", "/dev/ttyNONE"), 1, "cannot open port /dev/ttyNONE: there is no such device"),
        (("--port", "pty:", "--peer", "/dev/ttyNONE"), 1, "cannot open port /dev/ttyNONE: there is no such device"),
        (("--port", "warp://9"), 2, "cannot open port warp://9: "),
        (("--port", "pty:", "--peer", "pty:"), 2, "--peer is --port; leave it out if"),
        (("--port", "pty:", "--peer", "udp://127.0.0.1:9?local=4099"), 2, "carries octets and the other one packets"),
        (("--port", "udp://192.0.2.1:9?local=4099"), 2, "callsign N0CALL is only the default"),
        (("--port", "pty:", "--callsign", "no call"), 2, "callsign 'no call' must be"),
        (("--port", "pty:", "--bitrate-bps", "96000"), 2, "--bitrate-bps: bitrate_bps is 96000"),
        (("--port", "pty:", "--bitrate-bps", "0"), 2, "'0' is no whole number from 1 on"),
        (("--port", "pty:", "--baud-rate", "fast"), 2, "'fast' is no whole number from 1 on"),
        (("--port", "pty:", "--seconds", "0"), 2, "'0' is no positive number of seconds"),
        (("--port", "pty:", "--seconds", "inf"), 2, "'inf' is no positive number of seconds"),
        (("--port", "pty:", "--max-loss", "2"), 2, "2 is no share; write a number from 0 to below 1"),
        (("--port", "pty:", "--max-ber", "nan"), 2, "nan is no share; write a number from 0 to below 1"),
        (("--port", "pty:", "--preset", "firm"), 2, "invalid choice: 'firm'"),
        (("--port", "pty:", "--mend", "true"), 2, "--mend needs --break"),
        (("--port", "pty:", "--junit", "nowhere/hil.xml"), 2, "there is no folder"),
        (("--port", "pty:", "--report", "."), 2, "it is a folder"),
        (("--port", "pty:", "--json", "nowhere/hil.json"), 2, "there is no folder"),
        (("--port", "pty:", "--json", "hil", "--junit", "hil"), 2, "two results would go into one file, hil; name"),
        (("--port", "pty:", "--json", ""), 2, "argument --json: the name is empty; name a file"),
        (("--port", "pty:", "--key-file", "none.key"), 2, "cannot read the key none.key"),
        (("--port", "pty:", "--key-file", "sender.key"), 2, "is the key of another callsign than N0CALL"),
        (("--port", "pty:", "--state-dir", "text"), 1, "cannot keep the boot epoch in text"),
    ],
)
def test_mistakes(argv: tuple[str, ...], code: int, said: str, pantel: Pantel) -> None:
    write_key(Path("sender.key"), MasterKey(bytes(range(32))).sender_key(3, "K1ABC"))
    Path("text").write_text("no folder\n")
    answered, out, err = pantel("hil", *argv)
    assert answered == code
    assert not out
    assert err.startswith("pantel: error: ")
    assert err.count("\n") == 1
    assert said in err

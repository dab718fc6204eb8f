"""`pantel receive` with several lines: over real ports, of which one may come late."""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.device.receiving.hearing import sent_octets
from tests.plugin_distributions import install_plugin

from pantel_device.command import UsageError
from pantel_device.commands.receive import receive
from pantel_device.config import ReceiverConfig, load_config
from pantel_device.service import service_session
from pantel_link import MasterKey, PortError, StreamContext
from pantel_link.captures import CaptureHeader, read_capture
from pantel_link.keys import write_key
from pantel_models import find_artefact

_PATIENCE_S = 20


def _context(number: int) -> StreamContext:
    return StreamContext(number, "K1ABC", 5, bytes.fromhex(find_artefact().hash[:6]), 96, 64)


def _receive(config: ReceiverConfig, seconds: float, *, patient: bool) -> None:
    with service_session(patient=patient) as session:
        receive(config, session, seconds=seconds)


def _config(folder: Path, *ports: str, **more: object) -> ReceiverConfig:
    first, *others = ports
    lines = [{"port": port, "capture": str(folder / f"{number}.pcapng")} for number, port in enumerate(others, 2)]
    values = {"picture": "", "web": "", "events": str(folder / "events"), "state_dir": folder, "lines": lines, **more}
    return ReceiverConfig.model_validate({"port": first, "capture": str(folder / "1.pcapng"), **values})


def _heard(folder: Path) -> dict[int, str]:
    """Return the senders that reports tell of, and at which port they were heard."""
    events = [json.loads(line) for line in (folder / "events").read_text().splitlines()]
    return {each["sender"]: each["port"] for each in events if each["kind"] == "sender_report"}


def _say(server: socket.socket, number: int) -> None:
    connection, _ = server.accept()
    with connection:
        time.sleep(0.3)  # what has come before a port is open is stale
        connection.sendall(sent_octets(_context(number)))
        connection.recv(1)  # until the receiver hangs up


def test_senders_are_heard_on_the_line_that_they_are_on(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
        ThreadPoolExecutor(2) as pool,
    ):
        saying = [pool.submit(_say, server, number) for number, server in ((1, one), (2, two))]
        ports = [f"socket://127.0.0.1:{server.getsockname()[1]}" for server in (one, two)]
        _receive(_config(tmp_path, *ports), 11, patient=False)
        for each in saying:
            each.result(timeout=_PATIENCE_S)
    assert _heard(tmp_path) == {1: ports[0], 2: ports[1]}
    for number in (1, 2):
        header, *heard = read_capture(tmp_path / f"{number}.pcapng")
        assert isinstance(header, CaptureHeader)
        assert len(heard) == 2  # an introduction, and the end


def test_a_port_that_is_missing_is_waited_for_while_others_are_heard(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ours, theirs = os.openpty()
    late = tmp_path / "ttyUSB7"
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(2) as pool:

        def plug_in() -> None:
            time.sleep(2)
            late.symlink_to(os.ttyname(theirs))
            deadline_s = time.monotonic() + _PATIENCE_S
            while f"there is port {late}" not in caplog.text and time.monotonic() < deadline_s:
                time.sleep(0.05)
            time.sleep(0.2)
            os.write(ours, sent_octets(_context(2)))

        working = [pool.submit(_say, server, 1), pool.submit(plug_in)]
        first = f"socket://127.0.0.1:{server.getsockname()[1]}"
        _receive(_config(tmp_path, str(late), first), 11, patient=True)
        for each in working:
            each.result(timeout=_PATIENCE_S)
    os.close(ours)
    os.close(theirs)
    assert _heard(tmp_path) == {1: first, 2: str(late)}
    assert caplog.text.count(f"waiting for port {late}") == 1


_WAVERING = """
from pantel_link import Port, PortError

class Silent(Port):
    name = "silent"
    on_air = False
    read = lambda self, _: b""
    write = lambda self, octets: len(octets)

opened = 0

def wavering(url, *, baud_rate, callsign):
    global opened
    opened += 1
    if opened == 1:
        raise PortError("not yet")
    return None if opened == 2 else Silent()
"""


def test_a_plug_in_that_makes_no_port_is_waited_for_like_one_that_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    install_plugin(tmp_path, "wavering-port", {"ports wavering": "wavering"}, _WAVERING)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "wavering_port", raising=False)
    _receive(_config(tmp_path, "pty:", "wavering:"), 6, patient=True)
    assert "reason=the port 'wavering' of wavering-port 1.0 makes a NoneType instead of a Port" in caplog.text
    assert "there is port wavering:" in caplog.text


def test_nobody_who_is_impatient_begins_with_some_of_the_ports(tmp_path: Path) -> None:
    with pytest.raises(PortError, match="ttyUSB7"):
        _receive(_config(tmp_path, "pty:", str(tmp_path / "ttyUSB7")), 1, patient=False)


def test_the_default_callsign_is_refused_for_a_port_that_comes_later(tmp_path: Path) -> None:
    key, port = tmp_path / "key", str(tmp_path / "ttyUSB7")
    write_key(key, MasterKey(bytes(range(32))))
    with pytest.raises(UsageError, match=re.escape(f"(--callsign, {port})")):
        _receive(_config(tmp_path, "pty:", port, back_channel=True, key_file=str(key)), 1, patient=True)


_LINES = """
port = "/dev/ttyUSB0"
[[lines]]
port = "/dev/ttyUSB1"
bitrate_bps = 480
"""


def test_lines_are_tables_in_a_file_and_json_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "receiver.toml"
    path.write_text(_LINES)
    config = load_config(ReceiverConfig, path, {})
    text = '[{"port": "/dev/ttyUSB1", "bitrate_bps": 480}]'
    assert load_config(ReceiverConfig, None, {"lines": text}).lines == config.lines
    assert [(line.port, line.bitrate_bps, line.baud_rate) for line in config.all_lines] == [
        ("/dev/ttyUSB0", 960, 1200),
        ("/dev/ttyUSB1", 480, 1200),
    ]
    assert load_config(ReceiverConfig, None, {"lines": ""}).lines == ()


def test_a_key_of_the_receiver_below_a_line_is_told_where_it_belongs(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(f'{_LINES}web = "127.0.0.1:8080"\n')
    with pytest.raises(UsageError) as caught:
        load_config(ReceiverConfig, path, {})
    assert str(caught.value) == (
        f"lines in {path}: the line of port '/dev/ttyUSB1' cannot have web, which is the receiver's: in a file, write "
        "it above the first [[lines]]"
    )


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("[7]", "--lines: line 1 cannot be 7; it is a table of port, baud_rate, bitrate_bps, capture, "),
        (
            '[{"port": "a"}, {"port": "b", "vew": 1}]',
            "--lines: the line of port 'b' has an unknown key 'vew'; known keys: ",
        ),
        (
            '[{"port": "a", "bitrate_bps": 0}]',
            "--lines: the line of port 'a' cannot have 0 as its bitrate_bps: Input should be ",
        ),
        ('[{"bitrate_bps": 480}]', "line 1 has no port; give it one"),
        ('[{"port": "/dev/serial0"}]', "two lines have the port /dev/serial0; give each its own"),
        ('[{"port": "a"}, {"port": "a"}]', "two lines have the port a; give each its own"),
        ('[{"port": "a", "capture": "x"}, {"port": "b", "capture": "x"}]', "two lines have the capture x; give each"),
        ("seven", "it is no JSON; write a list of lines, such as "),
        ("7", "write a list of lines, such as "),
    ],
)
def test_mistakes_in_lines_are_told_where_they_are(lines: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_config(ReceiverConfig, None, {"lines": lines})
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_new_pseudo_terminals_are_never_the_same() -> None:
    assert len(load_config(ReceiverConfig, None, {"port": "pty:", "lines": '[{"port": "pty:"}]'}).all_lines) == 2

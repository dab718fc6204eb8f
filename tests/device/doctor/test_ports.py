"""Ports that are no devices: networks, pseudo-terminals; line rate and callsign."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from tests.device.doctor.conftest import Patient, make_setup, running, said

from pantel_device.doctor.disks import check_disks
from pantel_device.doctor.machine import Machine
from pantel_device.doctor.port import check_callsign, check_line, check_port
from pantel_device.doctor.state import check_outputs


def _port(url: str) -> list[tuple[str, str]]:
    return said(list(check_port(Machine(), make_setup("sender", port=url))))


def test_a_modem_program_answers_or_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
        assert _port(f"kiss+tcp://127.0.0.1:{number}") == [("ok", f"127.0.0.1:{number} answers")]
        with server.accept()[0] as called:
            assert called.recv(100) == b""  # nothing was said
    (found,) = check_port(Machine(), make_setup("sender", port=f"kiss+tcp://127.0.0.1:{number}"))
    assert found.status.value == "problem"
    assert found.advice == "start the modem program first, and check the port number"


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("kiss+tcp://localhost", "name a host and a port number, as in kiss+tcp://localhost:8001"),
        ("kiss+tcp://no-such-host.invalid:8001", "check its name"),
        ("udp://no-such-host.invalid:8001", "check its name"),
        ("udp://localhost", "name a host and a port number, as in udp://localhost:8001"),
        ("udp://127.0.0.1:8001", "add ?local= and the port number of this end"),
        ("udp://127.0.0.1:8001?remote=1", "unknown option 'remote'; known are local"),
        ("rfc2217://no-such-host.invalid:2217?ptt=rts", "check its name"),
    ],
)
def test_addresses_that_cannot_be(url: str, advice: str) -> None:
    (found,) = check_port(Machine(), make_setup("sender", port=url))
    assert found.status.value == "problem"
    assert advice in f"{found.found}; {found.advice}"


@pytest.mark.parametrize("url", ["socket://127.0.0.1:{}", "rfc2217://127.0.0.1:{}?ptt=rts"])
def test_a_line_behind_a_network_is_not_disturbed(url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        ((status, found),) = _port(url.format(server.getsockname()[1]))
        with pytest.raises(TimeoutError):
            server.accept()
    assert (status, "not called" in found) == ("ok", True)


def test_what_a_running_service_holds_is_left_to_it() -> None:
    assert said(list(check_port(Machine(), make_setup("sender", running(), port="kiss+tcp://127.0.0.1:1")))) == [
        ("ok", "kiss+tcp://127.0.0.1:1 is left to pantel-sender@mast.service, which is running")
    ]


def test_udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        url = f"udp://127.0.0.1:9?local={other.getsockname()[1]}"
        assert [status for status, _ in _port(url)] == ["problem"]
        ((status, found),) = said(list(check_port(Machine(), make_setup("sender", running(), port=url))))
        assert (status, found) == ("ok", f"{url} is in use, as it should be: pantel-sender@mast.service is running")
    assert [status for status, _ in _port(url)] == ["ok"]


def test_pseudo_terminals(patient: Patient) -> None:
    def check(url: str) -> list[tuple[str, str]]:
        return said(list(check_port(patient.machine, make_setup("sender", port=url))))

    assert check("pty:") == [("ok", "a new pseudo-terminal")]
    assert check("pty:/run/line") == [("problem", "there is no folder /run for /run/line")]
    (patient.root / "run").mkdir()
    assert check("pty:/run/line") == [("ok", "a pseudo-terminal will be made at /run/line")]
    patient.link("/run/line", "/dev/pts/12345")
    assert check("pty:/run/line") == [("ok", "a pseudo-terminal, /run/line: of an earlier run")]
    patient.write("/run/file", "")
    assert check("pty:/run/file") == [("problem", "/run/file exists and is no pseudo-terminal")]


def test_other_urls_of_pyserial() -> None:
    assert [status for status, _ in _port("loop://")] == ["note"]
    assert [status for status, _ in _port("spy:///dev/ttyUSB0")] == ["note"]


def test_the_line_rate() -> None:
    assert said(list(check_line(Machine(), make_setup("sender", bitrate_bps=960)))) == [
        ("ok", "960 bit/s on /dev/serial0, a line of 1200 Bd")
    ]
    assert said(list(check_line(Machine(), make_setup("sender", port="pty:", bitrate_bps=3000)))) == [
        ("ok", "3000 bit/s on pty:")
    ]
    (found,) = check_line(Machine(), make_setup("sender", bitrate_bps=3000))
    assert found.found == "/dev/serial0: bitrate_bps = 3000 needs a line of 3750 Bd, and baud_rate is 1200"
    assert found.advice == "set more at both ends if the line takes it, or bitrate_bps = 960"


@pytest.mark.parametrize(
    ("role", "port", "callsign", "status"),
    [
        ("sender", "/dev/serial0", "N0CALL", "problem"),
        ("sender", "/dev/serial0", "K1ABC", "ok"),
        ("sender", "pty:", "N0CALL", "note"),
        ("sender", "loop://", "N0CALL", "note"),
        ("sender", "udp://127.0.0.1:9?local=10", "N0CALL", "note"),
        ("sender", "udp://192.0.2.1:9", "N0CALL", "problem"),
        ("sender", "udp://no-such-host.invalid:9", "N0CALL", "problem"),
        ("sender", "socket://127.0.0.1:9", "N0CALL", "problem"),
        ("receiver", "/dev/serial0", "N0CALL", "ok"),
    ],
)
def test_the_callsign(role: str, port: str, callsign: str, status: str) -> None:
    (found,) = check_callsign(Machine(), make_setup(role, port=port, callsign=callsign))
    assert found.status.value == status


def test_the_callsign_on_a_pseudo_terminal(pty_pair: tuple[int, Path], tmp_path: Path) -> None:
    link = tmp_path / "line"
    link.symlink_to(pty_pair[1])
    (found,) = check_callsign(Machine(), make_setup("sender", port=link))
    assert found.status.value == "note"
    (found,) = check_callsign(Machine(), make_setup("receiver", port="/dev/serial0", back_channel="true"))
    assert found.status.value == "problem"


def test_all_lines_of_a_receiver_are_looked_at(tmp_path: Path) -> None:
    lines = f'[{{"port": "pty:{tmp_path}/no/line"}}, {{"port": "/dev/serial0", "bitrate_bps": 3000}}]'
    setup = make_setup("receiver", port="pty:", lines=lines)
    assert [status for status, _ in said(list(check_port(Machine(), setup)))][:2] == ["ok", "problem"]
    *good, (status, found) = said(list(check_line(Machine(), setup)))
    assert good == [("ok", "960 bit/s on pty:"), ("ok", f"960 bit/s on pty:{tmp_path}/no/line")]
    assert (status, found.partition(" = ")[0]) == ("problem", "/dev/serial0: bitrate_bps")
    (finding,) = check_callsign(Machine(), make_setup("receiver", port="pty:", lines=lines, back_channel="true"))
    assert finding.status.value == "problem"


def test_a_folder_that_several_captures_lack_is_told_once(tmp_path: Path) -> None:
    lines = "[" + ", ".join(f'{{"port": "pty:", "capture": "{tmp_path}/no/{name}.pcapng"}}' for name in "bc") + "]"
    setup = make_setup("receiver", capture=tmp_path / "no" / "a.pcapng", lines=lines, picture="", events="")
    (found,) = check_outputs(Machine(), setup)
    assert (found.check, found.found) == ("capture", f"there is no folder {tmp_path}/no")


def test_captures_of_all_lines_need_a_place(tmp_path: Path) -> None:
    lines = f'[{{"port": "pty:", "capture": "{tmp_path}/no/second.pcapng"}}]'
    setup = make_setup("receiver", capture=tmp_path / "first.pcapng", lines=lines, picture="", events="")
    (found,) = check_outputs(Machine(), setup)
    assert (found.check, found.status.value) == ("capture", "problem")
    (claim,) = said(list(check_disks(Machine(), setup)))
    assert "capture may take 2.0 GB more" in claim[1]

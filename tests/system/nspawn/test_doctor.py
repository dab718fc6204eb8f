"""`pantel doctor` on a booted Debian with real services: it tells what systemd, the kernel and the services know."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.system.nspawn.machine import Machine, install_wheel, needs_debian, new_root

pytestmark = [needs_debian(), pytest.mark.real, pytest.mark.slow]

_SENDER, _RECEIVER = "pantel-sender@mast.service", "pantel-receiver@home.service"
_SENDER_CONFIG = 'camera = "test"\nport = "/dev/ttyMast"\ncallsign = "K1ABC"\ntelemetry_interval_s = 0\n'
_RECEIVER_CONFIG = 'port = "/dev/ttyHome"\npicture = "newest.png"\nevents = "log"\n'
_LINE = (
    *("socat", "pty,raw,echo=0,link=/dev/ttyMast,group=dialout,mode=660"),
    "pty,raw,echo=0,link=/dev/ttyHome,group=dialout,mode=660",
)


class _Booted:
    """A machine with Pantel.

    Args:
        machine: Booted.
        root: Its files.
        program: Path of ``pantel`` in it.
    """

    def __init__(self, machine: Machine, root: Path, program: str) -> None:
        self.machine = machine
        self.root = root
        self.program = program

    def findings(self, subject: str, check: str, *before: str) -> list[tuple[str, str]]:
        """Return what the doctor says of something: status, and what was found."""
        printed = self.machine.run(*before, self.program, "doctor", "--json", check=False)
        report = json.loads(printed)
        return [
            (each["status"], each["found"])
            for each in report["findings"]
            if (each["subject"], each["check"]) == (subject, check)
        ]

    def configure(self, name: str, text: str) -> None:
        (self.root / "etc/pantel" / f"{name}.toml").write_text(text)

    def state(self, unit: str) -> str:
        return self.machine.properties(unit, "ActiveState")[0]


@pytest.fixture(scope="module")
def booted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Booted]:
    root = new_root(tmp_path_factory.mktemp("doctor") / "root")
    program = install_wheel(root)
    with Machine(root, program) as machine:
        machine.run(program, "service", "install", "sender-mast", "receiver-home")
        machine.run("systemd-run", "--unit=line", *_LINE)
        pantel = _Booted(machine, root, program)
        pantel.configure("sender-mast", _SENDER_CONFIG)
        pantel.configure("receiver-home", _RECEIVER_CONFIG)
        machine.run("systemctl", "enable", "--now", _SENDER, _RECEIVER)
        machine.wait_for(lambda: pantel.state(_SENDER) == pantel.state(_RECEIVER) == "active", 60)
        yield pantel


def test_what_runs_is_as_it_should_be(booted: _Booted) -> None:
    for subject, unit in (("sender-mast", _SENDER), ("receiver-home", _RECEIVER)):
        ((status, found),) = booted.findings(subject, "service")
        assert (status, found.startswith(f"{unit} is running")) == ("ok", True)
        unit_name = unit.removesuffix(".service")
        assert ("ok", f"in use by {unit_name}, as it should be") in booted.findings(subject, "port")
        assert [status for status, _ in booted.findings(subject, "state")] == ["ok"]
        assert [status for status, _ in booted.findings(subject, "picture")] == []
    assert [status for status, _ in booted.findings("sender-mast", "epoch")] == ["ok"]


def test_who_is_nobody_sees_less_and_no_accident(booted: _Booted) -> None:
    printed = booted.machine.run(
        *("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", booted.program, "doctor", "--json"),
        check=False,
    )
    findings = json.loads(printed)["findings"]
    assert not [each for each in findings if "failed" in each["found"]]
    ports = [each["found"] for each in findings if each["check"] == "port"]
    assert "in use by pantel-sender@mast, as it should be" in ports  # locks are told to everybody
    states = {(each["status"], each["advice"]) for each in findings if each["check"] == "state"}
    assert states <= {("ok", None), ("note", "ask again with sudo")}


def test_a_stopped_service_and_a_port_that_another_has(booted: _Booted) -> None:
    machine = booted.machine
    machine.run("systemctl", "stop", _SENDER)
    assert booted.findings("sender-mast", "service") == [("problem", f"{_SENDER} is stopped")]
    machine.run("systemd-run", "--unit=terminal", "flock", "/dev/ttyMast", "sleep", "600")
    machine.wait_for(lambda: booted.state("terminal.service") == "active", 10)
    assert booted.findings("sender-mast", "port") == [("problem", "in use by terminal")]
    machine.run("systemctl", "stop", "terminal")
    machine.run("systemctl", "start", _SENDER)


def test_a_service_that_fails(booted: _Booted) -> None:
    machine = booted.machine
    booted.configure("sender-mast", _SENDER_CONFIG.replace('"test"', '"file:/nowhere.mp4"'))
    machine.run("systemctl", "restart", _SENDER, check=False)
    machine.wait_for(lambda: int(machine.properties(_SENDER, "NRestarts")[0]) > 1, 60)
    ((status, found),) = booted.findings("sender-mast", "service")
    assert (status, found.startswith(f"{_SENDER} has failed")) == ("problem", True)
    ((status, found),) = booted.findings("sender-mast", "camera")
    assert (status, found) == ("problem", "/nowhere.mp4 does not exist")
    booted.configure("sender-mast", _SENDER_CONFIG)
    machine.run("systemctl", "restart", _SENDER)


def test_a_port_that_is_unplugged(booted: _Booted) -> None:
    machine = booted.machine
    machine.run("systemctl", "stop", "line")
    assert [found for _, found in booted.findings("sender-mast", "port")] == ["there is no /dev/ttyMast"]
    machine.run("systemctl", "reset-failed", "line", check=False)
    machine.run("systemd-run", "--unit=line", *_LINE)


def test_what_the_sandbox_keeps_from_a_service(booted: _Booted) -> None:
    booted.configure("receiver-home", _RECEIVER_CONFIG.replace("newest.png", "/srv/newest.png"))
    assert booted.findings("receiver-home", "picture") == [("problem", f"{_RECEIVER} is kept from writing to /srv")]
    booted.configure("receiver-home", _RECEIVER_CONFIG)


def test_a_service_whose_configuration_is_gone(booted: _Booted) -> None:
    booted.configure("receiver-quay", _RECEIVER_CONFIG)
    booted.machine.run("systemctl", "enable", "pantel-receiver@quay")
    (booted.root / "etc/pantel/receiver-quay.toml").unlink()
    assert booted.findings("machine", "service") == [
        ("problem", "pantel-receiver@quay.service is inactive, but there is no /etc/pantel/receiver-quay.toml")
    ]
    booted.machine.run("systemctl", "disable", "pantel-receiver@quay")

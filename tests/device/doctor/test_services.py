"""What is set up: configurations, their services as systemd tells of them, the page."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.device.doctor.conftest import Patient, make_setup, running, said

from pantel_device.command import UsageError
from pantel_device.config import ReceiverConfig
from pantel_device.doctor.machine import Done, Machine
from pantel_device.doctor.page import check_page
from pantel_device.doctor.sandbox import Sandbox
from pantel_device.doctor.service import check_lost_services, check_service
from pantel_device.doctor.services import ServiceState, pantel_instances, read_service
from pantel_device.doctor.setups import Mistaken, Setup, find_setups

_SHOWN = """LoadState=loaded
ActiveState=active
SubState=running
UnitFileState=enabled
NRestarts=0
Result=success
ExecMainStatus=0
StatusText=sent 312 packets, newest 0.4 s ago
User=pantel
SupplementaryGroups=dialout video
WorkingDirectory=!/run/pantel/sender-mast
StateDirectory=pantel/sender-mast
RuntimeDirectory=pantel/sender-mast
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ReadWritePaths=-/srv/pictures /mnt
Environment=PANTEL_FPS=5 "PANTEL_CLASS_WEIGHTS=person=2,animal=0" LANG=C
"""
_SHOWN += (
    "ExecStart={ path=/usr/bin/pantel ; argv[]=/usr/bin/pantel send --config /etc/pantel/sender-mast.toml --mask "
    "--roi-weight=2 ; ignore_errors=no ; pid=712 }\n"
)
_UNIT = "pantel-sender@mast.service"


def test_what_systemd_says(patient: Patient) -> None:
    patient.programs["systemctl show"] = Done(0, _SHOWN)
    service = read_service(patient.machine, _UNIT)
    assert service == ServiceState(
        unit=_UNIT,
        active="active",
        phase="running",
        enabled=True,
        restarts=0,
        result="success",
        exit_code=0,
        says="sent 312 packets, newest 0.4 s ago",
        user="pantel",
        groups=("dialout", "video"),
        folder="/run/pantel/sender-mast",
        state_dir="/var/lib/pantel/sender-mast",
        options={
            "fps": "5",
            "class_weights": "person=2,animal=0",
            "config": "/etc/pantel/sender-mast.toml",
            "mask": "true",
            "roi_weight": "2",
        },
        sandbox=Sandbox(
            own=("/var/lib/pantel/sender-mast", "/run/pantel/sender-mast"),
            hidden=("/home", "/root", "/run/user", "/tmp", "/var/tmp"),  # noqa: S108
            writable=(
                *("/var/lib/pantel/sender-mast", "/run/pantel/sender-mast"),
                *("/dev", "/proc", "/sys", "/srv/pictures", "/mnt"),
            ),
        ),
    )


@pytest.mark.parametrize("done", [Done(1), Done(127), Done(0, "LoadState=not-found\n"), Done(0, "")])
def test_no_such_service_or_no_systemd(patient: Patient, done: Done) -> None:
    patient.programs["systemctl"] = done
    assert read_service(patient.machine, _UNIT) is None
    assert pantel_instances(patient.machine) == []


def _etc(patient: Patient, **files: str) -> None:
    for name, text in files.items():
        patient.write(f"/etc/pantel/{name.replace('_', '-')}.toml", text)


def _one(setups: list[Setup | Mistaken]) -> Setup:
    (setup,) = setups
    assert isinstance(setup, Setup)
    return setup


def test_the_configurations_of_the_machine(patient: Patient) -> None:
    _etc(patient, sender_mast='camera = "v4l2:0"', receiver_home='picture = ""', sender_quay="fps = -1")
    setups = find_setups(patient.machine, [], [])
    assert [setup.name for setup in setups] == ["receiver-home", "sender-mast", "sender-quay"]
    assert isinstance(setups[2], Mistaken)
    assert setups[2].advice == "correct /etc/pantel/sender-quay.toml"
    assert "fps in " in setups[2].mistake
    assert [setup.name for setup in find_setups(patient.machine, [], ["receiver"])] == ["receiver-home"]


def test_a_service_has_its_own_options_folder_and_account(patient: Patient) -> None:
    _etc(patient, sender_mast='camera = "v4l2:0"\nport = "line"')
    patient.programs["systemctl show"] = Done(0, _SHOWN.replace("User=pantel", "User=nobody"))
    setup = _one(find_setups(patient.machine, [], []))
    assert setup.value("fps") == 5.0
    assert setup.value("roi_weight") == 2.0
    assert setup.config.state_dir == Path("/var/lib/pantel/sender-mast")
    assert setup.place(patient.machine, "line") == patient.root / "run/pantel/sender-mast/line"
    assert setup.account.name == "nobody"
    assert setup.is_running
    _etc(patient, sender_mast='state_dir = "/srv/mast"')
    assert _one(find_setups(patient.machine, [], [])).config.state_dir == Path("/srv/mast")


def test_without_configurations_the_defaults_are_looked_at(patient: Patient) -> None:
    assert [setup.name for setup in find_setups(patient.machine, [], [])] == ["sender", "receiver"]
    assert _one(find_setups(patient.machine, [], ["sender"])).file is None


@pytest.mark.parametrize(
    ("name", "text", "roles", "role"),
    [
        ("sender-mast.toml", "", [], "sender"),
        ("receiver.toml", "", [], "receiver"),
        ("mast.toml", 'camera = "test"', [], "sender"),
        ("mast.toml", "playout_delay_s = 3", [], "receiver"),
        ("mast.toml", 'port = "pty:"', ["receiver"], "receiver"),
    ],
)
def test_whose_a_file_is(patient: Patient, name: str, text: str, roles: list[str], role: str) -> None:
    file = patient.write(f"/home/op/{name}", text)
    (setup,) = find_setups(patient.machine, [file], roles)  # type: ignore[arg-type]
    assert isinstance(setup, Setup)
    assert setup.role == role


def test_a_file_that_could_be_either(patient: Patient) -> None:
    file = patient.write("/home/op/line.toml", 'port = "pty:"')
    with pytest.raises(UsageError, match=r"line\.toml is a sender's or a receiver's: add --sender or --receiver$"):
        find_setups(patient.machine, [file], [])
    _etc(patient, line='port = "pty:"')
    (setup,) = find_setups(patient.machine, [], [])
    assert isinstance(setup, Mistaken)


def test_a_variable_that_is_a_mistake(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PANTEL_FPS", "many")
    setups = find_setups(patient.machine, [], [])
    assert [isinstance(setup, Mistaken) for setup in setups] == [True, False]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"says": "sending"}, [("ok", f"{_UNIT} is running: sending")]),
        ({"restarts": 3}, [("warning", f"{_UNIT} is running, after 3 restarts")]),
        ({"enabled": False}, [("ok", f"{_UNIT} is running"), ("warning", f"{_UNIT} does not start with the machine")]),
        (
            {"active": "failed", "phase": "failed", "result": "exit-code", "exit_code": 2, "restarts": 5},
            [("problem", f"{_UNIT} has failed (exit-code, exit code 2, 5 restarts)")],
        ),
        (
            {"active": "activating", "phase": "auto-restart", "result": "watchdog"},
            [("problem", f"{_UNIT} has failed (watchdog, exit code 0)")],
        ),
        ({"active": "activating", "phase": "start"}, [("warning", f"{_UNIT} is starting")]),
        (
            {"active": "activating", "phase": "start", "restarts": 2, "says": "waits"},
            [("problem", f"{_UNIT} has failed, and starts again (2 restarts): waits")],
        ),
        ({"active": "inactive", "phase": "dead"}, [("problem", f"{_UNIT} is stopped")]),
        ({"active": "inactive", "phase": "dead", "enabled": False}, [("note", f"{_UNIT} is not in use")]),
    ],
)
def test_services(patient: Patient, changes: dict[str, object], expected: list[tuple[str, str]]) -> None:
    file = patient.root / "etc/pantel/sender-mast.toml"
    setup = make_setup("sender", running(**changes), file)  # type: ignore[arg-type]
    assert said(list(check_service(patient.machine, setup))) == expected


def test_no_service(patient: Patient) -> None:
    file = patient.root / "etc/pantel/sender-mast.toml"
    (found,) = check_service(patient.machine, make_setup("sender", None, file))
    assert (found.status.value, found.advice) == ("note", "sudo pantel service install")
    (found,) = check_service(patient.machine, make_setup("sender", None, Path("/home/op/mast.toml")))
    assert found.found == "none: it runs as pantel send --config /home/op/mast.toml"
    assert list(check_service(patient.machine, make_setup("sender"))) == []


def test_a_service_whose_configuration_is_missing(patient: Patient) -> None:
    listing = f"{_UNIT} loaded failed failed Pantel\npantel-sender@.service enabled\n"
    patient.programs["systemctl list-units"] = Done(0, listing)
    patient.programs["systemctl list-unit-files"] = Done(0, "pantel-sender@.service indirect enabled\n")
    patient.programs["systemctl show"] = Done(0, _SHOWN.replace("ActiveState=active", "ActiveState=failed"))
    (found,) = check_lost_services(patient.machine, [])
    assert found.found == f"{_UNIT} is failed, but there is no /etc/pantel/sender-mast.toml"
    _etc(patient, sender_mast="")
    assert list(check_lost_services(patient.machine, [])) == []


def _with_page(web: str, service: ServiceState | None, token: str = "") -> Setup:
    config = ReceiverConfig.model_validate({"web": web, "web_token_file": token})
    return replace(make_setup("receiver", service), config=config)


class _Answer(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def _server(status: int) -> Iterator[int]:
    handler = type("Handler", (_Answer,), {"status": status})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_the_page_answers() -> None:
    unit = running("pantel-receiver@home.service")
    for status, expected in ((200, "ok"), (303, "ok"), (401, "ok"), (500, "problem")):
        with _server(status) as number:
            ((found, _),) = said(list(check_page(Machine(), _with_page(f"127.0.0.1:{number}", unit))))
        assert found == expected
    with _server(200) as number:
        everywhere = _with_page(f"0.0.0.0:{number}", unit, "/etc/pantel/token")
        assert [status for status, _ in said(list(check_page(Machine(), everywhere)))] == ["ok"]
        assert [status for status, _ in said(list(check_page(Machine(), _with_page(f"0.0.0.0:{number}", unit))))] == [
            "problem",
            "ok",
        ]


def test_a_page_that_may_be_of_another_program() -> None:
    with _server(200) as number:
        ((status, found),) = said(list(check_page(Machine(), _with_page(f"127.0.0.1:{number}", None))))
    assert (status, found.endswith("started by hand, or another program")) == ("note", True)
    assert [status for status, _ in said(list(check_page(Machine(), _with_page("127.0.0.1:0", None))))] == ["note"]


def test_the_page_does_not_answer() -> None:
    unit = running("pantel-receiver@home.service")
    with _server(200) as number:
        pass
    for service, expected in ((unit, "problem"), (replace(unit, active="failed"), "note"), (None, "note")):
        ((found, _),) = said(list(check_page(Machine(), _with_page(f"127.0.0.1:{number}", service))))
        assert found == expected
    assert list(check_page(Machine(), _with_page("", unit))) == []
    assert list(check_page(Machine(), make_setup("sender"))) == []

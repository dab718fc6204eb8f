"""The status of a service, for people and for programs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pantel_device.doctor.machine import Machine
from pantel_device.doctor.services import read_service
from pantel_device.service.status import ServiceStatus, service_status, status_lines, status_report
from pantel_device.service.systemd import JournalLine
from pantel_device.service.units import Instance

_RUNS = ServiceStatus(
    unit="pantel-sender@mast.service",
    active_state="active",
    sub_state="running",
    enabled=True,
    since_s=4321.0,
    restarts=0,
    result="success",
    status="sending to /dev/ttyUSB0, camera v4l2:0, 953 bit/s, 12,345 packets",
)
_FAILS = ServiceStatus(
    unit="pantel-receiver@home.service",
    active_state="activating",
    sub_state="start",
    enabled=False,
    since_s=None,
    restarts=7,
    result="watchdog",
    status="",
    errors=(JournalLine(datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC), "pantel: error: unknown key 'speed'"),),
)


def test_for_people() -> None:
    assert status_lines(_RUNS) == [
        "pantel-sender@mast: active (running) for 1 h 12 min",
        "  says: sending to /dev/ttyUSB0, camera v4l2:0, 953 bit/s, 12,345 packets",
    ]
    assert status_lines(_FAILS) == [
        "pantel-receiver@home: activating (start), last result: watchdog, restarts: 7, not started at boot",
        "  2026-05-04 03:02:01Z pantel: error: unknown key 'speed'",
    ]


def test_for_programs() -> None:
    report = json.loads(json.dumps(status_report([_RUNS, _FAILS])))
    runs, fails = report["services"]
    assert runs["unit"] == "pantel-sender@mast.service"
    assert runs["errors"] == []
    assert fails["errors"] == [{"utc": "2026-05-04T03:02:01+00:00", "message": "pantel: error: unknown key 'speed'"}]
    assert fails["restarts"] == 7


def test_doctor_and_status_read_the_same_out_of_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = (
        "ActiveState=activating\nSubState=auto-restart\nUnitFileState=enabled-runtime\nNRestarts=7\nStatusText=a=b\n"
    )
    shown += "Result=exit-code\nExecMainStatus=2\nLoadState=loaded\nStateChangeTimestampMonotonic=1000\n"
    for name, printed in (("systemctl", shown), ("journalctl", "")):
        (tmp_path / name).write_text(f"#!/bin/sh\ncat <<'END'\n{printed}END\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    status = service_status(Instance("sender", "mast"))
    state = read_service(Machine(), "pantel-sender@mast.service")
    assert state is not None
    said = ("activating", "auto-restart", False, 7, "exit-code", "a=b")
    assert (state.active, state.phase, state.enabled, state.restarts, state.result, state.says) == said
    assert state.exit_code == 2
    assert said == (
        *(status.active_state, status.sub_state, status.enabled),
        *(status.restarts, status.result, status.status),
    )
    assert status.since_s is not None

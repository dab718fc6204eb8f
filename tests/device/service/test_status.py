"""The status of a service, for people and for programs."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from pantel_device.service.status import ServiceStatus, status_lines, status_report
from pantel_device.service.systemd import JournalLine

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

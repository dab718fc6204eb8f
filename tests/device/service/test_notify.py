"""sd_notify against a real datagram socket."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path

import pytest
from tests.device.service.manager import Manager

from pantel_device.service import Notifier


@pytest.fixture(params=["path", "abstract"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "notify") if request.param == "path" else f"@pantel-test-{os.getpid()}-{tmp_path.name}"


def test_what_is_told_arrives_in_one_datagram(address: str) -> None:
    with Manager(address) as manager:
        notifier = Notifier.of_environment({"NOTIFY_SOCKET": address})
        assert notifier.active
        notifier.tell(ready=True, alive=True, status="sending to /dev/ttyUSB0")
        notifier.tell(starting_s=60.0)
        notifier.tell(stopping=True)
        assert manager.heard() == [
            {"READY": "1", "WATCHDOG": "1", "STATUS": "sending to /dev/ttyUSB0"},
            {"EXTEND_TIMEOUT_USEC": "60000000"},
            {"STOPPING": "1"},
        ]


def test_a_status_is_one_line_and_no_assignment(address: str) -> None:
    with Manager(address) as manager:
        Notifier(address).tell(status="port gone\nREADY=1\r\n" + 1000 * "ä")
        ((told,),) = ([list(each.items()) for each in manager.heard()],)
        assert told[0][0] == "STATUS"
        assert told[0][1].startswith("port gone READY=1 ää")
        assert len(told) == 1
        assert len(told[0][1]) == 500


def test_without_a_manager_nothing_is_told_and_nothing_fails() -> None:
    notifier = Notifier.of_environment({})
    assert not notifier.active
    notifier.tell(ready=True, status="anything")


def test_nothing_to_tell_is_not_told(address: str) -> None:
    with Manager(address) as manager:
        Notifier(address).tell()
        assert manager.heard() == []


def test_a_manager_that_is_gone_is_logged_once_and_told_again_when_it_is_back(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    notifier = Notifier(address)
    for _ in range(3):
        notifier.tell(alive=True)
    assert len(caplog.records) == 1
    assert caplog.messages[0].startswith("cannot tell the service manager socket=")
    Path(address).unlink(missing_ok=True)
    with Manager(address) as manager:
        notifier.tell(alive=True)
        assert manager.heard() == [{"WATCHDOG": "1"}]


def test_an_address_of_another_kind_does_no_harm(caplog: pytest.LogCaptureFixture) -> None:
    Notifier("vsock:2:1234").tell(alive=True)
    assert len(caplog.records) == 1


def test_a_manager_that_does_not_read_holds_nobody_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(tmp_path / "notify"))
        notifier = Notifier(str(tmp_path / "notify"))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            other.setblocking(False)
            with suppress(BlockingIOError):
                while True:
                    other.sendto(b"STATUS=full", str(tmp_path / "notify"))
        notifier.tell(alive=True)  # comes back, within a second
    assert "cannot tell the service manager" in caplog.text

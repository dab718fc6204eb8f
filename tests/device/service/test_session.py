"""A run as a service: it waits for what is missing, tells so, and remembers failures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.device.service.manager import Manager

from pantel_device.command import UsageError
from pantel_device.service import Notifier, ServiceSession, service_session
from pantel_link import PortError, VirtualClock

_S = 1_000_000_000


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    """Be the service manager of this process, without a folder for failures."""
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    with Manager(str(tmp_path / "notify")) as manager:
        monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
        monkeypatch.setattr("faulthandler.enable", lambda *_: None)  # pytest has its own
        yield manager


class _Port:
    """Can be opened at the fifth attempt, and says why not."""

    def __init__(self, clock: VirtualClock) -> None:
        self.attempts_s: list[float] = []
        self._clock = clock

    def open(self) -> _Port:
        self.attempts_s.append(self._clock.now_ns() / _S)
        match len(self.attempts_s):
            case 1 | 2:
                raise PortError("there is no such device")
            case 3 | 4 | 5 | 6:
                raise PortError("another program uses it")
        return self


def test_who_is_patient_waits_and_says_for_what(manager: Manager, caplog: pytest.LogCaptureFixture) -> None:
    clock = VirtualClock()
    port = _Port(clock)
    session = ServiceSession(Notifier(manager.address), clock, patient=True)
    with caplog.at_level("INFO"):
        assert session.open("port /dev/ttyUSB0", port.open, PortError) is port
    assert port.attempts_s == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5]
    assert caplog.messages == [
        "waiting for port /dev/ttyUSB0 reason=there is no such device",
        "waiting for port /dev/ttyUSB0 reason=another program uses it",
        "there is port /dev/ttyUSB0",
    ]
    told = manager.heard()
    assert told[0] == {
        "EXTEND_TIMEOUT_USEC": "60000000",
        "STATUS": "waits for port /dev/ttyUSB0: there is no such device",
    }
    assert len(told) == 6


def test_who_is_not_patient_does_not_wait(manager: Manager) -> None:
    clock = VirtualClock()
    session = ServiceSession(Notifier(manager.address), clock, patient=False)
    with pytest.raises(PortError, match="there is no such device"):
        session.open("port", _Port(clock).open, PortError)
    assert (clock.now_ns(), manager.heard()) == (0, [])


def test_other_errors_are_not_waited_for() -> None:
    def fail() -> None:
        raise UsageError("the default callsign")

    session = ServiceSession(Notifier(), VirtualClock(), patient=True)
    with pytest.raises(UsageError):
        session.open("port", fail, PortError)


def test_a_service_that_keeps_failing_waits_ever_longer_and_says_why(
    manager: Manager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    clock = VirtualClock()
    waited_s = []

    def read_config() -> None:
        raise UsageError("unknown key 'speed' in mast.toml")

    for _ in range(9):
        before_ns = clock.now_ns()
        with pytest.raises(UsageError), service_session(patient=True, clock=clock):
            read_config()
        waited_s.append((clock.now_ns() - before_ns) / _S)
        manager.listen()
    assert waited_s == [0, 0, 0, 2, 4, 8, 16, 32, 60]
    told = manager.heard()
    assert told[0]["STATUS"] == ("waits 2 s after 3 failures in a row, the last: unknown key 'speed' in mast.toml")
    assert all(each["EXTEND_TIMEOUT_USEC"] == "60000000" for each in told)
    assert json.loads((tmp_path / "failures.json").read_text())["count"] == 9


@pytest.mark.parametrize("end", [SystemExit, KeyboardInterrupt])
def test_who_is_ended_has_not_failed(
    end: type[BaseException], manager: Manager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))

    def work() -> None:
        assert (tmp_path / "failures.json").exists()
        raise end

    with pytest.raises(end), service_session(patient=True, clock=VirtualClock()):
        work()
    assert not (tmp_path / "failures.json").exists()
    assert manager.heard() == []


def test_who_ends_by_itself_has_not_failed(manager: Manager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    with service_session(patient=True, clock=VirtualClock()):
        assert (tmp_path / "failures.json").exists()
    assert not (tmp_path / "failures.json").exists()
    assert manager.heard() == []


def test_who_is_not_patient_counts_no_failures(
    manager: Manager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    with service_session(patient=False, clock=VirtualClock()):
        assert not (tmp_path / "failures.json").exists()
    assert manager.heard() == []

"""The watchdog is fed by progress, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.device.service.manager import Manager

from pantel_device.daemon import run_daemon
from pantel_device.service import Health, Notifier, Supervisor
from pantel_link import VirtualClock

_S = 1_000_000_000


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    with Manager(str(tmp_path / "notify")) as manager:
        yield manager


class _Daemon:
    """A core whose health the test sets."""

    def __init__(self, manager: Manager) -> None:
        self.health = Health(ready=True, status="works")
        self.settled = 0
        self._manager = manager
        self.clock = VirtualClock(start_ns=5 * _S)
        self.supervisor = Supervisor(Notifier(manager.address), lambda _: self.health, self._settle)

    def _settle(self) -> None:
        self.settled += 1

    def advance(self, now_ns: int) -> int:
        self._manager.listen()
        return now_ns + _S // 50

    def run(self, seconds: float, before: Callable[[], None] = lambda: None) -> None:
        before()
        run_daemon(self, self.clock, seconds=seconds, overseer=self.supervisor)


def test_a_daemon_that_works_is_ready_once_and_fed_several_times_a_minute(manager: Manager) -> None:
    daemon = _Daemon(manager)
    daemon.run(60)
    *told, last = manager.heard()
    assert told[0] == {"READY": "1", "WATCHDOG": "1", "STATUS": "works"}
    assert told[1:] == 5 * [{"WATCHDOG": "1", "STATUS": "works"}]
    assert last == {"STOPPING": "1", "STATUS": "stopping: time is over"}


def test_a_start_that_gets_on_is_granted_time_until_it_is_ready(manager: Manager) -> None:
    daemon = _Daemon(manager)
    daemon.health = Health(ready=False, status="waits for the camera")
    daemon.run(25)
    assert manager.heard()[:-1] == 3 * [
        {"WATCHDOG": "1", "EXTEND_TIMEOUT_USEC": "60000000", "STATUS": "waits for the camera"}
    ]
    daemon.health = Health(ready=True, status="works")
    daemon.run(3)
    assert manager.heard()[0] == {"READY": "1", "WATCHDOG": "1", "STATUS": "works"}


def test_ready_is_ready_for_ever(manager: Manager) -> None:
    daemon = _Daemon(manager)
    daemon.run(3)
    daemon.health = Health(ready=False, status="port gone")
    daemon.run(30)
    told = manager.heard()
    assert [each for each in told if "READY" in each] == told[:1]
    assert not any("EXTEND_TIMEOUT_USEC" in each for each in told)
    assert told[-2] == {"WATCHDOG": "1", "STATUS": "port gone"}


@pytest.mark.parametrize("ready", [True, False])
def test_a_daemon_that_does_not_get_on_is_not_fed(
    ready: bool, manager: Manager, caplog: pytest.LogCaptureFixture
) -> None:
    daemon = _Daemon(manager)
    daemon.health = Health(ready=ready, status="sending")
    daemon.run(5)
    manager.heard()
    daemon.health = Health(ready=ready, status="sending", stalled="the camera hangs")
    daemon.run(120)
    told = manager.heard()
    assert told[0] == {"STATUS": "sending; no progress: the camera hangs"}  # at once, not after 10 s
    assert not any({"WATCHDOG", "EXTEND_TIMEOUT_USEC", "READY"} & each.keys() for each in told)
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "no progress reason=the camera hangs; the watchdog is fed no more"
    ]
    daemon.health = Health(ready=ready, status="sending")
    daemon.run(2)
    assert manager.heard()[0]["WATCHDOG"] == "1"


def test_a_loop_that_does_not_turn_feeds_nothing(manager: Manager) -> None:
    daemon = _Daemon(manager)
    daemon.run(5)
    manager.heard()

    def hang(now_ns: int) -> int:
        daemon.clock.sleep(3600)
        raise TimeoutError(f"in place of a call at {now_ns} that never comes back")

    daemon.advance = hang  # type: ignore[method-assign]
    with pytest.raises(TimeoutError):
        daemon.run(10_000)
    assert manager.heard() == []


def test_failures_are_forgotten_after_a_minute_of_work(manager: Manager) -> None:
    daemon = _Daemon(manager)
    daemon.health = Health(ready=False, status="waits")
    daemon.run(600)
    assert daemon.settled == 0
    daemon.health = Health(ready=True, status="works")
    daemon.run(59)
    assert daemon.settled == 0
    daemon.run(120)
    assert daemon.settled == 1

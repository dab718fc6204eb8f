"""Both daemons as services, with the test as their service manager."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.device.service.manager import Manager

from pantel_link import ChannelSettings, PtyNullModem

_PANTEL = Path(sys.executable).with_name("pantel")
_PATIENCE_S = 60.0


class _Service:
    """A daemon that runs as a service does."""

    def __init__(self, process: subprocess.Popen[str], manager: Manager) -> None:
        self.process = process
        self._manager = manager
        self.told: list[dict[str, str]] = []

    def wait_until(self, condition: Callable[[dict[str, str]], bool]) -> dict[str, str]:
        """Return the first datagram for which something holds."""
        deadline_s = time.monotonic() + _PATIENCE_S
        while True:
            heard = self._manager.heard()
            self.told += heard
            for each in heard:
                if condition(each):
                    return each
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline_s, self.told
            time.sleep(0.02)

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Return exit code and log."""
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=20)
        self.told += self._manager.heard()
        return self.process.returncode, err


@contextmanager
def _service(*argv: str, folder: Path) -> Iterator[_Service]:
    for name in ("run", "state"):
        (folder / name).mkdir(exist_ok=True)
    with Manager(str(folder / "notify")) as manager:
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("PANTEL_")},
            "OMP_NUM_THREADS": "1",
            "NOTIFY_SOCKET": manager.address,
            "RUNTIME_DIRECTORY": str(folder / "run"),
            "STATE_DIRECTORY": str(folder / "state"),
        }
        with subprocess.Popen(
            [_PANTEL, *argv, "--wait"],
            cwd=folder / "run",
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield _Service(process, manager)
            finally:
                if process.poll() is None:
                    process.kill()
    (folder / "notify").unlink()


@pytest.mark.parametrize("command", ["send", "receive"])
def test_a_service_waits_for_its_port_and_then_is_ready(command: str, tmp_path: Path) -> None:
    line = tmp_path / "line"
    with (
        PtyNullModem(ChannelSettings()) as modem,
        _service(
            command, "--port", str(line), *(["--size-px=96x64"] if command == "send" else []), folder=tmp_path
        ) as service,
    ):
        waiting = service.wait_until(lambda told: "STATUS" in told)
        assert waiting["STATUS"].startswith(f"waits for port {line}: cannot open port {line}: there is no such device")
        assert waiting["EXTEND_TIMEOUT_USEC"] == "60000000"
        line.symlink_to(modem.near_path)
        ready = service.wait_until(lambda told: "READY" in told)
        assert ready["WATCHDOG"] == "1"
        doing = "sending to" if command == "send" else "receiving from"
        assert ready["STATUS"].startswith(f"{doing} {line}, ")
        code, err = service.end()
        assert code == 0, err
        assert {"STOPPING": "1", "STATUS": "stopping: SIGTERM"} in service.told
        assert err.count("waiting for port") == 1
    assert not (tmp_path / "run" / "failures.json").exists()


def test_a_service_that_waits_can_be_ended(tmp_path: Path) -> None:
    with _service("receive", "--port", str(tmp_path / "nothing"), folder=tmp_path) as service:
        service.wait_until(lambda told: "STATUS" in told)
        code, err = service.end()
    assert code == 143
    assert "Traceback" not in err
    assert not (tmp_path / "run" / "failures.json").exists()


@pytest.mark.parametrize("command", ["send", "receive"])
def test_a_service_works_without_the_disk_of_its_recordings(command: str, tmp_path: Path) -> None:
    (tmp_path / "disk").touch()
    folder = f"{tmp_path}/disk/recordings"
    options = ["--size-px=96x64", f"--ring={folder}"] if command == "send" else ["--web=", f"--recordings={folder}"]
    with (
        PtyNullModem(ChannelSettings()) as modem,
        _service(command, f"--port={modem.near_path}", *options, folder=tmp_path) as service,
    ):
        service.wait_until(lambda told: "READY" in told)
        code, err = service.end()
    assert code == 0, err
    assert f"cannot write to={folder} reason=Not a directory; all else goes on" in err


def test_a_mast_tells_of_itself_while_its_camera_is_missing(tmp_path: Path) -> None:
    with (
        PtyNullModem(ChannelSettings()) as modem,
        _service(
            "send", f"--port={modem.near_path}", f"--camera=v4l2:{tmp_path}/video", "--size-px=96x64", folder=tmp_path
        ) as service,
    ):
        status = service.wait_until(lambda told: "packets" in told.get("STATUS", ""))
        assert "READY" not in status
        assert status["STATUS"].startswith(
            f"sending to {modem.near_path}, camera v4l2:{tmp_path}/video missing (there is no camera {tmp_path}/video;"
        )
        assert service.wait_until(lambda told: ", 1 packets" not in told.get("STATUS", ""))
        code, err = service.end()
    assert code == 0
    assert err.count("camera gone") == 1


def test_mistakes_are_counted_and_told_at_the_next_start(tmp_path: Path) -> None:
    argv = ("send", "--port", str(tmp_path / "line"), "--fps", "-1")
    for _ in range(3):
        with _service(*argv, folder=tmp_path) as service:
            _, err = service.process.communicate(timeout=30)
            assert service.process.returncode == 2
            assert err.startswith("pantel: error: --fps cannot be '-1'")
    with _service(*argv, folder=tmp_path) as service:
        told = service.wait_until(lambda told: "STATUS" in told)
        assert told["STATUS"].startswith("waits 2 s after 3 failures in a row, the last: --fps cannot be '-1': ")
        code, _ = service.end()
    assert code == 143
    assert not (tmp_path / "run" / "failures.json").exists()


def test_the_log_tells_where_a_service_hung_that_the_watchdog_ended(tmp_path: Path) -> None:
    with (
        PtyNullModem(ChannelSettings()) as modem,
        _service("receive", f"--port={modem.far_path}", folder=tmp_path) as it,
    ):
        it.wait_until(lambda told: "READY" in told)
        code, err = it.end(signal.SIGABRT)
    assert code == -signal.SIGABRT
    assert "Fatal Python error: Aborted" in err
    assert "daemon.py" in err

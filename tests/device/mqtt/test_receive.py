"""`pantel receive` as a process: its last will, and alarms that outlive it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.device.mqtt.mast import Mast
from tests.device.mqtt.mosquitto import Mosquitto, listening, needs_mosquitto, until
from tests.real_parts import needs_program

from pantel_device.publishing.alarm_queue import AlarmQueue
from pantel_device.receiving.sink import SenderName

pytestmark = [needs_mosquitto, pytest.mark.real, pytest.mark.slow]

_PANTEL = Path(sys.executable).with_name("pantel")
_TOPIC = "pantel/home/DK1AB_P-0/alarm"
_START_S = 60.0  # on a machine that is busy


@pytest.fixture
def mast() -> Iterator[Mast]:
    mast = Mast()
    yield mast
    mast.close()


@pytest.fixture
def receiver(tmp_path: Path, broker: Mosquitto, mast: Mast) -> Callable[..., object]:
    """Return a context manager that runs `pantel receive` and yields its process."""

    @contextmanager
    def run(*options: str) -> Iterator[subprocess.Popen[bytes]]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PANTEL_")}
        argv = ["receive", "--port", mast.url, "--bitrate-bps", "10000", "--picture", "", "--events", "", "--web", ""]
        argv += ["--mqtt", f"mqtt://127.0.0.1:{broker.port}", "--mqtt-name", "home", *options]
        with (tmp_path / "receive.log").open("ab") as log:
            process = subprocess.Popen(
                [_PANTEL, *argv, "--state-dir", tmp_path / "state"],
                cwd=tmp_path,
                env=environment | {"OMP_NUM_THREADS": "1"},
                stderr=log,
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    return run


def _waiting(folder: Path) -> list[Path]:
    return list((folder / "state" / "alarms" / "mqtt").glob("*.json"))


@needs_program("mosquitto_sub", "mosquitto-clients")
def test_the_last_will_of_a_receiver_that_was_killed(
    broker: Mosquitto, receiver: Callable[..., object], tmp_path: Path
) -> None:
    said, log = tmp_path / "status", tmp_path / "receive.log"
    argv = ["mosquitto_sub", "-p", str(broker.port), "-t", "pantel/home/status", "-F", "%p %r"]
    with said.open("wb") as out, subprocess.Popen(argv, stdout=out) as listener:
        try:
            with receiver() as process:  # type: ignore[attr-defined]
                until(lambda: "online 0" in said.read_text(), _START_S)
                until(lambda: "receiving port=" in (tmp_path / "receive.log").read_text(), _START_S)
                process.send_signal(signal.SIGKILL)
                until(lambda: "offline 0" in said.read_text())
            log.unlink()
            with receiver() as process:  # type: ignore[attr-defined]
                until(lambda: said.read_text().count("online 0") == 2, _START_S)
                until(lambda: "receiving port=" in log.read_text(), _START_S)
                process.send_signal(signal.SIGTERM)
                until(lambda: said.read_text().count("offline 0") == 2)
                assert process.wait(20) == 0
        finally:
            listener.kill()
    assert "Traceback" not in (tmp_path / "receive.log").read_text()


def test_from_the_line_to_the_broker(broker: Mosquitto, receiver: Callable[..., object], mast: Mast) -> None:
    with listening(broker.port) as listener, receiver():  # type: ignore[attr-defined]
        mast.alarm(1)
        until(lambda: listener.of(_TOPIC), _START_S)
        (alarm,) = listener.json_of(_TOPIC)
        assert (alarm["callsign"], alarm["number"], alarm["class"], alarm["zone"]) == ("DK1AB/P", 1, "person", "gate")
        until(lambda: listener.of("pantel/home/DK1AB_P-0/state"))
        assert listener.json_of("pantel/home/DK1AB_P-0/state")[0]["alive"] is True
        assert listener.json_of("homeassistant/device/pantel_home_DK1AB_2f_P-0/config")


def test_alarms_that_nobody_took_outlive_a_receiver_that_was_killed(
    broker: Mosquitto, receiver: Callable[..., object], mast: Mast, tmp_path: Path
) -> None:
    with receiver() as process:  # type: ignore[attr-defined]
        until(lambda: "New client connected" in broker.log(), _START_S)
        broker.kill()
        for number in range(5):
            mast.alarm(number)
        until(lambda: len(_waiting(tmp_path)) == 5)
        process.send_signal(signal.SIGKILL)
        process.wait()
    broker.start()
    with listening(broker.port) as listener, receiver():  # type: ignore[attr-defined]
        mast.alarm(5)
        until(lambda: len(listener.of(_TOPIC)) >= 6, _START_S)
        told = {each["id"]: each["number"] for each in listener.json_of(_TOPIC)}
        assert list(told.values()) == [0, 1, 2, 3, 4, 5]
        until(lambda: not _waiting(tmp_path))


def test_alarms_do_not_wait_for_a_port_that_is_missing(
    broker: Mosquitto, receiver: Callable[..., object], tmp_path: Path
) -> None:
    queue = AlarmQueue(tmp_path / "state" / "alarms" / "mqtt")
    queue.put("id1", SenderName("DK1AB/P", 0), {"number": 1})
    queue.close()
    with listening(broker.port) as listener, receiver("--port", "/dev/ttyNONE", "--bitrate-bps", "960", "--wait"):  # type: ignore[attr-defined]
        until(lambda: listener.json_of(_TOPIC) == [{"id": "id1", "callsign": "DK1AB/P", "sender": 0, "number": 1}], 60)


def test_a_mistake_is_one_line(receiver: Callable[..., object], tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("secret\n")
    secret.chmod(0o644)
    with receiver("--mqtt-user", "me", "--mqtt-password-file", str(secret)) as process:  # type: ignore[attr-defined]
        assert process.wait(_START_S) == 2
    lines = (tmp_path / "receive.log").read_text().splitlines()
    assert lines[-1].endswith(f"everybody on this machine can read mqtt_password_file = {secret}: chmod o= {secret}")
    assert "Traceback" not in "".join(lines)

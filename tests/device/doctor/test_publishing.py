"""Broker and webhook: whether they can be reached, asked as the receiver would."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from tests.device.doctor.conftest import make_setup, running
from tests.device.mqtt.mosquitto import Mosquitto, needs_mosquitto

from pantel_device.doctor.finding import Finding
from pantel_device.doctor.machine import Machine
from pantel_device.doctor.publishing import check_broker, check_webhook
from pantel_device.doctor.sandbox import Sandbox
from pantel_device.publishing.alarm_queue import AlarmQueue
from pantel_device.receiving.sink import SenderName


def _broker(**options: str) -> list[Finding]:
    return list(check_broker(Machine(), make_setup("receiver", **options)))


def _webhook(**options: str) -> list[Finding]:
    return list(check_webhook(Machine(), make_setup("receiver", **options)))


@needs_mosquitto
@pytest.mark.real
def test_a_broker_that_lets_the_receiver_in(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path)
    broker.start()
    try:
        (found,) = _broker(mqtt=f"mqtt://127.0.0.1:{broker.port}")
        assert found.status.value == "ok"
        assert found.found == f"mqtt://127.0.0.1:{broker.port} lets the receiver in"
        assert "PUBLISH" not in broker.log()
    finally:
        broker.kill()


@needs_mosquitto
@pytest.mark.real
def test_a_broker_that_does_not(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path, ("allow_anonymous false",))
    broker.start()
    try:
        (found,) = _broker(mqtt=f"mqtt://127.0.0.1:{broker.port}")
        assert found.status.value == "problem"
        assert "it refuses the connection: Not authorized" in found.found
        assert "mqtt_password_file" in found.advice
    finally:
        broker.kill()


def test_nobody_there() -> None:
    (found,) = _broker(mqtt="mqtt://127.0.0.1:1")
    assert (found.status.value, found.found) == ("problem", "mqtt://127.0.0.1:1: Connection refused")
    (found,) = _webhook(webhook="http://127.0.0.1:1/alarms")
    assert (found.status.value, found.found) == ("problem", "127.0.0.1:1 cannot be reached: Connection refused")


def test_a_webhook_that_can_be_reached_is_not_rung() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        (found,) = _webhook(webhook=f"http://127.0.0.1:{server.getsockname()[1]}/alarms")
        connection, _ = server.accept()
        with connection:
            assert connection.recv(1) == b""
    assert found.status.value == "ok"


def test_who_tells_nobody() -> None:
    assert _broker() == _webhook() == []
    assert list(check_broker(Machine(), make_setup("sender"))) == []


def test_alarms_that_wait_are_counted(tmp_path: Path) -> None:
    queue = AlarmQueue(tmp_path / "alarms" / "webhook")
    for number in range(3):
        queue.put(f"id{number}", SenderName("K1ABC", 0), {})
    queue.close()
    found = _webhook(webhook="http://127.0.0.1:1/", state_dir=str(tmp_path))
    assert found[1].found == "3 alarms wait to be delivered"


def test_a_password_that_crosses_the_network_readable(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("secret\n")
    password.chmod(0o600)
    found = _broker(mqtt="mqtt://192.0.2.1:1", mqtt_user="me", mqtt_password_file=str(password))
    assert (found[0].status.value, found[0].advice) == ("warning", "let mqtt begin with mqtts://")


def test_files_that_the_service_does_not_see() -> None:
    unit = running("pantel-receiver@home.service", sandbox=Sandbox(hidden=("/home",)))
    setup = make_setup("receiver", unit, mqtt="mqtts://127.0.0.1:1", mqtt_ca_file="/home/me/ca.pem")
    (found,) = check_broker(Machine(), setup)
    assert (found.status.value, found.found) == ("problem", "the service does not see /home/me/ca.pem")

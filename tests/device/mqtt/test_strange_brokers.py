"""Brokers that hang: an alarm waits for them, the receiver does not."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.device.mqtt.mosquitto import until
from tests.device.web.serving import make_event

from pantel_device.config.urls import split_broker
from pantel_device.errors import BrokerError
from pantel_device.mqtt import broker_thread
from pantel_device.mqtt.conversation import Broker, Conversation

_CONNACK = bytes([0x20, 2, 0, 0])


class _Strange:
    """Takes connections, says one thing, and then nothing more."""

    def __init__(self, says: bytes) -> None:
        self.connections: list[socket.socket] = []
        self._says = says
        self._server = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self._server.getsockname()[1]}"

    def close(self) -> None:
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()
        for connection in self.connections:
            connection.close()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.connections.append(connection)
            connection.sendall(self._says)


@pytest.fixture
def silent() -> Iterator[_Strange]:
    broker = _Strange(b"")
    yield broker
    broker.close()


@pytest.fixture
def unwilling() -> Iterator[_Strange]:
    """A broker that lets everybody in and confirms nothing."""
    broker = _Strange(_CONNACK)
    yield broker
    broker.close()


def test_one_that_says_nothing(silent: _Strange) -> None:
    with pytest.raises(BrokerError, match=r"^it does not answer within 1 s; is it an MQTT broker\?$"):
        Conversation(Broker(split_broker(silent.url), "pantel")).open(1.0)


@pytest.mark.parametrize("says", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff" * 64, bytes(64), b"\x20\x02\x00\x05"])
def test_one_that_is_none_or_says_no(says: bytes) -> None:
    broker = _Strange(says)
    try:
        with pytest.raises(BrokerError):
            Conversation(Broker(split_broker(broker.url), "pantel")).open(1.0)
    finally:
        broker.close()


def test_names_that_cannot_be() -> None:
    with pytest.raises(BrokerError):
        Conversation(Broker(split_broker(f"mqtt://{'a' * 64}.example"), "pantel")).open(1.0)


def test_an_alarm_that_is_not_confirmed_is_sent_again(
    unwilling: _Strange,
    publish: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(broker_thread, "_CONFIRMED_S", 0.5)
    with publish(mqtt=unwilling.url) as loop:
        loop.event(make_event("alarm", phase="began", zone="gate", number=1))
        until(lambda: len(unwilling.connections) >= 3)
        began_s = time.monotonic()
    assert time.monotonic() - began_s < 6
    assert "it has not confirmed an alarm" in caplog.text
    assert len(list((tmp_path / "state" / "alarms" / "mqtt").glob("*.json"))) == 1


@pytest.mark.parametrize(("size", "taken"), [(60_000, True), (70_000, False), (268_435_455, False)])
def test_a_packet_without_end_ends_the_connection(size: int, taken: bool) -> None:
    topic = b"homeassistant/status"
    length = bytes([size >> shift & 127 | 128 for shift in (0, 7, 14)] + [size >> 21])
    packet = b"\x30" + length + len(topic).to_bytes(2, "big") + topic
    broker = _Strange(_CONNACK + packet + bytes(min(size, 1 << 17) - 2 - len(topic)))
    said: list[int] = []
    conversation = Conversation(
        Broker(split_broker(broker.url), "pantel"), on_message=lambda _, payload: said.append(len(payload))
    )
    try:
        conversation.open()
        deadline_s = time.monotonic() + 10
        with suppress(BrokerError) if taken else pytest.raises(BrokerError, match="the connection was lost"):
            while not said and time.monotonic() < deadline_s:
                conversation.turn()
    finally:
        conversation.close()
        broker.close()
    assert said == ([size - 2 - len(topic)] if taken else [])

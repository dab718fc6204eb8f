"""A real mosquitto on a free port, and somebody who listens to it."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from tests.real_parts import needs_program

__all__ = ["PATIENCE_S", "Listener", "Mosquitto", "listening", "needs_mosquitto", "until"]

PATIENCE_S = 20.0
needs_mosquitto = needs_program("mosquitto")


def until(holds: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    """Wait until something holds."""
    deadline_s = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline_s, "it did not come about in time"
        time.sleep(0.02)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@dataclass
class Mosquitto:
    """A broker that can be killed and started again on its port.

    Attributes:
        folder: For its configuration.
        lines: Of that, but for the listener's.
    """

    folder: Path
    lines: tuple[str, ...] = ("allow_anonymous true",)
    port: int = field(default_factory=_free_port)
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        config = self.folder / "mosquitto.conf"
        # As root it would become another user, who may not read the folder.
        text = "\n".join([f"listener {self.port} 127.0.0.1", "user root", *self.lines])
        config.write_text(f"{text}\n")
        log = (self.folder / "mosquitto.log").open("ab")
        with log:
            self._process = subprocess.Popen(["mosquitto", "-c", str(config), "-v"], stdout=log, stderr=log)
        until(self._listens)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """End it in order, with what it keeps for those who are away."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def log(self) -> str:
        return (self.folder / "mosquitto.log").read_text()

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


class Listener:
    """Somebody who keeps all that is published, in order.

    Args:
        port: Of the broker.
        topic: What is listened to.
        user: At the broker.
        password: Of the user.
        lasting: Whether the broker keeps what comes while the listener is away.
    """

    def __init__(
        self, port: int, topic: str = "#", *, user: str = "", password: str = "", lasting: bool = False
    ) -> None:
        self.messages: list[MQTTMessage] = []
        self._client = Client(CallbackAPIVersion.VERSION2, "lasting" if lasting else "", clean_session=not lasting)
        if user:
            self._client.username_pw_set(user, password)
        self._client.on_connect = lambda client, *_: client.subscribe(topic, 1)
        self._client.on_message = lambda _client, _data, message: self.messages.append(message)
        ready: list[bool] = []
        self._client.on_subscribe = lambda *_: ready.append(True)
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        until(lambda: ready)

    def of(self, topic: str) -> list[bytes]:
        """Return the payloads of a topic."""
        return [bytes(message.payload) for message in list(self.messages) if message.topic == topic]

    @property
    def is_connected(self) -> bool:
        return self._client.is_connected()

    def json_of(self, topic: str) -> list[dict[str, Any]]:
        return [json.loads(payload) for payload in self.of(topic) if payload]

    def publish(self, topic: str, payload: str) -> None:
        self._client.publish(topic, payload, 1).wait_for_publish(PATIENCE_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        if (connection := self._client.socket()) is not None:  # its thread may have ended before it was closed
            connection.close()


@contextmanager
def listening(port: int, topic: str = "#", **options: Any) -> Iterator[Listener]:
    """Listen for a while."""
    listener = Listener(port, topic, **options)
    try:
        yield listener
    finally:
        listener.close()

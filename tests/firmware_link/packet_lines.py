"""What tests of packet ports share: a small TNC, and ways to wait for what a port brings."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable
from typing import Self

import pytest

from pantel_link import (
    ChannelSettings,
    MonotonicClock,
    Port,
)
from pantel_link.ports import PacketPort, open_port

CLOCK = MonotonicClock()
FAST = ChannelSettings(bitrate_bps=1_000_000)
CALLSIGN = "DL1ABC-7"


class Tnc(threading.Thread):
    """A modem program in this process: what one of its KISS clients sends, all others hear at once.

    Args:
        number: Port number; any free one by default.

    Attributes:
        frames: All KISS frames that arrived, between their marks and with their escapes.
    """

    def __init__(self, number: int = 0) -> None:
        super().__init__(daemon=True)
        self.frames: list[bytes] = []
        self._server = socket.create_server(("127.0.0.1", number))
        self.number = int(self._server.getsockname()[1])
        self._clients: dict[socket.socket, bytes] = {}
        self._end, self._brake = socket.socketpair()
        self.start()

    @property
    def clients(self) -> int:
        return len(self._clients)

    def run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for each in (self._server, self._end):
                selector.register(each, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    ready = key.fileobj
                    assert isinstance(ready, socket.socket)
                    if ready is self._end:
                        return
                    if ready is self._server:
                        client, _ = self._server.accept()
                        self._clients[client] = b""
                        selector.register(client, selectors.EVENT_READ)
                    elif octets := received(ready):
                        self._hear(ready, octets)
                    else:
                        selector.unregister(ready)
                        del self._clients[ready]
                        ready.close()

    def _hear(self, speaker: socket.socket, octets: bytes) -> None:
        *frames, rest = (self._clients[speaker] + octets).split(b"\xc0")
        self._clients[speaker] = rest
        for frame in filter(None, frames):
            self.frames.append(frame)
            if frame.startswith(b"\0"):  # data, not a command for the modem itself
                for each in self._clients:
                    if each is not speaker:
                        each.sendall(b"\xc0" + frame + b"\xc0")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        self._brake.send(b"x")
        self.join()
        for each in (*self._clients, self._server, self._end, self._brake):
            each.close()


def received(client: socket.socket) -> bytes:
    try:
        return client.recv(4096)
    except ConnectionResetError:  # it left without reading all
        return b""


def opened(url: str) -> PacketPort:
    port = open_port(url, callsign=CALLSIGN)
    assert isinstance(port, PacketPort)
    return port


def free_udp_ports() -> list[int]:
    with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in (one, other)]


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(2500):
        if condition():
            return
        CLOCK.sleep(0.002)
    pytest.fail("it did not happen within 5 s")


def read_packet(port: Port, max_octets: int = 4096) -> bytes:
    """Read until a packet is there, or for two seconds."""
    for _ in range(1000):
        if packet := port.read(max_octets):
            return packet
        CLOCK.sleep(0.002)
    return b""

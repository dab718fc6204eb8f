"""The link in real time: between pseudo-terminals, and over a cable made by socat that is really pulled."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pantel_link import (
    ChannelSettings,
    LinkReceiver,
    LinkSender,
    MonotonicClock,
    PacketKind,
    Port,
    PtyNullModem,
    ReceivedPacket,
    ReconnectingPort,
    StreamContext,
    open_port,
)

CLOCK = MonotonicClock()


class Link:
    """A sender and a receiver on two ports, in one thread."""

    def __init__(self, context: StreamContext, near: Port, far: Port) -> None:
        self.near, self.far = near, far
        self.sender = LinkSender(context, now_ns=CLOCK.now_ns())
        self.receiver = LinkReceiver()
        self.received: list[ReceivedPacket] = []

    def work(self, seconds: float) -> None:
        end_ns = CLOCK.now_ns() + round(seconds * 1e9)
        while (now_ns := CLOCK.now_ns()) < end_ns:
            while chunk := self.sender.due(now_ns):
                written = self.near.write(chunk)
                if written < len(chunk):
                    self.sender.put_back(chunk[written:])
                    break
            if self.sender.ready(now_ns):
                self.sender.submit(PacketKind.SCENE, b"pantel", now_ns)
            self.received += self.receiver.receive(self.far.read(4096), now_ns)
            CLOCK.sleep(0.005)


def test_a_line_between_pseudo_terminals_has_a_bit_rate(context: StreamContext) -> None:
    with (
        PtyNullModem(ChannelSettings(bit_error_rate=1e-3, seed=5)) as modem,
        open_port(str(modem.near_path)) as near,
        open_port(str(modem.far_path)) as far,
    ):
        link = Link(context, near, far)
        link.work(2.0)
    assert 120 <= link.receiver.statistics.wire_octets <= 241
    assert 2 <= len(link.received) <= 5


@contextmanager
def socat(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    ends = [folder / "ttyA", folder / "ttyB"]
    with subprocess.Popen(
        ["socat", *(f"pty,raw,echo=0,link={end}" for end in ends)], stderr=subprocess.DEVNULL
    ) as cable:
        try:
            deadline = time.monotonic() + 5.0
            while not all(end.exists() for end in ends):
                assert time.monotonic() < deadline, "socat made no pty pair"
                time.sleep(0.01)
            yield cable
        finally:
            cable.terminate()


@pytest.mark.real
@pytest.mark.skipif(shutil.which("socat") is None, reason="needs the Debian package socat")
def test_a_pulled_cable_is_survived(context: StreamContext, tmp_path: Path) -> None:
    def port(name: str) -> ReconnectingPort:
        return ReconnectingPort(open_port(str(tmp_path / name)), lambda: open_port(str(tmp_path / name)), CLOCK)

    with socat(tmp_path):
        link = Link(context, port("ttyA"), port("ttyB"))
        link.work(1.2)
    before = len(link.received)
    assert before >= 2
    link.work(0.5)
    with socat(tmp_path):
        link.work(3.5)
        assert len(link.received) - before >= 2
        link.near.close()
        link.far.close()

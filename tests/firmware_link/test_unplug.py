"""A cable that is pulled again and again, in real time: socat makes two pseudo-terminals, and both are gone with it."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from pantel_link import (
    LinkReceiver,
    LinkSender,
    MonotonicClock,
    PacketKind,
    ReceivedPacket,
    ReconnectingPort,
    StreamContext,
    open_port,
)

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("socat") is None, reason="needs the Debian package socat"),
]

CYCLES = 20
OUTAGES_S = (0.1, 0.3, 0.6)
LONGEST_S = 10.0
CLOCK = MonotonicClock()


class Ends:
    """A mast and a receiver in one process, each with a port that survives unplugging.

    Args:
        context: The stream.
        folder: Where socat puts its devices.
    """

    def __init__(self, context: StreamContext, folder: Path) -> None:
        self.near, self.far = (self._port(folder / name) for name in ("ttyA", "ttyB"))
        self._sender = LinkSender(context, now_ns=CLOCK.now_ns())
        self._receiver = LinkReceiver()

    @staticmethod
    def _port(path: Path) -> ReconnectingPort:
        open_again = partial(open_port, str(path))
        return ReconnectingPort(open_again(), open_again, CLOCK)

    def work(self) -> list[ReceivedPacket]:
        """Send and receive what is due."""
        now_ns = CLOCK.now_ns()
        while chunk := self._sender.due(now_ns):
            written = self.near.write(chunk)
            if written < len(chunk):
                self._sender.put_back(chunk[written:])
                break
        if self._sender.ready(now_ns):
            self._sender.submit(PacketKind.SCENE, b"pantel", self._sender.stamp_ns(now_ns))
        received = self._receiver.receive(self.far.read(4096), now_ns)
        CLOCK.sleep(0.005)
        return received

    @property
    def connected(self) -> bool:
        return self.near.connected or self.far.connected

    def close(self) -> None:
        self.near.close()
        self.far.close()


@contextmanager
def cable(folder: Path) -> Iterator[None]:
    """Plug a cable in, and pull it."""
    ends = [folder / "ttyA", folder / "ttyB"]
    with subprocess.Popen(
        ["socat", *(f"pty,raw,echo=0,link={end}" for end in ends)], stderr=subprocess.DEVNULL
    ) as process:
        try:
            deadline_s = time.monotonic() + 5.0
            while not all(end.exists() for end in ends):
                assert time.monotonic() < deadline_s, "socat made no pair of pseudo-terminals"
                time.sleep(0.005)
            yield
        finally:
            process.kill()
            process.wait()
            for end in ends:  # as udev does; socat, when it is killed, leaves links that soon lead to other terminals
                end.unlink(missing_ok=True)


def test_a_cable_is_pulled_and_plugged_in_twenty_times(context: StreamContext, tmp_path: Path) -> None:
    with cable(tmp_path):
        ends = Ends(context, tmp_path)
        assert seconds_until_heard(ends) < LONGEST_S
    waits_s: list[float] = []
    descriptors: list[int] = []
    for cycle in range(CYCLES):
        pulled_s = time.monotonic()
        while time.monotonic() < pulled_s + OUTAGES_S[cycle % len(OUTAGES_S)] or ends.connected:
            assert ends.work() == []
            assert time.monotonic() < pulled_s + LONGEST_S
        with cable(tmp_path):
            waits_s.append(seconds_until_heard(ends))
            descriptors.append(sum(1 for _ in Path("/proc/self/fd").iterdir()))
    ends.close()
    assert max(waits_s) < LONGEST_S
    assert ends.near.outages == ends.far.outages == CYCLES
    assert len(set(descriptors)) == 1


def seconds_until_heard(ends: Ends) -> float:
    """Return how long it takes until a packet is received; no longer than 10 s."""
    begun_s = time.monotonic()
    while time.monotonic() < begun_s + LONGEST_S:
        if ends.work():
            return time.monotonic() - begun_s
    return LONGEST_S

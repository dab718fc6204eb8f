"""One back-to-back suite for every port, and what each does when the world is unkind."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from pantel_link import (
    ChannelSettings,
    MonotonicClock,
    NullModem,
    Port,
    PortClosed,
    PortError,
    PortGone,
    PtyNullModem,
    ReconnectingPort,
    VirtualClock,
    memory_pair,
    open_port,
)
from pantel_link.ports.pty import PtyPort

FAST = ChannelSettings(bitrate_bps=1_000_000)


class Pair(NamedTuple):
    """Two joined ports and a way to let time pass."""

    near: Port
    far: Port
    sleep: Callable[[float], None]


def memory() -> Iterator[Pair]:
    near, far = memory_pair()
    yield Pair(near, far, lambda _: None)


def null_modem() -> Iterator[Pair]:
    clock = VirtualClock()
    modem = NullModem(clock, FAST)
    yield Pair(modem.near, modem.far, clock.sleep)


def pty_and_serial() -> Iterator[Pair]:
    near = PtyPort()
    yield Pair(near, open_port(str(near.path)), MonotonicClock().sleep)


def serial_over_pty_null_modem() -> Iterator[Pair]:
    with PtyNullModem(FAST) as modem:
        yield Pair(open_port(str(modem.near_path)), open_port(str(modem.far_path)), MonotonicClock().sleep)


def serial_loop() -> Iterator[Pair]:
    port = open_port("loop://")
    yield Pair(port, port, MonotonicClock().sleep)


def serial_sockets() -> Iterator[Pair]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"socket://127.0.0.1:{server.getsockname()[1]}"
        near, far = open_port(url), open_port(url)
        with server.accept()[0] as one, server.accept()[0] as other:
            bridges = [threading.Thread(target=bridge, args=ends) for ends in ((one, other), (other, one))]
            for thread in bridges:
                thread.start()
            yield Pair(near, far, MonotonicClock().sleep)
            near.close()
            far.close()
            for thread in bridges:
                thread.join()


def bridge(source: socket.socket, sink: socket.socket) -> None:
    while octets := source.recv(4096):
        sink.sendall(octets)


@pytest.fixture(
    params=[memory, null_modem, pty_and_serial, serial_over_pty_null_modem, serial_loop, serial_sockets],
    ids=lambda factory: factory.__name__,
)
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    pairs = request.param()
    pair = next(pairs)
    yield pair
    pair.near.close()
    pair.far.close()
    next(pairs, None)


def read_all(port: Port, count: int, sleep: Callable[[float], None]) -> bytes:
    """Read until so many octets are there, or for two seconds."""
    octets = b""
    for _ in range(1000):
        octets += port.read(count - len(octets))
        if len(octets) >= count:
            break
        sleep(0.002)
    return octets


def test_nothing_is_there_at_first_and_reading_does_not_block(pair: Pair) -> None:
    assert pair.far.read(100) == b""


def test_every_octet_value_crosses_in_order(pair: Pair) -> None:
    for start in range(0, 256, 8):
        assert pair.near.write(bytes(range(start, start + 8))) == 8
    assert read_all(pair.far, 256, pair.sleep) == bytes(range(256))
    assert pair.far.read(100) == b""


def test_the_way_back_works_too(pair: Pair) -> None:
    assert pair.far.write(b"\x11\x13\r\n\x03\x1a") == 6  # what a terminal in cooked mode would eat
    assert read_all(pair.near, 6, pair.sleep) == b"\x11\x13\r\n\x03\x1a"


def test_a_read_returns_no_more_than_asked(pair: Pair) -> None:
    pair.near.write(b"abcdef")
    assert read_all(pair.far, 4, pair.sleep) == b"abcd"
    assert read_all(pair.far, 2, pair.sleep) == b"ef"


def test_discarded_input_is_gone(pair: Pair) -> None:
    pair.near.write(b"stale")
    pair.sleep(0.05)
    pair.far.discard_input()
    pair.near.write(b"fresh")
    assert read_all(pair.far, 5, pair.sleep) == b"fresh"


def test_a_closed_port_says_so(pair: Pair) -> None:
    with pair.far as port:
        pass
    port.close()
    with pytest.raises(PortClosed, match="used after it had been closed"):
        port.read(1)
    with pytest.raises(PortClosed):
        port.write(b"x")


def test_these_ports_stay_inside_the_machine(pair: Pair) -> None:
    expected = pair.near.name.startswith("socket://")  # who knows what stands behind a socket
    assert pair.near.on_air is expected


def test_a_full_pty_accepts_nothing_and_does_not_block() -> None:
    with PtyPort() as near, open_port(str(near.path)) as far:
        for port in (near, far):
            accepted = 0
            while count := port.write(bytes(256)):
                accepted += count
                assert accepted < 1_000_000
            assert accepted >= 256


def test_a_full_loop_accepts_nothing_and_does_not_block() -> None:
    with open_port("loop://") as port:
        while port.write(bytes(100)):
            pass
        assert len(port.read(5000)) >= 4000


def test_a_driver_is_never_more_than_a_quarter_of_a_second_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A UART that is slower than the pace by the difference of two quartzes would fill its driver in days."""
    with PtyPort() as far, open_port(str(far.path), baud_rate=1200) as port:
        held = [29]
        monkeypatch.setattr("serial.Serial.out_waiting", property(lambda _: held[0]))
        assert port.write(b"12345678") == 8
        held[0] = 30
        assert port.write(b"12345678") == 0
        held[0] = 22
        assert port.write(b"12345678") == 8


def test_a_driver_that_does_not_tell_what_it_holds_takes_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> int:
        raise OSError(25, "Inappropriate ioctl for device")

    monkeypatch.setattr("serial.Serial.out_waiting", property(refuse))
    with PtyPort() as far, open_port(str(far.path)) as port:
        assert port.write(bytes(100)) == 100


def test_an_unplugged_serial_port_is_gone() -> None:
    near = PtyPort()
    with open_port(str(near.path)) as far:
        near.close()
        with pytest.raises(PortGone, match="is gone"):
            far.read(10)
        with pytest.raises(PortGone, match="is gone"):
            far.write(b"x")


def test_a_pty_link_is_made_replaced_and_removed(tmp_path: Path) -> None:
    link = tmp_path / "radio"
    link.symlink_to("/dev/pts/999")  # an earlier run was killed
    with open_port(f"pty:{link}") as near, open_port(str(link)) as far:
        assert near.name == f"pty:{link}"
        assert not far.on_air
        near.write(b"hello")
        assert read_all(far, 5, MonotonicClock().sleep) == b"hello"
    assert not link.is_symlink()


def test_a_pty_link_does_not_replace_a_file(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("precious")
    with pytest.raises(PortError, match="cannot open port pty:"):
        open_port(f"pty:{taken}")
    assert taken.read_text() == "precious"
    with pytest.raises(PortError, match="cannot open port pty:"):
        PtyNullModem(FAST, far_url=f"pty:{taken}")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("/dev/no-such-device", "check the cable"),
        ("/dev", "directory"),
        ("/dev/null", "cannot open port /dev/null"),
        ("gopher://host", "gopher"),
        ("socket://127.0.0.1:1", "cannot open port socket://127.0.0.1:1"),
        ("socket://nonsense", "cannot open port socket://nonsense"),
        ("", "cannot open port"),
    ],
)
def test_impossible_ports_are_refused_in_one_line(url: str, words: str) -> None:
    with pytest.raises(PortError, match=words) as error:
        open_port(url)
    assert "\n" not in str(error.value)


def test_a_port_in_use_is_refused() -> None:
    with PtyPort() as near, open_port(str(near.path)), pytest.raises(PortError, match="another program"):
        open_port(str(near.path))


def test_no_descriptor_is_leaked() -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counts, and pathlib would open one more
    for _ in range(20):
        with PtyPort() as near, open_port(str(near.path)) as far:
            far.read(1)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


class Cable:
    """A scripted cable: memory ports that are pulled out and put back on a virtual clock."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.plugged = True
        self.attempts = 0
        self.far, near = memory_pair()
        self.port = ReconnectingPort(self._wrap(near), self._reopen, self.clock)

    def _reopen(self) -> Port:
        self.attempts += 1
        if not self.plugged:
            raise PortError("no such device")
        self.far, near = memory_pair()
        self.far.write(b"stale")
        return self._wrap(near)

    def _wrap(self, port: Port) -> Port:
        cable = self

        class Pluggable(Port):
            name = "cable"
            on_air = True

            def read(self, max_octets: int) -> bytes:
                if not cable.plugged:
                    raise PortGone("pulled")
                return port.read(max_octets)

            def write(self, octets: bytes) -> int:
                if not cable.plugged:
                    raise PortGone("pulled")
                return port.write(octets)

        return Pluggable()


def test_a_reconnecting_port_passes_octets_through() -> None:
    cable = Cable()
    assert cable.port.on_air
    assert cable.port.write(b"out") == 3
    assert cable.far.read(10) == b"out"
    cable.far.write(b"in")
    assert cable.port.read(10) == b"in"


def test_a_pulled_cable_is_silent_and_comes_back_fresh(caplog: pytest.LogCaptureFixture) -> None:
    cable = Cable()
    cable.plugged = False
    with caplog.at_level(logging.INFO, "pantel_link"):
        for _ in range(1000):
            assert cable.port.read(10) == b""
            assert cable.port.write(b"x") == 0
            cable.clock.sleep(0.1)
        assert not cable.port.connected
        assert 20 <= cable.attempts <= 40  # backs off to one attempt in 4 s
        cable.plugged = True
        cable.clock.sleep(4.0)
        assert cable.port.read(10) == b""
        assert cable.port.connected
    assert cable.port.outages == 1
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    cable.far.write(b"fresh")
    assert cable.port.read(10) == b"fresh"
    cable.port.close()
    with pytest.raises(PortClosed):
        cable.port.read(1)


def test_a_pull_noticed_while_writing_counts_too() -> None:
    cable = Cable()
    cable.plugged = False
    assert cable.port.write(b"x") == 0
    assert cable.port.outages == 1
    cable.port.close()


def test_a_real_serial_port_comes_back(tmp_path: Path) -> None:
    link = tmp_path / "radio"
    clock = VirtualClock()
    near = PtyPort(f"pty:{link}")
    port = ReconnectingPort(open_port(str(link)), lambda: open_port(str(link)), clock)
    near.close()
    for _ in range(100):
        assert port.read(10) == b""
    clock.sleep(1.0)
    assert not port.connected
    with PtyPort(f"pty:{link}") as near, port:
        near.write(b"stale")
        clock.sleep(4.0)
        assert port.read(10) == b""
        near.write(b"fresh")
        assert read_all(port, 5, MonotonicClock().sleep) == b"fresh"

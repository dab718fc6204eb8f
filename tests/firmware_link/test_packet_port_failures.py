"""What each port of packets does when the world is unkind, and what its packets cost."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.firmware_link.packet_lines import CLOCK, Tnc, free_udp_ports, opened, read_packet, wait_for

from pantel_link import (
    Port,
    PortError,
    PortGone,
    VirtualClock,
)
from pantel_link.ports import PacketPort, ReconnectingPort, memory_pair, open_port, reconnecting
from pantel_link.ports.ax25 import UiFrame
from pantel_link.ports.kiss import KissFrame
from pantel_link.ports.kiss_port import KissPort, KissSettings
from pantel_link.ports.pty import PtyPort
from pantel_link.ports.tcp import TcpPort


def kiss(**settings: int | str | None) -> KissPort:
    return KissPort("kiss", memory_pair()[0], KissSettings(**settings))  # type: ignore[arg-type]


def test_the_cost_of_udp_counts_its_headers_and_those_of_ip() -> None:
    one, other = free_udp_ports()
    with opened(f"udp://127.0.0.1:{one}?local={other}") as port:
        assert port.wire_octets(b"x" * 48) == 48 + 8 + 20
    if socket.has_ipv6 and Path("/proc/net/if_inet6").exists() and Path("/proc/net/if_inet6").read_text():
        with opened(f"udp://[::1]:{one}?local={other}") as port:
            assert port.wire_octets(b"x" * 48) == 48 + 8 + 40
            assert not port.on_air


def test_the_cost_of_a_modem_counts_what_is_on_the_air() -> None:
    frame = 16 + 48 + 2 + 2  # AX.25 header, packet, check sequence, flags
    assert frame <= kiss(txdelay_ms=0, txtail_ms=0).wire_octets(b"U" * 48) <= frame + 2  # stuffed bits
    silent = kiss(txdelay_ms=0, txtail_ms=0).wire_octets(b"U" * 48)
    assert kiss().wire_octets(b"U" * 48) == silent + 60  # 400 ms at 1200 bit/s
    assert kiss(txdelay_ms=101, txtail_ms=0).wire_octets(b"U" * 48) == silent + 17  # steps of 10 ms: 16.5 octets
    assert kiss(air_bps=9600).wire_octets(b"U" * 48) == silent + 480
    assert [kiss().crossing_bps, kiss(air_bps=9600).crossing_bps] == [1200, 9600]
    assert kiss(extra_octets=40).wire_octets(b"U" * 48) == silent + 100


def test_the_cost_of_a_bare_modem_is_that_of_the_line_to_it() -> None:
    bare = kiss(callsign=None, txdelay_ms=None, txtail_ms=None)
    assert bare.wire_octets(b"x" * 48) == 48 + 3
    assert bare.wire_octets(b"\xc0" * 48) == 96 + 3
    assert kiss(callsign=None, txdelay_ms=None, txtail_ms=None, extra_octets=20).wire_octets(b"x" * 48) == 68


# KISS


def test_the_modem_is_set_before_the_first_packet() -> None:
    near, far = memory_pair()
    url_settings = KissSettings("N0CALL", txdelay_ms=251, txtail_ms=0, persistence=0xC0, slot_ms=100)
    KissPort("kiss", near, url_settings).write(b"x")
    sent = far.read(4096)
    assert sent.startswith(bytes.fromhex("c0011ac0 c00400c0 c002dbdcc0 c0030ac0"))
    assert sent.endswith(KissFrame(0, UiFrame("N0CALL", b"x").to_bytes()).to_bytes())


def test_a_bare_modem_is_not_set_unless_asked() -> None:
    with Tnc() as tnc:
        url = f"kiss+tcp://127.0.0.1:{tnc.number}?ax25=0"
        with opened(url) as bare, opened(f"{url}&txdelay_ms=20") as asked:
            bare.write(b"one")
            wait_for(lambda: len(tnc.frames) == 1)
            asked.write(b"two")
            wait_for(lambda: len(tnc.frames) == 3)
    assert tnc.frames == [b"\0one", b"\x01\x02", b"\0two"]


def test_frames_of_others_are_counted_and_ours_are_read() -> None:
    near, far = memory_pair()
    port = KissPort("kiss", near, KissSettings())
    ours = KissFrame(0, UiFrame("DL2XYZ", b"hello").to_bytes())
    far.write(b"TNC ready\r\n\xc0\xc0")
    far.write(KissFrame(0, b"\x86\xa2" + bytes(30)).to_bytes())
    far.write(KissFrame(0, ours.octets, port=1).to_bytes())  # another radio
    far.write(KissFrame(6, b"\x01").to_bytes())  # a modem that answers
    far.write(b"\xc0\x00\xdbx\xc0")
    far.write(KissFrame(0, UiFrame("DL2XYZ", b"").to_bytes()).to_bytes())
    far.write(ours.to_bytes())
    assert port.read(100) == b"hello"
    assert (port.foreign_frames, port.bad_frames) == (4, 1)


class NarrowLine(Port):
    """A line that takes three octets at a time."""

    name = "narrow"

    def __init__(self) -> None:
        self.sent = b""
        self.open = True

    def read(self, max_octets: int) -> bytes:  # noqa: ARG002
        return b""

    def write(self, octets: bytes) -> int:
        accepted = octets[: 3 if self.open else 0]
        self.sent += accepted
        self.open = not self.open
        return len(accepted)


def test_a_packet_is_finished_before_the_next_one() -> None:
    line = NarrowLine()
    port = KissPort("kiss", line, KissSettings(None, txdelay_ms=None, txtail_ms=None))
    assert port.write(b"first") == 5
    assert port.write(b"second") == 0
    for _ in range(20):
        port.read(10)
    assert line.sent == b"\xc0\0first\xc0"
    assert port.write(b"second") == 6
    for _ in range(20):
        port.read(10)
    assert line.sent == b"\xc0\0first\xc0\xc0\0second\xc0"


def test_a_modem_that_does_not_read_is_full_at_last_and_does_not_block() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        opened(f"kiss+tcp://127.0.0.1:{server.getsockname()[1]}") as port,
        server.accept()[0],
    ):
        accepted = 0
        while port.write(bytes(256)):
            accepted += 1
            assert accepted < 100_000
        assert accepted > 10


# Reconnection


def test_a_modem_program_that_is_restarted_is_found_again() -> None:
    clock = VirtualClock()
    with Tnc() as tnc:
        number = tnc.number
        url = f"kiss+tcp://127.0.0.1:{number}"
        near, far = (reconnecting(opened(url), lambda: opened(url), clock) for _ in range(2))
    with near, far:
        for port in (near, far):
            assert isinstance(port, PacketPort)
            wait_for(lambda port=port: port.read(100) == b"" and not port.connected)  # type: ignore[misc]
            assert port.write(b"nobody") == 0
            assert port.wire_octets(b"x") > 1
        clock.sleep(1.0)
        assert near.read(100) == b""
        assert not near.connected
        with Tnc(number) as tnc:
            clock.sleep(4.0)
            near.read(100)
            far.read(100)
            wait_for(lambda: tnc.clients == 2)
            assert near.write(b"fresh") == 5
            assert read_packet(far) == b"fresh"
    assert (near.outages, far.outages) == (1, 1)


def test_a_stream_of_octets_stays_one() -> None:
    port = reconnecting(memory_pair()[0], lambda: memory_pair()[0], CLOCK)
    assert type(port) is ReconnectingPort


def test_an_unplugged_serial_modem_is_gone() -> None:
    near = PtyPort()
    with opened(f"kiss+serial:{near.path}") as port:
        near.close()
        with pytest.raises(PortGone, match="is gone"):
            port.read(10)


def test_a_modem_program_that_forgot_us_is_gone() -> None:
    """A machine that lost its power knows nothing of the connection when it is up again, and says so."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        TcpPort("127.0.0.1", server.getsockname()[1], "tcp", silence_s=3) as port,
    ):
        with server.accept()[0] as client:
            try:
                client.setsockopt(socket.IPPROTO_TCP, 19, 1)  # TCP_REPAIR: closes without a word
            except PermissionError:
                pytest.skip("needs the right to administer the network (TCP_REPAIR)")
        assert port.read(10) == b""
        with pytest.raises(PortGone, match="is gone"):
            read_until_gone(port)


def read_until_gone(port: Port) -> None:
    for _ in range(1000):
        port.read(10)
        CLOCK.sleep(0.01)


VANISHED = """
import fcntl, os, socket, struct, sys, time
from pantel_link.errors import PortGone
from pantel_link.ports.tcp import TcpPort

def set_loopback(up):
    with socket.socket(type=socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 1 if up else 0))  # SIOCSIFFLAGS

set_loopback(True)
server = socket.create_server(("127.0.0.1", 0))
port = TcpPort("127.0.0.1", server.getsockname()[1], "tcp", silence_s=3)
client, _ = server.accept()
set_loopback(False)
if sys.argv[1] == "speaks":
    port.write(b"is anybody there?")
start = time.monotonic()
try:
    while time.monotonic() < start + 15:
        port.read(10)
        time.sleep(0.01)
except PortGone:
    print("gone")
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["listens", "speaks"])
def test_a_machine_that_vanished_is_gone(kind: str) -> None:
    """In a network of its own, whose only interface is switched off: no octet arrives any more, and no refusal."""
    alone = ["unshare", "--user", "--map-root-user", "--net"]
    try:
        subprocess.run([*alone, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the right to make a network namespace (unshare)")
    program = [*alone, sys.executable, "-c", VANISHED, kind]
    result = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert (result.stdout, result.stderr) == ("gone\n", "")


# UDP


def test_a_peer_that_is_not_there_yet_is_no_error() -> None:
    one, other = free_udp_ports()
    with opened(f"udp://127.0.0.1:{other}?local={one}") as near:
        for _ in range(5):
            assert near.write(b"hello?") == 6
            CLOCK.sleep(0.01)
            assert near.read(100) == b""
        with opened(f"udp://127.0.0.1:{one}?local={other}") as far:
            assert near.write(b"hello") == 5
            assert read_packet(far) == b"hello"
    assert getattr(near, "refused") >= 4  # noqa: B009 - of UdpPort only


def test_what_others_send_is_not_read() -> None:
    one, other = free_udp_ports()
    with opened(f"udp://127.0.0.1:{other}?local={one}") as near, socket.socket(type=socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"spam", ("127.0.0.1", one))
        CLOCK.sleep(0.02)
        assert near.read(100) == b""


def test_empty_datagrams_are_passed_over() -> None:
    one, other = free_udp_ports()
    with opened(f"udp://127.0.0.1:{other}?local={one}") as near, socket.socket(type=socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", other))
        peer.sendto(b"", ("127.0.0.1", one))
        peer.sendto(b"x", ("127.0.0.1", one))
        assert read_packet(near) == b"x"


def test_a_peer_elsewhere_is_on_the_air() -> None:
    (local, _) = free_udp_ports()
    try:
        port = opened(f"udp://192.0.2.1:9?local={local}")
    except PortError:
        pytest.skip("needs a network")
    with port:
        assert port.on_air


# Opening


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("kiss+tcp://127.0.0.1:1", "nothing listens there"),
        ("kiss+tcp://no-such-host.invalid:8001", "host no-such-host.invalid is not known"),
        ("kiss+tcp://" + "x" * 70 + ":8001", "is not known"),
        ("kiss+tcp://localhost", "name a host and a port number, as in kiss"),
        ("kiss+tcp://localhost:0", "name a host and a port number"),
        ("kiss+tcp://localhost:99999", "name a host and a port number"),
        ("kiss+tcp://:8001", "name a host and a port number"),
        ("kiss+tcp://localhost:8001/path", "name a host and a port number"),
        ("kiss+tcp:", "name a host and a port number"),
        ("kiss+tcp://[::1:8001", "name a host and a port number"),
        ("kiss+tcp://localhost:8001?speed=9", "unknown option 'speed'; known are ax25, txdelay_ms, "),
        ("kiss+tcp://localhost:8001?ax25", "option ax25 is '' and must be a number of 0 to 1"),
        ("kiss+tcp://localhost:8001?txdelay_ms=2551", "must be a number of 0 to 2550"),
        ("kiss+tcp://localhost:8001?slot_ms=-1", "must be a number of 0 to 2550"),
        ("kiss+tcp://localhost:8001?air_bps=0", "must be a number of 1 to 1000000"),
        ("kiss+tcp://localhost:8001?slot_ms=1&slot_ms=2", "option slot_ms is given twice"),
        ("kiss+serial:", "name a device"),
        ("kiss+serial:/dev/no-such-device", "check the cable"),
        ("udp://", "name a host and a port number, as in udp"),
        ("udp://:7000", "name a host and a port number"),
        ("udp://127.0.0.1:7000", "talk to itself"),
        ("udp://no-such-host.invalid:7000", "host no-such-host.invalid is not known"),
        ("udp://127.0.0.1:7000?local=0", "must be a number of 1 to 65535"),
        ("udp://127.0.0.1:7000?lokal=1", "known are local"),
    ],
)
def test_impossible_ports_are_refused_in_one_line(url: str, words: str) -> None:
    with pytest.raises(PortError) as error:
        open_port(url)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_a_callsign_that_is_no_address_is_refused_unless_it_is_not_needed() -> None:
    with Tnc() as tnc:
        url = f"kiss+tcp://127.0.0.1:{tnc.number}"
        with pytest.raises(PortError, match="set ax25=0"):
            open_port(url, callsign="PA/DL1ABC")
        open_port(f"{url}?ax25=0", callsign="PA/DL1ABC").close()


def test_a_local_port_in_use_is_refused() -> None:
    one, other = free_udp_ports()
    url = f"udp://127.0.0.1:{other}?local={one}"
    with opened(url), pytest.raises(PortError, match="choose another port number for this end"):
        open_port(url)

"""Plug-ins, of ports above all: named, they serve as built-in ones; broken, they are told by name and end nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import serial.urlhandler
from tests.plugin_distributions import install_plugin

from pantel_link import PluginError, PortClosed, PortError, PortGone, VirtualClock, open_port
from pantel_link.plugins import find_plugin, installed_plugins
from pantel_link.ports import PacketPort, reconnecting
from pantel_link.ports.registry import BUILT_IN_SCHEMES

_SOURCE = """
import sys

from pantel_link import Port, PortError, PortGone
from pantel_link.ports import PacketPort

class Echo(Port):
    on_air = False

    def __init__(self, url, *, baud_rate, callsign):
        self.name = f"{url} {baud_rate} {callsign}"
        self.wires = bytearray()
        if "refused" in url:
            raise PortError(f"cannot open port {url}: refused; plug it in")
        if "broken" in url:
            raise KeyError("no such thing")

    def read(self, max_octets):
        self._check_open()
        taken, self.wires = bytes(self.wires[:max_octets]), self.wires[max_octets:]
        if taken == b"gone":
            raise PortGone(f"port {self.name} is gone")
        if taken == b"text":
            return "text"
        if taken == b"exit":
            sys.exit("bye")
        if taken == b"stumble":
            raise LookupError("stumbled")
        return taken

    def write(self, octets):
        self._check_open()
        self.wires += octets
        return {b"none": None, b"more": 99}.get(octets, len(octets))

    @property
    def drained(self):
        if self.wires == b"stuck":
            raise LookupError("stuck")
        return True

    def _release(self):
        raise OSError("cannot even close")

class Packets(PacketPort):
    max_packet_octets = 99
    crossing_bps = 1200

    def __init__(self, url, *, baud_rate, callsign):
        self.name, self.on_air = url, True

    def read(self, max_octets):
        return b"packet"

    def write(self, octets):
        return len(octets)

    def wire_octets(self, packet):
        return len(packet) + 7

class Odd(Packets):
    def __init__(self, url, *, baud_rate, callsign):
        if "exit" in url:
            sys.exit("bye")
        self.on_air = True
        if "nameless" not in url:
            self.name = url
        if "endless" in url:
            self.max_packet_octets = None

    def wire_octets(self, packet):
        if "raises" in self.name:
            raise RuntimeError("cannot count")
        return "7" if "text" in self.name else -7

    def close(self):
        sys.exit("not even this")

opened = 0

def once(url, *, baud_rate, callsign):
    global opened
    opened += 1
    return None if opened == 2 else Echo(url, baud_rate=baud_rate, callsign=callsign)

class Forgetful(Echo.__base__):
    def __init__(self, url, *, baud_rate, callsign):
        self.name = url

    read = write = lambda self, _: b""

    def close(self):
        raise RuntimeError("stuck")

def nothing(url, *, baud_rate, callsign):
    return None
"""

_POINTS = {
    "ports echo": "Echo",
    "ports packets": "Packets",
    "ports forgetful": "Forgetful",
    "ports nothing": "nothing",
    "ports odd": "Odd",
    "ports once": "once",
    "ports missing": "Missing",
    "ports udp": "Echo",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of `sys.path` in which plug-ins are installed."""
    install_plugin(tmp_path, "echo-ports", _POINTS, _SOURCE)
    install_plugin(tmp_path, "no-import", {"ports noimport": "Port"}, "import not_there")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "echo_ports", raising=False)
    return tmp_path


def test_a_port_of_a_plug_in_moves_octets() -> None:
    with open_port("echo:here", baud_rate=2400, callsign="DK1AB") as port:
        assert port.name == "echo:here 2400 DK1AB"
        assert not port.on_air
        assert port.drained
        assert port.write(b"octets") == 6
        assert port.read(4) == b"octe"
    with pytest.raises(PortClosed):
        port.read(1)


def test_a_port_of_packets_stays_one_and_says_what_they_cost() -> None:
    port = open_port("packets://host:1")
    assert isinstance(port, PacketPort)
    assert (port.max_packet_octets, port.crossing_bps, port.on_air) == (99, 1200, True)
    assert port.wire_octets(b"four") == 11
    assert port.read(99) == b"packet"
    assert isinstance(reconnecting(port, lambda: port, VirtualClock()), PacketPort)


def test_nothing_is_loaded_until_it_is_named() -> None:
    assert [plugin.name for plugin in installed_plugins("port")] == sorted(
        [*(key.split()[1] for key in _POINTS), "noimport"]
    )
    plugin = find_plugin("port", "echo")
    assert str(plugin) == "the port 'echo' of echo-ports 1.0"
    assert find_plugin("port", "ech") is None
    assert find_plugin("camera", "echo") is None
    assert "echo_ports" not in sys.modules
    open_port("loop://").close()
    assert "echo_ports" not in sys.modules


@pytest.mark.parametrize(
    ("url", "kind", "line"),
    [
        ("echo:refused", PortError, "cannot open port echo:refused: refused; plug it in"),
        (
            "echo:broken",
            PortError,
            "cannot open port echo:broken: the port 'echo' of echo-ports 1.0 failed (KeyError: 'no such thing');",
        ),
        ("forgetful:", PluginError, "the port 'forgetful' of echo-ports 1.0 does not say whether it is on_air"),
        ("odd:exit", PortError, "cannot open port odd:exit: the port 'odd' of echo-ports 1.0 failed (SystemExit: bye)"),
        ("odd:nameless", PluginError, "the port 'odd' of echo-ports 1.0 failed (AttributeError: 'Odd' object has no"),
        ("odd:endless", PluginError, "the port 'odd' of echo-ports 1.0 failed (TypeError: 'NoneType' object cannot be"),
        ("nothing:", PluginError, "the port 'nothing' of echo-ports 1.0 makes a NoneType instead of a Port"),
        ("missing:", PluginError, "the port 'missing' of echo-ports 1.0 cannot be loaded (AttributeError: "),
        (
            "noimport:",
            PluginError,
            "the port 'noimport' of no-import 1.0 cannot be loaded (ModuleNotFoundError: No module named 'not_there');",
        ),
    ],
)
def test_what_cannot_be_opened_says_who_brings_it(url: str, kind: type[Exception], line: str) -> None:
    with pytest.raises(kind) as caught:
        open_port(url)
    assert type(caught.value) is kind
    assert str(caught.value).startswith(line)


def test_one_that_exits_while_it_is_loaded_is_named(folder: Path) -> None:
    install_plugin(folder, "exit-port", {"ports exit": "x"}, "raise SystemExit('bye')")
    with pytest.raises(PluginError, match=r"the port 'exit' of exit-port 1\.0 cannot be loaded \(SystemExit: bye\);"):
        open_port("exit:")


def test_built_in_schemes_cannot_be_taken_over() -> None:
    port = open_port("udp://127.0.0.1:40101?local=40102")
    assert type(port).__module__ == "pantel_link.ports.udp"
    port.close()
    (folder,) = serial.urlhandler.__path__
    schemes = {path.stem.removeprefix("protocol_") for path in Path(folder).glob("protocol_*.py")}
    assert schemes <= BUILT_IN_SCHEMES


def test_of_two_of_one_name_neither_is_taken(folder: Path) -> None:
    install_plugin(folder, "other-echo", {"ports echo": "Echo"}, _SOURCE, version="2.1")
    with pytest.raises(PluginError, match=r"several .* 'echo', of echo-ports 1\.0 and other-echo 2\.1; remove all but"):
        open_port("echo:")


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"gone", "is gone"),
        (b"stumble", r"LookupError: stumbled"),
        (b"text", "not 'str'"),
        (b"exit", "SystemExit: bye"),
    ],
)
def test_a_port_that_fails_in_use_is_opened_again(octets: bytes, why: str, caplog: pytest.LogCaptureFixture) -> None:
    clock = VirtualClock()
    port = reconnecting(open_port("echo:"), lambda: open_port("echo:"), clock)
    port.write(octets)
    assert port.read(99) == b""
    assert port.outages == 1
    clock.advance_to(1_000_000_000)
    assert port.write(b"back") == 4
    assert port.read(99) == b"back"
    assert why in caplog.text


@pytest.mark.parametrize(("octets", "why"), [(b"none", "'NoneType' object"), (b"more", "accepted 99 of 4 octets")])
def test_a_port_that_tells_nonsense_of_what_it_took_is_gone(octets: bytes, why: str) -> None:
    with pytest.raises(PortGone, match=why):
        open_port("echo:").write(octets)


@pytest.mark.parametrize("how", ["raises", "text", "less"])
def test_packets_whose_cost_a_port_cannot_tell_are_charged_their_octets(
    how: str, caplog: pytest.LogCaptureFixture
) -> None:
    port = open_port(f"odd:{how}")
    assert isinstance(port, PacketPort)
    assert [port.wire_octets(b"four"), port.wire_octets(b"seven")] == [4, 5]
    (record,) = caplog.records
    assert record.getMessage().startswith(f"port miscounts name=odd:{how} reason=the port 'odd' of echo-ports 1.0")


def test_one_that_cannot_say_whether_all_has_left_is_gone() -> None:
    port = reconnecting(open_port("echo:"), lambda: open_port("echo:"), VirtualClock())
    port.write(b"stuck")
    assert port.drained  # nothing more will leave
    assert port.outages == 1


def test_one_that_makes_no_port_when_opened_again_is_tried_again() -> None:
    clock = VirtualClock()
    port = reconnecting(open_port("once:"), lambda: open_port("once:"), clock)
    port.write(b"gone")
    assert port.read(99) == b""
    clock.advance_to(1_000_000_000)
    assert port.write(b"back") == 0  # there was none
    clock.advance_to(2_000_000_000)
    assert port.write(b"back") == 4


def test_what_fails_names_its_makers() -> None:
    port = open_port("echo:")
    port.write(b"stumble")
    with pytest.raises(PortGone, match=r"the port 'echo' of echo-ports 1\.0 failed \(LookupError: stumbled\)"):
        port.read(99)
    port.close()  # although the plug-in raises at that, too


def test_devices_are_never_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pantel_link.ports.registry.find_plugin", lambda *_: pytest.fail("a device is no plug-in"))
    with pytest.raises(PortError, match="there is no such device"):
        open_port("/dev/serial/by-id/usb-1:1.0-port0")

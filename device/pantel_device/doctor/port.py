"""The port: whether it is there, and whether whoever shall use it can.

Nothing is opened that a radio may be behind: opening a serial port raises RTS and DTR, which key transmitters.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from collections.abc import Iterator

from pantel_device.command import UsageError
from pantel_device.doctor.finding import Finding, note, ok, problem, split_advice
from pantel_device.doctor.machine import Machine
from pantel_device.doctor.serial_device import check_serial_device
from pantel_device.doctor.setups import Setup
from pantel_device.line_profile import check_line_rate
from pantel_link import DEFAULT_CALLSIGN, PortError
from pantel_link.plugins import installed_plugins
from pantel_link.ports.registry import BUILT_IN_SCHEMES
from pantel_link.ports.tcp import TcpPort
from pantel_link.ports.udp import UdpPort
from pantel_link.ports.url_options import PortUrl

__all__ = ["check_callsign", "check_line", "check_port"]

_CHECK = "port"
_TCP_SCHEMES = ("kiss+tcp", "socket", "rfc2217")
_KISS_SERIAL = "kiss+serial:"


def check_port(machine: Machine, setup: Setup) -> Iterator[Finding]:
    """Look at the ports of a setup."""
    for line in setup.lines:
        yield from _port(machine, setup, line.port)


def _port(machine: Machine, setup: Setup, url: str) -> Iterator[Finding]:
    scheme = url.partition(":")[0]
    if url.startswith(_KISS_SERIAL):
        yield from check_serial_device(machine, setup, url.removeprefix(_KISS_SERIAL).partition("?")[0], is_kiss=True)
    elif scheme in _TCP_SCHEMES:
        yield _tcp(setup, url)
    elif scheme == "udp":
        yield _udp(setup, url)
    elif scheme == "pty":
        yield _pty(machine, setup, url.partition(":")[2])
    elif scheme == "loop":
        yield note(_CHECK, f"{url} leads nowhere: what is sent comes back", "set port to a device or a modem")
    elif _is_foreign(url):
        yield note(_CHECK, f"{url} is not looked at: a plug-in brings it, and opening it might key a radio")
    elif "://" in url:
        yield note(_CHECK, f"{url} is not looked at: only pyserial knows what it is")
    else:
        yield from check_serial_device(machine, setup, url.partition("?")[0])


def check_line(machine: Machine, setup: Setup) -> Iterator[Finding]:
    """Compare the bit rate with what each line carries."""
    del machine
    for line in setup.lines:
        try:
            check_line_rate(line.port, bitrate_bps=line.bitrate_bps, baud_rate=line.baud_rate)
        except UsageError as error:
            found, advice = split_advice(str(error))
            yield problem("line rate", f"{line.port}: {found}", advice)
        else:
            baud = f", a line of {line.baud_rate} Bd" if line.port.startswith("/") else ""
            yield ok("line rate", f"{line.bitrate_bps} bit/s on {line.port}{baud}")


def check_callsign(machine: Machine, setup: Setup) -> Iterator[Finding]:
    """Look whether a callsign has been set where one goes out."""
    speaks = setup.role == "sender" or bool(setup.value("back_channel"))
    callsign = setup.text("callsign")
    if not speaks:
        yield ok("callsign", "none is needed: nothing is sent")
    elif callsign == DEFAULT_CALLSIGN and any(
        _leads_out(machine, setup, line.port) for line in setup.lines if not _is_foreign(line.port)
    ):
        yield problem("callsign", f"{callsign} is only the default, and never goes out", "set callsign to your own")
    elif callsign == DEFAULT_CALLSIGN and any(_is_foreign(line.port) for line in setup.lines):
        yield note("callsign", f"{callsign}, the default: it never goes out", "set callsign if the port leads out")
    elif callsign == DEFAULT_CALLSIGN:
        yield note("callsign", f"{callsign}, the default: it stays inside this machine")
    else:
        yield ok("callsign", callsign)


def _is_foreign(url: str) -> bool:
    """Whether a plug-in brings a port."""
    scheme = url.partition(":")[0]
    if scheme in BUILT_IN_SCHEMES:
        return False
    return any(plugin.name == scheme for plugin in installed_plugins("port"))


def _leads_out(machine: Machine, setup: Setup, url: str) -> bool:
    """Whether a port leads out of this machine, as `Port.on_air` would say; a host that is not known does."""
    scheme = url.partition(":")[0]
    if scheme in {"pty", "loop"}:
        return False
    if scheme == "udp":
        try:
            host, number = PortUrl.parse(url, ("local",)).host_and_port()
            address = str(socket.getaddrinfo(host, number, type=socket.SOCK_DGRAM)[0][4][0])
        except (PortError, OSError, UnicodeError):
            return True
        return not ipaddress.ip_address(address.partition("%")[0]).is_loopback
    if "://" in url:
        return True
    device = setup.place(machine, url.partition("?")[0])
    return not device.resolve().is_relative_to("/dev/pts")


def _tcp(setup: Setup, url: str) -> Finding:
    if setup.service is not None and setup.is_running:
        return ok(_CHECK, f"{url} is left to {setup.service.unit}, which is running")
    try:
        host, number = PortUrl.parse(url, (), foreign=True).host_and_port()
        if not url.startswith("kiss+tcp:"):
            # Whoever listens there may take one caller at a time, or open a device for us, whose RTS keys a radio.
            socket.getaddrinfo(host, number)
            return ok(_CHECK, f"{host} is known; it was not called, because that may disturb who uses the line")
        TcpPort(host, number, url).close()
    except PortError as error:
        return _failed(url, error)
    except (OSError, UnicodeError):
        return problem(_CHECK, f"the host of {url} is not known", "check its name")
    return ok(_CHECK, f"{host}:{number} answers")


def _udp(setup: Setup, url: str) -> Finding:
    try:
        UdpPort(url).close()
    except PortError as error:
        cause = error.__cause__
        in_use = isinstance(cause, OSError) and cause.errno == errno.EADDRINUSE
        if in_use and setup.service is not None and setup.is_running:
            return ok(_CHECK, f"{url} is in use, as it should be: {setup.service.unit} is running")
        return _failed(url, error)
    return ok(_CHECK, f"the host of {url} is known, and the port number of this end is free")


def _failed(url: str, error: PortError) -> Finding:
    """Return what a port says that cannot be opened: "cannot open port URL: reason: advice"."""
    reason = str(error).removeprefix(f"cannot open port {url}: ")
    found, advice = split_advice(reason)
    if not advice:
        found, advice = "it is not written as it must be", reason
    return problem(_CHECK, f"{url}: {found}", advice)


def _pty(machine: Machine, setup: Setup, link: str) -> Finding:
    if not link:
        return ok(_CHECK, "a new pseudo-terminal")
    place = setup.place(machine, link)
    name, folder = machine.name(place), place.parent
    if place.is_symlink() and place.readlink().is_relative_to("/dev/pts"):
        return ok(_CHECK, f"a pseudo-terminal, {name}" + ("" if place.exists() else ": of an earlier run"))
    if place.exists() or place.is_symlink():
        return problem(_CHECK, f"{name} exists and is no pseudo-terminal", "name another place, or remove it")
    if not folder.is_dir():
        return problem(_CHECK, f"there is no folder {machine.name(folder)} for {name}", "make it, or name another")
    if not setup.account.may(folder, os.W_OK | os.X_OK):
        return problem(_CHECK, f"{setup.account.name} may not write to {machine.name(folder)}", "name another place")
    return ok(_CHECK, f"a pseudo-terminal will be made at {name}")

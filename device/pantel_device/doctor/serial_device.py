"""A serial device, looked at from outside, without opening it."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from pantel_device.doctor.accounts import group_name
from pantel_device.doctor.finding import Finding, note, ok, problem, warning
from pantel_device.doctor.holders import Holder, holders_of
from pantel_device.doctor.machine import Machine
from pantel_device.doctor.services import read_service
from pantel_device.doctor.setups import Setup

__all__ = ["check_serial_device"]

_CHECK = "port"
_CANDIDATES = ("/dev/serial/by-id/*", "/dev/serial0", "/dev/ttyUSB*", "/dev/ttyACM*", "/dev/ttyAMA*")
_RASPI_CONFIG = (
    "sudo raspi-config, Interface Options, Serial Port: no login shell, but the hardware enabled; then start it anew"
)
_TNC = re.compile(r"tnc|kiss|mobilinkd|direwolf", re.IGNORECASE)


def check_serial_device(machine: Machine, setup: Setup, name: str, *, is_kiss: bool = False) -> Iterator[Finding]:
    """Look at a device: whether it is one, who may use it and who does.

    Args:
        machine: On which it is.
        setup: Whose port it is.
        name: Its path, as the configuration has it.
        is_kiss: Whether a TNC is expected behind it.
    """
    path = setup.place(machine, name)
    if setup.hides(name):
        yield problem(_CHECK, f"the service does not see {name}: it has folders of its own there", "make it in /run")
        return
    try:
        status = path.stat()
    except FileNotFoundError:
        yield problem(_CHECK, f"there is no {name}", _other_device(machine, name))
        return
    except OSError as error:
        yield problem(_CHECK, f"{name} cannot be looked at: {error.strerror}", "name another device")
        return
    wrong = _wrong_kind(machine, status, path)
    if wrong:
        yield problem(_CHECK, f"{name} is {wrong}", _other_device(machine, name))
        return
    trouble = [*_permission(setup, path, status, name), *_console(machine, path, name), *_use(machine, setup, path)]
    yield from trouble or [ok(_CHECK, f"{name} is there, free, and {setup.account.name} may use it")]
    yield from _hints(machine, path, name, is_kiss=is_kiss)


def _other_device(machine: Machine, name: str) -> str:
    """Return what to name instead."""
    there = [machine.name(path) for pattern in _CANDIDATES for path in machine.glob(pattern) if path.exists()]
    there = [path for path in there if path != name]
    if there:
        return f"check its cable, or name one that is there: {', '.join(there)}"
    if machine.is_raspberry_pi:
        return f"for the UART on the header: {_RASPI_CONFIG}; for USB, plug it in"
    return "plug it in and look under /dev/serial/by-id; there is no serial device now"


def _wrong_kind(machine: Machine, status: os.stat_result, path: Path) -> str:
    """Return what is there instead of a serial device; empty if it is one, or nobody can tell."""
    major, minor = os.major(status.st_rdev), os.minor(status.st_rdev)
    entry = machine.path(f"/sys/dev/char/{major}:{minor}")
    kind = ""
    if stat.S_ISDIR(status.st_mode):
        kind = "a folder"
    elif stat.S_ISREG(status.st_mode):
        kind = "a file"
    elif not stat.S_ISCHR(status.st_mode):
        kind = "no serial device"
    elif major == 4 and minor < 64:
        kind = "a text screen, no serial port"
    elif entry.exists() and (entry / "subsystem").resolve().name != "tty":
        kind = "a device, but no serial one"
    elif machine.read(f"/sys/class/tty/{path.resolve().name}/type") == "0":  # PORT_UNKNOWN: a node without a chip
        kind = "the name of a serial port that this machine does not have"
    return kind


def _permission(setup: Setup, path: Path, status: os.stat_result, name: str) -> Iterator[Finding]:
    account = setup.account
    if account.may(path, os.R_OK | os.W_OK):
        return
    group = group_name(status.st_gid)
    shared = stat.S_IRGRP | stat.S_IWGRP
    if status.st_mode & shared == shared and status.st_gid != 0:
        then = "log in again" if setup.service is None else f"sudo systemctl restart {setup.service.unit}"
        advice = f"sudo usermod -aG {group} {account.name}, and {then}"
    else:
        advice = "give it to the group dialout (mode 0660) by a rule of udev, and add the user to that group"
    yield problem(_CHECK, f"{account.name} may not use {name}, which belongs to the group {group}", advice)


def _console(machine: Machine, path: Path, name: str) -> Iterator[Finding]:
    """Look whether the system itself talks there: it would go on the air."""
    device = path.resolve().name
    aliases = {
        device,
        *(link for link in ("serial0", "serial1") if machine.path(f"/dev/{link}").resolve().name == device),
    }
    words = machine.read("/proc/cmdline").split()
    consoles = {word.removeprefix("console=").partition(",")[0] for word in words if word.startswith("console=")}
    if aliases & consoles:
        advice = (
            f"take {' '.join(word for word in words if word.startswith('console='))} out of the kernel's command line"
        )
        yield problem(
            _CHECK,
            f"the kernel writes its messages to {name} (console= in /proc/cmdline), and they would go on the air",
            _RASPI_CONFIG if machine.is_raspberry_pi else advice,
        )
    unit = f"serial-getty@{device}.service"
    login = read_service(machine, unit)
    if login is not None and login.is_running:
        yield problem(
            _CHECK,
            f"a login shell runs on {name} ({unit})",
            _RASPI_CONFIG if machine.is_raspberry_pi else f"sudo systemctl disable --now {unit}",
        )


def _use(machine: Machine, setup: Setup, path: Path) -> Iterator[Finding]:
    """Say who uses it: nobody, the very daemon that should, or another."""
    holders = [holder for holder in holders_of(machine, path) if not holder.unit.startswith("serial-getty@")]
    own = [holder for holder in holders if _is_own(holder, setup)]
    others = [holder for holder in holders if holder not in own]
    if own:
        yield ok(_CHECK, f"in use by {own[0]}, as it should be")
    elif setup.service is not None and setup.service.is_up:
        unit = setup.service.unit
        yield warning(_CHECK, f"{unit} is running, but does not have it open", f"journalctl -u {unit} -n 20 tells why")
    if others:
        named = ", ".join(dict.fromkeys(map(str, others)))
        units = [holder.unit for holder in others if holder.unit]
        advice = f"sudo systemctl stop {units[0]}" if units else "end that program, or name another port"
        yield problem(_CHECK, f"in use by {named}", advice)


def _is_own(holder: Holder, setup: Setup) -> bool:
    """Whether a process is the daemon of this configuration, as a service or started by hand."""
    if setup.service is not None and holder.unit == setup.service.unit:
        return True
    return setup.file is not None and any(Path(word).name == setup.file.name for word in holder.arguments)


def _hints(machine: Machine, path: Path, name: str, *, is_kiss: bool) -> Iterator[Finding]:
    device = path.resolve()
    links = [link for link in machine.glob("/dev/serial/by-id/*") if link.resolve() == device]
    if links and path.parent == machine.path("/dev"):
        stable = machine.name(links[0])
        yield note(_CHECK, f"{name} may be another device after a restart", f"name it {stable}, which stays the same")
    if not is_kiss and any(_TNC.search(each) for each in (name, *(link.name for link in links))):
        yield warning(_CHECK, f"{name} looks like a TNC, which takes packets", f"then name it kiss+serial:{name}")
    if device.name.startswith(("ttyUSB", "ttyACM")):
        manager = read_service(machine, "ModemManager.service")
        if manager is not None and manager.is_running:
            yield note(
                _CHECK,
                "ModemManager is running, and may send to new serial devices to find out whether they are modems",
                "sudo systemctl disable --now ModemManager, if no telephone modem needs it",
            )

"""Who has a device open, as far as the kernel tells it to whoever asks.

Locks are told to everybody, open files to their owner and to root alone.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pantel_device.doctor.machine import Machine

__all__ = ["Holder", "holders_of"]

_PTMX = os.makedev(5, 2)  # behind which every pseudo-terminal's maker sits
_PTS_MAJORS = range(136, 144)
_LONGEST_COMMAND = 60


@dataclass(frozen=True, slots=True)
class Holder:
    """A process.

    Attributes:
        pid: Its number.
        arguments: Its command line; empty if that cannot be read.
        unit: The systemd service that it belongs to; empty if it belongs to none.
        locks: Whether it has locked the device, as programs do that use a serial port.
    """

    pid: int
    arguments: tuple[str, ...]
    unit: str
    locks: bool

    def __str__(self) -> str:
        if self.unit:
            return self.unit.removesuffix(".service")
        command = " ".join(self.arguments)
        if len(command) > _LONGEST_COMMAND:
            command = f"{command[: _LONGEST_COMMAND - 1]}…"
        return f"process {self.pid} ({command})" if command else f"process {self.pid}"


def holders_of(machine: Machine, device: Path) -> list[Holder]:
    """Return the processes, other than this one, that have a device open or locked, sorted by number.

    Whoever has made a pseudo-terminal keeps its other end open, and does not count.

    Args:
        machine: On which to look.
        device: An existing device, as `Machine.path` names it.
    """
    status = device.stat()
    locking = set(_locking(machine, status))
    found = []
    for process in machine.glob("/proc/[0-9]*"):
        pid = int(process.name)
        if pid == os.getpid():
            continue
        opened = _opened(process)
        made = os.major(status.st_rdev) in _PTS_MAJORS and any(number == _PTMX for number, _ in opened)
        if pid in locking or (_device(status) in opened and not made):
            found.append(Holder(pid, _arguments(process), _unit(process), pid in locking))
    return sorted(found, key=lambda holder: holder.pid)


def _locking(machine: Machine, status: os.stat_result) -> Iterator[int]:
    """Yield the processes that have locked a file, from lines such as "1: FLOCK ADVISORY WRITE 712 00:05:92 0 EOF"."""
    file = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    for line in machine.read("/proc/locks").splitlines():
        fields = line.split()
        if file in fields and fields[1] != "->":  # an arrow: it only waits for the lock
            pid = fields[fields.index(file) - 1]
            if pid.isdigit():
                yield int(pid)


def _device(status: os.stat_result) -> tuple[int, int]:
    """Return what tells devices apart: a number, and of pseudo-terminals, which containers count anew, the disk."""
    return status.st_rdev, status.st_dev if os.major(status.st_rdev) in _PTS_MAJORS else 0


def _opened(process: Path) -> set[tuple[int, int]]:
    """Return the character devices that a process has open, none if that may not be known."""
    found = set()
    try:
        descriptors = list((process / "fd").iterdir())
    except OSError:
        return set()
    for descriptor in descriptors:
        try:
            status = descriptor.stat()
        except OSError:
            continue  # closed in the meantime
        if stat.S_ISCHR(status.st_mode):
            found.add(_device(status))
    return found


def _arguments(process: Path) -> tuple[str, ...]:
    try:
        words = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return ()
    return tuple(word.decode(errors="replace") for word in words if word)


def _unit(process: Path) -> str:
    """Return the service, from a line such as "0::/system.slice/pantel-sender@mast.service"."""
    try:
        groups = (process / "cgroup").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    last = groups.strip().rpartition("/")[2]
    return last if last.endswith(".service") else ""

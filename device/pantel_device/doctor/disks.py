"""The disks: whether what a daemon may write by its quotas has room."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pantel_device.doctor.finding import Finding, ok, problem, warning
from pantel_device.doctor.machine import Machine
from pantel_device.doctor.setups import Setup

__all__ = ["check_disks"]

_MIB = 1 << 20
_LEAST_FREE_BYTES = 100 * _MIB
_MOST_FILES = 20_000  # a folder with more of them is not counted to its end

# What a daemon writes besides captures: key of the file or folder, key of its quota, how often the quota.
_QUOTAS = (
    ("events", "events_max_bytes", 2),
    ("stills", "stills_quota_bytes", 1),
    ("recordings", "recordings_quota_bytes", 1),
    ("ring", "ring_quota_bytes", 1),
)


@dataclass(frozen=True, slots=True)
class _Claim:
    """What may still be written to a disk.

    Attributes:
        key: That says so.
        bytes: By its quota, less what is there.
        folder: Existing folder on the disk.
    """

    key: str
    bytes: int
    folder: Path


def check_disks(machine: Machine, setup: Setup) -> Iterator[Finding]:
    """Compare for each disk what may still be written to it with its room."""
    claims = defaultdict(list)
    for claim in _claims(machine, setup):
        claims[claim.folder.stat().st_dev].append(claim)
    for together in claims.values():
        folder = together[0].folder
        disk = os.statvfs(folder)
        free = disk.f_bavail * disk.f_frsize
        wanted = sum(claim.bytes for claim in together)
        keys = ", ".join(dict.fromkeys(claim.key for claim in together if claim.bytes))
        found = f"{_size(free)} are free where {machine.name(folder)} is"
        if free < _LEAST_FREE_BYTES and wanted + _LEAST_FREE_BYTES > free:
            yield problem("disk", found, "make room: the daemon cannot keep what it must")
        elif wanted > free:
            yield warning(
                "disk", f"{found}, and {keys} may take {_size(wanted)} more", f"make room, or lower the quota of {keys}"
            )
        else:
            yield ok("disk", f"{found}" + (f"; {keys} may take {_size(wanted)} more" if wanted else ""))


def _claims(machine: Machine, setup: Setup) -> Iterator[_Claim]:
    yield _Claim("state_dir", 0, _existing(setup.place(machine, setup.config.state_dir)))
    written: list[tuple[str, str, object, int]] = [
        ("capture", line.capture, line.capture_quota_bytes, 1) for line in setup.lines
    ]
    written += [(key, setup.text(key), setup.value(quota_key), times) for key, quota_key, times in _QUOTAS]
    for key, named, quota, times in written:
        if named in {"", "-", "log"} or not isinstance(quota, int):
            continue
        path = setup.place(machine, named)
        used = _used(path) if path.is_dir() else sum(_file_size(each) for each in _family(path))
        yield _Claim(key, max(times * quota - used, 0), _existing(path))


def _existing(path: Path) -> Path:
    """Return the nearest folder above a path that exists."""
    path = path.absolute()
    while not path.is_dir():
        path = path.parent
    return path


def _family(path: Path) -> Iterator[Path]:
    """Yield a file and what it was before, such as line.000001.pcapng of line.pcapng or events.1 of events."""
    if path.parent.is_dir():
        yield from path.parent.glob(f"{path.stem}*")


def _used(folder: Path) -> int:
    total = 0
    for number, path in enumerate(folder.rglob("*")):
        if number >= _MOST_FILES:
            break
        total += _file_size(path)
    return total


def _file_size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:  # removed in the meantime
        return 0


def _size(octets: int) -> str:
    """Return a size as people say it."""
    size = float(octets)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"

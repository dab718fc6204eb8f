"""The clock of the machine. Nothing depends on it, so that nothing here is a problem."""

from __future__ import annotations

from collections.abc import Iterator

from pantel_device.doctor.finding import Finding, note, ok
from pantel_device.doctor.machine import Machine
from pantel_device.wall_clock import is_plausible

__all__ = ["check_clock"]

_TIMEOUT_S = 3.0
_SYNCHRONIZED = "/run/systemd/timesync/synchronized"


def check_clock(machine: Machine) -> Iterator[Finding]:
    """Look whether the clock is set, and by what."""
    now = machine.utc_now()
    found = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if not is_plausible(now):
        yield note(
            "clock",
            f"{found}: it is not set; pictures go on without it, but captures, stills and logs bear a wrong date",
            "connect it to a network for once, or give it a clock module or a GPS receiver",
        )
    elif _is_synchronized(machine):
        yield ok("clock", f"{found}, synchronized")
    else:
        yield note(
            "clock",
            f"{found}: it is set, but nothing keeps it right",
            "that is fine for pictures; for dates that can be trusted: sudo timedatectl set-ntp true",
        )


def _is_synchronized(machine: Machine) -> bool:
    if machine.path(_SYNCHRONIZED).exists():
        return True
    done = machine.run(["timedatectl", "show", "--property=NTPSynchronized", "--value"], _TIMEOUT_S)
    return done.code == 0 and done.output.strip() == "yes"

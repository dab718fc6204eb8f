"""What this program asks of systemd: by its own commands, since their output is made to be read by programs, too."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pantel_device.command import CommandError
from pantel_device.service.units import ROLES, Instance

__all__ = [
    "STATE_PROPERTIES",
    "JournalLine",
    "UnitState",
    "call",
    "check_running",
    "error_lines",
    "list_words",
    "loaded",
    "read_instances",
    "read_properties",
    "show",
    "show_words",
]

_RUNNING = Path("/run/systemd/system")  # as sd_booted(3) tells
_PATIENCE_S = 60.0

STATE_PROPERTIES = (
    "ActiveState",
    "SubState",
    "UnitFileState",
    "NRestarts",
    "Result",
    "ExecMainStatus",
    "StatusText",
)
"""What `UnitState` is made of."""


@dataclass(frozen=True, slots=True)
class UnitState:
    """How a unit is.

    Attributes:
        active: ``active``, ``activating`` (it waits for something, or was just started), ``inactive``, ``failed``, …
        phase: The same more exactly: ``running``, ``auto-restart``, ``dead``, …
        enabled: Whether it starts with the machine.
        restarts: How often systemd has started it again, since it was started by hand or at boot.
        result: Why it ended, ``success`` while nothing is wrong.
        exit_code: Of its last end.
        says: What it says of itself.
    """

    active: str
    phase: str
    enabled: bool
    restarts: int
    result: str
    exit_code: int
    says: str

    @classmethod
    def of(cls, values: Mapping[str, str]) -> UnitState:
        """Return the state that properties tell; what is missing is empty."""
        return cls(
            active=values.get("ActiveState", ""),
            phase=values.get("SubState", ""),
            enabled=values.get("UnitFileState") == "enabled",  # others are until the next start of the machine
            restarts=_number(values.get("NRestarts", "")),
            result=values.get("Result", ""),
            exit_code=_number(values.get("ExecMainStatus", "")),
            says=values.get("StatusText", ""),
        )


@dataclass(frozen=True, slots=True)
class JournalLine:
    """A line that a service has logged.

    Attributes:
        utc: When.
        message: What.
    """

    utc: datetime
    message: str


def check_running() -> None:
    """Check that systemd rules this machine.

    Raises:
        CommandError: It does not.
    """
    if not _RUNNING.is_dir():
        raise CommandError(
            "systemd does not run on this machine; pantel service install --root DIR prepares another system"
        )


def call(program: str, *arguments: str) -> str:
    """Run one of systemd's programs and return what it printed.

    Raises:
        CommandError: It is missing, does not answer, or failed.
    """
    path = shutil.which(program)
    if path is None:
        raise CommandError(f"{program} is missing; install systemd")
    command = " ".join([program, *arguments])
    try:
        done = subprocess.run(  # noqa: S603 - a list, no shell; the names in it were checked
            [path, *arguments],
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"{command} does not answer; see whether systemd is well: systemctl status") from error
    if done.returncode != 0:
        raise CommandError(f"{command} failed: {' '.join(done.stderr.split()) or f'exit code {done.returncode}'}")
    return done.stdout


def show_words(unit: str, properties: Iterable[str]) -> list[str]:
    """Return the command that prints properties of a unit."""
    return ["systemctl", "show", f"--property={','.join(properties)}", unit]


def read_properties(printed: str) -> dict[str, str]:
    """Return the properties that it has printed."""
    return dict(line.partition("=")[::2] for line in printed.splitlines())


def list_words(listing: str) -> list[str]:
    """Return the command that lists our units: ``list-units`` those in mind, ``list-unit-files`` those on the disk."""
    patterns = [f"pantel-{role}@*.service" for role in ROLES]
    return ["systemctl", listing, "--all", "--plain", "--no-legend", "--no-pager", *patterns]


def read_instances(printed: str) -> set[Instance]:
    """Return the instances that it has listed."""
    names = (line.split()[0] for line in printed.splitlines() if line.strip())
    return {instance for name in names if (instance := Instance.parse(name)) is not None}


def show(unit: str, *properties: str) -> dict[str, str]:
    """Return properties of a unit; what systemd does not know is missing.

    Raises:
        CommandError: systemd does not answer.
    """
    return read_properties(call(*show_words(unit, properties)))


def loaded() -> list[Instance]:
    """Return the instances that systemd has in mind: they run, have failed, or will be started at the next boot.

    Raises:
        CommandError: systemd does not answer.
    """
    return sorted(read_instances(call(*list_words("list-units"))))


def error_lines(unit: str, most: int) -> list[JournalLine]:
    """Return the newest lines of this boot in which a unit complained, the newest last.

    Raises:
        CommandError: The journal cannot be read.
    """
    printed = call(
        *("journalctl", f"--unit={unit}", "--boot", "--priority=err", f"--lines={most}"),
        *("--output=json", "--no-pager", "--quiet"),
    )
    return [_line(json.loads(line)) for line in printed.splitlines()]


def _line(entry: Mapping[str, object]) -> JournalLine:
    message = entry.get("MESSAGE", "")
    if isinstance(message, list):  # octets that are no text
        message = bytes(message).decode("utf-8", "replace")
    utc = datetime.fromtimestamp(int(str(entry.get("__REALTIME_TIMESTAMP", 0))) / 1e6, UTC)
    return JournalLine(utc, " ".join(str(message).split()))


def _number(text: str) -> int:
    return int(text) if text.lstrip("-").isdigit() else 0

"""What this program asks of systemd: by its own commands, since their output is made to be read by programs, too."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pantel_device.command import CommandError
from pantel_device.service.units import ROLES, Instance

__all__ = ["JournalLine", "call", "check_running", "error_lines", "loaded", "show"]

_RUNNING = Path("/run/systemd/system")  # as sd_booted(3) tells
_PATIENCE_S = 60.0


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


def show(unit: str, *properties: str) -> Mapping[str, str]:
    """Return properties of a unit; what systemd does not know is empty.

    Raises:
        CommandError: systemd does not answer.
    """
    printed = call("systemctl", "show", unit, *(f"--property={name}" for name in properties))
    values = dict(line.partition("=")[::2] for line in printed.splitlines())
    return {name: values.get(name, "") for name in properties}


def loaded() -> list[Instance]:
    """Return the instances that systemd has in mind: they run, have failed, or will be started at the next boot.

    Raises:
        CommandError: systemd does not answer.
    """
    patterns = [f"pantel-{role}@*" for role in ROLES]
    printed = call("systemctl", "list-units", "--all", "--plain", "--no-legend", *patterns)
    names = [line.split()[0] for line in printed.splitlines() if line.strip()]
    return sorted(instance for name in names if (instance := Instance.parse(name)) is not None)


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

"""`pantel doctor`: whether everything is there that a sender or receiver needs, and what to do where it is not."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from pantel_device.command import Command
from pantel_device.doctor import Section, Status
from pantel_device.doctor.finding import problem, worst
from pantel_device.doctor.machine import Machine
from pantel_device.doctor.report import as_json, as_text
from pantel_device.doctor.software import check_libraries, check_python

__all__ = ["COMMAND"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="configuration to look at; may be repeated (default: those in /etc/pantel, else the defaults)",
    )
    parser.add_argument(
        "--sender", action="store_true", help="look at senders alone, or take FILE for that of a sender"
    )
    parser.add_argument(
        "--receiver", action="store_true", help="look at receivers alone, or take FILE for that of a receiver"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, which docs/reports.md explains")


def _run(arguments: argparse.Namespace) -> int:
    machine = Machine()
    roles = [role for role in ("sender", "receiver") if getattr(arguments, role)]
    sections = _examine(machine, arguments.config, roles)
    if arguments.json:
        sys.stdout.write(as_json(sections))
    else:
        is_terminal = sys.stdout.isatty()
        colour = is_terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
        width = shutil.get_terminal_size().columns if is_terminal else None
        sys.stdout.write(as_text(sections, colour=colour, width=width))
    findings = (finding for section in sections for finding in section.findings)
    return 1 if worst(findings) is Status.PROBLEM else 0


def _examine(machine: Machine, files: Sequence[Path], roles: Sequence[str]) -> Sequence[Section]:
    """Return all findings; those of the libraries alone where these are so broken that nothing else can be loaded."""
    try:
        from pantel_device.doctor.examine import examine
        from pantel_device.doctor.setups import find_setups
        from pantel_device.service.units import ROLES
    except ImportError as error:
        found = [
            *check_python(machine),
            *check_libraries(machine),
            problem("pantel", f"cannot be loaded: {error}", "install Pantel again"),
        ]
        return [Section("machine", "", tuple(found))]
    return examine(machine, find_setups(machine, files, [role for role in ROLES if role in roles]))


COMMAND = Command(
    "doctor", "look for what keeps a sender or receiver from working, and say what to do", _add_arguments, _run
)

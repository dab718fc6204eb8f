"""`pantel service`: the daemons as services of systemd."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path

from pantel_device.atomic_file import check_outputs, write_atomically
from pantel_device.command import Command
from pantel_device.commands.options import file_name
from pantel_device.service import systemd
from pantel_device.service.installation import Installation, Step, own_program
from pantel_device.service.status import service_status, status_lines, status_report
from pantel_device.service.units import chosen

__all__ = ["COMMAND"]

_THIS_SYSTEM = Path("/")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    install = actions.add_parser("install", help="write the units, the user pantel and example configurations")
    install.add_argument(
        "--program",
        metavar="PATH",
        help="absolute path of pantel as the services will find it (default: this one)",
    )
    install.set_defaults(handle=_install)
    remove = actions.add_parser("remove", help="stop and remove services; configurations, keys and state stay")
    remove.set_defaults(handle=_remove)
    status = actions.add_parser("status", help="how the services are, and their newest errors")
    status.add_argument("--json", type=file_name, metavar="FILE", help="write the same as JSON, too")
    status.set_defaults(handle=_status)
    for action in (install, remove):
        action.add_argument("--dry-run", action="store_true", help="only tell what would be done")
        action.add_argument(
            "--root", type=Path, default=_THIS_SYSTEM, metavar="DIR", help="another system's root (default: this one's)"
        )
    for action in (install, remove, status):
        action.add_argument(
            "names", nargs="*", metavar="NAME", help="sender-NAME or receiver-NAME (default: all that are configured)"
        )


def _install(arguments: argparse.Namespace) -> int:
    installation = Installation(arguments.root)
    installation.check(dry_run=arguments.dry_run)
    program = arguments.program or own_program()
    _go(installation.installing(arguments.names, program), dry_run=arguments.dry_run)
    for line in installation.advice(arguments.names):
        sys.stdout.write(f"{line}\n")
    return 0


def _remove(arguments: argparse.Namespace) -> int:
    installation = Installation(arguments.root)
    installation.check(dry_run=arguments.dry_run)
    _go(installation.removing(arguments.names), dry_run=arguments.dry_run)
    return 0


def _status(arguments: argparse.Namespace) -> int:
    """Return 0 if all of them do what they are for, 1 if one of them does not."""
    check_outputs([arguments.json])
    systemd.check_running()
    known = Installation(_THIS_SYSTEM).known()
    statuses = [service_status(instance) for instance in chosen(arguments.names, known)]
    for status in statuses:
        sys.stdout.write("".join(f"{line}\n" for line in status_lines(status)))
    if not statuses:
        sys.stdout.write("there are no services yet; pantel service install makes them\n")
    if arguments.json is not None:
        write_atomically(arguments.json, (json.dumps(status_report(statuses), indent=2) + "\n").encode())
    return 0 if all(status.active_state == "active" for status in statuses) else 1


def _go(steps: Iterable[Step], *, dry_run: bool) -> None:
    for step in steps:
        sys.stdout.write(f"{'would ' if dry_run else ''}{step.text}\n")
        if not dry_run:
            step.do()


def _run(arguments: argparse.Namespace) -> int:
    handled: int = arguments.handle(arguments)
    return handled


COMMAND = Command("service", "let systemd run senders and receivers", _add_arguments, _run)

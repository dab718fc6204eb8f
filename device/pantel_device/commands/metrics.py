"""`pantel metrics`: where the files for Grafana and Prometheus lie."""

from __future__ import annotations

import argparse
import sys
from importlib.resources import files

from pantel_device.command import Command

__all__ = ["COMMAND"]

_FILES = {
    "dashboard": ("pantel-dashboard.json", "print where the dashboard for Grafana lies, to be imported there"),
    "alerts": ("pantel-alerts.yml", "print where the examples of alerts lie, for rule_files of Prometheus"),
}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for action, (_, meaning) in _FILES.items():
        actions.add_parser(action, help=meaning)


def _run(arguments: argparse.Namespace) -> int:
    name, _ = _FILES[arguments.action]
    sys.stdout.write(f"{files('pantel_device').joinpath('examples', 'prometheus', name)}\n")
    return 0


COMMAND = Command("metrics", "find the files for Grafana and Prometheus", _add_arguments, _run)

"""What systemd says of the services."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise

from pantel_device.doctor.machine import Machine
from pantel_device.doctor.sandbox import SANDBOX_PROPERTIES, Sandbox
from pantel_device.service.systemd import (
    STATE_PROPERTIES,
    UnitState,
    list_words,
    read_instances,
    read_properties,
    show_words,
)
from pantel_device.service.units import Instance

__all__ = ["ServiceState", "pantel_instances", "read_service"]

_PROPERTIES = (
    "LoadState",
    *STATE_PROPERTIES,
    "User",
    "SupplementaryGroups",
    "WorkingDirectory",
    "Environment",
    "ExecStart",
    *SANDBOX_PROPERTIES,
)
_VARIABLE = "PANTEL_"
_TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True)
class ServiceState(UnitState):
    """One service: how it is, and how it was set up.

    Attributes:
        unit: Its name, such as ``pantel-sender@mast.service``.
        user: Under which it runs.
        groups: Which it gives the user besides.
        folder: In which it runs.
        state_dir: Folder that systemd keeps for it; empty for none.
        sandbox: What it cannot see or write.
        options: Keys of the configuration that its unit sets, by option or variable.
    """

    unit: str
    user: str
    groups: tuple[str, ...]
    folder: str
    state_dir: str
    options: Mapping[str, str]
    sandbox: Sandbox

    @property
    def is_up(self) -> bool:
        """Whether it works."""
        return self.active == "active"

    @property
    def is_running(self) -> bool:
        """Whether it works or is about to, and may hold port and camera."""
        return self.is_up or (self.active in {"activating", "reloading"} and self.phase != "auto-restart")


def read_service(machine: Machine, unit: str) -> ServiceState | None:
    """Return the state of a service; None where there is no such unit, or no systemd."""
    done = machine.run(show_words(unit, _PROPERTIES), _TIMEOUT_S)
    if done.code != 0:
        return None
    values = read_properties(done.output)
    if values.get("LoadState") != "loaded":
        return None
    state, sandbox = UnitState.of(values), Sandbox.of(values)
    return ServiceState(
        **asdict(state),
        unit=unit,
        user=values.get("User", ""),
        groups=tuple(values.get("SupplementaryGroups", "").split()),
        folder=values.get("WorkingDirectory", "").lstrip("!~") or "/",
        state_dir=next((folder for folder in sandbox.own if folder.startswith("/var/lib/")), ""),
        options={**_variables(values.get("Environment", "")), **_options(values.get("ExecStart", ""))},
        sandbox=sandbox,
    )


def pantel_instances(machine: Machine) -> list[Instance]:
    """Return all instances that systemd knows: those that run, have failed, or start with the machine."""
    found: set[Instance] = set()
    for listing in ("list-units", "list-unit-files"):
        done = machine.run(list_words(listing), _TIMEOUT_S)
        found |= read_instances(done.output) if done.code == 0 else set()
    return sorted(found)


def _variables(environment: str) -> dict[str, str]:
    """Return keys and values of variables such as "PANTEL_FPS=5"."""
    pairs = (word.partition("=")[::2] for word in _words(environment) if word.startswith(_VARIABLE))
    return {name.removeprefix(_VARIABLE).lower(): value for name, value in pairs}


def _options(command: str) -> dict[str, str]:
    """Return keys and values of the options in "{ path=… ; argv[]=/usr/bin/pantel send --fps 5 ; …}"."""
    words = _words(command.partition("argv[]=")[2].partition(" ; ")[0])
    options = {}
    for word, following in pairwise([*words, ""]):
        if word.startswith("--"):
            name, separator, value = word[2:].partition("=")
            if not separator:
                value = "true" if following.startswith("--") or not following else following
            options[name.replace("-", "_")] = value
    return options


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # an open quotation mark
        return text.split()

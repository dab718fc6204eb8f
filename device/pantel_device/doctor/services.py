"""What systemd says of the services."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from pantel_device.doctor.machine import Machine
from pantel_device.doctor.sandbox import SANDBOX_PROPERTIES, Sandbox
from pantel_device.service.units import Instance

__all__ = ["ServiceState", "pantel_instances", "read_service"]

_PROPERTIES = (
    "LoadState",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "NRestarts",
    "Result",
    "ExecMainStatus",
    "StatusText",
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
class ServiceState:
    """One service.

    Attributes:
        unit: Its name, such as ``pantel-sender@mast.service``.
        active: ``active``, ``activating``, ``inactive``, ``failed``, …
        phase: ``running``, ``auto-restart``, ``dead``, …
        enabled: Whether it starts with the machine.
        restarts: How often systemd has started it again.
        result: Why it ended, ``success`` while nothing is wrong.
        exit_code: Of its last end.
        says: What it says of itself.
        user: Under which it runs.
        groups: Which it gives the user besides.
        folder: In which it runs.
        state_dir: Folder that systemd keeps for it; empty for none.
        sandbox: What it cannot see or write.
        options: Keys of the configuration that its unit sets, by option or variable.
    """

    unit: str
    active: str
    phase: str
    enabled: bool
    restarts: int
    result: str
    exit_code: int
    says: str
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
    done = machine.run(["systemctl", "show", f"--property={','.join(_PROPERTIES)}", unit], _TIMEOUT_S)
    if done.code != 0:
        return None
    values = dict(_pairs(done.output.splitlines()))
    if values.get("LoadState") != "loaded":
        return None
    sandbox = Sandbox.of(values)
    return ServiceState(
        unit=unit,
        active=values.get("ActiveState", ""),
        phase=values.get("SubState", ""),
        enabled=values.get("UnitFileState", "").startswith("enabled"),
        restarts=_number(values.get("NRestarts", "")),
        result=values.get("Result", ""),
        exit_code=_number(values.get("ExecMainStatus", "")),
        says=values.get("StatusText", ""),
        user=values.get("User", ""),
        groups=tuple(values.get("SupplementaryGroups", "").split()),
        folder=values.get("WorkingDirectory", "").lstrip("!~") or "/",
        state_dir=next((folder for folder in sandbox.own if folder.startswith("/var/lib/")), ""),
        options={**_variables(values.get("Environment", "")), **_options(values.get("ExecStart", ""))},
        sandbox=sandbox,
    )


def pantel_instances(machine: Machine) -> list[Instance]:
    """Return all instances that systemd knows: those that run, have failed, or start with the machine."""
    patterns = ("pantel-sender@*.service", "pantel-receiver@*.service")
    options = ("--all", "--plain", "--no-legend", "--no-pager")
    found: set[Instance] = set()
    for listing in ("list-units", "list-unit-files"):
        done = machine.run(["systemctl", listing, *options, *patterns], _TIMEOUT_S)
        names = [line.split()[0] for line in done.output.splitlines() if line.strip()] if done.code == 0 else []
        found |= {instance for name in names if (instance := Instance.parse(name)) is not None}
    return sorted(found)


def _pairs(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        key, _, value = line.partition("=")
        yield key, value


def _variables(environment: str) -> dict[str, str]:
    """Return keys and values of variables such as "PANTEL_FPS=5"."""
    pairs = _pairs(word for word in _words(environment) if word.startswith(_VARIABLE))
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


def _number(text: str) -> int:
    return int(text) if text.lstrip("-").isdigit() else 0

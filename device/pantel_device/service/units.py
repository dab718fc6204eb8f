"""The unit files that come with the program, and the instances that they are templates of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal, Self, cast

from pantel_device.command import UsageError

__all__ = [
    "CONFIG_DIR",
    "ROLES",
    "Instance",
    "Role",
    "chosen",
    "configured",
    "example_config",
    "render_unit",
    "sysusers",
    "template",
]

Role = Literal["sender", "receiver"]
ROLES: tuple[Role, ...] = ("sender", "receiver")
CONFIG_DIR = Path("/etc/pantel")

_EXAMPLES = {"sender": "sender-mast.toml", "receiver": "receiver-home.toml"}
_PLACEHOLDER = "@PANTEL@"
_PROGRAM = re.compile(r"/[\w.+/-]+")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_WRITTEN = re.compile(rf"(?:pantel-(?P<role>sender|receiver)@|(?P<file>sender|receiver)-)(?P<name>{_NAME.pattern})")


@dataclass(frozen=True, slots=True, order=True)
class Instance:
    """One sender or receiver of a machine.

    Attributes:
        role: What it does.
        name: Its own, behind the ``@``.
    """

    role: Role
    name: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the instance that ``sender-mast`` or ``pantel-sender@mast`` names; None if it names none."""
        found = _WRITTEN.fullmatch(text.removesuffix(".service"))
        return None if found is None else cls(cast(Role, found["role"] or found["file"]), found["name"])

    @property
    def unit(self) -> str:
        """Name of its unit."""
        return f"pantel-{self.role}@{self.name}.service"

    @property
    def config(self) -> Path:
        """Its configuration."""
        return CONFIG_DIR / f"{self.role}-{self.name}.toml"


def template(role: Role) -> str:
    """Return the name of the unit file of a role."""
    return f"pantel-{role}@.service"


def render_unit(role: Role, program: str) -> str:
    """Return the unit file of a role.

    Args:
        role: Of the instances.
        program: Absolute path of ``pantel``.

    Raises:
        UsageError: systemd would not take the path.
    """
    if not _PROGRAM.fullmatch(program):
        raise UsageError(f"the program {program!r} cannot stand in a unit: name an absolute path without spaces")
    text = files("pantel_device.service").joinpath("units", template(role)).read_text(encoding="utf-8")
    return text.replace(_PLACEHOLDER, program)


def sysusers() -> str:
    """Return the lines by which systemd-sysusers makes the user of the services."""
    return files("pantel_device.service").joinpath("units", "pantel.sysusers").read_text(encoding="utf-8")


def example_config(role: Role) -> str:
    """Return a configuration for a service, to be edited."""
    return files("pantel_device").joinpath("examples", "service", _EXAMPLES[role]).read_text(encoding="utf-8")


def configured(root: Path) -> list[Instance]:
    """Return the instances that have a configuration.

    Args:
        root: Of the system.
    """
    paths = (root / CONFIG_DIR.relative_to("/")).glob("*.toml")
    return sorted(instance for path in paths if (instance := Instance.parse(path.stem)) is not None)


def chosen(names: Iterable[str], known: Iterable[Instance]) -> list[Instance]:
    """Return the instances that a user has named, all that are known by default.

    Args:
        names: Such as ``sender-mast``, ``pantel-sender@mast`` or, if it is known, just ``mast``.
        known: Those of the machine.

    Raises:
        UsageError: A name is none, or nothing has it.
    """
    known = sorted(set(known))
    found: list[Instance] = []
    for name in names:
        matching = [each for each in known if each.name == name] or [
            each for each in [Instance.parse(name)] if each is not None
        ]
        if not matching:
            there = ", ".join(f"{each.role}-{each.name}" for each in known) or "none"
            raise UsageError(f"there is no service {name!r}; write sender-NAME or receiver-NAME (known: {there})")
        found += [each for each in matching if each not in found]
    return found or known

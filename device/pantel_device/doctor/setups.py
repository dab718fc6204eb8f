"""Which senders and receivers to look at: those of some configuration files, else of ``/etc/pantel``, else of none."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pantel_device.command import UsageError
from pantel_device.config import ReceiverConfig, SenderConfig, load_config
from pantel_device.config.line import LineConfig
from pantel_device.doctor.accounts import Account, own_account, service_account
from pantel_device.doctor.machine import Machine
from pantel_device.doctor.services import ServiceState, read_service
from pantel_device.service.units import CONFIG_DIR, ROLES, Instance, Role

__all__ = ["Mistaken", "Setup", "find_setups", "unit_of"]

_SUDO = "ask again with sudo"


@dataclass(frozen=True, slots=True, eq=False)
class Setup:
    """A sender or receiver as it is configured.

    Attributes:
        name: What to call it: that of its file, or its role.
        file: Its configuration as `Machine.path` names it; None for the defaults.
        config: What it is told.
        account: Under which it runs.
        service: What systemd says of it; None if it has no service.
        folder: From which relative names start.
    """

    name: str
    file: Path | None
    config: SenderConfig | ReceiverConfig
    account: Account
    service: ServiceState | None = None
    folder: Path = Path()

    @property
    def role(self) -> Role:
        """Whether it sends or receives."""
        return "sender" if isinstance(self.config, SenderConfig) else "receiver"

    @property
    def is_running(self) -> bool:
        """Whether its service is up."""
        return self.service is not None and self.service.is_running

    @property
    def lines(self) -> tuple[LineConfig, ...]:
        """Its lines, of which only a receiver may have several."""
        return self.config.all_lines if isinstance(self.config, ReceiverConfig) else (self.config,)

    def value(self, key: str) -> object:
        """Return a value of the configuration; None if this role has no such key."""
        return self.config.model_dump().get(key)

    def text(self, key: str) -> str:
        """Return a value of the configuration that names something; empty if it does not or there is no such key."""
        value = self.value(key)
        return str(value) if isinstance(value, str | Path) else ""

    def place(self, machine: Machine, name: str | Path) -> Path:
        """Return where a file is found that the configuration names."""
        return machine.path(self.folder / name)

    def hides(self, name: str | Path) -> bool:
        """Whether the service is kept from seeing a file that the configuration names."""
        return self.service is not None and self.service.sandbox.hides(self.folder / name)


@dataclass(frozen=True, slots=True)
class Mistaken:
    """A configuration that no daemon would take.

    Attributes:
        name: What to call it.
        file: Its file as `Machine.path` names it; None for the defaults.
        mistake: What is wrong.
        advice: What to do.
    """

    name: str
    file: Path | None
    mistake: str
    advice: str


def find_setups(machine: Machine, files: Sequence[Path], roles: Sequence[Role]) -> list[Setup | Mistaken]:
    """Return what to look at.

    Args:
        machine: On which.
        files: Configurations; none: those in ``/etc/pantel``, or the defaults where there are none.
        roles: Roles to look at; none: all. For one file, they say which it has where nothing else does.

    Raises:
        UsageError: Nothing says whether a file is a sender's or a receiver's.
    """
    if files:
        return [_read(machine, file, _role(file, roles)) for file in files]
    folder = machine.path(CONFIG_DIR)
    if folder.is_dir() and not os.access(folder, os.R_OK | os.X_OK):
        raise UsageError(f"you may not look into {CONFIG_DIR}; {_SUDO}")
    found: list[Setup | Mistaken] = []
    for file in machine.glob(f"{CONFIG_DIR}/*.toml"):
        try:
            role = _role(file, ())
        except UsageError as error:
            found.append(Mistaken(file.stem, file, str(error), "name it sender-NAME.toml or receiver-NAME.toml"))
            continue
        if not roles or role in roles:
            found.append(_read(machine, file, role))
    return found or [_defaults(role) for role in ROLES if not roles or role in roles]


def unit_of(machine: Machine, file: Path) -> str:
    """Return the service that a configuration belongs to, such as ``pantel-sender@mast.service``; empty for none."""
    instance = Instance.parse(file.stem)
    if instance is None or file.absolute() != machine.path(instance.config):
        return ""
    return instance.unit


def _role(file: Path, roles: Sequence[Role]) -> Role:
    """Return the role of a file, by what it is named, what was said, or what only one of the two can be told."""
    instance = Instance.parse(file.stem)
    if instance is not None:
        return instance.role
    if len(roles) == 1:
        return roles[0]
    for role in ROLES:
        if file.stem == role:
            return role
    if not file.is_file():
        raise UsageError(f"there is no file {file}; name a configuration with --config")
    try:
        keys = set(tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        keys = set()
    sends = bool(keys & (set(SenderConfig.model_fields) - set(ReceiverConfig.model_fields)))
    receives = bool(keys & (set(ReceiverConfig.model_fields) - set(SenderConfig.model_fields)))
    if sends == receives:
        raise UsageError(f"nothing says whether {file} is a sender's or a receiver's: add --sender or --receiver")
    return "sender" if sends else "receiver"


def _read(machine: Machine, file: Path, role: Role) -> Setup | Mistaken:
    unit = unit_of(machine, file)
    service = read_service(machine, unit) if unit else None
    try:
        config = _load(role, file, service.options if service is not None else {})
    except UsageError as error:
        unreadable = file.exists() and not os.access(file, os.R_OK)
        return Mistaken(file.stem, file, str(error), _SUDO if unreadable else f"correct {machine.name(file)}")
    account = own_account()
    if service is not None:
        if service.state_dir and "state_dir" not in config.model_fields_set:
            config = config.model_copy(update={"state_dir": Path(service.state_dir)})
        account = service_account(service.user or "root", service.groups) or account
    folder = Path(service.folder) if service is not None else Path()
    return Setup(file.stem, file, config, account, service, folder)


def _defaults(role: Role) -> Setup | Mistaken:
    try:
        return Setup(role, None, _load(role, None, {}), own_account())
    except UsageError as error:  # a variable of the environment
        return Mistaken(role, None, str(error), "correct the variable, or unset it")


def _load(role: Role, file: Path | None, told: Mapping[str, str]) -> SenderConfig | ReceiverConfig:
    """Return a configuration.

    Args:
        role: Of the daemon.
        file: TOML file, or None.
        told: Options of the daemon's unit, among them some that are no keys.

    Raises:
        UsageError: A key is unknown, a value impossible or the file unreadable.
    """
    if role == "sender":
        return load_config(SenderConfig, file, {key: told[key] for key in told if key in SenderConfig.model_fields})
    return load_config(ReceiverConfig, file, {key: told[key] for key in told if key in ReceiverConfig.model_fields})

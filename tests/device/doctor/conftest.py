"""A machine for the doctor: files in a temporary folder, and programs that answer what they are told to."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pantel_device.config import ReceiverConfig, SenderConfig, load_config
from pantel_device.doctor.accounts import own_account
from pantel_device.doctor.finding import Finding
from pantel_device.doctor.machine import MISSING, Done, Machine, run_program
from pantel_device.doctor.sandbox import Sandbox
from pantel_device.doctor.services import ServiceState
from pantel_device.doctor.setups import Setup

PI = "Raspberry Pi 4 Model B Rev 1.4"


@dataclass
class Patient:
    """A machine in the making.

    Attributes:
        root: Of its files.
        programs: What they answer, by the beginning of the command line.
        python_runs: Whether Python programs really run.
        now: What its clock says.
    """

    root: Path
    programs: dict[str, Done] = field(default_factory=dict)
    python_runs: bool = False
    now: datetime = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)

    def write(self, name: str, text: str) -> Path:
        path = self.root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def link(self, name: str, target: str | Path) -> Path:
        path = self.root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)
        return path

    def become_a_pi(self) -> None:
        self.write("/proc/device-tree/model", f"{PI}\0")

    @property
    def machine(self) -> Machine:
        return Machine(self.root, self._run, lambda: self.now)

    def _run(self, argv: Sequence[str], timeout_s: float) -> Done:
        command = " ".join(argv)
        for beginning, done in self.programs.items():
            if command.startswith(beginning) or (beginning.startswith("python") and beginning[7:] in command):
                return done
        if self.python_runs and "-P" in argv:
            return run_program(argv, timeout_s)
        return Done(MISSING)


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    root = tmp_path / "root"
    root.mkdir()
    return Patient(root)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("PANTEL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def make_setup(
    role: str, service: ServiceState | None = None, file: Path | None = None, /, **values: str | int | Path
) -> Setup:
    """Return a setup with some values of its configuration."""
    options = {key: str(value) for key, value in values.items()}
    config = (
        load_config(SenderConfig, None, options) if role == "sender" else load_config(ReceiverConfig, None, options)
    )
    return Setup(f"{role}-mast", file, config, own_account(), service)


def running(unit: str = "pantel-sender@mast.service", **changes: object) -> ServiceState:
    """Return a service that runs."""
    state = {
        "unit": unit,
        "active": "active",
        "phase": "running",
        "enabled": True,
        "restarts": 0,
        "result": "success",
        "exit_code": 0,
        "says": "",
        "user": "pantel",
        "groups": (),
        "folder": "/",
        "state_dir": "",
        "options": {},
        "sandbox": Sandbox(),
    }
    return ServiceState(**(state | changes))  # type: ignore[arg-type]


@pytest.fixture
def pty_pair() -> Iterator[tuple[int, Path]]:
    """Yield our end of a pseudo-terminal and the name of the other, which nobody has open."""
    ours, theirs = os.openpty()
    name = Path(os.ttyname(theirs))
    os.close(theirs)
    yield ours, name
    os.close(ours)


def said(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    """Return what matters how much, and what was found."""
    return [(finding.status.value, finding.found) for finding in findings]

"""A Debian that boots with a real systemd, in a container: for what no test within one process can show.

Making it needs root, the Debian packages systemd-container and mmdebstrap, and the network the first time. What takes
long is kept in a folder: a bare Debian, and the wheels of what Pantel depends on. `make test-services` names the folder
by `NSPAWN_CACHE`; without it, tests that need this are skipped.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

__all__ = ["CACHE", "Machine", "install_deb", "install_wheel", "needs_debian", "new_root"]

CACHE = "NSPAWN_CACHE"
"""The environment variable with the folder to keep things in; tests that boot a Debian run only where it is set."""

_RELEASE = "bookworm"
_INCLUDE = "systemd,systemd-sysv,dbus,libpam-systemd,python3,python3-venv,socat,procps"
_CHECKOUT = Path(__file__).parents[3]
_PROGRAM = "/opt/pantel"
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CONTAINER = ("--register=no", "--link-journal=no")
_BOOTED = "multi-user.target"
_BOOT_S = 60.0
_POWER_OFF_S = 60.0


def _missing() -> str | None:
    """Return what keeps a Debian from booting here; None if nothing does."""
    if not os.environ.get(CACHE):
        return f"boots a Debian: make test-services, or set {CACHE} to a folder for it"
    if os.geteuid() != 0:
        return "boots a Debian, which only root can"
    for program, package in (("systemd-nspawn", "systemd-container"), ("mmdebstrap", "mmdebstrap")):
        if shutil.which(program) is None:
            return f"needs the Debian package {package}"
    return None


def needs_debian() -> pytest.MarkDecorator:
    """Return the mark of tests that boot a Debian; with the folder set they fail where they cannot."""
    reason = _missing()
    if reason is not None and os.environ.get(CACHE):
        pytest.fail(reason, pytrace=False)
    return pytest.mark.skipif(reason is not None, reason=reason or "")


def new_root(place: Path) -> Path:
    """Return a new file system of a bare Debian, to be changed and booted.

    Args:
        place: Where to make it; must not exist.
    """
    _copy(_bare_debian(), place)
    return place


def install_wheel(root: Path) -> str:
    """Install this checkout, as a wheel in a virtual environment of its own, with the versions that this one has.

    Returns:
        The program's path in the root.
    """
    versions = _run(sys.executable, "-m", "pip", "freeze", "--exclude-editable")
    wheels = Path(os.environ[CACHE]) / f"wheels-{hashlib.sha256(versions.encode()).hexdigest()[:12]}"
    own = root / "wheels"
    own.mkdir()
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", own, cwd=_CHECKOUT)
    if not (wheels / ".whole").exists():
        # By this machine's pip, whose way to the package index is known to work: same processor, same Python.
        (own / "constraints.txt").write_text(versions)
        _run(
            *(sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", "--dest", str(wheels)),
            *("--constraint", str(own / "constraints.txt"), *map(str, own.glob("*.whl"))),
        )
        for file in wheels.glob("pantel-*.whl"):
            file.unlink()
        (wheels / ".whole").touch()
    for file in wheels.glob("*.whl"):
        shutil.copy(file, own)
    _in(root, "python3", "-m", "venv", _PROGRAM)
    _in(root, f"{_PROGRAM}/bin/pip", "install", "--quiet", "--no-index", "--find-links=/wheels", "pantel")
    shutil.rmtree(own)
    return f"{_PROGRAM}/bin/pantel"


def install_deb(root: Path, deb: Path) -> str:
    """Install a Debian package with what it depends on.

    Returns:
        The program's path in the root.
    """
    shutil.copy(deb, root / "pantel.deb")
    _in(root, "apt-get", "update", "--quiet=2")
    _in(root, "apt-get", "install", "--yes", "--quiet=2", "--no-install-recommends", "/pantel.deb")
    (root / "pantel.deb").unlink()
    return "/usr/bin/pantel"


class Machine:
    """A booted root, as a context manager. It has a network of its own, with nobody else in it.

    Args:
        root: Its file system.
        program: Path of ``pantel`` in it, as `install_wheel` or `install_deb` has returned it.
    """

    def __init__(self, root: Path, program: str) -> None:
        self._root = root
        self._program = program
        self._console = root.with_name(f"{root.name}.console")

    def __enter__(self) -> Self:
        self.boot()
        return self

    def boot(self) -> None:
        """Switch it on, and wait until it has booted."""
        with self._console.open("wb") as console:
            # Only a service may keep its unit, and only where systemd rules can it have one.
            keep = () if Path("/run/systemd/system").is_dir() else ("--keep-unit",)
            self._container = subprocess.Popen(
                [
                    *("systemd-nspawn", "--directory", self._root, "--boot", *_CONTAINER, *keep),
                    *("--console=pipe", "--private-network"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
            )
        try:
            self.wait_for(lambda: self.run("systemctl", "is-active", _BOOTED, check=False).strip() == "active", _BOOT_S)
        except BaseException:
            self.cut_power()
            raise

    def cut_power(self) -> None:
        """Let nobody end in order."""
        if (leader := self._leader()) is not None:
            os.kill(leader, signal.SIGKILL)
        self._container.wait(_POWER_OFF_S)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if (leader := self._leader()) is not None:
            os.kill(leader, signal.SIGRTMIN + 4)  # power off
        try:
            self._container.wait(_POWER_OFF_S)
        except subprocess.TimeoutExpired:
            self._container.kill()
            self._container.wait()

    def run(self, *argv: str, check: bool = True, timeout_s: float = 60.0) -> str:
        """Run a command inside, as root; return its output and what it complained of.

        Raises:
            AssertionError: It failed, and should not have.
        """
        leader = self._leader()
        if leader is None:
            return ""
        # What it starts must not hold our pipe open, so the output goes through a file.
        command = ["nsenter", "--target", str(leader), "--all", "env", "-i", _PATH, "LC_ALL=C.UTF-8", *argv]
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        if check:
            assert done.returncode == 0, f"{' '.join(argv)} ended with {done.returncode}: {done.stdout}"
        return done.stdout

    def pantel(self, *argv: str, check: bool = True) -> str:
        """Run ``pantel`` inside; see `run`."""
        return self.run(self._program, *argv, check=check)

    def wait_for(self, condition: Callable[[], bool], patience_s: float) -> float:
        """Wait until something holds; return how long it took [s].

        Raises:
            AssertionError: It never did; tells what the journal says.
        """
        start_s = time.monotonic()
        while not condition():
            if time.monotonic() - start_s > patience_s or self._container.poll() is not None:
                journal = self.run("journalctl", "--no-pager", "--lines=60", check=False)
                raise AssertionError(f"not within {patience_s:.0f} s\n{self._console.read_text()}\n{journal}")
            time.sleep(0.2)
        return time.monotonic() - start_s

    def properties(self, unit: str, *names: str) -> Sequence[str]:
        """Return properties of a unit, in the order of their names."""
        shown = self.run("systemctl", "show", unit, *(f"--property={name}" for name in names))
        values = dict(line.partition("=")[::2] for line in shown.splitlines())
        return [values[name] for name in names]

    def _leader(self) -> int | None:
        """Return the process that is number 1 inside."""
        found = subprocess.run(
            ["pgrep", "--parent", str(self._container.pid)], capture_output=True, text=True, check=False
        )
        return int(found.stdout.split()[0]) if found.stdout.strip() else None


def _bare_debian() -> Path:
    """Return a Debian that nobody has changed."""
    cache = Path(os.environ[CACHE])
    bare = cache / f"{_RELEASE}-{hashlib.sha256(_INCLUDE.encode()).hexdigest()[:12]}"
    if not bare.exists():
        cache.mkdir(parents=True, exist_ok=True)
        half = bare.with_suffix(".half")
        shutil.rmtree(half, ignore_errors=True)
        _run("mmdebstrap", "--quiet", "--variant=minbase", f"--include={_INCLUDE}", _RELEASE, half)
        half.rename(bare)
    return bare


def _copy(source: Path, target: Path) -> None:
    _run("cp", "--archive", "--reflink=auto", source, target)


def _in(root: Path, *argv: str | Path) -> None:
    """Run a command in a root that is not booted; its network is this machine's."""
    _run(
        *("systemd-nspawn", "--quiet", "--directory", root, *_CONTAINER, "--keep-unit", "--pipe"),
        *("--resolv-conf=copy-host", "--setenv=DEBIAN_FRONTEND=noninteractive", *argv),
    )


def _run(*argv: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{' '.join(map(str, argv))} ended with {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout

"""Installs and removes the services, step by step, so that the same steps can be shown without being done."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pantel_device.atomic_file import write_atomically
from pantel_device.command import CommandError, UsageError
from pantel_device.service import systemd
from pantel_device.service.units import (
    CONFIG_DIR,
    ROLES,
    Instance,
    chosen,
    configured,
    example_config,
    render_unit,
    sysusers,
    template,
)

__all__ = ["Installation", "Step", "own_program"]

_UNITS = Path("etc/systemd/system")
_PACKAGED_UNITS = (Path("usr/lib/systemd/system"), Path("lib/systemd/system"))
_WANTS = _UNITS / "multi-user.target.wants"
_SYSUSERS = Path("etc/sysusers.d/pantel.conf")
_KEYS = CONFIG_DIR.relative_to("/") / "keys"
_GROUP = "pantel"
# What ProtectHome= and PrivateTmp= of the units hide.
_HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108 - nothing is written there


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do, or to leave as it is.

    Attributes:
        text: What, for people.
        do: Does it.
    """

    text: str
    do: Callable[[], object] = lambda: None


class Installation:
    """The services of a system.

    Args:
        root: Of the system; ``/`` is this one, whose systemd is told.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._live = self._root == Path("/")

    def check(self, *, dry_run: bool) -> None:
        """Check before the first step that the others will not fail.

        Raises:
            CommandError: There is no such system, or nobody but root may change it.
        """
        if not self._root.is_dir():
            raise CommandError(f"there is no folder {self._root}; name the root of a system")
        if dry_run:
            return
        if self._live:
            if os.geteuid() != 0:
                raise CommandError("services are root's: run it again with sudo, or with --dry-run to see what it does")
            systemd.check_running()

    def installing(self, names: Sequence[str], program: str) -> Iterator[Step]:
        """Yield what makes the services ready to be enabled.

        Args:
            names: Instances that get a configuration if they have none, such as ``sender-mast``; by default one of
                each kind if the system has none at all.
            program: Absolute path of ``pantel``.

        Raises:
            UsageError: A name is none.
        """
        wanted = self._wanted(names)
        if self._packaged_units():
            yield Step(f"leave the units of the package in {self._packaged_units()[0].parent}")
        else:
            for role in ROLES:
                yield self._written(_UNITS / template(role), render_unit(role, program))
            yield self._written(_SYSUSERS, sysusers())
            root = () if self._live else (f"--root={self._root}",)
            yield Step("make the user pantel", lambda: systemd.call("systemd-sysusers", *root, _SYSUSERS.name))
        yield Step(f"make the folder {self._root / _KEYS}, for keys", self._make_key_folder)
        for instance in wanted:
            path = self._root / instance.config.relative_to("/")
            if path.exists():
                yield Step(f"leave {path}, which is yours")
            else:
                yield self._written(instance.config.relative_to("/"), example_config(instance.role))
        if self._live:
            yield Step("let systemd read its units", lambda: systemd.call("systemctl", "daemon-reload"))

    def advice(self, names: Sequence[str]) -> list[str]:
        """Return what to do next."""
        return [
            f"next: edit {instance.config}, then: systemctl enable --now {instance.unit.removesuffix('.service')}"
            for instance in self._wanted(names)
            if not self.enabled(instance)
        ]

    def removing(self, names: Sequence[str]) -> Iterator[Step]:
        """Yield what ends services and takes their units away; configurations, keys and state stay.

        Args:
            names: Instances to end; the units stay then. By default all, and the units go.

        Raises:
            UsageError: A name is none.
            CommandError: systemd does not answer.
        """
        for instance in chosen(names, self.known()):
            if self._live:
                yield Step(
                    f"stop and disable {instance.unit}",
                    lambda unit=instance.unit: systemd.call("systemctl", "disable", "--now", unit),  # type: ignore[misc]
                )
            elif self.enabled(instance):
                yield Step(f"disable {instance.unit}", (self._root / _WANTS / instance.unit).unlink)
        if names:
            return
        for path in [*(_UNITS / template(role) for role in ROLES), _SYSUSERS]:
            if (self._root / path).exists():
                yield Step(f"remove {self._root / path}", (self._root / path).unlink)
        if self._live:
            yield Step("let systemd read its units", lambda: systemd.call("systemctl", "daemon-reload"))
        if self._packaged_units():
            yield Step("leave the units of the package: apt remove pantel takes them away")
        yield Step(f"leave {CONFIG_DIR}, /var/lib/pantel and the user pantel; remove them by hand if you want")

    def known(self) -> list[Instance]:
        """Return the instances that have a configuration, or that systemd has in mind.

        Raises:
            CommandError: systemd does not answer.
        """
        return sorted({*configured(self._root), *(systemd.loaded() if self._live else [])})

    def enabled(self, instance: Instance) -> bool:
        """Whether an instance is started at boot."""
        return (self._root / _WANTS / instance.unit).is_symlink()

    def _wanted(self, names: Sequence[str]) -> list[Instance]:
        known = configured(self._root)
        if names:
            return chosen(names, known)
        return known or [Instance("sender", "mast"), Instance("receiver", "home")]

    def _packaged_units(self) -> list[Path]:
        """Return the units that a package has brought, if it is the package that runs."""
        if not Path(__file__).is_relative_to("/usr"):
            return []
        places = [self._root / folder / template("sender") for folder in _PACKAGED_UNITS]
        return [path for path in places if path.exists()]

    def _written(self, path: Path, text: str) -> Step:
        place = self._root / path

        def write() -> None:
            _make_folder(place.parent)
            write_atomically(place, text.encode())
            place.chmod(0o644)  # whatever the umask says: the service has to read it

        with suppress(OSError):
            if place.read_text(encoding="utf-8") == text:
                return Step(f"leave {place}, which is as it should be")
        return Step(f"write {place}", write)

    def _make_key_folder(self) -> None:
        folder = self._root / _KEYS
        _make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        if os.geteuid() == 0:
            os.chown(folder, 0, self._group_id())
            folder.chmod(0o750)

    def _group_id(self) -> int:
        for line in (self._root / "etc/group").read_text(encoding="utf-8").splitlines():
            name, _, number, *_ = [*line.split(":"), "", "", ""]
            if name == _GROUP and number.isdecimal():
                return int(number)
        raise CommandError(f"there is no group {_GROUP} in {self._root}; see what systemd-sysusers says")


def _make_folder(folder: Path) -> None:
    """Make a folder that everybody may look into, whatever the umask says, and those around it."""
    for missing in reversed([part for part in (folder, *folder.parents) if not part.exists()]):
        missing.mkdir()
        missing.chmod(0o755)


def own_program() -> str:
    """Return the path of this program, if a service can start it.

    Raises:
        UsageError: It lies where services see nothing, or may not look.
    """
    named = Path(sys.argv[0]).absolute()
    program = (
        named if named.name == "pantel" and named.is_file() else Path(sys.executable).absolute().with_name("pantel")
    )
    for path in (program, Path(sys.executable).resolve(), Path(__file__).resolve()):
        reason = _closed(path)
        if reason is not None:
            raise UsageError(
                f"services cannot use this pantel, because {reason}; install it for all, for example: "
                "sudo python3 -m venv /opt/pantel && sudo /opt/pantel/bin/pip install ."
            )
    return str(program)


def _closed(path: Path) -> str | None:
    """Return why a service cannot read a file; None if it can."""
    if any(path.is_relative_to(hidden) for hidden in _HIDDEN):
        return f"{path} is hidden from them"
    try:
        for part in (path, *path.parents):
            needed = stat.S_IXOTH if part.is_dir() else stat.S_IROTH
            if not part.stat().st_mode & needed:
                return f"others may not read {part}"
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    return None

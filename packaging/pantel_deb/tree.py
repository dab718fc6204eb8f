"""Lays the files of the package out as they will lie on the machine that it is installed on."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
from email.utils import formatdate
from importlib.metadata import Distribution, distributions
from pathlib import Path

from pantel_deb.errors import DebError
from pantel_deb.libraries import install_libraries
from pantel_deb.target import Target
from pantel_device.service.units import ROLES, render_unit, sysusers, template

__all__ = ["lay_out"]

_LIBRARY = Path("usr/lib/pantel")
_DOC = Path("usr/share/doc/pantel")
_TEMPLATES = Path(__file__).parents[1] / "debian"
_PROGRAM = "/usr/bin/pantel"
_COMPLETIONS = {
    "bash": "usr/share/bash-completion/completions/pantel",
    "zsh": "usr/share/zsh/vendor-completions/_pantel",
}
_SCRIPTS = ("postinst", "prerm", "postrm")
_KIB = 1024


def lay_out(root: Path, source: Path, target: Target, *, version: str, epoch_s: int, work: Path) -> None:
    """Fill a folder with all that `dpkg-deb --build` packs.

    Args:
        root: New folder.
        source: Working tree.
        target: What the package is for.
        version: Of the package.
        epoch_s: Time of everything in it, seconds since 1970.
        work: Folder for what is needed in between.

    Raises:
        DebError: A part cannot be had.
    """
    library = root / _LIBRARY
    library.mkdir(parents=True)
    install_libraries(source, library, target, work)
    values = {
        "VERSION": version,
        "ARCHITECTURE": target.architecture,
        "PYTHON_DEPENDS": target.python_depends,
        "DATE": formatdate(epoch_s),
        "BUNDLED": _bundled(library),
    }
    _program(root)
    _documents(root, source, values)
    _generated(root)
    _control(root, values)
    _settle(root, epoch_s)


def _program(root: Path) -> None:
    launcher = root / _PROGRAM.lstrip("/")
    launcher.parent.mkdir(parents=True)
    shutil.copyfile(_TEMPLATES / "pantel", launcher)
    units = root / "usr/lib/systemd/system"
    units.mkdir(parents=True)
    for role in ROLES:
        (units / template(role)).write_text(render_unit(role, _PROGRAM))
    users = root / "usr/lib/sysusers.d/pantel.conf"
    users.parent.mkdir(parents=True)
    users.write_text(sysusers())


def _documents(root: Path, source: Path, values: dict[str, str]) -> None:
    folder = root / _DOC
    shutil.copytree(source / "device/pantel_device/examples", folder / "examples")
    for page in sorted((source / "docs").glob("*.md")):
        shutil.copyfile(page, folder / page.name)
    (folder / "copyright").write_text(_filled("copyright", values))
    _compressed(folder / "changelog.gz", _filled("changelog", values).encode())
    _compressed(folder / "CHANGELOG.md.gz", (source / "CHANGELOG.md").read_bytes())
    overrides = root / "usr/share/lintian/overrides/pantel"
    overrides.parent.mkdir(parents=True)
    shutil.copyfile(_TEMPLATES / "lintian-overrides", overrides)


def _generated(root: Path) -> None:
    """Let the program of this working tree write its own manual page and completion."""
    _compressed(root / "usr/share/man/man1/pantel.1.gz", _output("pantel_device.reference", "man"))
    for shell, place in _COMPLETIONS.items():
        path = root / place
        path.parent.mkdir(parents=True)
        path.write_bytes(_output("pantel_device", "completion", shell))


def _control(root: Path, values: dict[str, str]) -> None:
    control = root / "DEBIAN"
    files = sorted(path for path in root.rglob("*") if path.is_file())
    control.mkdir()
    sums = [f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(root)}\n" for path in files]  # noqa: S324
    (control / "md5sums").write_text("".join(sums))
    folders = sum(1 for path in root.rglob("*") if path.is_dir())
    size_kib = folders + sum(-(-path.stat().st_size // _KIB) for path in files)
    (control / "control").write_text(_filled("control", {**values, "INSTALLED_SIZE": str(size_kib)}))
    for script in _SCRIPTS:
        shutil.copyfile(_TEMPLATES / script, control / script)


def _settle(root: Path, epoch_s: int) -> None:
    """Give everything the modes that Debian asks for, and one time, so that the same sources make the same package."""
    executable = {root / _PROGRAM.lstrip("/"), *(root / "DEBIAN" / script for script in _SCRIPTS)}
    for path in (*root.rglob("*"), root):
        path.chmod(0o755 if path.is_dir() or path in executable else 0o644)
        os.utime(path, (epoch_s, epoch_s))


def _bundled(library: Path) -> str:
    """Return a line for each library: its name, its version and its licence."""
    found = sorted(distributions(path=[str(library)]), key=lambda each: each.name.lower())
    return "\n".join(f" {each.name} {each.version}: {_licence(each)}" for each in found if each.name != "pantel")


def _licence(distribution: Distribution) -> str:
    """Return what a distribution says its licence is; some give its whole text, which begins with the name."""
    stated = distribution.metadata["License-Expression"] or distribution.metadata["License"] or "see its folder"
    return stated.strip().split("\n")[0]


def _output(module: str, *words: str) -> bytes:
    done = subprocess.run([sys.executable, "-m", module, *words], capture_output=True, check=False)  # noqa: S603
    if done.returncode or not done.stdout:
        raise DebError(f"{module} {' '.join(words)} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def _filled(template: str, values: dict[str, str]) -> str:
    text = (_TEMPLATES / template).read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def _compressed(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content, 9, mtime=0))

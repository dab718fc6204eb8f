"""Puts the program and the libraries that it needs into one folder, without what no run of it ever reads."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from pantel_deb.errors import DebError
from pantel_deb.requirements import check_complete, runtime_lock
from pantel_deb.target import Target

__all__ = ["install_libraries", "lock_of"]

# Tests, tools for developers, what compilers read, the workshop: each was left out of a package that then ran demo,
# daemons and replay.
_UNUSED_FOLDERS = (
    "**/__pycache__",
    "**/tests",
    "bin",
    "numpy/_core/include",
    "numpy/_pyinstaller",
    "numpy/distutils",
    "numpy/f2py",
    "onnxruntime/backend",
    "onnxruntime/datasets",
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/transformers",
    "pantel_export",
)
_UNUSED_SUFFIXES = {".a", ".c", ".cpp", ".h", ".hpp", ".lib", ".pxd", ".pyi", ".pyx"}
# What pip notes of this installation: the folder that it came from differs from machine to machine.
_NOTES = {"direct_url.json", "REQUESTED"}


def install_libraries(source: Path, folder: Path, target: Target, work: Path) -> None:
    """Install the program and its libraries into a folder.

    Args:
        source: Working tree with pyproject.toml and requirements.lock.
        folder: New.
        target: Where it shall run.
        work: Folder for what is needed in between.

    Raises:
        DebError: A library is not to be had for the target, or something is missing.
    """
    lock = work / "runtime.lock"
    lock.write_text(lock_of(source, target))
    # For pip install, whatever runs pip is the Python that a library needs; check_complete looks at the target's.
    options = ["--no-deps", "--require-hashes", "--ignore-requires-python", *target.pip_options]
    _pip(*options, f"--target={folder}", f"--requirement={lock}")
    wheels = work / "wheels"
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels), cwd=source)
    (wheel,) = wheels.glob("*.whl")
    shutil.rmtree(folder / "bin", ignore_errors=True)  # pip would complain that it is there
    _pip("--no-deps", "--no-index", "--ignore-requires-python", f"--target={folder}", str(wheel))
    _remove_unused(folder)
    check_complete(folder, target)


def lock_of(source: Path, target: Target) -> str:
    """Return what of a working tree's lock is needed on a target; see `runtime_lock`.

    Raises:
        DebError: The lock lacks a dependency.
    """
    dependencies: list[str] = tomllib.loads((source / "pyproject.toml").read_text())["project"]["dependencies"]
    return runtime_lock((source / "requirements.lock").read_text(), dependencies, target)


def _remove_unused(folder: Path) -> None:
    for pattern in _UNUSED_FOLDERS:
        for each in list(folder.glob(pattern)):
            shutil.rmtree(each)
    for path in list(folder.rglob("*")):
        noted = path.name in _NOTES and path.parent.suffix == ".dist-info"
        if path.is_file() and (noted or path.suffix in _UNUSED_SUFFIXES):
            path.unlink()
    for record in folder.glob("*.dist-info/RECORD"):
        _tell_what_is_left(record, folder)


def _tell_what_is_left(record: Path, folder: Path) -> None:
    """Take out of a distribution's list of files those that were removed."""
    rows = [row for row in csv.reader(io.StringIO(record.read_text())) if (folder / row[0]).is_file()]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(sorted(rows))
    record.write_text(text.getvalue())


def _pip(*options: str) -> None:
    _run(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", *options)


def _run(*command: str, cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()[-2:]
        raise DebError(f"{' '.join(command[1:4])} failed: {' '.join(lines)}")

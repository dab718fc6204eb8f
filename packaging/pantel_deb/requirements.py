"""Reduces the lock to what the program needs at run time on one target."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from pantel_deb.errors import DebError
from pantel_deb.target import Target

__all__ = ["check_complete", "runtime_lock"]

_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
_COMMENT = "    # "
_VIA = "via"


@dataclass(frozen=True, slots=True)
class _Locked:
    """One entry of the lock.

    Attributes:
        requirement: Name, version and marker.
        hashes: Options that name the files which may be installed.
        via: Who needs it, by the lock's own comments.
    """

    requirement: Requirement
    hashes: tuple[str, ...]
    via: frozenset[str]


def runtime_lock(lock: str, dependencies: list[str], target: Target) -> str:
    """Return the entries of a lock that dependencies need, and what those need, without markers.

    Pip sees markers as they are on the machine that runs it, so they are looked at here, as they are on the target.

    Args:
        lock: Text that `uv pip compile` has written, with its comments.
        dependencies: Requirements of the program itself.
        target: Where it shall run.

    Raises:
        DebError: The lock does not have one of them.
    """
    markers = target.markers
    needed = (Requirement(dependency) for dependency in dependencies)
    wanted = {canonicalize_name(each.name) for each in needed if _applies(each, markers)}
    entries = [entry for entry in _entries(lock) if _applies(entry.requirement, markers)]
    known = {canonicalize_name(entry.requirement.name) for entry in entries}
    if missing := wanted - known:
        raise DebError(f"requirements.lock has no {', '.join(sorted(missing))}; run: make lock")
    count = 0
    while count != len(wanted):
        count = len(wanted)
        wanted |= {canonicalize_name(entry.requirement.name) for entry in entries if entry.via & wanted}
    return "".join(
        " ".join((f"{entry.requirement.name}{entry.requirement.specifier}", *entry.hashes)) + "\n"
        for entry in entries
        if canonicalize_name(entry.requirement.name) in wanted
    )


def check_complete(folder: Path, target: Target) -> None:
    """Check that all that is installed in a folder finds what it says it needs, Python among it.

    Raises:
        DebError: Something is missing, or has another version.
    """
    installed = {canonicalize_name(each.name): each for each in distributions(path=[str(folder)])}
    for each in installed.values():
        if not SpecifierSet(each.metadata["Requires-Python"] or "").contains(target.python):
            raise DebError(f"{each.name} {each.version} is not for Python {target.python}; run: make lock")
        for requirement in map(Requirement, each.requires or ()):
            if not _applies(requirement, {**target.markers, "extra": ""}):
                continue
            found = installed.get(canonicalize_name(requirement.name))
            if found is None or not requirement.specifier.contains(found.version, prereleases=True):
                there = "nothing" if found is None else found.version
                raise DebError(f"{each.name} needs {requirement}, and there is {there}; run: make lock")


def _applies(requirement: Requirement, markers: dict[str, str]) -> bool:
    return requirement.marker is None or requirement.marker.evaluate(markers)


def _entries(lock: str) -> Iterator[_Locked]:
    for block in re.split(r"\n(?=[A-Za-z0-9])", lock.strip("\n")):
        lines = block.splitlines()
        comments = [line.removeprefix(_COMMENT).strip() for line in lines if line.startswith(_COMMENT)]
        via = {canonicalize_name(each.removeprefix(_VIA).strip()) for each in comments if each != _VIA}
        yield _Locked(Requirement(lines[0].rstrip(" \\")), tuple(_HASH.findall(block)), frozenset(via))

"""The lock, reduced to what runs on a target, whatever machine reduces it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from pantel_deb.errors import DebError
from pantel_deb.requirements import check_complete, runtime_lock
from pantel_deb.target import Target

CHECKOUT = Path(__file__).parents[2]
SHA256 = "--hash=sha256:" + "ab" * 32
LOCK = f"""\
codec==1.0 ; platform_machine == 'x86_64' \\
    {SHA256}
    # via pantel (pyproject.toml)
deep-part==2.1 \\
    {SHA256} \\
    {SHA256}
    # via
    #   middle-part
    #   other
middle-part==3.0 ; python_full_version < '3.12' \\
    {SHA256}
    # via pantel (pyproject.toml)
middle-part==4.0 ; python_full_version >= '3.12' \\
    {SHA256}
    # via pantel (pyproject.toml)
other==5.0 \\
    {SHA256}
    # via pantel (pyproject.toml)
"""
DEPENDENCIES = ["codec>=1 ; platform_machine == 'x86_64'", "Middle_Part>=3"]


def locked(lock: str) -> list[str]:
    return [line.split()[0] for line in lock.splitlines()]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (Target("3.11", "amd64"), ["codec==1.0", "deep-part==2.1", "middle-part==3.0"]),
        (Target("3.11", "arm64"), ["deep-part==2.1", "middle-part==3.0"]),
        (Target("3.13", "arm64"), ["deep-part==2.1", "middle-part==4.0"]),
    ],
)
def test_what_the_target_needs_is_left_with_its_hashes(target: Target, expected: list[str]) -> None:
    reduced = runtime_lock(LOCK, DEPENDENCIES, target)
    assert locked(reduced) == expected
    assert ";" not in reduced
    assert reduced.count(SHA256) == len(expected) + 1  # of the deep part there are two files


def test_a_lock_without_a_dependency_is_refused() -> None:
    with pytest.raises(DebError, match="has no missing; run: make lock"):
        runtime_lock(LOCK, [*DEPENDENCIES, "missing"], Target("3.11", "amd64"))


@pytest.mark.parametrize("python", ["3.11", "3.13"])
@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_the_projects_lock_serves_every_target(python: str, architecture: str) -> None:
    dependencies = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["dependencies"]
    reduced = runtime_lock((CHECKOUT / "requirements.lock").read_text(), dependencies, Target(python, architecture))
    names = {line.split("==")[0] for line in locked(reduced)}
    assert {"numpy", "onnxruntime", "pydantic-core", "typing-extensions"} <= names
    assert not {"matplotlib", "pytest", "colorama", "cryptography"} & names
    assert ("constriction" in names) == (architecture == "amd64")
    assert all("--hash=" in line for line in reduced.splitlines())


@pytest.mark.parametrize(
    ("python", "architecture", "advice"), [("3.12", "amd64", "DEB_PYTHON"), ("3.11", "armhf", "DEB_ARCH")]
)
def test_other_targets_are_refused(python: str, architecture: str, advice: str) -> None:
    with pytest.raises(DebError, match=advice):
        Target(python, architecture)


def test_a_package_fits_one_version_of_python() -> None:
    target = Target("3.13", "arm64")
    assert target.python_depends == "python3 (>= 3.13), python3 (<< 3.14)"
    assert target.suffix == "deb13"
    assert "--platform=manylinux_2_28_aarch64" in target.pip_options
    assert "--abi=cp313" in target.pip_options


def distribution(folder: Path, name: str, version: str, *requires: str, python: str = ">=3.9") -> None:
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir()
    lines = [f"Name: {name}", f"Version: {version}", f"Requires-Python: {python}"]
    lines += [f"Requires-Dist: {each}" for each in requires]
    (info / "METADATA").write_text("\n".join(["Metadata-Version: 2.1", *lines, ""]))


def test_what_is_installed_must_find_what_it_needs(tmp_path: Path) -> None:
    distribution(tmp_path, "user", "1", "used>=2", "unused; extra == 'more'", "codec; platform_machine == 'x86_64'")
    distribution(tmp_path, "used", "2.5")
    check_complete(tmp_path, Target("3.11", "arm64"))
    with pytest.raises(DebError, match=r"user needs codec.*, and there is nothing"):
        check_complete(tmp_path, Target("3.11", "amd64"))
    distribution(tmp_path, "old_user", "1", "used<2")
    with pytest.raises(DebError, match=r"old_user needs used<2, and there is 2\.5"):
        check_complete(tmp_path, Target("3.11", "arm64"))


def test_a_library_for_another_python_is_refused(tmp_path: Path) -> None:
    distribution(tmp_path, "modern", "1", python=">=3.12")
    check_complete(tmp_path, Target("3.13", "arm64"))
    with pytest.raises(DebError, match=r"modern 1 is not for Python 3\.11"):
        check_complete(tmp_path, Target("3.11", "arm64"))

"""The wheel, which pip and pipx install and the Debian package contains, has all that belongs to the packages."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest

CHECKOUT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(not (CHECKOUT / ".git").exists(), reason="asks Git which files belong to the packages")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return ZipFile(path)


def test_every_file_of_the_packages_is_in_the_wheel(wheel: ZipFile) -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    folders = [Path(folder) for folder in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]]
    listed = subprocess.run(
        ["git", "ls-files", "-z", *folders], cwd=CHECKOUT, check=True, capture_output=True, text=True
    ).stdout
    tracked = {
        Path(name).relative_to(folder.parent)
        for name in listed.split("\0")
        for folder in folders
        if name.startswith(f"{folder}/")
    }
    assert {"pantel_models", "pantel_device", "pantel_bench"} <= {path.parts[0] for path in tracked}
    assert tracked <= {Path(name) for name in wheel.namelist()}


def test_the_wheel_names_its_command_and_all_of_its_words(wheel: ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/entry_points.txt")]
    text = wheel.read(name).decode()
    assert "[console_scripts]\npantel = pantel_device.cli:main\n" in text
    for word in ("send", "receive", "demo", "service", "doctor", "completion"):
        assert f"\n{word} = pantel_" in text

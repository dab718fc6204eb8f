"""The Debian package in a booted Debian without a network: it installs and runs, is upgraded, removed and purged.

Each test goes on where the one before has ended, as a life of the machine.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.real_parts import needs_program
from tests.system.nspawn.joined_line import HOME_PORT, MAST_PORT, add_line
from tests.system.nspawn.machine import Machine, needs_debian, new_root

CHECKOUT = Path(__file__).parents[3]
SYSTEM_MODULES = Path("usr/lib/python3/dist-packages")
SYSTEM_PICAMERA2 = """\
import numpy

class Picamera2:
    @staticmethod
    def global_camera_info():
        print(numpy.__file__)
        return []
"""
PATIENCE_S = 90.0
MAST, HOME = "pantel-sender@mast", "pantel-receiver@home"
STATE = "/var/lib/pantel/sender-mast"
KEYS = "/etc/pantel/keys"
SENDER = f"""\
camera = "test"
port = "{MAST_PORT}"
callsign = "DK1AB-7"
key_file = "{KEYS}/mast.key"
"""
RECEIVER = f"""\
port = "{HOME_PORT}"
picture = "newest.png"
events = "log"
key_file = "{KEYS}/master.key"
"""
# What it costs to pack the package best is not what is tested.
QUICK = {"DPKG_DEB_COMPRESSOR_TYPE": "gzip", "DPKG_DEB_COMPRESSOR_LEVEL": "1"}

pytestmark = [pytest.mark.real, pytest.mark.slow, needs_debian()]


def build(folder: Path) -> Path:
    """Return a package of this checkout for the Debian that is booted."""
    done = subprocess.run(
        ["make", "deb", f"DIST={folder}", "DEB_PYTHON=3.11"],
        cwd=CHECKOUT,
        env={**os.environ, **QUICK},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (package,) = folder.glob("pantel_*~deb12_*.deb")
    return package


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("package")
    yield build(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def root(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = new_root(tmp_path_factory.mktemp("debian") / "root")
    shutil.copy(package, root / "old.deb")
    newer(package, root / "new.deb")
    (root / SYSTEM_MODULES / "picamera2.py").write_text(SYSTEM_PICAMERA2)
    (root / SYSTEM_MODULES / "numpy.py").write_text("raise ImportError('the NumPy of the system')\n")
    add_line(root)
    yield root
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def machine(root: Path) -> Iterator[Machine]:
    with Machine(root, "/usr/bin/pantel") as machine:
        machine.run("dpkg", "--install", "/old.deb", timeout_s=300)
        yield machine


def newer(package: Path, place: Path) -> None:
    """Pack a package again as that of a later version."""
    folder = place.with_suffix(".unpacked")
    subprocess.run(["dpkg-deb", "--raw-extract", package, folder], check=True)
    control = folder / "DEBIAN" / "control"
    text, changed = re.subn(r"^Version: .*$", "Version: 999.0~deb12", control.read_text(), flags=re.MULTILINE)
    assert changed == 1
    control.write_text(text)
    subprocess.run(
        ["dpkg-deb", "-Znone", "--root-owner-group", "--build", folder, place], check=True, capture_output=True
    )
    shutil.rmtree(folder)


def test_the_program_runs_without_a_network(machine: Machine) -> None:
    version = machine.run("pantel", "--version")
    assert re.fullmatch(r"pantel \d+\.\d+\.\d+\S*\n", version)
    assert "scene-v4" in machine.run("pantel", "models", "list")
    assert "cannot be loaded" not in machine.run("pantel", "--help")
    said = machine.run("pantel", "demo", "--seconds", "3", "--out", "/srv/demo", timeout_s=300)
    assert "/srv/demo/report.html" in said
    assert machine.run("stat", "--format=%s", "/srv/demo/demo.mp4").strip() != "0"


def test_everything_that_is_linked_is_there(machine: Machine) -> None:
    linked = machine.run("sh", "-c", "find /usr/lib/pantel -name '*.so*' -exec ldd {} + 2>&1", timeout_s=120)
    assert "not found" not in linked
    assert "libstdc++.so.6" in linked


def test_modules_of_the_system_are_seen_behind_its_own(machine: Machine) -> None:
    """The camera's library is the system's, and NumPy is not."""
    seen = machine.run("pantel", "send", "--camera", "picamera2", "--port", "pty:", check=False)
    assert "/usr/lib/pantel/numpy/__init__.py\n" in seen
    assert "there is no camera picamera2:0, of 0 that are connected" in seen


def test_its_modules_are_compiled_once(machine: Machine) -> None:
    assert machine.run("find", "/usr/lib/pantel/pantel_device", "-name", "cli.cpython-311.pyc").strip()


def test_installed_distributions_are_whole(machine: Machine) -> None:
    """What was left out of the libraries is left out of their lists, too."""
    check = (
        "import sys; from importlib.metadata import distributions\n"
        "every = list(distributions(path=['/usr/lib/pantel']))\n"
        "gone = [str(f) for d in every for f in d.files or () if not f.locate().exists()]\n"
        "print(len(every), gone)"
    )
    count, gone = machine.run("python3", "-c", check).split(maxsplit=1)
    assert int(count) > 20
    assert gone == "[]\n"


def test_pictures_flow_between_the_services_of_the_package(machine: Machine, root: Path) -> None:
    said = machine.run("pantel", "service", "install", "sender-mast", "receiver-home")
    assert said.startswith("leave the units of the package in /usr/lib/systemd/system\n")
    assert not list((root / "etc/systemd/system").glob("pantel-*"))
    units = [f"/usr/lib/systemd/system/pantel-{role}@.service" for role in ("sender", "receiver")]
    assert machine.run("systemd-analyze", "verify", *units) == ""
    (root / "etc/pantel/sender-mast.toml").write_text(SENDER)
    (root / "etc/pantel/receiver-home.toml").write_text(RECEIVER)
    make_keys(machine)
    machine.run("systemctl", "start", "line")
    machine.run("systemctl", "enable", "--now", MAST, HOME)
    machine.wait_for(lambda: hears(machine), PATIENCE_S)
    picture = root / "run/pantel/receiver-home/newest.png"
    machine.wait_for(lambda: machine.run("test", "-s", f"/{picture.relative_to(root)}", check=False) == "", PATIENCE_S)
    findings = json.loads(machine.run("pantel", "doctor", "--json", check=False, timeout_s=PATIENCE_S))["findings"]
    assert {finding["subject"] for finding in findings} >= {"machine", "sender-mast", "receiver-home"}
    # What joins the two ports holds them open, and the doctor sees that.
    assert {finding["found"] for finding in findings if finding["status"] == "problem"} == {"in use by line"}


def test_an_upgrade_keeps_what_is_the_operators(machine: Machine, root: Path) -> None:
    before, modes, epoch = digests(root), described(machine), newest_epoch(root)
    names = ("sender-mast.toml", "receiver-home.toml", "keys/master.key", "keys/mast.key")
    assert set(before) == {f"/etc/pantel/{name}" for name in names}
    processes = [main_process(machine, unit) for unit in (MAST, HOME)]
    machine.run("dpkg", "--install", "/new.deb", timeout_s=300)
    assert "999.0" in machine.run("dpkg-query", "--show", "--showformat=${Version}", "pantel")
    for unit, process in zip((MAST, HOME), processes, strict=True):
        machine.wait_for(lambda unit=unit, old=process: main_process(machine, unit) not in {old, "0"}, PATIENCE_S)  # type: ignore[misc]
    machine.wait_for(lambda: hears(machine), PATIENCE_S)
    assert (digests(root), described(machine)) == (before, modes)
    assert newest_epoch(root) == epoch + 1
    assert [machine.run("systemctl", "is-enabled", unit).strip() for unit in (MAST, HOME)] == ["enabled", "enabled"]


def test_what_was_removed_can_come_back(machine: Machine, root: Path) -> None:
    before, modes, epoch = digests(root), described(machine), newest_epoch(root)
    machine.run("dpkg", "--remove", "pantel", timeout_s=300)
    assert [is_active(machine, unit) for unit in (MAST, HOME)] == ["inactive", "inactive"]
    assert not (root / "usr/lib/pantel").exists()
    assert not (root / "usr/bin/pantel").exists()
    assert (digests(root), described(machine), newest_epoch(root)) == (before, modes, epoch)
    machine.run("dpkg", "--install", "/new.deb", timeout_s=300)
    machine.run("systemctl", "start", MAST, HOME)
    machine.wait_for(lambda: hears(machine), PATIENCE_S)
    assert newest_epoch(root) == epoch + 1


def test_purging_takes_everything_but_the_user(machine: Machine, root: Path) -> None:
    machine.run("dpkg", "--purge", "pantel", timeout_s=300)
    for place in ("etc", "usr", "var/lib/pantel", "var/lib/systemd"):
        left = [path for path in (root / place).rglob("*pantel*") if "dpkg" not in path.parts]
        assert left == []
    assert machine.run("id", "--name", "--user", "pantel") == "pantel\n"


def make_keys(machine: Machine) -> None:
    """Do what an operator does before the first start with keys."""
    machine.run("pantel", "key", "new", f"{KEYS}/master.key")
    machine.run("pantel", "key", "derive", f"{KEYS}/master.key", f"{KEYS}/mast.key", "--callsign", "DK1AB-7")
    machine.run("sh", "-c", f"chown root:pantel {KEYS}/*.key && chmod 0640 {KEYS}/*.key")
    machine.run("pantel", "key", "begin", f"{KEYS}/mast.key", "--state-dir", STATE)


def digests(root: Path) -> dict[str, str]:
    """Return what is in each file of the operator's."""
    files = [path for path in (root / "etc/pantel").rglob("*") if path.is_file()]
    return {f"/{path.relative_to(root)}": hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def described(machine: Machine) -> str:
    """Return modes and owners of the operator's files and folders."""
    return machine.run("sh", "-c", "find /etc/pantel -printf '%M %u:%g %p\\n' | sort")


def newest_epoch(root: Path) -> int:
    (file,) = [path for path in (root / STATE.lstrip("/")).glob("boot_epoch-*") if path.suffix != ".lock"]
    return int(file.read_text())


def hears(machine: Machine) -> bool:
    """Whether the receiver hears the sender."""
    return "DK1AB-7-0 heard " in machine.properties(HOME, "StatusText")[0]


def is_active(machine: Machine, unit: str) -> str:
    return machine.run("systemctl", "is-active", unit, check=False).strip()


def main_process(machine: Machine, unit: str) -> str:
    (process,) = machine.properties(unit, "MainPID")
    return process


@needs_program("lintian")
def test_lintian_finds_no_error(package: Path) -> None:
    done = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error", package], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_same_sources_make_the_same_package(package: Path, tmp_path: Path) -> None:
    again = build(tmp_path)
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(package.read_bytes()).digest()
    again.unlink()

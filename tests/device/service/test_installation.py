"""`pantel service install` and `remove` in another system's root; what they do in a booted one is tested there."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.real_parts import needs_program

from pantel_device.cli import main
from pantel_device.command import UsageError
from pantel_device.service import installation, systemd
from pantel_device.service.installation import own_program
from pantel_device.service.units import render_unit

_Pantel = Callable[..., tuple[int, str, str]]

_PROGRAM = "/opt/pantel/bin/pantel"
_needs_sysusers = needs_program("systemd-sysusers", "systemd")
_as_root = pytest.mark.skipif(os.geteuid() != 0, reason="makes users in another root, which only root can")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a root that has what a fresh Debian has, as far as it matters."""
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
    (root / "etc" / "group").write_text("root:x:0:\ndialout:x:20:\nvideo:x:44:\n")
    return root


@pytest.fixture
def pantel(capsys: pytest.CaptureFixture[str], root: Path) -> _Pantel:
    def run(*argv: str) -> tuple[int, str, str]:
        code = main(["service", *argv, "--root", str(root)])
        out, err = capsys.readouterr()
        return code, out.replace(str(root), "ROOT"), err

    return run


def _files(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): path.read_text()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.stat().st_size and not path.name.startswith((".pwd", "shadow", "gshadow"))
    }


@pytest.mark.real
@_needs_sysusers
@_as_root
def test_install_twice_and_remove(pantel: _Pantel, root: Path) -> None:
    code, out, err = pantel("install", "--program", _PROGRAM)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "write ROOT/etc/systemd/system/pantel-sender@.service",
        "write ROOT/etc/systemd/system/pantel-receiver@.service",
        "write ROOT/etc/sysusers.d/pantel.conf",
        "make the user pantel",
        "make the folder ROOT/etc/pantel/keys, for keys",
        "write ROOT/etc/pantel/sender-mast.toml",
        "write ROOT/etc/pantel/receiver-home.toml",
        "next: edit /etc/pantel/receiver-home.toml, then: systemctl enable --now pantel-receiver@home",
        "next: edit /etc/pantel/sender-mast.toml, then: systemctl enable --now pantel-sender@mast",
    ]
    assert (root / "etc/systemd/system/pantel-sender@.service").read_text() == render_unit("sender", _PROGRAM)
    group = next(line for line in (root / "etc/group").read_text().splitlines() if line.startswith("pantel:"))
    keys = (root / "etc/pantel/keys").stat()
    assert (keys.st_mode & 0o777, keys.st_uid, keys.st_gid) == (0o750, 0, int(group.split(":")[2]))
    assert "pantel:x:" in (root / "etc/passwd").read_text()

    (root / "etc/pantel/sender-mast.toml").write_text('camera = "picamera2"\n')
    before = _files(root)
    code, out, _ = pantel("install", "--program", _PROGRAM, "sender-mast", "receiver-roof")
    assert code == 0
    assert "leave ROOT/etc/pantel/sender-mast.toml, which is yours" in out
    after = _files(root)
    assert {name for name in after if after[name] != before.get(name)} == {"etc/pantel/receiver-roof.toml"}

    wants = root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir()
    for name in ("pantel-sender@mast.service", "pantel-receiver@roof.service"):
        (wants / name).symlink_to(f"/etc/systemd/system/{name.partition('@')[0]}@.service")
    assert "next: edit /etc/pantel/receiver-home.toml" in pantel("install", "--program", _PROGRAM)[1]
    assert "mast" not in pantel("install", "--program", _PROGRAM)[1].partition("next")[2]

    code, out, _ = pantel("remove", "roof")
    assert (code, out) == (0, "disable pantel-receiver@roof.service\n")
    assert [path.name for path in wants.iterdir()] == ["pantel-sender@mast.service"]
    assert (root / "etc/systemd/system/pantel-receiver@.service").exists()

    code, out, _ = pantel("remove")
    assert code == 0
    assert out.splitlines() == [
        "disable pantel-sender@mast.service",
        "remove ROOT/etc/systemd/system/pantel-sender@.service",
        "remove ROOT/etc/systemd/system/pantel-receiver@.service",
        "remove ROOT/etc/sysusers.d/pantel.conf",
        "leave /etc/pantel, /var/lib/pantel and the user pantel; remove them by hand if you want",
    ]
    assert list(wants.iterdir()) == []
    kept = _files(root)
    assert kept["etc/pantel/sender-mast.toml"] == 'camera = "picamera2"\n'
    assert {name for name in kept if "systemd" in name or "sysusers" in name} == set()
    assert (root / "etc/pantel/keys").is_dir()


@pytest.mark.real
@_needs_sysusers
@_as_root
def test_whatever_the_umask_says_services_can_read_what_they_must(pantel: _Pantel, root: Path) -> None:
    before = os.umask(0o077)
    try:
        assert pantel("install", "--program", _PROGRAM)[0] == 0
    finally:
        os.umask(before)
    assert (root / "etc/pantel").stat().st_mode & 0o777 == 0o755
    assert (root / "etc/pantel/sender-mast.toml").stat().st_mode & 0o777 == 0o644
    assert (root / "etc/systemd/system/pantel-sender@.service").stat().st_mode & 0o777 == 0o644


def test_a_dry_run_tells_and_does_nothing(pantel: _Pantel, root: Path) -> None:
    before = _files(root)
    code, out, err = pantel("install", "--dry-run", "--program", _PROGRAM)
    assert (code, err) == (0, "")
    assert out.startswith("would write ROOT/etc/systemd/system/pantel-sender@.service\n")
    assert _files(root) == before
    assert pantel("remove", "--dry-run")[1].startswith("would leave /etc/pantel, ")


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (("install", "--program", "pantel"), 2, "name an absolute path without spaces"),
        (("install", "--program", _PROGRAM, "roof"), 2, "there is no service 'roof'; write sender-NAME or receiver-"),
        (("remove", "sender-../../x"), 2, "there is no service 'sender-../../x'"),
    ],
)
def test_mistakes(argv: tuple[str, ...], code: int, said: str, pantel: _Pantel, root: Path) -> None:
    before = _files(root)
    answered, _, err = pantel(*argv)
    assert answered == code
    assert said in err
    assert err.count("\n") == 1
    assert _files(root) == before


def test_a_root_that_is_none(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["service", "install", "--program", _PROGRAM, "--root", str(tmp_path / "missing")]) == 1
    assert "there is no folder" in capsys.readouterr().err


def test_only_root_may_install(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    for action in ("install", "remove"):
        assert main(["service", action]) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("pantel: error: services are root's: run it again with sudo")


@pytest.mark.parametrize("action", ["install", "remove", "status"])
def test_without_systemd_there_are_no_services(
    action: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(systemd, "_RUNNING", tmp_path / "run" / "systemd" / "system")
    assert main(["service", action]) == 1
    assert capsys.readouterr() == (
        "",
        (
            "pantel: error: systemd does not run on this machine; "
            "pantel service install --root DIR prepares another system\n"
        ),
    )


@pytest.mark.parametrize("closed", ["hidden", "unreadable", "missing"])
def test_a_program_that_services_cannot_reach_is_refused(
    closed: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "opt" / "pantel"
    program.parent.mkdir()
    program.touch(0o755)
    monkeypatch.setattr(sys, "argv", [str(program)])
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(installation, "__file__", str(program))
    monkeypatch.setattr(installation, "_HIDDEN", (str(tmp_path / "home"),))
    for folder in program.parents:
        if folder.is_relative_to(tmp_path.parents[1]):
            folder.chmod(0o755)
    assert own_program() == str(program)
    match closed:
        case "hidden":
            monkeypatch.setattr(installation, "_HIDDEN", (str(program.parent),))
        case "unreadable":
            program.parent.chmod(0o700)
        case "missing":
            program.unlink()
    with pytest.raises(UsageError, match=r"services cannot use this pantel, because .*/opt.*; install it for all"):
        own_program()

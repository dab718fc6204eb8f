"""Purging the Debian package: what it removes, and what it leaves."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.real_parts import needs_program

_POSTRM = Path(__file__).parents[2] / "packaging" / "debian" / "postrm"


def _may_mount() -> bool:
    done = subprocess.run(["unshare", "--map-root-user", "--mount", "true"], capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.real
@needs_program("unshare", "util-linux")
def test_a_disk_below_the_state_keeps_what_it_holds(tmp_path: Path) -> None:
    if not _may_mount():
        pytest.skip("this machine lets nobody make name spaces")
    script, state, settings = tmp_path / "postrm", tmp_path / "var/lib/pantel", tmp_path / "etc/pantel"
    script.write_text(
        _POSTRM.read_text().replace("/etc/", f"{tmp_path}/etc/").replace("/var/lib/", f"{tmp_path}/var/lib/")
    )
    disk = state / "receiver-home" / "disk"
    for folder in (disk, state / "sender-mast", settings):
        folder.mkdir(parents=True)
    (state / "sender-mast" / "boot_epoch").touch()
    (settings / "sender-mast.toml").touch()
    steps = f"mount -t tmpfs none {disk} && touch {disk}/a.mp4 && sh {script} purge && ls {disk}"
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", steps], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "a.mp4\n"), done.stderr
    assert not settings.exists()
    assert not (state / "sender-mast").exists()

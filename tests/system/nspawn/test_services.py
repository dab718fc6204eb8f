"""The services in a booted Debian: they start, pictures flow, and whatever happens to them they come back.

Each test goes on where the one before has ended, as a life of the machine: booting anew for each would take too long.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from tests.system.nspawn.joined_line import HOME_PORT, MAST_PORT, add_line
from tests.system.nspawn.machine import CACHE, Machine, install_wheel, needs_debian, new_root

pytestmark = [pytest.mark.real, pytest.mark.slow, needs_debian()]

_MAST, _HOME = "pantel-sender@mast", "pantel-receiver@home"
_PICTURE = "/run/pantel/receiver-home/newest.png"
_WATCHDOG_S = 60.0

_SENDER = f'callsign = "K1ABC"\ncamera = "test:7"\nport = "{MAST_PORT}"\nsize_px = "160x120"\ndetector = "none"\n'
_RECEIVER = f'port = "{HOME_PORT}"\npicture = "newest.png"\npicture_interval_s = 0.1\nevents = "log"\n'
_FILM = 'camera = "file:/run/film"\nport = "pty:"\nsize_px = "160x120"\ndetector = "none"\n'


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    root = new_root(Path(os.environ[CACHE]) / f"services-{os.getpid()}")
    try:
        add_line(root)
        _write_film(root / "film.ts")
        yield root
    finally:
        shutil.rmtree(root)


@pytest.fixture(scope="module")
def machine(root: Path) -> Iterator[Machine]:
    with Machine(root, install_wheel(root)) as machine:
        yield machine


def _write_film(path: Path) -> None:
    """Write five minutes of a square that moves, in a container that a pipe can carry."""
    with av.open(str(path), "w", format="mpegts") as container:
        stream = container.add_stream("mpeg2video", rate=10)
        stream.width, stream.height, stream.time_base = 160, 120, Fraction(1, 10)
        for number in range(3000):
            pixels = np.full((120, 160, 3), 90, np.uint8)
            pixels[40:80, number % 120 : number % 120 + 40] = 220
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))


def _status(machine: Machine, unit: str) -> str:
    return machine.properties(unit, "StatusText")[0]


def _restarts(machine: Machine, unit: str) -> int:
    return int(machine.properties(unit, "NRestarts")[0])


def _active(machine: Machine, *units: str) -> bool:
    return all(machine.properties(unit, "ActiveState") == ["active"] for unit in units)


def _journal(machine: Machine, unit: str, *options: str) -> str:
    return machine.run("journalctl", f"--unit={unit}", "--no-pager", "--output=cat", *options)


def _epoch(root: Path) -> int:
    return int((root / "var/lib/pantel/sender-mast/boot_epoch").read_text())


def _wait_for_new_pictures(machine: Machine, patience_s: float) -> float:
    """Wait until the newest picture has changed three times; return how long that took [s]."""
    seen: set[str] = set()

    def three() -> bool:
        seen.add(machine.run("sha256sum", _PICTURE, check=False))
        return len([each for each in seen if _PICTURE in each and "cannot" not in each and "No such" not in each]) > 3

    return machine.wait_for(three, patience_s)


def test_the_services_are_installed(machine: Machine, root: Path) -> None:
    would = machine.pantel("service", "install", "--dry-run")
    assert would.splitlines()[0] == "would write /etc/systemd/system/pantel-sender@.service"
    assert not (root / "etc/pantel").exists()
    done = machine.pantel("service", "install")
    assert done.splitlines()[-1] == (
        "next: edit /etc/pantel/sender-mast.toml, then: systemctl enable --now pantel-sender@mast"
    )
    assert machine.run("id", "--name", "--user", "pantel").strip() == "pantel"
    units = [f"/etc/systemd/system/pantel-{role}@.service" for role in ("sender", "receiver")]
    assert machine.run("systemd-analyze", "verify", *units) == ""
    for unit in (_MAST, _HOME):
        exposure = machine.run("systemd-analyze", "security", "--no-pager", unit, check=False).splitlines()[-1]
        assert float(re.findall(r"\d+\.\d+", exposure)[0]) <= 1.6, exposure


def test_an_example_that_nobody_has_edited_says_what_to_edit(machine: Machine) -> None:
    machine.run("systemctl", "start", "--no-block", _HOME)
    machine.wait_for(lambda: "waits for port /dev/serial0: " in _status(machine, _HOME), 30)
    machine.run("systemctl", "stop", _HOME)
    assert machine.properties(_HOME, "ActiveState", "Result") == ["inactive", "success"]


def test_services_wait_for_their_line_and_say_so(machine: Machine, root: Path) -> None:
    (root / "etc/pantel/sender-mast.toml").write_text(_SENDER)
    (root / "etc/pantel/receiver-home.toml").write_text(_RECEIVER)
    machine.run("systemctl", "enable", "--now", "--no-block", _MAST, _HOME)
    for unit, port in ((_MAST, MAST_PORT), (_HOME, HOME_PORT)):
        machine.wait_for(lambda unit=unit, port=port: f"waits for port {port}: " in _status(machine, unit), 60)  # type: ignore[misc]
        assert machine.properties(unit, "ActiveState", "SubState") == ["activating", "start"]
    assert machine.run("systemctl", "list-jobs", "--no-legend", check=False).count("pantel-") == 2
    assert "activating (start) for " in machine.pantel("service", "status", check=False)


def test_pictures_flow(machine: Machine, root: Path) -> None:
    machine.run("systemctl", "start", "line.service")
    machine.wait_for(lambda: _active(machine, _MAST, _HOME), 60)
    _wait_for_new_pictures(machine, 60)
    machine.wait_for(
        lambda: re.search(r"K1ABC-0 heard \d+\.\d s ago, loss 0 %", _status(machine, _HOME)) is not None, 30
    )
    machine.wait_for(
        lambda: (
            re.fullmatch(
                r"sending to /run/line/mast, camera test:7, \d+ bit/s, [\d,]+ packets", _status(machine, _MAST)
            )
            is not None
        ),
        30,
    )
    shown = machine.pantel("service", "status")  # exit code 0: both do what they are for
    assert re.search(r"^pantel-receiver@home: active \(running\) for \d+ s$", shown, re.MULTILINE)
    assert re.search(r"^  says: sending to /run/line/mast, ", shown, re.MULTILINE)
    assert 'Status: "receiving from /run/line/home, K1ABC-0' in machine.run("systemctl", "status", "--no-pager", _HOME)
    log = _journal(machine, _HOME)
    assert "level=INFO source=pantel_device.receiving.sinks event kind=sender_heard callsign=K1ABC sender=0" in log
    assert "time=" not in log
    assert "<6>" not in log
    assert "level=WARNING" in _journal(machine, _HOME, "--priority=warning")
    assert "level=INFO" not in _journal(machine, _HOME, "--priority=warning")
    # Nothing is written to the disk but what must outlive a restart.
    assert [path.name for path in sorted((root / "var/lib/pantel/sender-mast").iterdir())] == [
        "boot_epoch",
        "boot_epoch.lock",
        "outbox",  # with the lock that says that somebody reads it
    ]
    assert list((root / "var/lib/pantel/receiver-home").iterdir()) == []


def test_a_killed_service_is_back_within_seconds(machine: Machine, root: Path) -> None:
    epoch = _epoch(root)
    for unit in (_MAST, _HOME):
        (before,) = machine.properties(unit, "MainPID")
        machine.run("kill", "-KILL", before)
        machine.wait_for(lambda unit=unit: _restarts(machine, unit) == 1, 10)  # type: ignore[misc]
        machine.wait_for(lambda unit=unit: _active(machine, unit), 30)  # type: ignore[misc]
        assert machine.properties(unit, "MainPID") != [before]
    _wait_for_new_pictures(machine, 60)
    assert _epoch(root) == epoch + 1
    assert "active (running)" in machine.pantel("service", "status")
    assert "restarts: 1" in machine.pantel("service", "status", "home")


def test_a_line_that_is_cut_is_no_reason_to_restart(machine: Machine) -> None:
    before = [_restarts(machine, unit) for unit in (_MAST, _HOME)]
    machine.run("systemctl", "stop", "line.service")
    for unit in (_MAST, _HOME):
        machine.wait_for(lambda unit=unit: " gone for " in _status(machine, unit), 30)  # type: ignore[misc]
    time.sleep(_WATCHDOG_S + 10)
    assert _active(machine, _MAST, _HOME)
    machine.run("systemctl", "start", "line.service")
    _wait_for_new_pictures(machine, 60)
    assert [_restarts(machine, unit) for unit in (_MAST, _HOME)] == before


def test_a_service_that_hangs_is_ended_by_the_watchdog(machine: Machine) -> None:
    before = [_restarts(machine, unit) for unit in (_MAST, _HOME)]
    for unit in (_MAST, _HOME):
        machine.run("kill", "-STOP", *machine.properties(unit, "MainPID"))
    for unit, restarts in zip((_MAST, _HOME), before, strict=True):
        machine.wait_for(lambda unit=unit, n=restarts: _restarts(machine, unit) == n + 1, _WATCHDOG_S + 30)  # type: ignore[misc]
    machine.wait_for(lambda: _active(machine, _MAST, _HOME), 30)
    _wait_for_new_pictures(machine, 60)
    assert "Watchdog timeout" in _journal(machine, _MAST)


def test_a_camera_that_hangs_is_recovered(machine: Machine, root: Path) -> None:
    """The camera is a pipe. Whoever fills it stops after ten seconds, and holds it open: the reader waits for ever."""
    (root / "etc/pantel/sender-film.toml").write_text(_FILM)
    film = "pantel-sender@film"
    machine.run("mkfifo", "--mode=644", "/run/film")
    fill = "exec 3<>/run/film; head --bytes={bytes} /film.ts >&3; sleep infinity"
    ten_s = (root / "film.ts").stat().st_size // 30
    machine.run("systemd-run", "--unit=fill", "sh", "-c", fill.format(bytes=ten_s))
    machine.run("systemctl", "start", film)
    took_s = machine.wait_for(lambda: _restarts(machine, film) == 1, 30 + _WATCHDOG_S + 30)
    log = _journal(machine, film)
    assert "Watchdog timeout (limit 1min)!" in log
    assert "Fatal Python error: Aborted" in log  # and then where it was
    assert "clip.py" in log
    machine.run("systemctl", "stop", "fill")
    machine.run("systemd-run", "--unit=fill-again", "sh", "-c", fill.format(bytes=1 << 30))
    machine.wait_for(lambda: _active(machine, film), 60)
    machine.wait_for(lambda: "camera file:/run/film, " in _status(machine, film), 30)
    assert took_s > _WATCHDOG_S
    machine.run("systemctl", "stop", film, "fill-again")


def test_a_wrong_configuration_is_told_and_tried_ever_more_rarely(machine: Machine, root: Path) -> None:
    (root / "etc/pantel/sender-typo.toml").write_text("speed = 5\n")
    typo = "pantel-sender@typo"
    said = machine.run("systemctl", "start", typo, check=False)
    assert "Job for pantel-sender@typo.service failed" in said
    line = "unknown key 'speed' in /etc/pantel/sender-typo.toml"
    machine.wait_for(lambda: f"in a row, the last: {line}" in _status(machine, typo), 60)
    machine.wait_for(lambda: "waits 8 s after 5 failures" in _status(machine, typo), 60)
    assert line in machine.run("systemctl", "status", "--no-pager", typo, check=False)
    shown = machine.pantel("service", "status", "--json", "/run/status.json", "typo", check=False)
    assert "pantel-sender@typo: activating (start) for " in shown
    assert "not started at boot" in shown
    assert f"pantel: error: {line}" in shown
    (service,) = json.loads(machine.run("cat", "/run/status.json"))["services"]
    assert (service["active_state"], service["enabled"], len(service["errors"])) == ("activating", False, 3)
    # It goes on by itself as soon as it can.
    (root / "etc/pantel/sender-typo.toml").write_text(_FILM.replace("file:/run/film", "test"))
    machine.wait_for(lambda: _active(machine, typo), 60)
    machine.run("systemctl", "stop", typo)
    (root / "etc/pantel/sender-typo.toml").unlink()


def test_a_key_that_is_roots_serves(machine: Machine, root: Path) -> None:
    keys = "/etc/pantel/keys"
    machine.pantel("key", "new", f"{keys}/master.key")
    machine.pantel("key", "derive", f"{keys}/master.key", f"{keys}/mast.key", "--callsign", "K1ABC")
    machine.pantel("key", "begin", f"{keys}/mast.key", "--state-dir", "/var/lib/pantel/sender-mast")
    machine.run("sh", "-c", f"chown root:pantel {keys}/*.key; chmod 640 {keys}/*.key")
    for name, key in (("sender-mast", "mast"), ("receiver-home", "master")):
        with (root / f"etc/pantel/{name}.toml").open("a") as config:
            config.write(f'key_file = "{keys}/{key}.key"\n')
    machine.run("systemctl", "restart", _MAST, _HOME)
    machine.wait_for(lambda: "K1ABC-0 heard " in _status(machine, _HOME), 60)
    _wait_for_new_pictures(machine, 60)


def test_after_a_power_cut_all_is_as_before(machine: Machine, root: Path) -> None:
    epoch = {path.name: path.read_text() for path in (root / "var/lib/pantel/sender-mast").glob("boot_epoch-????????")}
    assert len(epoch) == 1
    machine.cut_power()
    machine.boot()  # to the end, though the line is missing yet
    assert machine.properties(_MAST, "ActiveState") == ["activating"]
    machine.run("systemctl", "start", "line.service")
    machine.wait_for(lambda: _active(machine, _MAST, _HOME), 60)
    _wait_for_new_pictures(machine, 120)
    ((name, before),) = epoch.items()
    assert int((root / "var/lib/pantel/sender-mast" / name).read_text()) == int(before) + 1


def test_removed_services_leave_what_is_the_operators(machine: Machine, root: Path) -> None:
    done = machine.pantel("service", "remove")
    assert done.splitlines()[:2] == [
        "stop and disable pantel-receiver@home.service",
        "stop and disable pantel-sender@film.service",
    ]
    assert machine.run("systemctl", "list-units", "--no-legend", "--all", "pantel-*").split() == []
    assert not list((root / "etc/systemd/system").rglob("pantel-*"))
    assert (root / "etc/pantel/sender-mast.toml").read_text().startswith(_SENDER)
    assert (root / "etc/pantel/keys/mast.key").exists()
    assert list((root / "var/lib/pantel/sender-mast").glob("boot_epoch-*"))
    assert machine.pantel("service", "status", check=False).count("inactive (dead)") == 3

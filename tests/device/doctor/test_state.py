"""Keys, epochs, folders, the token of the page, and the disks."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.device.doctor.conftest import Patient, make_setup, running, said

from pantel_device.doctor.accounts import service_account
from pantel_device.doctor.disks import check_disks
from pantel_device.doctor.machine import Machine
from pantel_device.doctor.sandbox import Sandbox
from pantel_device.doctor.setups import Setup
from pantel_device.doctor.state import check_key, check_outputs, check_state, check_tokens
from pantel_device.sending.boot_epoch import begin_epochs, next_boot_epoch
from pantel_link import MasterKey, new_master_key, write_key

_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can do that")


@pytest.fixture
def master(tmp_path: Path) -> tuple[Path, MasterKey]:
    key = new_master_key()
    write_key(tmp_path / "master.key", key)
    return tmp_path / "master.key", key


def _statuses(findings: list[tuple[str, str]]) -> list[str]:
    return [status for status, _ in findings]


def test_without_a_key() -> None:
    assert _statuses(said(list(check_key(Machine(), make_setup("sender"))))) == ["note"]
    (found,) = check_key(Machine(), make_setup("sender", encrypt="true"))
    assert (found.status.value, found.found) == ("problem", "encrypt needs a key, and none is named")


def test_keys(master: tuple[Path, MasterKey], tmp_path: Path) -> None:
    path, key = master
    assert said(list(check_key(Machine(), make_setup("receiver", key_file=path)))) == [
        ("ok", f"{path}, of all senders, and nobody else can read it")
    ]
    mine = tmp_path / "mast.key"
    write_key(mine, key.sender_key(3, "K1ABC"))
    setup = make_setup("sender", key_file=mine, sender=3, callsign="K1ABC")
    assert said(list(check_key(Machine(), setup))) == [
        ("ok", f"{mine}, of sender 3, K1ABC, and nobody else can read it")
    ]
    other = make_setup("sender", key_file=mine, sender=4, callsign="K1ABC")
    assert said(list(check_key(Machine(), other))) == [("problem", f"{mine} is that of another sender or callsign")]


def test_keys_that_cannot_be_used(tmp_path: Path) -> None:
    missing = make_setup("sender", key_file=tmp_path / "missing.key")
    ((status, found),) = said(list(check_key(Machine(), missing)))
    assert (status, found) == ("problem", f"{tmp_path / 'missing.key'} cannot be read: No such file or directory")
    text = tmp_path / "text.key"
    text.write_text("no key")
    text.chmod(0o600)
    ((status, found),) = said(list(check_key(Machine(), make_setup("sender", key_file=text))))
    assert (status, "holds no key" in found) == ("problem", True)
    text.chmod(0o644)
    (finding,) = check_key(Machine(), make_setup("sender", key_file=text))
    assert (finding.status.value, finding.advice) == ("problem", f"chmod 600 {text}")


@_ROOT
def test_a_key_that_the_service_may_not_read(master: tuple[Path, MasterKey]) -> None:
    nobody = service_account("nobody")
    assert nobody is not None
    setup = replace(make_setup("receiver", key_file=master[0]), account=nobody)
    (found,) = check_key(Machine(), setup)
    assert found.found == f"nobody may not read {master[0]}"
    assert found.advice == f"sudo chgrp nobody {master[0]} && sudo chmod 640 {master[0]}"


def test_epochs(master: tuple[Path, MasterKey], tmp_path: Path) -> None:
    state = tmp_path / "state"
    setup = make_setup("sender", state_dir=state)
    assert said(list(check_state(Machine(), setup))) == [
        ("ok", f"{state} will be made at the start"),
        ("ok", "none yet; it begins with the first start"),
    ]
    epoch = next_boot_epoch(state)
    assert said(list(check_state(Machine(), setup)))[1] == ("ok", f"{epoch} ({state}/boot_epoch)")
    (state / "boot_epoch").write_text("seven")
    assert _statuses(said(list(check_state(Machine(), setup)))) == ["ok", "note"]

    path, key = master
    mine = key.sender_key(0, "K1ABC")
    keyed = make_setup("sender", state_dir=state, key_file=path, callsign="K1ABC")
    missing = list(check_state(Machine(), keyed))[1]
    assert missing.status.value == "problem"
    assert f"pantel key begin {path} --state-dir {state}" in missing.advice
    file = begin_epochs(state, mine, 41)
    assert said(list(check_state(Machine(), keyed)))[1] == ("ok", f"41 ({file})")
    file.write_text("")
    assert _statuses(said(list(check_state(Machine(), keyed)))) == ["ok", "problem"]
    path.chmod(0o644)
    assert _statuses(said(list(check_state(Machine(), keyed)))) == ["ok", "note"]
    assert len(list(check_state(Machine(), make_setup("receiver", state_dir=state)))) == 1


def test_looking_begins_no_epoch_and_makes_no_folder(tmp_path: Path) -> None:
    state = tmp_path / "deep" / "state"
    list(check_state(Machine(), make_setup("sender", state_dir=state)))
    assert not state.parent.exists()


def test_a_state_folder_that_is_a_file(patient: Patient) -> None:
    patient.write("/var/lib/pantel", "")
    setup = make_setup("sender", state_dir="/var/lib/pantel/sender-mast")
    assert said(list(check_state(patient.machine, setup))) == [("problem", "/var/lib/pantel is no folder")]


@_ROOT
def test_a_state_folder_of_somebody_else(tmp_path: Path) -> None:
    nobody = service_account("nobody")
    assert nobody is not None
    setup = replace(make_setup("sender", state_dir=tmp_path), account=nobody)
    ((status, found),) = said(list(check_state(Machine(), setup)))
    assert (status, found) == ("problem", f"nobody may not write to {tmp_path}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder on a disk of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=False).returncode:
        pytest.skip("no disk can be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


@_ROOT
def test_a_disk_that_cannot_be_written_to(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    ((status, found),) = said(list(check_state(Machine(), make_setup("sender", state_dir=small_disk))))
    assert (status, found) == ("problem", f"{small_disk} lies on a file system that cannot be written to")


@_ROOT
def test_a_disk_that_is_nearly_full(small_disk: Path) -> None:
    ((status, found),) = said(list(check_disks(Machine(), make_setup("sender", state_dir=small_disk))))
    assert (status, found) == ("problem", f"1 MB are free where {small_disk} is")


def test_quotas_are_compared_with_the_room(tmp_path: Path) -> None:
    setup = make_setup(
        "receiver", capture=tmp_path / "line.pcapng", capture_quota_bytes=5_000_000, stills=tmp_path / "stills"
    )
    ((status, found),) = said(list(check_disks(Machine(), setup)))
    assert status == "ok"
    assert found.endswith("; capture, stills may take 1.0 GB more")
    (tmp_path / "line.000001.pcapng").write_bytes(bytes(3_000_000))
    (tmp_path / "stills").mkdir()
    (tmp_path / "stills" / "a.ptl").write_bytes(bytes(999_000_000 // 1000))
    ((_, found),) = said(list(check_disks(Machine(), setup)))
    assert found.endswith("; capture, stills may take 1.0 GB more")
    huge = make_setup("receiver", capture=tmp_path / "line.pcapng", capture_quota_bytes=10**18)
    (finding,) = check_disks(Machine(), huge)
    assert (finding.status.value, finding.advice) == ("warning", "make room, or lower the quota of capture")
    assert said(
        list(check_disks(Machine(), make_setup("receiver", recordings=str(tmp_path), recordings_quota_bytes=10**18)))
    )[0][0] == ("warning")


def test_places_of_what_is_written(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    setup = make_setup(
        "receiver",
        picture=tmp_path / "folder",
        events=tmp_path / "nowhere" / "events.jsonl",
        capture=tmp_path / "line.pcapng",
        stills=tmp_path / "made" / "later",
    )
    assert said(list(check_outputs(Machine(), setup))) == [
        ("problem", f"{tmp_path / 'folder'} is a folder"),
        ("problem", f"there is no folder {tmp_path / 'nowhere'}"),
    ]
    assert list(check_outputs(Machine(), make_setup("receiver", picture="/dev/null", events="-"))) == []


def test_a_token_that_everybody_can_read(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("secret")
    token.chmod(0o644)
    (found,) = check_tokens(Machine(), make_setup("receiver", web_token_file=str(token)))
    assert (found.status.value, found.advice) == ("problem", f"sudo chmod o= {token}")
    token.chmod(0o640)
    assert _statuses(said(list(check_tokens(Machine(), make_setup("receiver", web_token_file=str(token)))))) == ["ok"]
    token.unlink()
    assert _statuses(said(list(check_tokens(Machine(), make_setup("receiver", web_token_file=str(token)))))) == [
        "problem"
    ]
    assert list(check_tokens(Machine(), make_setup("receiver"))) == []
    token.write_text("secret")
    for key, check in (("mqtt_password_file", "password"), ("webhook_token_file", "token")):
        (found,) = check_tokens(Machine(), make_setup("receiver", **{key: str(token)}))
        assert (found.status.value, found.check) == ("problem", check)


def _sandboxed(**values: str) -> Setup:
    """Return a receiver whose service sees no homes and may write to its own folders alone."""
    own = ("/var/lib/pantel/receiver-home", "/run/pantel/receiver-home")
    walls = Sandbox(own, ("/home", "/tmp"), (*own, "/dev"))  # noqa: S108
    service = running("pantel-receiver@home.service", sandbox=walls, folder=own[1])
    setup = make_setup("receiver", service, **values)
    return replace(setup, folder=Path(own[1]))


def test_what_systemd_makes_need_not_be_there(patient: Patient) -> None:
    setup = _sandboxed(state_dir="/var/lib/pantel/receiver-home", picture="newest.png", events="log")
    assert said(list(check_outputs(patient.machine, setup))) == []
    assert _statuses(said(list(check_state(patient.machine, setup)))) == ["ok"]


def test_what_systemd_keeps_from_a_service(patient: Patient) -> None:
    for folder in ("srv", "home/op", "dev"):
        (patient.root / folder).mkdir(parents=True)
    setup = _sandboxed(
        state_dir="/var/lib/pantel/receiver-home", picture="/srv/newest.png", capture="/home/op/a.pcapng"
    )
    assert said(list(check_outputs(patient.machine, setup))) == [
        ("problem", "pantel-receiver@home.service is kept from writing to /home/op"),
        ("problem", "pantel-receiver@home.service is kept from writing to /srv"),
    ]
    key = _sandboxed(key_file="/home/op/master.key")
    patient.write("/home/op/master.key", "")
    (found,) = check_key(patient.machine, key)
    assert (found.status.value, found.found) == ("problem", "the service does not see /home/op/master.key")

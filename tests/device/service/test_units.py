"""The units: rendering, what systemd says of them, and that they are as closed as they should be."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from tests.real_parts import needs_program

from pantel_device.command import UsageError
from pantel_device.recordings.recording_thread import _CLOSING_S
from pantel_device.service.units import ROLES, Instance, Role, chosen, configured, render_unit, template

_needs_analyze = needs_program("systemd-analyze", "systemd")

_KNOWN = [Instance("sender", "mast"), Instance("sender", "tower"), Instance("receiver", "mast")]


@pytest.mark.parametrize("role", ROLES)
def test_a_unit_starts_the_program_with_the_configuration_of_its_instance(role: Role) -> None:
    unit = render_unit(role, "/opt/pantel/bin/pantel")
    command = {"sender": "send", "receiver": "receive"}[role]
    assert f"\nExecStart=/opt/pantel/bin/pantel {command} --wait --config /etc/pantel/{role}-%i.toml\n" in unit
    assert f"\nStateDirectory=pantel/{role}-%i\n" in unit
    assert f"\nRuntimeDirectory=pantel/{role}-%i\n" in unit
    assert f"\nWorkingDirectory=%t/pantel/{role}-%i\n" in unit
    assert "@PANTEL@" not in unit


@pytest.mark.parametrize("role", ROLES)
def test_a_unit_depends_on_no_clock_no_network_and_nothing_that_may_be_missing(role: Role) -> None:
    unit = render_unit(role, "/usr/bin/pantel")
    dependencies = re.findall(r"^(Requires|Wants|After|BindsTo|Requisite)=(.*)$", unit, re.MULTILINE)
    assert dependencies == [("Requires", "sysinit.target"), ("After", "sysinit.target")]


@pytest.mark.parametrize("role", ROLES)
def test_a_unit_leaves_time_to_complete_recordings(role: Role) -> None:
    (stop_s,) = re.findall(r"^TimeoutStopSec=(\d+)$", render_unit(role, "/usr/bin/pantel"), re.MULTILINE)
    assert int(stop_s) > 2 * _CLOSING_S  # until the queue takes the end, and until the thread has ended


@pytest.mark.parametrize("program", ["pantel", "/opt/my pantel/pantel", "/opt/%h/pantel", "/opt/pan\ntel", ""])
def test_a_program_that_systemd_would_not_find(program: str) -> None:
    with pytest.raises(UsageError, match="name an absolute path without spaces"):
        render_unit("sender", program)


@pytest.mark.real
@_needs_analyze
@pytest.mark.parametrize("role", ROLES)
def test_systemd_has_nothing_to_say_of_a_unit(role: Role, tmp_path: Path) -> None:
    path = tmp_path / template(role)
    path.write_text(render_unit(role, "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    path.write_text(render_unit(role, "/bin/true").replace("[Service]", "[Service]\nRestartStepz=5"))
    done = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True, check=False)
    assert "Unknown key 'RestartStepz'" in done.stderr  # so it would have said something


@pytest.mark.real
@_needs_analyze
@pytest.mark.parametrize(("role", "most"), [("sender", 1.6), ("receiver", 1.5)])
def test_a_unit_leaves_little_open(role: Role, most: float, tmp_path: Path) -> None:
    path = tmp_path / template(role)
    path.write_text(render_unit(role, "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", path], capture_output=True, text=True, check=True
    )
    found = re.search(r"Overall exposure level for .*: ([\d.]+) ", done.stdout)
    assert found is not None
    assert float(found[1]) <= most


@pytest.mark.real
@_needs_analyze
@pytest.mark.parametrize("role", ROLES)
def test_a_unit_would_be_as_closed_without_its_place_in_the_boot(role: Role, tmp_path: Path) -> None:
    """Some points are not counted for units that begin early; these are not meant to be hidden that way."""
    path = tmp_path / template(role)
    path.write_text(render_unit(role, "/bin/true").replace("DefaultDependencies=no\n", ""))
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=25", "--no-pager", path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("text", "instance"),
    [
        ("sender-mast", Instance("sender", "mast")),
        ("pantel-receiver@home", Instance("receiver", "home")),
        ("pantel-receiver@home.service", Instance("receiver", "home")),
        ("sender-mast-2", Instance("sender", "mast-2")),
        ("sender-", None),
        ("mast", None),
        ("pantel-doctor@home", None),
        ("sender-../../etc", None),
        ("sender-a b", None),
        ("sender--x", None),
        ("pantel-sender-mast", None),
    ],
)
def test_names_of_instances(text: str, instance: Instance | None) -> None:
    assert Instance.parse(text) == instance


def test_an_instance_knows_its_unit_and_its_configuration() -> None:
    instance = Instance("sender", "mast")
    assert (instance.unit, str(instance.config)) == ("pantel-sender@mast.service", "/etc/pantel/sender-mast.toml")


def test_instances_are_chosen_by_any_of_their_names() -> None:
    assert chosen([], _KNOWN) == sorted(_KNOWN)
    assert chosen(["mast"], _KNOWN) == [Instance("receiver", "mast"), Instance("sender", "mast")]
    assert chosen(["sender-tower", "tower", "sender-new"], _KNOWN) == [
        Instance("sender", "tower"),
        Instance("sender", "new"),
    ]
    with pytest.raises(UsageError, match=r"there is no service 'roof'; .*known: receiver-mast, sender-mast, sender-"):
        chosen(["roof"], _KNOWN)
    with pytest.raises(UsageError, match="known: none"):
        chosen(["roof"], [])


def test_what_is_configured_is_found(tmp_path: Path) -> None:
    assert configured(tmp_path) == []
    folder = tmp_path / "etc" / "pantel"
    folder.mkdir(parents=True)
    for name in ("sender-mast.toml", "receiver-home.toml", "sender-old.toml.dpkg-old", "notes.toml", "sender-.toml"):
        (folder / name).touch()
    assert configured(tmp_path) == [Instance("receiver", "home"), Instance("sender", "mast")]

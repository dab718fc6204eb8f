"""Serial devices: real pseudo-terminals, busy, closed to others, wrong ones; and what a Raspberry Pi adds."""

from __future__ import annotations

import fcntl
import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.device.doctor.conftest import Patient, make_setup, running, said

from pantel_device.doctor.machine import Done, Machine
from pantel_device.doctor.port import check_port
from pantel_device.doctor.setups import Setup
from pantel_link import open_port

_TIOCSPTLCK = 0x40045431  # unlocks a new pseudo-terminal; Python 3.11 has no name for it


def _check(patient: Patient, setup: Setup) -> list[tuple[str, str]]:
    return said(list(check_port(patient.machine, setup)))


def test_a_free_port(pty_pair: tuple[int, Path]) -> None:
    _, device = pty_pair
    (found,) = check_port(Machine(), make_setup("sender", port=device))
    assert found.status.value == "ok"
    assert found.found.startswith(f"{device} is there, free, and ")


@contextmanager
def _holding(device: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    """Let another process hold a port as pantel does, with some words on its command line."""
    program = (
        "import sys, time; from pantel_link import open_port; port = open_port(sys.argv[1]);"
        "print('open', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", program, str(device), *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process
        process.kill()


def test_a_port_that_another_program_has(pty_pair: tuple[int, Path]) -> None:
    _, device = pty_pair
    with _holding(device) as process:
        (found,) = check_port(Machine(), make_setup("sender", port=device))
    assert found.status.value == "problem"
    assert found.found.startswith(f"in use by process {process.pid} (")
    assert found.advice == "end that program, or name another port"


def test_a_port_that_the_very_daemon_has(pty_pair: tuple[int, Path], tmp_path: Path) -> None:
    _, device = pty_pair
    file = tmp_path / "sender-mast.toml"
    with _holding(device, "--config", str(file)):
        (found,) = check_port(Machine(), make_setup("sender", None, file, port=device))
    assert found.status.value == "ok"
    assert found.found.endswith(", as it should be")


def test_who_has_made_a_pseudo_terminal_does_not_use_its_other_end() -> None:
    with open_port("pty:") as port:
        device = port.name.removeprefix("pty:")
        program = "import sys; from pantel_device.cli import main; sys.exit(main(['doctor', '--sender', '--json']))"
        environment = {**os.environ, "PANTEL_PORT": device, "PANTEL_CAMERA": "test"}
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False
        )
    (found,) = [each for each in json.loads(done.stdout)["findings"] if each["check"] == "port"]
    assert (found["status"], "free" in found["found"]) == ("ok", True)


def test_processes_are_named_by_their_service(patient: Patient, pty_pair: tuple[int, Path]) -> None:
    _, device = pty_pair
    status = device.stat()
    patient.link("/dev/ttyUSB0", device)
    file = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    lines = [
        "1: POSIX  ADVISORY  READ 3 00:01:5 0 EOF",
        f"2: FLOCK  ADVISORY  WRITE 712 {file} 0 EOF",
        f"2: -> FLOCK  ADVISORY  WRITE 713 {file} 0 EOF",
    ]
    patient.write("/proc/locks", "\n".join(lines))
    for pid in (712, 713):
        patient.write(f"/proc/{pid}/cmdline", "/usr/bin/pantel\0send\0")
    patient.write("/proc/712/cgroup", "0::/system.slice/system-pantel\\x2dsender.slice/pantel-sender@mast.service\n")
    own = make_setup("sender", running(), port="/dev/ttyUSB0")
    assert _check(patient, own) == [("ok", "in use by pantel-sender@mast, as it should be")]
    (found,) = check_port(patient.machine, make_setup("receiver", port="/dev/ttyUSB0"))
    assert (found.status.value, found.found) == ("problem", "in use by pantel-sender@mast")
    assert found.advice == "sudo systemctl stop pantel-sender@mast.service"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_terminals_of_containers_have_numbers_of_their_own(pty_pair: tuple[int, Path], tmp_path: Path) -> None:
    _, device = pty_pair
    node = tmp_path / device.name
    if subprocess.run(["mount", "-t", "devpts", "devpts", tmp_path], capture_output=True, check=False).returncode:
        pytest.skip("no file systems can be mounted here")
    ends: list[int] = []
    try:
        while not node.exists():  # a terminal of the same number there
            ends.append(os.open(tmp_path / "ptmx", os.O_RDWR | os.O_NOCTTY))
            fcntl.ioctl(ends[-1], _TIOCSPTLCK, struct.pack("i", 0))
            assert len(ends) < 100
        ends.append(os.open(node, os.O_RDWR | os.O_NOCTTY))
        with subprocess.Popen(["sleep", "60"], stdin=ends[-1]) as other:
            (found,) = check_port(Machine(), make_setup("sender", port=device))
            other.kill()
        assert found.status.value == "ok"
    finally:
        for end in ends:
            os.close(end)
        subprocess.run(["umount", "--lazy", tmp_path], check=True)


def test_a_service_that_runs_without_its_port(pty_pair: tuple[int, Path]) -> None:
    _, device = pty_pair
    (found,) = check_port(Machine(), make_setup("sender", running(), port=device))
    assert found.status.value == "warning"
    assert found.found == "pantel-sender@mast.service is running, but does not have it open"


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda path: path.mkdir(), "a folder"),
        (lambda path: path.write_text(""), "a file"),
        (os.mkfifo, "no serial device"),
        (lambda path: path.symlink_to("/dev/null"), "a device, but no serial one"),
    ],
)
def test_what_is_no_serial_device(patient: Patient, make: object, kind: str) -> None:
    device = patient.root / "dev" / "line"
    device.parent.mkdir()
    assert callable(make)
    make(device)
    patient.link("/sys/dev/char/1:3/subsystem", "/sys/class/mem")
    assert _check(patient, make_setup("sender", port="/dev/line")) == [("problem", f"/dev/line is {kind}")]


def test_a_name_without_a_chip(patient: Patient, pty_pair: tuple[int, Path]) -> None:
    patient.link("/dev/ttyS3", pty_pair[1])
    patient.write(f"/sys/class/tty/{pty_pair[1].name}/type", "0\n")
    ((status, found),) = _check(patient, make_setup("sender", port="/dev/ttyS3"))
    assert (status, found) == ("problem", "/dev/ttyS3 is the name of a serial port that this machine does not have")


def test_what_is_there_is_named_instead(patient: Patient, pty_pair: tuple[int, Path]) -> None:
    setup = make_setup("sender", port="/dev/ttyUSB7")
    (found,) = check_port(patient.machine, setup)
    assert found.advice == "plug it in and look under /dev/serial/by-id; there is no serial device now"
    patient.link("/dev/ttyUSB0", pty_pair[1])
    patient.link("/dev/serial/by-id/usb-FTDI_FT232R-if00-port0", "../../ttyUSB0")
    patient.link("/dev/ttyACM0", "/nowhere")
    (found,) = check_port(patient.machine, setup)
    assert (found.status.value, found.found) == ("problem", "there is no /dev/ttyUSB7")
    assert found.advice.endswith("there: /dev/serial/by-id/usb-FTDI_FT232R-if00-port0, /dev/ttyUSB0")


def test_a_pi_whose_uart_is_off(patient: Patient) -> None:
    patient.become_a_pi()
    (found,) = check_port(patient.machine, make_setup("sender"))
    assert found.found == "there is no /dev/serial0"
    assert "raspi-config" in found.advice


def test_a_pi_whose_kernel_and_login_shell_talk_to_the_radio(patient: Patient, pty_pair: tuple[int, Path]) -> None:
    patient.become_a_pi()
    patient.link("/dev/serial0", pty_pair[1])
    patient.write("/proc/cmdline", "console=serial0,115200 console=tty1 root=PARTUUID=1 rootwait\n")
    patient.programs["systemctl show"] = Done(0, "LoadState=loaded\nActiveState=active\n")
    findings = list(check_port(patient.machine, make_setup("sender")))
    assert [finding.status.value for finding in findings] == ["problem", "problem"]
    assert "kernel writes its messages to /dev/serial0" in findings[0].found
    assert "a login shell runs on /dev/serial0" in findings[1].found
    assert all("raspi-config" in finding.advice for finding in findings)


def test_a_console_elsewhere_does_not_matter(patient: Patient, pty_pair: tuple[int, Path]) -> None:
    patient.link("/dev/ttyUSB0", pty_pair[1])
    patient.write("/proc/cmdline", "console=ttyS0,115200 console=tty1\n")
    assert [status for status, _ in _check(patient, make_setup("sender", port="/dev/ttyUSB0"))] == ["ok"]


def test_hints(patient: Patient, pty_pair: tuple[int, Path]) -> None:
    patient.link("/dev/ttyUSB0", pty_pair[1])
    patient.link("/dev/serial/by-id/usb-Mobilinkd_TNC3-if00", "../../ttyUSB0")
    findings = list(check_port(patient.machine, make_setup("sender", port="/dev/ttyUSB0")))
    assert [finding.status.value for finding in findings] == ["ok", "note", "warning"]
    assert findings[1].advice == "name it /dev/serial/by-id/usb-Mobilinkd_TNC3-if00, which stays the same"
    assert findings[2].advice == "then name it kiss+serial:/dev/ttyUSB0"
    named = "kiss+serial:/dev/serial/by-id/usb-Mobilinkd_TNC3-if00?txdelay_ms=200"
    assert [status for status, _ in _check(patient, make_setup("sender", port=named))] == ["ok"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_permission_is_that_of_who_asks(pty_pair: tuple[int, Path]) -> None:
    _, device = pty_pair
    os.chown(device, 0, 20)  # dialout
    device.chmod(0o660)
    program = (
        "import os, sys; from pantel_device.doctor.machine import Machine;"
        "from pantel_device.doctor.port import check_port; from pantel_device.doctor.accounts import own_account;"
        "from pantel_device.doctor.setups import Setup; from pantel_device.config import SenderConfig, load_config;"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534);"
        "setup = Setup('sender', None, load_config(SenderConfig, None, {'port': sys.argv[1]}), own_account());"
        "[print(f.status.value, f.found, f.advice, sep='|') for f in check_port(Machine(), setup)]"
    )
    command = [sys.executable, "-c", program, str(device)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == (
        f"problem|nobody may not use {device}, which belongs to the group dialout|"
        "sudo usermod -aG dialout nobody, and log in again\n"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_permission_is_that_of_the_service(pty_pair: tuple[int, Path]) -> None:
    from dataclasses import replace

    from pantel_device.doctor.accounts import service_account

    _, device = pty_pair
    os.chown(device, 0, 20)
    device.chmod(0o660)
    stranger, member = service_account("nobody"), service_account("nobody", ["dialout", "no-such-group"])
    assert stranger is not None
    assert member is not None
    assert service_account("no-such-user") is None
    setup = make_setup("sender", running(active="inactive"), port=device)
    (found,) = check_port(Machine(), replace(setup, account=stranger))
    assert found.advice == "sudo usermod -aG dialout nobody, and sudo systemctl restart pantel-sender@mast.service"
    (found,) = check_port(Machine(), replace(setup, account=member))
    assert found.status.value == "ok"


def test_nothing_opens_the_port(pty_pair: tuple[int, Path], tmp_path: Path) -> None:
    """Opening a serial port raises RTS, which keys radios."""
    _, device = pty_pair
    program = (
        "import os, sys\n"
        "def watch(event, arguments):\n"
        "    if event == 'open' and str(arguments[0]) == sys.argv[1]: os._exit(99)\n"
        "sys.addaudithook(watch)\n"
        "from pantel_device.cli import main\n"
        "if sys.argv[2:]: open(sys.argv[1])\n"
        "sys.exit(main(['doctor', '--sender', '--json']))"
    )
    environment = {**os.environ, "PANTEL_PORT": str(device), "HOME": str(tmp_path)}
    command = [sys.executable, "-c", program, str(device)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert any("is there, free" in each["found"] for each in json.loads(done.stdout)["findings"])
    assert subprocess.run([*command, "open"], check=False, env=environment, capture_output=True).returncode == 99

"""The whole examination: every check apart, nothing changed, in time; and the command."""

from __future__ import annotations

import builtins
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.device.doctor.conftest import Patient, make_setup

from pantel_device.cli import main
from pantel_device.doctor.examine import examine, run_isolated
from pantel_device.doctor.finding import Finding, ok
from pantel_device.doctor.machine import TIMED_OUT, Done
from pantel_device.doctor.setups import Mistaken
from pantel_device.doctor.speed import check_speed

_PROBE = "python -m pantel_device.doctor.speed_probe"


def test_a_check_that_fails_or_hangs_is_a_finding_and_the_others_go_on() -> None:
    released = threading.Event()

    def fails() -> Iterator[Finding]:
        yield ok("fails", "half of it")
        raise ValueError("odd\nindeed")

    def hangs() -> list[Finding]:
        released.wait(30)
        return []

    began_s = time.monotonic()
    failed, hung, fine = run_isolated(
        [("fails", fails), ("hangs", hangs), ("fine", lambda: [ok("fine", "well")])], timeout_s=0.3
    )
    assert time.monotonic() - began_s < 5
    released.set()
    assert failed[0].found == "the check failed (ValueError: odd indeed)"
    assert (hung[0].check, hung[0].found) == ("hangs", "no answer within 0 s")
    assert fine == [ok("fine", "well")]


def test_what_one_may_not_look_at_is_no_problem() -> None:
    def closed() -> list[Finding]:
        raise PermissionError(13, "Permission denied", "/etc/pantel/keys")

    ((found,),) = run_isolated([("key", closed)], timeout_s=5)
    assert (found.status.value, found.found) == ("note", "you may not look at /etc/pantel/keys")


def test_a_machine_without_anything_is_no_accident(patient: Patient) -> None:
    sections = examine(patient.machine, [make_setup("sender"), make_setup("receiver")])
    assert [section.subject for section in sections] == ["machine", "sender-mast", "receiver-mast"]
    failed = [each for section in sections for each in section.findings if "the check failed" in each.found]
    assert failed == []


def test_a_configuration_that_is_a_mistake(patient: Patient) -> None:
    file = patient.root / "etc/pantel/sender-mast.toml"
    _, section = examine(patient.machine, [Mistaken("sender-mast", file, "fps cannot be -1", "correct it")])
    (found,) = section.findings
    assert (found.status.value, found.found) == ("problem", "fps cannot be -1")
    assert found.advice == "correct it"


@pytest.mark.parametrize(
    ("role", "answer", "status", "words"),
    [
        ("sender", {"frame_ms": 45.6, "picture_ms": None}, "ok", "a frame takes 45.6 ms of the 200 ms"),
        ("sender", {"frame_ms": 250.0, "picture_ms": 1.0}, "warning", "too slow"),
        ("receiver", {"frame_ms": 250.0, "picture_ms": 12.3}, "ok", "a picture takes 12.3 ms of the 100 ms"),
        ("receiver", {"frame_ms": 25.0, "picture_ms": 123.0}, "warning", "too slow"),
        ("receiver", {"frame_ms": 25.0, "picture_ms": None}, "note", "not known"),
    ],
)
def test_speed(patient: Patient, role: str, answer: object, status: str, words: str) -> None:
    patient.programs[_PROBE] = Done(0, json.dumps(answer))
    setup = make_setup(role, **({"fps": 5} if role == "sender" else {}))
    (found,) = check_speed(patient.machine, setup, 3.0)
    assert found.status.value == status
    assert words in found.found


@pytest.mark.parametrize(
    ("done", "status", "words"),
    [
        (Done(TIMED_OUT), "note", "nothing could be measured within 3 s"),
        (Done(-4), "problem", "signal 4"),
        (Done(1, errors="Traceback\nDetectorError: no model"), "problem", "DetectorError: no model"),
    ],
)
def test_a_trial_that_fails(patient: Patient, done: Done, status: str, words: str) -> None:
    patient.programs[_PROBE] = done
    (found,) = check_speed(patient.machine, make_setup("sender"), 3.0)
    assert (found.status.value, words in found.found) == (status, True)


def test_the_trial_is_of_what_is_configured(patient: Patient) -> None:
    commands = []

    def run(argv: object, timeout_s: float) -> Done:
        assert isinstance(argv, list)
        assert timeout_s == 3.0
        commands.append(argv[4:])
        return Done(0, '{"frame_ms": 1.0, "picture_ms": 1.0}')

    machine = type(patient.machine)(patient.root, run)
    list(check_speed(machine, make_setup("sender", size_px="640x480", fps=5, detector="/a.onnx", bitrate_bps=100), 3.0))
    list(check_speed(machine, make_setup("receiver", view="faithful"), 3.0))
    assert commands == [
        ["640", "480", "5.0", f"{patient.root}/a.onnx", "sketch", "perceptual"],
        ["320", "240", "10.0", "default", "picture", "faithful"],
    ]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(folder.rglob("*"))}


def test_a_sound_pair_of_daemons(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sender, receiver = home / "sender-mast.toml", home / "receiver-home.toml"
    sender.write_text('port = "pty:"\ncamera = "test"\n')
    receiver.write_text('port = "pty:"\n')
    before = _snapshot(home)
    began_s = time.monotonic()
    code = main(["doctor", "--config", str(sender), "--config", str(receiver), "--json"])
    took_s = time.monotonic() - began_s
    report = json.loads(capsys.readouterr().out)
    assert (code, report["status"] != "problem") == (0, True)
    assert took_s <= 12  # 10 where no test runs beside it
    assert {finding["subject"] for finding in report["findings"]} == {"machine", "sender-mast", "receiver-home"}
    speeds = [finding["found"] for finding in report["findings"] if finding["check"] == "speed"]
    assert len(speeds) == 2
    documented = (Path(__file__).parents[3] / "docs" / "reports.md").read_text(encoding="utf-8")
    assert all(f"`{finding['check']}`" in documented for finding in report["findings"])
    assert _snapshot(home) == before
    assert not (home / "state").exists()


def test_a_problem_is_an_exit_code_and_text_has_no_colours(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sender = home / "sender-mast.toml"
    sender.write_text("fps = -1\n")
    assert main(["doctor", "--config", str(sender)]) == 1
    shown = capsys.readouterr()
    assert shown.err == ""
    assert "\x1b" not in shown.out
    assert f"sender-mast ({sender})\n  problem  configuration" in shown.out
    assert shown.out.endswith("1 problem\n")


def test_bad_use(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "line.toml").write_text("")
    assert main(["doctor", "--config", "line.toml"]) == 2
    assert "add --sender or --receiver" in capsys.readouterr().err


def test_a_broken_installation_is_examined_all_the_same(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    imported = builtins.__import__

    def without_numpy(name: str, *rest: object, **more: object) -> object:
        if name.startswith("pantel_device.doctor.examine"):
            raise ImportError("libopenblas.so.0: cannot open shared object file")
        return imported(name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without_numpy)
    assert main(["doctor", "--json"]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert findings[-1]["found"] == "cannot be loaded: libopenblas.so.0: cannot open shared object file"
    assert {"python", "libraries"} <= {finding["check"] for finding in findings}


def test_the_command_itself_needs_no_library() -> None:
    program = "import sys, pantel_device.commands.doctor; print({'numpy', 'cv2', 'pydantic', 'av'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "set()\n"


@pytest.mark.skipif(not Path("/dev/ptmx").exists(), reason="no terminals here")
def test_colours_and_width_of_a_terminal(home: Path) -> None:
    ours, theirs = os.openpty()
    sender = home / "sender-mast.toml"
    sender.write_text("fps = -1\n")
    command = [str(Path(sys.executable).with_name("pantel")), "doctor", "--config", str(sender)]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "70"}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen(command, stdout=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                shown += os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
    os.close(ours)
    assert process.returncode == 1
    assert b"\x1b[31;1mproblem\x1b[0m" in shown
    lines = shown.decode().replace("\x1b[31;1m", "").replace("\x1b[0m", "").splitlines()
    assert max(len(line) for line in lines if not line.startswith("sender-mast")) <= 110


def test_a_configuration_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in (tmp_path / "nosuch.toml", tmp_path):
        assert main(["doctor", "--config", str(name)]) == 2
        assert f"there is no file {name}; name a configuration with --config" in capsys.readouterr().err

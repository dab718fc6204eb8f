"""The machine: libraries, models, clock, temperature, power and memory of a Raspberry Pi and of others."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.device.doctor.conftest import Patient, make_setup, running, said

from pantel_device.doctor import models
from pantel_device.doctor.clock import check_clock
from pantel_device.doctor.hardware import check_memory, check_needed_memory, check_power, check_temperature
from pantel_device.doctor.machine import MISSING, TIMED_OUT, Done, Machine, run_program
from pantel_device.doctor.models import check_models, check_named_models
from pantel_device.doctor.software import check_libraries, check_python
from pantel_models import Artefact, find_artefact


def test_this_python_and_these_libraries_are_fine() -> None:
    findings = [*check_python(Machine()), *check_libraries(Machine())]
    assert {finding.status.value for finding in findings} <= {"ok", "note"}
    libraries = next(finding.found for finding in findings if finding.check == "libraries")
    for name in ("numpy 2.", "opencv ", "onnxruntime ", "av ", "pydantic "):
        assert name in libraries


def test_a_library_that_crashes_or_is_missing_ends_no_more_than_its_own_process(patient: Patient) -> None:
    patient.python_runs = True
    patient.programs = {
        "python -c import onnxruntime": Done(-4),
        "python -c import av": Done(1, errors="Traceback …\nModuleNotFoundError: No module named 'av'\n"),
        "python -c import cv2": Done(TIMED_OUT),
    }
    told = list(check_libraries(patient.machine))
    assert ("note", "the imports of opencv took more than 6 s") in said(told)
    findings = {finding.check: finding for finding in told}
    assert findings["onnxruntime"].found == (
        "cannot be used: its import crashed (signal 4); it was made for another processor"
    )
    assert findings["av"].found == "cannot be used: ModuleNotFoundError: No module named 'av'"
    assert "numpy" in findings["libraries"].found
    assert "av" not in findings["libraries"].found.split()


def test_the_board_is_named(patient: Patient) -> None:
    patient.become_a_pi()
    assert patient.machine.is_raspberry_pi
    assert any(finding.found.endswith("on Raspberry Pi 4 Model B Rev 1.4") for finding in check_python(patient.machine))


def test_models_are_as_in_the_manifest(patient: Patient) -> None:
    ((status, found),) = said(list(check_models(patient.machine)))
    assert status == "ok"
    assert "scene-v4" in found


def test_a_damaged_model(patient: Patient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = find_artefact()
    files = {**whole.files, "encoder": "missing.onnx"}
    damaged = Artefact("scene-v9", whole.hash, tmp_path, files, whole.sha256)
    monkeypatch.setattr(models, "list_artefacts", lambda: (damaged,))
    findings = list(check_models(patient.machine))
    assert findings[0].status.value == "problem"
    assert findings[0].advice == "install pantel again"


def test_models_that_a_configuration_names(patient: Patient, tmp_path: Path) -> None:
    file = tmp_path / "eyes.onnx"
    named = make_setup("sender", model="scene-v0", detector="nowhere.onnx")
    assert [check for check, _ in said(list(check_named_models(patient.machine, named)))] == ["problem", "problem"]
    file.write_bytes(b"")
    setup = make_setup("sender", detector=str(file), mode="sketch")
    patient.write(str(file), "")
    assert [status for status, _ in said(list(check_named_models(patient.machine, setup)))] == ["ok"]
    assert list(check_named_models(patient.machine, make_setup("sender"))) == []


def test_the_clock_is_never_a_problem(patient: Patient) -> None:
    patient.now = datetime(1970, 1, 1, 0, 7, tzinfo=UTC)
    (unset,) = check_clock(patient.machine)
    assert (unset.status.value, "it is not set" in unset.found) == ("note", True)
    patient.now = datetime(2026, 5, 1, tzinfo=UTC)
    (free,) = check_clock(patient.machine)
    assert free.status.value == "note"
    patient.programs["timedatectl show --property=NTPSynchronized"] = Done(0, "yes\n")
    (kept,) = check_clock(patient.machine)
    assert (kept.status.value, kept.found) == ("ok", "2026-05-01 00:00:00 UTC, synchronized")
    patient.programs.clear()
    patient.write("/run/systemd/timesync/synchronized", "")
    assert [status for status, _ in said(list(check_clock(patient.machine)))] == ["ok"]


@pytest.mark.parametrize(
    ("temperature", "status"), [("41000", "ok"), ("72500", "note"), ("84321", "warning"), ("-5000", "ok")]
)
def test_temperature_of_the_hottest_zone(patient: Patient, temperature: str, status: str) -> None:
    patient.write("/sys/class/thermal/thermal_zone0/temp", f"{temperature}\n")
    patient.write("/sys/class/thermal/thermal_zone0/type", "cpu-thermal\n")
    patient.write("/sys/class/thermal/thermal_zone1/temp", "-20000\n")
    ((said_status, found),) = said(list(check_temperature(patient.machine)))
    assert said_status == status
    assert found.startswith(f"{int(temperature) / 1000:.0f} °C (cpu-thermal)")


def test_a_machine_that_tells_no_temperature(patient: Patient) -> None:
    patient.write("/sys/class/thermal/thermal_zone0/temp", "what?")
    assert said(list(check_temperature(patient.machine))) == [("note", "the machine does not tell it")]


@pytest.mark.parametrize(
    ("bits", "statuses"),
    [
        ("0", ["ok"]),
        ("50005", ["problem", "warning"]),
        ("50000", ["warning", "note"]),
        ("80008", ["warning"]),
        ("20000", ["note"]),
        ("10000", ["warning"]),
        ("nonsense", ["note"]),
    ],
)
def test_voltage_and_throttling_of_a_pi(patient: Patient, bits: str, statuses: list[str]) -> None:
    patient.become_a_pi()
    patient.programs["vcgencmd get_throttled"] = Done(0, f"throttled=0x{bits}\n")
    assert [status for status, _ in said(list(check_power(patient.machine)))] == statuses
    patient.programs.clear()
    patient.write("/sys/devices/platform/soc/soc:firmware/get_throttled", f"{bits}\n")
    assert [status for status, _ in said(list(check_power(patient.machine)))] == statuses


def test_other_machines_are_not_asked_for_their_voltage(patient: Patient) -> None:
    patient.programs["vcgencmd"] = Done(0, "throttled=0x50005\n")
    assert list(check_power(patient.machine)) == []


def test_memory(patient: Patient) -> None:
    patient.write("/proc/meminfo", "MemTotal:         948304 kB\nMemAvailable:     204800 kB\nHugePages_Total: 0\n")
    assert said(list(check_memory(patient.machine))) == [("ok", "200 of 926 MiB are free")]
    sender, receiver = make_setup("sender"), make_setup("receiver")
    assert said(list(check_needed_memory(patient.machine, sender))) == [
        ("warning", "it takes 300 MiB, and 200 are free")
    ]
    assert list(check_needed_memory(patient.machine, receiver)) == []
    assert list(check_needed_memory(patient.machine, make_setup("sender", running()))) == []
    patient.write("/proc/meminfo", "MemTotal: 948304 kB\nMemAvailable: 20480 kB\n")
    assert [status for status, _ in said(list(check_memory(patient.machine)))] == ["warning"]
    patient.write("/proc/meminfo", "\n:\n")
    assert [status for status, _ in said(list(check_memory(patient.machine)))] == ["note"]


def test_programs_end_in_time_or_are_killed() -> None:
    assert run_program(["sh", "-c", "echo out; echo err >&2; exit 3"], 5.0) == Done(3, "out\n", "err\n")
    assert run_program(["sleep", "60"], 0.2).code == TIMED_OUT
    assert run_program(["no-such-program"], 5.0).code == MISSING
    assert run_program(["sh", "-c", "kill -SEGV $$"], 5.0).code == -11

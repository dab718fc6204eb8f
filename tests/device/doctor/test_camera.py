"""The camera: real files and clips, devices that are missing, closed or busy, drivers that hang and crash."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.device.doctor.conftest import Patient, make_setup, running, said

from pantel_device.doctor.camera import check_camera
from pantel_device.doctor.machine import TIMED_OUT, Done, Machine

_PROBE = "python -m pantel_device.doctor.picture_probe"


def _file(path: Path, level: int, noise: int = 40) -> Path:
    rng = np.random.default_rng(1)
    pixels = np.clip(level + rng.integers(-noise, noise + 1, (48, 64, 3)), 0, 255).astype(np.uint8)
    assert cv2.imwrite(str(path), pixels)
    return path


def test_a_picture_file_is_looked_at(tmp_path: Path) -> None:
    day = _file(tmp_path / "day.png", 120)
    assert said(list(check_camera(Machine(), make_setup("sender", camera=f"file:{day}")))) == [
        ("ok", f"file:{day} gives pictures")
    ]
    night = make_setup("sender", camera=f"file:{_file(tmp_path / 'night.png', 2, 2)}")
    assert [(status, found[-8:]) for status, found in said(list(check_camera(Machine(), night)))] == [
        ("warning", "are dark")
    ]
    blank = make_setup("sender", camera=f"file:{_file(tmp_path / 'blank.png', 90, 0)}")
    assert [(status, found[-9:]) for status, found in said(list(check_camera(Machine(), blank)))] == [
        ("warning", "are blank")
    ]


@pytest.mark.parametrize(
    ("camera", "found", "advice"),
    [
        ("file:nowhere.mp4", "nowhere.mp4 does not exist", "name a clip, a picture or a folder of pictures"),
        ("crystal:ball", "there is no camera 'crystal:ball'", "name one as file:PATH, test or test:SEED, v4l2:DEVICE"),
        ("picamera2", "the camera picamera2 needs its library (", "sudo apt install python3-picamera2"),
        ("v4l2:/dev/nowhere", "there is no /dev/nowhere", "plug it in; there is no camera now"),
    ],
)
def test_cameras_that_are_not_there(
    camera: str, found: str, advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (finding,) = check_camera(Machine(), make_setup("sender", camera=camera))
    assert finding.status.value == "problem"
    assert found in finding.found
    assert advice in finding.advice


def test_a_clip_that_is_none(tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("no film")
    (finding,) = check_camera(Machine(), make_setup("sender", camera=f"file:{text}?loop=once"))
    assert finding.status.value == "problem"
    assert "is neither a picture nor a clip" in finding.found


def test_the_test_scene_needs_no_camera() -> None:
    assert [status for status, _ in said(list(check_camera(Machine(), make_setup("sender"))))] == ["note"]
    assert list(check_camera(Machine(), make_setup("receiver"))) == []


def test_a_usb_camera(patient: Patient) -> None:
    patient.link("/dev/video0", "/dev/null")
    setup = make_setup("sender", camera="v4l2:0", size_px="640x480")
    answer = {"description": "source_px=1280x960 format=MJPG source_fps=30", "level": 90.0, "contrast": 40.0}
    patient.programs[f"{_PROBE} v4l2:0 640 480"] = Done(0, f"a driver's chatter\n{json.dumps(answer)}\n")
    assert said(list(check_camera(patient.machine, setup))) == [
        ("ok", "v4l2:0 gives pictures source_px=1280x960 format=MJPG source_fps=30")
    ]


@pytest.mark.parametrize(
    ("done", "found"),
    [
        (Done(TIMED_OUT), "v4l2:0 gives no picture within 6 s"),
        (Done(-11), "v4l2:0: its driver crashed (signal 11)"),
        (Done(1, errors="Traceback\nValueError: odd\n"), "v4l2:0: its driver crashed (ValueError: odd)"),
        (Done(0, '{"error": "/dev/video0 cannot be used: another program has it"}'), "/dev/video0 cannot be used"),
    ],
)
def test_drivers_that_hang_or_crash(patient: Patient, done: Done, found: str) -> None:
    patient.link("/dev/video0", "/dev/null")
    patient.programs[_PROBE] = done
    (finding,) = check_camera(patient.machine, make_setup("sender", camera="v4l2:0"))
    assert finding.status.value == "problem"
    assert found in finding.found
    assert finding.advice


def test_what_is_there_is_named_instead(patient: Patient) -> None:
    patient.become_a_pi()
    setup = make_setup("sender", camera="v4l2:/dev/video7")
    (finding,) = check_camera(patient.machine, setup)
    assert finding.advice == "plug it in; a module on the ribbon cable is called picamera2"
    patient.link("/dev/video0", "/dev/null")
    (finding,) = check_camera(patient.machine, setup)
    assert finding.advice == "name one that is there: /dev/video0"
    patient.write("/dev/video1", "")
    ((_, found),) = said(list(check_camera(patient.machine, make_setup("sender", camera="v4l2:1"))))
    assert found == "/dev/video1 is no camera"


def test_a_camera_that_is_in_use(patient: Patient) -> None:
    patient.link("/dev/video0", "/dev/zero")
    patient.link("/proc/712/fd/5", "/dev/zero")
    patient.write("/proc/712/cmdline", "/usr/bin/motion\0")
    ((status, found),) = said(list(check_camera(patient.machine, make_setup("sender", camera="v4l2:0"))))
    assert (status, found) == ("problem", "/dev/video0 is in use by process 712 (/usr/bin/motion)")
    patient.write("/proc/712/cgroup", "0::/system.slice/pantel-sender@mast.service\n")
    setup = make_setup("sender", running(), camera="v4l2:0")
    assert said(list(check_camera(patient.machine, setup))) == [
        ("ok", "/dev/video0 is in use by pantel-sender@mast, as it should be")
    ]


def test_a_camera_of_a_running_service_is_not_opened(patient: Patient) -> None:
    setup = make_setup("sender", running(), camera="picamera2")
    assert said(list(check_camera(patient.machine, setup))) == [
        ("ok", "picamera2 is left to pantel-sender@mast.service, which is running")
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_camera_that_the_service_may_not_use(patient: Patient, tmp_path: Path) -> None:
    from dataclasses import replace

    from pantel_device.doctor.accounts import service_account

    nobody = service_account("nobody")
    assert nobody is not None
    closed = _file(tmp_path / "day.png", 120)
    closed.chmod(0o600)
    setup = replace(make_setup("sender", camera=f"file:{closed}"), account=nobody)
    ((status, found),) = said(list(check_camera(Machine(), setup)))
    assert (status, found) == ("problem", f"nobody may not read {closed}")
    device = patient.root / "dev" / "video0"
    device.parent.mkdir()
    os.mknod(device, 0o020660, os.makedev(81, 0))
    (finding,) = check_camera(patient.machine, replace(make_setup("sender", camera="v4l2:0"), account=nobody))
    assert finding.advice.startswith("sudo usermod -aG video nobody")

"""The doctor looks at the plug-ins that are installed, and believes none of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.device.doctor.conftest import Patient, make_setup, running, said
from tests.plugin_distributions import install_plugin

from pantel_device.doctor.camera import check_camera
from pantel_device.doctor.machine import Machine
from pantel_device.doctor.models import check_named_models
from pantel_device.doctor.plugins import check_plugins
from pantel_device.doctor.port import check_callsign, check_port
from pantel_device.doctor.speed import _arguments

_TOLD = """\
warning: the camera 'test' of garden 1.0 is never used: Pantel has its own of this name
problem: the camera 'noimport' of no-import 1.0 cannot be loaded: ModuleNotFoundError: No module named 'not_there'
problem: the sink 'noimport' of no-import 1.0 cannot be loaded: ModuleNotFoundError: No module named 'not_there'
problem: the detector 'crash' of crash 1.0 crashes
problem: the sink 'notes' of garden 1.0 is one of several of this name, so none is used
problem: the sink 'notes' of second-notes 1.0 is one of several of this name, so none is used
ok: the camera 'grey' of garden 1.0, the camera 'half' of garden 1.0, the detector 'everywhere' of garden 1.0, \
the sink 'grumpy' of garden 1.0, the sink 'picky' of garden 1.0
"""


@pytest.mark.slow
def test_those_that_work_and_those_that_do_not(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_plugin(folder, "second-notes", {"sinks notes": "Notes"}, "")
    install_plugin(folder, "crash", {"detectors crash": "x"}, "import os\nos.abort()\n")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    found = check_plugins(Patient(tmp_path, python_runs=True).machine)
    assert {f"{finding.status}: {finding.found.partition(' (')[0]}" for finding in found} == set(_TOLD.splitlines())


def test_a_port_of_a_plug_in_is_not_opened_and_may_lead_anywhere(folder: Path) -> None:
    install_plugin(folder, "radios", {"ports radio": "explode"}, "raise SystemExit('opened')")
    setup = make_setup("sender", port="radio:1")
    assert said(list(check_port(Machine(), setup))) == [
        ("note", "radio:1 is not looked at: a plug-in brings it, and opening it might key a radio")
    ]
    assert said(list(check_callsign(Machine(), setup))) == [("note", "N0CALL, the default: it never goes out")]
    own = make_setup("sender", port="radio:1", callsign="DK1AB")
    assert said(list(check_callsign(Machine(), own))) == [("ok", "DK1AB")]


def test_a_detector_of_a_plug_in_is_no_missing_file() -> None:
    setup = make_setup("sender", detector="everywhere:x")
    assert not list(check_named_models(Machine(), setup))
    assert "everywhere:x" in _arguments(Machine(), setup)
    (found,) = check_named_models(Machine(), make_setup("sender", detector="nowhere"))
    assert found.found == "there is no file nowhere"


@pytest.mark.slow
def test_a_camera_of_a_plug_in_is_asked_for_a_picture(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(folder))
    machine = Patient(tmp_path, python_runs=True).machine
    ((status, found),) = said(list(check_camera(machine, make_setup("sender", camera="noimport"))))
    assert (status, found.partition(" (")[0]) == ("problem", "the camera 'noimport' of no-import 1.0 cannot be loaded")
    ((status, found),) = said(list(check_camera(machine, make_setup("sender", camera="grey:90"))))
    assert (status, found) == ("warning", "grey:90 gives pictures, but they are blank")
    left = make_setup("sender", running(), camera="grey:90")
    assert said(list(check_camera(machine, left))) == [
        ("ok", "grey:90 is left to pantel-sender@mast.service, which is running")
    ]

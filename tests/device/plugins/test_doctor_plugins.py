"""The doctor looks at the plug-ins that are installed, and believes none of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.device.doctor.conftest import Patient
from tests.plugin_distributions import install_plugin

from pantel_device.doctor.plugins import check_plugins

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

"""The models: whether their files are what the manifest says, and whether those that a configuration names exist."""

from __future__ import annotations

import os
from collections.abc import Iterator

from pantel_device.doctor.finding import Finding, ok, problem, split_advice
from pantel_device.doctor.machine import Machine
from pantel_device.doctor.setups import Setup
from pantel_device.observer.detector import find_detector_plugin
from pantel_link import PluginError
from pantel_models import ManifestError, UnknownModelError, find_artefact, list_artefacts, list_detectors

__all__ = ["check_models", "check_named_models", "names_plugin"]

_BUNDLED = {"default", "none"}


def check_models(machine: Machine) -> Iterator[Finding]:
    """Compare all installed models with the manifest."""
    del machine  # they belong to the program
    intact = []
    for artefact in (*list_artefacts(), *list_detectors()):
        try:
            artefact.check()
        except ManifestError as error:
            found, advice = split_advice(str(error))
            yield problem("models", found, advice or "install pantel again")
        else:
            intact.append(f"{artefact.name} ({artefact.hash[:8]})")
    if intact:
        yield ok("models", f"{', '.join(intact)}: as in the manifest")


def check_named_models(machine: Machine, setup: Setup) -> Iterator[Finding]:
    """Look for the models that a configuration names; what is no file of its kind `pantel send` says at its start."""
    name = setup.text("model")
    if name:
        try:
            find_artefact(name=name)
        except UnknownModelError as error:
            found, advice = split_advice(str(error))
            yield problem("model", found, advice)
    for key in ("detector", "edge_model"):
        named = setup.text(key)
        if not named or named in _BUNDLED or (key == "detector" and names_plugin(named)):
            continue
        path = setup.place(machine, named)
        if setup.hides(named):
            yield problem(
                key.replace("_", " "), f"the service does not see {named}", f"put it into {setup.config.state_dir}"
            )
        elif not path.is_file():
            yield problem(key.replace("_", " "), f"there is no file {named}", f"correct {key}, or leave it out")
        elif not setup.account.may(path, os.R_OK):
            who = setup.account.name
            yield problem(key.replace("_", " "), f"{who} may not read {named}", f"chmod a+r {named}")
        else:
            yield ok(key.replace("_", " "), f"{named} is there; pantel models check tries a detector")


def names_plugin(detector: str) -> bool:
    """Whether a plug-in brings the detector of a name; what is wrong with plug-ins is told elsewhere."""
    try:
        return find_detector_plugin(detector) is not None
    except PluginError:
        return True

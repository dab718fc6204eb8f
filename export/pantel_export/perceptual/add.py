"""Puts the perceptual generator of a training run into an artefact."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pantel_export.artefact_record import note_part, read_record, scene_run_of
from pantel_export.errors import ExportError
from pantel_export.manifest import add_files
from pantel_export.model_card import with_perceptual, with_perceptual_enlarger
from pantel_export.onnx_export import export_enlarger, export_generator, with_half_weights
from pantel_export.perceptual.enlarger import load_perceptual_enlarger
from pantel_export.perceptual.train import load_perceptual_generator
from pantel_export.settings import TrainSettings

__all__ = ["add_perceptual", "add_perceptual_enlarger"]

_GENERATOR = "perceptual.onnx"
_ENLARGER_ROLE = "perceptual_enlarger"


def add_perceptual(run: Path, name: str, artefacts: Path) -> None:
    """Put the generator of a run into the artefact whose encoder it was trained with.

    Args:
        run: Folder of the training run.
        name: Name of the artefact.
        artefacts: Folder that holds `manifest.json`.

    Raises:
        ExportError: There is no such run or artefact, or they do not belong together.
    """
    artefact = read_record(artefacts, name)
    settings = TrainSettings.model_validate(artefact["settings"])
    generator, record = load_perceptual_generator(run)
    if record.pop("scene_run") != scene_run_of(artefact):
        raise ExportError(f"{run} was trained for another artefact than {name}; train it with that one's run")
    network = settings.network
    data = with_half_weights(export_generator(generator, network.channels, len(network.groups) + 1))
    # An enlarger of before was trained with the other generator.
    add_files(artefacts, name, {"perceptual": (_GENERATOR, data)}, without=[_ENLARGER_ROLE])
    note_part(artefacts, name, "perceptual", record, with_perceptual)
    note_part(artefacts, name, _ENLARGER_ROLE, None, with_perceptual_enlarger)


def add_perceptual_enlarger(run: Path, name: str, artefacts: Path) -> None:
    """Put the perceptual enlarger of a run into the artefact whose perceptual generator it was trained with.

    Args:
        run: Folder of the training run.
        name: Name of the artefact.
        artefacts: Folder that holds `manifest.json`.

    Raises:
        ExportError: There is no such run or artefact, or it was trained for another generator.
    """
    read_record(artefacts, name)
    enlarger, record = load_perceptual_enlarger(run)
    del record["scene_run"]
    generator = artefacts / name / _GENERATOR
    if not generator.exists() or record.pop("generator_sha256") != hashlib.sha256(generator.read_bytes()).hexdigest():
        raise ExportError(f"{run} was trained for another perceptual generator than that of {name}; train it again")
    add_files(artefacts, name, {_ENLARGER_ROLE: (f"{_ENLARGER_ROLE}.onnx", export_enlarger(enlarger))})
    note_part(artefacts, name, _ENLARGER_ROLE, record, with_perceptual_enlarger)

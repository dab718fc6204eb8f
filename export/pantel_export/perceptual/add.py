"""Puts the perceptual generator of a training run into an artefact."""

from __future__ import annotations

import json
from pathlib import Path

from pantel_export.errors import ExportError
from pantel_export.manifest import add_files
from pantel_export.model_card import with_perceptual
from pantel_export.onnx_export import export_generator
from pantel_export.perceptual.train import load_perceptual_generator
from pantel_export.settings import TrainSettings

__all__ = ["add_perceptual"]


def add_perceptual(run: Path, name: str, artefacts: Path) -> None:
    """Put the generator of a run into the artefact whose encoder it was trained with.

    Args:
        run: Folder of the training run.
        name: Name of the artefact.
        artefacts: Folder that holds `manifest.json`.

    Raises:
        ExportError: There is no such run or artefact, or they do not belong together.
    """
    folder = artefacts / name
    if not (folder / "record.json").exists():
        raise ExportError(f"there is no artefact {name} in {artefacts}")
    artefact = json.loads((folder / "record.json").read_text())
    settings = TrainSettings.model_validate(artefact["settings"])
    generator, record = load_perceptual_generator(run)
    if record["scene_run"] != {"step": artefact["step"], "settings": artefact["settings"]}:
        raise ExportError(f"{run} was trained for another artefact than {name}; train it with that one's run")
    data = export_generator(generator, settings.network.channels, len(settings.network.groups) + 1)
    add_files(artefacts, name, {"perceptual": ("perceptual.onnx", data)})
    record["history"] = record["history"][-5:]
    del record["scene_run"]
    artefact["perceptual"] = record
    (folder / "record.json").write_text(json.dumps(artefact, indent=1) + "\n")
    card = folder / "CARD.md"
    card.write_text(with_perceptual(card.read_text(), record))

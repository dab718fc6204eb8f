"""Puts the context networks of a training run into an artefact, in place of those it has."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from pantel_export.artefact_record import note_part, read_record, write_record
from pantel_export.build import QUALITIES, refit_tables
from pantel_export.context.train import load_context
from pantel_export.data import PhotoSet
from pantel_export.errors import ExportError
from pantel_export.integer_context import context_arrays
from pantel_export.manifest import add_files
from pantel_export.model_card import with_context
from pantel_export.networks import SceneNetworks
from pantel_export.train import load_networks
from pantel_export.warm_start import save_warm_start

__all__ = ["add_context"]

_PREFIX = "context"


def add_context(run: Path, name: str, photos: PhotoSet, artefacts: Path, weights: Path) -> None:
    """Put the context networks of a run into the artefact for which they were trained, and fit its coding tables.

    Args:
        run: Folder of the training run.
        name: Name of the artefact; its hash changes.
        photos: Photographs for fitting the tables; those of the training.
        artefacts: Folder that holds `manifest.json`.
        weights: Folder of the artefact's 16-bit weights; its context networks are replaced, too.

    Raises:
        ExportError: There is no such run or artefact, or they do not belong together.
    """
    artefact = read_record(artefacts, name)
    context, network, record = load_context(run)
    networks, settings, trained = load_networks(weights)
    made_for = record.pop("scene_run")
    if not made_for == {key: artefact[key] for key in made_for} == {key: trained[key] for key in made_for}:
        raise ExportError(f"{run} was trained for another artefact than {name}; train it with that one's run")
    tables = artefacts / name / "tables.npz"
    kept = {key: array for key, array in np.load(tables).items() if not key.startswith((_PREFIX, "slices"))}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **kept, **context_arrays(context, QUALITIES))
    add_files(artefacts, name, {"tables": (tables.name, buffer.getvalue())})
    refit_tables(name, photos, artefacts)

    changed = SceneNetworks(network)
    others = {key: value for key, value in networks.state_dict().items() if not key.startswith(f"{_PREFIX}.")}
    own = {f"{_PREFIX}.{key}": value for key, value in context.state_dict().items()}
    changed.load_state_dict(others | own)
    shape = settings.model_copy(update={"network": network}).model_dump(mode="json")
    save_warm_start(weights, changed.state_dict(), {**trained, "settings": shape})
    write_record(artefacts, name, {**artefact, "settings": shape})
    note_part(artefacts, name, _PREFIX, record, with_context)

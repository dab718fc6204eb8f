"""Puts context networks that were trained alone into an artefact whose other networks stay."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch

from pantel_export.artefact_record import note_part, read_record
from pantel_export.build import QUALITIES, refit_tables
from pantel_export.data import PhotoSet
from pantel_export.errors import ExportError
from pantel_export.integer_context import context_arrays
from pantel_export.manifest import add_files
from pantel_export.model_card import with_context
from pantel_export.train import load_networks
from pantel_export.warm_start import load_warm_start, save_warm_start

__all__ = ["add_context"]

_REPLACED = ("context", "slices")


def add_context(run: Path, name: str, photos: PhotoSet, artefacts: Path, weights: Path) -> None:
    """Put the context networks of a run into the artefact for which they were trained, and fit its coding tables.

    Args:
        run: Folder of the training run.
        name: Name of the artefact; its hash changes.
        photos: Photographs for fitting the tables; those of the training.
        artefacts: Folder that holds `manifest.json`.
        weights: Folder of the artefact's 16-bit weights; those of the run take their place.

    Raises:
        ExportError: There is no such run or artefact, or they do not belong together.
    """
    read_record(artefacts, name)
    networks, settings, record = load_networks(run)
    state, before = networks.state_dict(), load_warm_start(weights)
    others = {key for key in state if not key.startswith("context.")}
    if settings.only != "context" or any(not torch.equal(state[key], before[key]) for key in others):
        raise ExportError(f"{run} holds no context networks for {name}; train it with only = 'context', on its weights")
    tables = artefacts / name / "tables.npz"
    kept = {key: array for key, array in np.load(tables).items() if not key.startswith(_REPLACED)}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **kept, **context_arrays(networks.context, QUALITIES))
    add_files(artefacts, name, {"tables": (tables.name, buffer.getvalue())})
    refit_tables(name, photos, artefacts)
    save_warm_start(weights, state, record)
    note_part(artefacts, name, "context", record, with_context)

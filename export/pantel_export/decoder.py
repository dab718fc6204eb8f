"""Puts what decodes, as a run with frozen latents trained it, into an artefact whose encoder stays."""

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
from pantel_export.model_card import with_decoder
from pantel_export.onnx_export import export_enlarger, export_generator
from pantel_export.train import load_networks
from pantel_export.warm_start import load_warm_start, save_warm_start

__all__ = ["add_decoder"]

_FROZEN = ("encoder.", "gain.")
_REPLACED = ("context", "slices")


def add_decoder(run: Path, name: str, photos: PhotoSet, artefacts: Path, weights: Path) -> None:
    """Put context networks, generator and enlarger of a run into the artefact on whose latents they were trained.

    Encoder, quantizer and whatever was trained on the latents stay; the coding tables are fitted again.

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
    frozen = {key for key in state if key.startswith(_FROZEN)}
    if not settings.frozen_latents or any(not torch.equal(state[key], before[key]) for key in frozen):
        raise ExportError(f"{run} has other latents than {name}; train it with frozen_latents = true, on its weights")
    tables = artefacts / name / "tables.npz"
    kept = {key: array for key, array in np.load(tables).items() if not key.startswith(_REPLACED)}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **kept, **context_arrays(networks.context, QUALITIES))
    network = settings.network
    files = {
        "tables": (tables.name, buffer.getvalue()),
        "faithful": ("faithful.onnx", export_generator(networks.generator, network.channels, len(network.groups) + 1)),
    }
    if settings.enlarged_crops:
        files["enlarger"] = ("enlarger.onnx", export_enlarger(networks.enlarger))
    add_files(artefacts, name, files)
    refit_tables(name, photos, artefacts)
    save_warm_start(weights, state, record)
    note_part(artefacts, name, "decoder", record, with_decoder)

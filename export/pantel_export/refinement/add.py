"""Puts the refinement context of a training run into an artefact: integers and coding tables beside its own."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from tqdm import tqdm

from pantel_codec import EntropyModel
from pantel_codec.entropy import SCALE_LEVELS
from pantel_export.artefact_record import note_part, read_record, scene_run_of
from pantel_export.build import QUALITIES, calibration_inputs
from pantel_export.data import PhotoSet
from pantel_export.errors import ExportError
from pantel_export.integer_context import context_arrays
from pantel_export.manifest import add_files
from pantel_export.model_card import with_refinement
from pantel_export.refinement.train import load_refinement
from pantel_export.tables import count_refinements, fit_counts, logistic_counts
from pantel_models import Quantizer, open_session

__all__ = ["add_refinement"]

_PREFIX = "refinement"
_FIT_ROUNDS = 2


def add_refinement(run: Path, name: str, photos: PhotoSet, artefacts: Path) -> None:
    """Put the refinement context of a run into the artefact whose latents it was trained with.

    Args:
        run: Folder of the training run.
        name: Name of the artefact.
        photos: Photographs for fitting the tables; those of the training.
        artefacts: Folder that holds `manifest.json`.

    Raises:
        ExportError: There is no such run or artefact, or they do not belong together.
    """
    artefact = read_record(artefacts, name)
    context, settings, record = load_refinement(run)
    if record.pop("scene_run") != scene_run_of(artefact):
        raise ExportError(f"{run} was trained for another artefact than {name}; train it with that one's run")
    tables = artefacts / name / "tables.npz"
    kept = {key: array for key, array in np.load(tables).items() if not key.startswith(_PREFIX)}
    arrays = kept | context_arrays(context, QUALITIES) | {"refinement_counts": logistic_counts()}
    session = open_session((artefacts / name / "encoder.onnx").read_bytes(), "the encoder")
    inputs = calibration_inputs(photos, settings.seed)
    latents = [session.run(None, {"x": x})[0][0] for x in tqdm(inputs, desc="latents")]
    quantizer = Quantizer(arrays["steps"], arrays["rate_weight"], arrays["sensitivity"])
    for fit_round in range(_FIT_ROUNDS):
        rng = np.random.default_rng((settings.seed, fit_round))
        progress = tqdm(latents, desc=f"tables {fit_round + 1}/{_FIT_ROUNDS}")
        counts = count_refinements(progress, EntropyModel(arrays), quantizer, rng)
        arrays["refinement_counts"] = fit_counts(counts[SCALE_LEVELS:])
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    add_files(artefacts, name, {"tables": (tables.name, buffer.getvalue())})
    note_part(artefacts, name, _PREFIX, record, with_refinement)

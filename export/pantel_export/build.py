"""Builds a shipped artefact from a training run: networks to ONNX, context to integers, tables, card, manifest."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from pantel_codec import EntropyModel
from pantel_export.artefact_record import note_part, read_record, shortened
from pantel_export.data import PhotoSet
from pantel_export.errors import ExportError
from pantel_export.integer_context import context_arrays, quality_grid
from pantel_export.manifest import add_files, enter_artefact
from pantel_export.model_card import model_card, with_enlarger
from pantel_export.networks import SceneNetworks
from pantel_export.onnx_export import export_encoder, export_enlarger, export_generator, has_weights
from pantel_export.settings import TrainSettings
from pantel_export.tables import count_residuals, fit_counts, logistic_counts
from pantel_export.thumbnails.add import thumbnails_of
from pantel_export.thumbnails.shipped import PERCEPTUAL_ROLE, THUMBNAIL_ROLES
from pantel_export.train import load_networks
from pantel_export.warm_start import save_warm_start
from pantel_models import Quantizer, contour_map, open_session

__all__ = ["QUALITIES", "add_enlarger", "build_artefact", "calibration_inputs", "refit_tables"]

QUALITIES = 32
_CALIBRATION_PICTURES = 64
_FIT_PICTURES = 1200
_FIT_CROP_PX = 192
_FIT_ROUNDS = 2
_HALF_PRECISION = 2e-3  # what 16-bit weights may differ by, relative and absolute


def build_artefact(run: Path, name: str, photos: PhotoSet, artefacts: Path, weights: Path) -> Path:
    """Write the artefact `name` into the folder of artefacts and enter it in the manifest.

    Args:
        run: Folder of the training run.
        name: Name of the artefact; replaces one of that name.
        photos: Photographs for calibration and table fitting; those of the training.
        artefacts: Folder that holds `manifest.json`.
        weights: Folder for the 16-bit weights that the next training starts from.

    Returns:
        The artefact's folder.
    """
    networks, settings, record = load_networks(run)
    inputs = calibration_inputs(photos, settings.seed)
    encoder, encoder_float = export_encoder(networks.encoder, inputs[:_CALIBRATION_PICTURES])
    generator = export_generator(networks.generator, settings.network.channels, len(settings.network.groups) + 1)
    session = open_session(encoder, "the new encoder")
    latents = [session.run(None, {"x": x})[0][0] for x in tqdm(inputs, desc="latents")]
    folder = artefacts / name
    arrays = _tables(networks, settings, latents) | dict(thumbnails_of(folder / "tables.npz"))
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    difference = _int8_loss_db(session, encoder_float, inputs[:_CALIBRATION_PICTURES])

    files = {"tables": ("tables.npz", buffer.getvalue()), "encoder": ("encoder.onnx", encoder)}
    files["faithful"] = ("faithful.onnx", generator)
    if settings.enlarged_crops:
        files["enlarger"] = ("enlarger.onnx", export_enlarger(networks.enlarger))
    for role in (*THUMBNAIL_ROLES, PERCEPTUAL_ROLE):  # thumbnails stay
        if (folder / f"{role}.onnx").exists():
            files[role] = (f"{role}.onnx", (folder / f"{role}.onnx").read_bytes())
    enter_artefact(artefacts, name, files)
    save_warm_start(weights, networks.state_dict(), record)
    record = {**shortened(record), "int8_encoder_snr_db": difference}
    if (folder / "record.json").exists():  # thumbnails that stay keep their record
        before = json.loads((folder / "record.json").read_text())
        record |= {key: before[key] for key in ("thumbnails", "perceptual_thumbnails") if key in before}
    (folder / "record.json").write_text(json.dumps(record, indent=1) + "\n")
    (folder / "CARD.md").write_text(model_card(name, settings, record, photos))
    return folder


def refit_tables(name: str, photos: PhotoSet, artefacts: Path) -> None:
    """Fit the coding tables of an artefact again, to what its own encoder makes of photographs; its hash changes.

    Args:
        name: Of the artefact.
        photos: Photographs for table fitting; those of the training.
        artefacts: Folder that holds `manifest.json`.

    Raises:
        ExportError: There is no such artefact.
    """
    seed = TrainSettings.model_validate(read_record(artefacts, name)["settings"]).seed
    folder = artefacts / name
    arrays = dict(np.load(folder / "tables.npz"))
    own = {key: array for key, array in arrays.items() if not key.startswith(("refinement", "thumbnail"))}
    session = open_session((folder / "encoder.onnx").read_bytes(), f"the encoder of {name}")
    latents = [session.run(None, {"x": x})[0][0] for x in tqdm(calibration_inputs(photos, seed), desc="latents")]
    arrays["residual_counts"] = _fitted(own, latents, seed)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    add_files(artefacts, name, {"tables": ("tables.npz", buffer.getvalue())})


def add_enlarger(run: Path, name: str, artefacts: Path) -> None:
    """Put the enlarger of a run that trained nothing else into the artefact on which it was trained.

    Args:
        run: Folder of the training run.
        name: Name of the artefact.
        artefacts: Folder that holds `manifest.json`.

    Raises:
        ExportError: There is no such run or artefact, or they do not belong together.
    """
    networks, settings, record = load_networks(run)
    ours = TrainSettings.model_validate(read_record(artefacts, name)["settings"])
    generator = (artefacts / name / "faithful.onnx").read_bytes()
    if (
        settings.only != "enlarger"
        or settings.network.groups != ours.network.groups
        or not has_weights(generator, networks.generator, _HALF_PRECISION)
    ):
        raise ExportError(f"{run} holds no enlarger for {name}; train it with only = 'enlarger', on its weights")
    add_files(artefacts, name, {"enlarger": ("enlarger.onnx", export_enlarger(networks.enlarger))})
    note_part(artefacts, name, "enlarger", record, with_enlarger)


def calibration_inputs(photos: PhotoSet, seed: int) -> list[NDArray[np.float32]]:
    """Return encoder inputs (1, 4, H, W) float32 with contours of the whole picture."""
    inputs = []
    for start in range(0, _FIT_PICTURES, 50):
        batch = photos.batch(size=50, crop_px=_FIT_CROP_PX, seed=seed + 1_000_000, step=start)
        for pixels in batch.pixels:
            x = np.empty((1, 4, _FIT_CROP_PX, _FIT_CROP_PX), np.float32)
            x[0, :3] = pixels.transpose(2, 0, 1) / 255
            x[0, 3] = contour_map(pixels)
            inputs.append(x)
    return inputs


@torch.no_grad()
def _tables(
    networks: SceneNetworks, settings: TrainSettings, latents: Sequence[NDArray[np.float32]]
) -> dict[str, NDArray[Any]]:
    """Return all arrays of `tables.npz`."""
    grid = quality_grid(QUALITIES)
    low, high = settings.rate_weight_low, settings.rate_weight_high
    steps = 1 / networks.gain(grid)[:, :, 0, 0].numpy()
    arrays: dict[str, NDArray[Any]] = {
        "groups": np.array(settings.network.groups, np.int32),
        "residual_counts": logistic_counts(),
        "steps": steps.astype(np.float32),
        "rate_weight": (low * (high / low) ** grid.numpy()).astype(np.float32),
        "sensitivity": _sensitivity(networks, steps, latents[:16]),
        **context_arrays(networks.context, QUALITIES),
    }
    return arrays | {"residual_counts": _fitted(arrays, latents, settings.seed)}


def _fitted(arrays: dict[str, NDArray[Any]], latents: Sequence[NDArray[np.float32]], seed: int) -> NDArray[np.int32]:
    """Return coding tables fitted to residuals, which depend on the tables by which they are chosen: in rounds."""
    arrays = dict(arrays)
    quantizer = Quantizer(arrays["steps"], arrays["rate_weight"], arrays["sensitivity"])
    for fit_round in range(_FIT_ROUNDS):
        rng = np.random.default_rng((seed, fit_round))
        progress = tqdm(latents, desc=f"tables {fit_round + 1}/{_FIT_ROUNDS}")
        arrays["residual_counts"] = fit_counts(count_residuals(progress, EntropyModel(arrays), quantizer, rng))
    return arrays["residual_counts"]


@torch.no_grad()
def _sensitivity(
    networks: SceneNetworks, steps: NDArray[np.float32], latents: Sequence[NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Return (channels,) float32: squared error over all pixel values for a unit error in each latent.

    Measured by finite differences of half a step of middle quality in every fourth cell of some pictures.
    """
    middle = QUALITIES // 2
    y = torch.from_numpy(np.stack(latents))
    step = torch.from_numpy(steps[middle])[None, :, None, None]
    y_hat = (y / step).round() * step
    groups = len(networks.settings.groups)
    side = torch.ones(len(y), groups + 1, *y.shape[2:])
    side[:, -1] = middle / (QUALITIES - 1)
    x_hat = networks.generator(y_hat, side)
    result = np.empty(y.shape[1], np.float32)
    for channel in range(y.shape[1]):
        moved = y_hat.clone()
        delta = float(step[0, channel]) / 2
        moved[:, channel, ::4, ::4] += delta
        cells = moved[:, channel, ::4, ::4].numel()
        error = ((networks.generator(moved, side) - x_hat) ** 2).sum()
        result[channel] = float(error) / (cells * delta**2)
    return result


def _int8_loss_db(session: Any, plain: bytes, inputs: Sequence[NDArray[np.float32]]) -> float:
    """Return the signal-to-noise ratio of the int8 encoder's latents against the float encoder's [dB]."""
    reference = open_session(plain, "the float encoder")
    signal = noise = 0.0
    for x in inputs:
        exact = reference.run(None, {"x": x})[0]
        signal += float((exact**2).sum())
        noise += float(((session.run(None, {"x": x})[0] - exact) ** 2).sum())
    return round(10 * float(np.log10(signal / noise)), 2)

"""Puts thumbnails into an artefact: their networks beside its own, their arrays into its tables."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pantel_export.artefact_record import note_part
from pantel_export.errors import ExportError
from pantel_export.manifest import add_files
from pantel_export.model_card import with_perceptual_thumbnails, with_thumbnails
from pantel_export.onnx_export import export_module, with_half_weights
from pantel_export.thumbnails.augmentation import Specimen, augmented, plain
from pantel_export.thumbnails.crops import ObjectCrop
from pantel_export.thumbnails.networks import ThumbnailEncoder, ThumbnailGenerator, ThumbnailNetworks
from pantel_export.thumbnails.perceptual import load_perceptual_thumbnails
from pantel_export.thumbnails.shipped import PERCEPTUAL_ROLE, ShippedThumbnails
from pantel_export.thumbnails.tables import thumbnail_arrays
from pantel_export.thumbnails.train import fingerprint, load_thumbnail_networks
from pantel_models.thumbnails import CONDITIONS, RASTER_PX, condition

__all__ = ["add_perceptual_thumbnails", "add_thumbnails", "thumbnails_of"]

_PREFIX = "thumbnail_"


def add_thumbnails(run: Path, name: str, crops: Sequence[ObjectCrop], artefacts: Path) -> None:
    """Put the thumbnails of a training run into an artefact in place of those it has.

    Args:
        run: Folder of the training run.
        name: Name of the artefact.
        crops: The objects of the training.
        artefacts: Folder that holds `manifest.json`.

    Raises:
        ExportError: There is no such artefact or run, or it was trained with other objects.
    """
    networks, settings, record = load_thumbnail_networks(run)
    if record["objects_sha256"] != fingerprint(crops):
        raise ExportError(f"{run} was trained with other objects; name the same folders in the same order")
    tables = artefacts / name / "tables.npz"
    if not tables.exists():
        raise ExportError(f"there is no artefact {name} in {artefacts}")
    rng = np.random.default_rng(settings.seed)
    specimens = [plain(crop) for crop in crops]
    specimens += [augmented(crop, rng) for crop in crops]
    arrays = thumbnail_arrays(
        networks, settings.network.core, _latents(networks, specimens), [each.shape for each in specimens]
    )
    kept = {key: array for key, array in np.load(tables).items() if not key.startswith(_PREFIX)}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **(kept | arrays))
    files = {
        "tables": (tables.name, buffer.getvalue()),
        "thumbnail_encoder": ("thumbnail_encoder.onnx", _export_encoder(networks.encoder)),
        "thumbnail_generator": (
            "thumbnail_generator.onnx",
            _export_generator(networks.generator, settings.network.latents),
        ),
    }
    add_files(artefacts, name, files, without=[PERCEPTUAL_ROLE])  # that was trained with other latents
    note_part(artefacts, name, "thumbnails", record, with_thumbnails)
    note_part(artefacts, name, "perceptual_thumbnails", None, with_perceptual_thumbnails)


def add_perceptual_thumbnails(run: Path, name: str, artefacts: Path) -> None:
    """Put the perceptual generator of thumbnails into the artefact whose thumbnails it was trained with.

    Args:
        run: Folder of the training run.
        name: Name of the artefact.
        artefacts: Folder that holds `manifest.json`.

    Raises:
        ExportError: There is no such run or artefact, or they do not belong together.
    """
    generator, record = load_perceptual_thumbnails(run)
    trained = record.pop("thumbnails")
    ours = ShippedThumbnails.of(artefacts, name)
    if trained["sha256"] != ours.sha256:
        raise ExportError(f"{run} was trained for other thumbnails than those of {name}; train it with --name {name}")
    latents = ours.settings.network.latents
    data = with_half_weights(_export_generator(generator, latents))
    add_files(artefacts, name, {PERCEPTUAL_ROLE: (f"{PERCEPTUAL_ROLE}.onnx", data)})
    note_part(artefacts, name, "perceptual_thumbnails", record, with_perceptual_thumbnails)


def thumbnails_of(tables: Path) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield names and arrays of the thumbnails in the tables of an artefact, nothing if there is no such file."""
    if tables.exists():
        yield from ((key, array) for key, array in np.load(tables).items() if key.startswith(_PREFIX))


@torch.no_grad()
def _latents(networks: ThumbnailNetworks, specimens: Sequence[Specimen]) -> NDArray[np.float32]:
    """Return (N, latents) float32."""
    found = []
    for each in specimens:
        inputs = each.pixels.transpose(2, 0, 1), each.found[None], each.known[None], condition(each.shape, each.kind)
        found.append(networks.encoder(*(torch.from_numpy(np.ascontiguousarray(x))[None] for x in inputs))[0].numpy())
    return np.stack(found)


def _export_encoder(network: ThumbnailEncoder) -> bytes:
    # Each input is a tensor of its own: PyTorch's exporter takes one that is given twice for one input.
    pixels, mask, known = (torch.zeros(1, planes, RASTER_PX, RASTER_PX) for planes in (3, 1, 1))
    return export_module(
        network,
        (pixels, mask, known, torch.zeros(1, CONDITIONS)),
        names=(["pixels", "mask", "known", "condition"], ["latents"]),
        dynamic={},
    )


def _export_generator(network: ThumbnailGenerator, latents: int) -> bytes:
    many = torch.export.Dim("thumbnails", min=1, max=64)
    return export_module(
        network,
        (torch.zeros(2, latents), torch.zeros(2, CONDITIONS), torch.zeros(2, 2)),
        names=(["latents", "condition", "side"], ["colour", "alpha"]),
        dynamic={"latents": {0: many}, "condition": {0: many}, "side": {0: many}},
    )

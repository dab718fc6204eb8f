"""The thumbnails of an artefact as PyTorch networks, for what is trained on top of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from pantel_export.artefact_record import read_record
from pantel_export.errors import ExportError
from pantel_export.onnx_export import HALF_SUFFIX
from pantel_export.thumbnails.networks import ThumbnailGenerator, ThumbnailNetworks
from pantel_export.thumbnails.settings import PerceptualThumbnailSettings, ThumbnailSettings

__all__ = ["PERCEPTUAL_ROLE", "THUMBNAIL_ROLES", "ShippedThumbnails"]

THUMBNAIL_ROLES = ("thumbnail_encoder", "thumbnail_generator")
PERCEPTUAL_ROLE = "thumbnail_perceptual"


@dataclass(frozen=True, slots=True, eq=False)
class ShippedThumbnails:
    """Thumbnails as an artefact has them.

    Attributes:
        networks: In evaluation mode. `log_scale`, which only their own training needs, is not that of their training.
        settings: Of that training.
        sha256: Of the faithful generator's file: what paints its latents belongs to it.
        begin: As what another generator of the same latents begins: the faithful one, or one that was trained before.
        begin_sha256: Of the file of the latter; None for the faithful one.
    """

    networks: ThumbnailNetworks
    settings: ThumbnailSettings
    sha256: str
    begin: ThumbnailGenerator
    begin_sha256: str | None

    @classmethod
    def of(cls, artefacts: Path, name: str, *, from_perceptual: bool = False) -> ShippedThumbnails:
        """Read the thumbnails of an artefact.

        Args:
            artefacts: Folder that holds `manifest.json`.
            name: Of the artefact.
            from_perceptual: Whether to begin as the perceptual generator that it has.

        Raises:
            ExportError: There is no such artefact, or it has no thumbnails or no such generator.
        """
        record = read_record(artefacts, name)
        if "thumbnails" not in record:
            raise ExportError(f"{name} has no thumbnails; put them there first with `thumbnails`")
        settings = ThumbnailSettings.model_validate(record["thumbnails"]["settings"])
        folder = artefacts / name
        networks = ThumbnailNetworks(settings.network)
        encoder, generator = (_weights_of(folder / f"{role}.onnx") for role in THUMBNAIL_ROLES)
        networks.encoder.load_state_dict(_named_as_in(networks.encoder.state_dict(), encoder))
        networks.generator.load_state_dict(_named_as_in(networks.generator.state_dict(), generator))
        steps = np.load(folder / "tables.npz")["thumbnail_steps"]
        with torch.no_grad():
            networks.log_gain.copy_(-torch.from_numpy(steps[0]).log())
        networks.eval()
        begin, begin_sha256 = networks.generator, None
        if from_perceptual:
            if "perceptual_thumbnails" not in record:
                raise ExportError(f"{name} has no perceptual generator of thumbnails to begin as")
            trained = PerceptualThumbnailSettings.model_validate(record["perceptual_thumbnails"]["settings"])
            width = {"generator_width": trained.generator_width}
            begin = ThumbnailGenerator(settings.network.model_copy(update=width)).eval()
            path = folder / f"{PERCEPTUAL_ROLE}.onnx"
            begin.load_state_dict(_named_as_in(begin.state_dict(), _weights_of(path)))
            begin_sha256 = _sha256(path)
        return cls(networks, settings, _sha256(folder / f"{THUMBNAIL_ROLES[1]}.onnx"), begin, begin_sha256)


def _weights_of(path: Path) -> dict[str, Tensor]:
    """Return what a file of the workshop's export calls its constants, weights of 16 bits by their own names."""
    tensors = onnx.load(str(path)).graph.initializer
    return {
        tensor.name.removesuffix(HALF_SUFFIX): torch.from_numpy(numpy_helper.to_array(tensor).astype(np.float32))
        for tensor in tensors
    }


def _named_as_in(state: dict[str, Tensor], weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return of some weights those that a state names; a file has other constants besides."""
    return {name: weights[name] for name in state}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

"""Training of thumbnails: what one step learns from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from torch import Tensor

from pantel_codec import THUMBNAIL_QUALITIES
from pantel_export.errors import DataError, RunError
from pantel_export.thumbnails.augmentation import Specimen, augmented, plain
from pantel_export.thumbnails.crops import ObjectCrop
from pantel_export.thumbnails.networks import ThumbnailNetworks, laplacian_bits
from pantel_export.thumbnails.settings import ThumbnailSettings
from pantel_export.training_run import TrainingRun, load_run
from pantel_models.thumbnails import Kind, condition

__all__ = ["Batch", "ThumbnailTrainer", "chances", "fingerprint", "load_thumbnail_networks"]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Specimens as tensors.

    Attributes:
        pixels: (B, 3, RASTER_PX, RASTER_PX) float32.
        mask: (B, 1, RASTER_PX, RASTER_PX) float32.
        found: Same shape.
        known: Same shape.
        condition: (B, CONDITIONS) float32.
        shape: (B,) int64.
        aspect: (B,) float32: width over height of what the raster covers.
    """

    pixels: Tensor
    mask: Tensor
    found: Tensor
    known: Tensor
    condition: Tensor
    shape: Tensor
    aspect: Tensor

    @classmethod
    def drawn(
        cls,
        crops: Sequence[ObjectCrop],
        chances: NDArray[np.float64],
        size: int,
        rng: np.random.Generator,
        device: torch.device,
    ) -> Batch:
        """Return objects drawn at random, each as it might be somewhere else.

        Args:
            crops: The objects.
            chances: How likely each is to be drawn, (N,).
            size: How many are drawn.
            rng: Draws them.
            device: For the tensors.
        """
        chosen = rng.choice(len(crops), size, p=chances)
        return cls.of([augmented(crops[index], rng) for index in chosen], device)

    @classmethod
    def of(cls, specimens: Sequence[Specimen], device: torch.device) -> Batch:
        """Stack specimens on a device."""

        def tensor(values: list[NDArray[np.float32]]) -> Tensor:
            return torch.from_numpy(np.stack(values)).to(device)

        pixels = tensor([each.pixels for each in specimens]).permute(0, 3, 1, 2)
        return cls(
            pixels.contiguous(memory_format=torch.channels_last),
            tensor([each.mask[None] for each in specimens]),
            tensor([each.found[None] for each in specimens]),
            tensor([each.known[None] for each in specimens]),
            tensor([condition(each.shape, each.kind) for each in specimens]),
            torch.tensor([each.shape for each in specimens], device=device),
            torch.tensor([each.aspect for each in specimens], dtype=torch.float32, device=device),
        )


class ThumbnailTrainer(TrainingRun):
    """A run of the thumbnails' networks."""

    def __init__(
        self,
        settings: ThumbnailSettings,
        crops: Sequence[ObjectCrop],
        folder: Path,
        sources: Sequence[dict[str, Any]] = (),
    ) -> None:
        """Begin at step 0.

        Args:
            settings: Of the run.
            crops: The objects.
            folder: For the checkpoint and the record.
            sources: Where the objects come from, for the record.

        Raises:
            DataError: There are too few objects for principal components to begin with.
        """
        if len(crops) < settings.network.latents:
            raise DataError(f"{len(crops)} objects are too few for {settings.network.latents} latents; add photographs")
        self.settings = settings
        self.crops = crops
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(settings.seed)
        self.networks = ThumbnailNetworks(settings.network)
        whole = Batch.of([plain(crop) for crop in crops], torch.device("cpu"))
        self.networks.start_from_principal_components(whole.pixels, whole.mask)
        self.networks.to(self.device, memory_format=torch.channels_last)
        self._chances = chances(settings, crops)
        material = {"objects": len(crops), "objects_sha256": fingerprint(crops), "sources": list(sources)}
        super().__init__(settings, self.networks, folder, material)

    def loss(self) -> tuple[Tensor, dict[str, float]]:
        """Return the rate-distortion loss of the present step, and figures for people."""
        s = self.settings
        rng = np.random.default_rng((s.seed, self.step))
        batch = Batch.drawn(self.crops, self._chances, s.batch, rng, self.device)
        quality = self._tensor(rng.integers(0, THUMBNAIL_QUALITIES, s.batch))
        detail = self._tensor(rng.random(s.batch) < 0.5)
        jitter = self._tensor(rng.random((s.batch, s.network.latents)) - 0.5)
        behind = self._tensor(rng.random((s.batch, 3, 1, 1)))
        share = quality / (THUMBNAIL_QUALITIES - 1)
        weight = s.rate_weight_low * (s.rate_weight_high / s.rate_weight_low) ** share

        y = self.networks.encoder(batch.pixels, batch.found, batch.known, batch.condition)
        gain = self.networks.gain(quality)
        scaled = y * gain
        symbols = scaled + (scaled.round() - scaled).detach()  # straight through
        told = torch.ones_like(y)
        told[:, s.network.core :] = detail[:, None]
        log_scale = self.networks.log_scale[batch.shape] + gain.log()
        bits = (laplacian_bits(scaled + jitter, log_scale) * told).sum(1)
        side = torch.stack([share, detail], 1)
        colour, alpha = self.networks.generator(symbols / gain * told, batch.condition, side)
        # An object matters as it is seen: in front of something, here of one colour.
        shown = behind + alpha * (colour - behind)
        truth = behind + batch.mask * (batch.pixels - behind)
        matters = s.hidden_weight + (1 - s.hidden_weight) * batch.known
        mse = ((shown - truth) ** 2 * matters).mean((1, 2, 3))
        # The geometric mean of both weightings keeps the gradients of all qualities alike.
        loss = (mse / weight.sqrt() + bits * weight.sqrt()).mean()
        figures = {
            "loss": loss.item(),
            "bits": bits.mean().item(),
            "psnr": (-10 * torch.log10(mse)).mean().item(),
        }
        return loss, figures

    def _tensor(self, values: NDArray[Any]) -> Tensor:
        return torch.from_numpy(values.astype(np.float32)).to(self.device)


def chances(settings: ThumbnailSettings, crops: Sequence[ObjectCrop]) -> NDArray[np.float64]:
    """Return how likely each object is to be drawn, (N,)."""
    of_kind = {Kind.PERSON: 1.0, Kind.ANIMAL: settings.animal_weight}
    weights = np.array([of_kind.get(crop.kind, settings.vehicle_weight) for crop in crops])
    return np.asarray(weights / weights.sum(), np.float64)


def fingerprint(crops: Sequence[ObjectCrop]) -> str:
    """Return the SHA-256 over all objects, for the record."""
    digest = hashlib.sha256()
    for crop in crops:
        digest.update(crop.pixels.tobytes())
        digest.update(np.rint(255 * crop.mask).astype(np.uint8).tobytes())
        digest.update(bytes([crop.kind]))
    return digest.hexdigest()


def load_thumbnail_networks(folder: Path) -> tuple[ThumbnailNetworks, ThumbnailSettings, dict[str, Any]]:
    """Return the averaged networks of a run folder in evaluation mode, its settings and its record.

    Raises:
        RunError: There is no run, or it is one of something else.
    """
    state, record = load_run(folder)
    try:
        settings = ThumbnailSettings.model_validate(state["settings"])
    except ValidationError as error:
        raise RunError(f"{folder} is no run of thumbnails") from error
    networks = ThumbnailNetworks(settings.network)
    networks.load_state_dict(state["average"])
    return networks.eval(), settings, record

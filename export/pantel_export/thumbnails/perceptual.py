"""Training of the perceptual generator of thumbnails: what one step learns from.

At a few dozen bits the generator with the least squared error shows a blur in the shape of a person. This one shows a
person: the same latents and the same encoder, other weights, for looking at.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from pantel_codec import THUMBNAIL_QUALITIES
from pantel_export.errors import RunError
from pantel_export.perceptual.discriminator import TOLD, patch_judge
from pantel_export.perceptual.lpips import Lpips
from pantel_export.thumbnails.crops import ObjectCrop
from pantel_export.thumbnails.networks import ThumbnailGenerator
from pantel_export.thumbnails.settings import PerceptualThumbnailSettings, ThumbnailSettings
from pantel_export.thumbnails.train import Batch, chances, fingerprint, load_thumbnail_networks
from pantel_export.training_run import TrainingRun, load_run
from pantel_models.thumbnails import CONDITIONS

__all__ = ["PerceptualThumbnailTrainer", "load_perceptual_thumbnails"]

_SURROUNDINGS_PX = 8  # blocks of the surroundings that a decoded background would show
_FLAT = 0.5  # share of objects that stand before one colour instead
_TOLD_PX = 8


class ObjectDiscriminator(nn.Module):
    """Tells photographed objects from generated ones; see `pantel_export.perceptual.discriminator`."""

    def __init__(self, latents: int) -> None:
        super().__init__()
        self.told = spectral_norm(nn.Linear(latents + CONDITIONS, TOLD * _TOLD_PX**2))
        self.body = patch_judge(last_kernel=3)

    def forward(self, x: Tensor, latents: Tensor, condition: Tensor) -> Tensor:
        """Return a score for each patch, high for photographs.

        Args:
            x: (B, 3, RASTER_PX, RASTER_PX), an object before something, RGB in 0..1.
            latents: (B, latents), what the generator was given.
            condition: (B, CONDITIONS), likewise.
        """
        told = functional.leaky_relu(self.told(torch.cat([latents, condition], 1)), 0.2)
        told = told.view(-1, TOLD, _TOLD_PX, _TOLD_PX)
        planes = functional.interpolate(told, size=x.shape[2:])
        return torch.as_tensor(self.body(torch.cat([2 * x - 1, planes], 1)))


class PerceptualThumbnailTrainer(TrainingRun):
    """A run of the perceptual generator of thumbnails; it begins as the faithful one, and the encoder is frozen."""

    def __init__(
        self,
        settings: PerceptualThumbnailSettings,
        thumbnail_run: Path,
        lpips: Path,
        crops: Sequence[ObjectCrop],
        folder: Path,
    ) -> None:
        """Begin at step 0.

        Args:
            settings: Of the run.
            thumbnail_run: Folder of the run that made the encoder.
            lpips: Weights of LPIPS.
            crops: The objects of that run.
            folder: For the checkpoint and the record.

        Raises:
            RunError: There is no such run, or it was made with other objects.
            DataError: The weights of LPIPS cannot be used.
        """
        frozen, self._scale, record = load_thumbnail_networks(thumbnail_run)
        if record["objects_sha256"] != fingerprint(crops):
            raise RunError(f"{thumbnail_run} was trained with other objects; name the same folders in the same order")
        self.settings = settings
        self.crops = crops
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(settings.seed)
        self._frozen = frozen.to(self.device).requires_grad_(requires_grad=False)
        self._lpips = Lpips(lpips).to(self.device)
        self._chances = chances(self._scale, crops)
        generator = ThumbnailGenerator(self._scale.network)
        generator.load_state_dict(frozen.generator.state_dict())
        discriminator = ObjectDiscriminator(self._scale.network.latents)
        self.networks = nn.ModuleDict({"generator": generator, "discriminator": discriminator})
        self.networks.to(self.device, memory_format=torch.channels_last)
        material = {
            "objects": len(crops),
            "objects_sha256": record["objects_sha256"],
            "thumbnail_run": {"step": record["step"], "settings": record["settings"]},
        }
        super().__init__(settings, self.networks, folder, material)

    def loss(self) -> tuple[Tensor, dict[str, float]]:
        """Return the sum of what generator and discriminator each try to lower, and figures for people."""
        s = self.settings
        rng = np.random.default_rng((s.seed, self.step))
        batch = Batch.drawn(self.crops, self._chances, s.batch, rng, self.device)
        latents, side = self._received(batch, rng)
        colour, alpha = self.networks["generator"](latents, batch.condition, side)
        behind = self._behind(batch, rng)
        shown = behind + alpha * (colour - behind)
        truth = behind + batch.mask * (batch.pixels - behind)
        # What hid an object is no part of it: there the truth is what is shown.
        truth = torch.where(batch.known > 0, truth, shown.detach())

        lpips = self._lpips(truth, shown.clamp(0, 1)).mean()
        error = (shown - truth).abs().mean()
        mask_error = ((alpha - batch.mask) * batch.known).abs().mean()
        fidelity = s.l1_weight * error + s.mask_weight * mask_error + s.lpips_weight * lpips
        judge = self.networks["discriminator"]
        fixed = {name: value.detach() for name, value in judge.named_parameters()}
        told = latents, batch.condition
        fooled = -functional_call(judge, fixed, (shown, *told)).mean()
        real = functional.relu(1 - judge(truth, *told)).mean()
        fake = functional.relu(1 + judge(shown.detach(), *told)).mean()
        adversarial = s.adversarial_weight if self.step >= s.adversarial_from_step else 0.0
        loss = fidelity + adversarial * fooled + real + fake
        figures = {
            "fidelity": fidelity.item(),
            "l1": error.item(),
            "mask": mask_error.item(),
            "lpips": lpips.item(),
            "fooled": fooled.item(),
            "judge": (real + fake).item(),
        }
        return loss, figures

    @torch.no_grad()
    def _received(self, batch: Batch, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Return latents and side as a receiver has them."""
        s, core = self.settings, self._scale.network.core
        quality = self._tensor(rng.integers(0, THUMBNAIL_QUALITIES, s.batch))
        detail = self._tensor(rng.random(s.batch) < 0.5)
        y = self._frozen.encoder(batch.pixels, batch.found, batch.known, batch.condition)
        gain = self._frozen.gain(quality)
        latents = (y * gain).round() / gain
        latents[:, core:] *= detail[:, None]
        return latents, torch.stack([quality / (THUMBNAIL_QUALITIES - 1), detail], 1)

    def _behind(self, batch: Batch, rng: np.random.Generator) -> Tensor:
        """Return what the objects stand before: the blurred surroundings, or one colour."""
        flat = self._tensor(rng.random((self.settings.batch, 3, 1, 1)))
        blurred = functional.avg_pool2d(batch.pixels, _SURROUNDINGS_PX)
        around = functional.interpolate(blurred, scale_factor=_SURROUNDINGS_PX, mode="bilinear")
        plain = self._tensor(rng.random((self.settings.batch, 1, 1, 1)) < _FLAT)
        return plain * flat + (1 - plain) * around

    def _tensor(self, values: NDArray[Any]) -> Tensor:
        return torch.from_numpy(values.astype(np.float32)).to(self.device)


def load_perceptual_thumbnails(folder: Path) -> tuple[ThumbnailGenerator, dict[str, Any]]:
    """Return the averaged generator of a run folder in evaluation mode, and its record.

    Raises:
        RunError: There is no run, or it is one of something else.
    """
    state, record = load_run(folder)
    if "thumbnail_run" not in record:
        raise RunError(f"{folder} is no run of the perceptual generator of thumbnails")
    settings = ThumbnailSettings.model_validate(record["thumbnail_run"]["settings"])
    generator = ThumbnailGenerator(settings.network)
    prefix = "generator."
    generator.load_state_dict(
        {name.removeprefix(prefix): value for name, value in state["average"].items() if name.startswith(prefix)}
    )
    return generator.eval(), record

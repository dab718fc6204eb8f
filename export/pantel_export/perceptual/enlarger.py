"""Training of the perceptual enlarger: what one step learns from."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pantel_export.data import PhotoSet
from pantel_export.enlarger import Enlarger
from pantel_export.errors import RunError
from pantel_export.networks import SceneNetworks
from pantel_export.perceptual.discriminator import EnlargementDiscriminator
from pantel_export.perceptual.halved import halved_latents
from pantel_export.perceptual.lpips import Lpips
from pantel_export.perceptual.objective import objective
from pantel_export.perceptual.settings import PerceptualEnlargerSettings
from pantel_export.precision import mixed_precision
from pantel_export.settings import TrainSettings
from pantel_export.train import crop_tensors, load_networks
from pantel_export.training_run import TrainingRun, load_run
from pantel_models import open_session

__all__ = ["PerceptualEnlargerTrainer", "load_perceptual_enlarger"]

_PATTERN_PX = 8  # what it might print repeats after 2 pixels, or 4


class PerceptualEnlargerTrainer(TrainingRun):
    """A run of the perceptual enlarger, which begins as the faithful one; everything before it is frozen.

    It enlarges what the perceptual generator paints at half the resolution.
    """

    def __init__(
        self,
        settings: PerceptualEnlargerSettings,
        frozen: tuple[Path, bytes],
        lpips: Path,
        photos: PhotoSet,
        folder: Path,
    ) -> None:
        """Begin.

        Args:
            settings: Of the run.
            frozen: Run folder of the scene codec, or its 16-bit weights, and the perceptual generator of the
                artefact that it became, ONNX.
            lpips: Weights of LPIPS.
            photos: What to learn from.
            folder: For the checkpoint and the record.
        """
        self.settings = settings
        self.photos = photos
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(settings.seed)
        scene_run, generator = frozen
        networks, scene, record = load_networks(scene_run)
        self._frozen: SceneNetworks = networks.to(self.device).requires_grad_(requires_grad=False)
        self._generator = open_session(generator, "the perceptual generator")
        self._lpips = Lpips(lpips).to(self.device)
        enlarger = Enlarger(scene.network)
        enlarger.load_state_dict(networks.enlarger.state_dict())
        self.networks = nn.ModuleDict({"enlarger": enlarger, "discriminator": EnlargementDiscriminator()})
        self.networks.to(self.device, memory_format=torch.channels_last)
        material = {
            "pictures": len(photos),
            "pictures_sha256": photos.fingerprint,
            "scene_run": {"step": record["step"], "settings": record["settings"]},
            "generator_sha256": hashlib.sha256(generator).hexdigest(),
        }
        super().__init__(settings, self.networks, folder, material)

    def loss(self) -> tuple[Tensor, dict[str, float]]:
        """Return the sum of what enlarger and discriminator each try to lower, and figures for people."""
        s = self.settings
        batch = self.photos.batch(size=s.batch, crop_px=s.crop_px, seed=s.seed, step=self.step + 1)
        noise = torch.Generator().manual_seed(s.seed * 1_000_003 + self.step)
        pixels, contours = crop_tensors(batch, self.device)
        x_half = self._painted(batch.pixels, noise)
        with mixed_precision(self.device):
            x_hat = self.networks["enlarger"](x_half)
        return objective(
            s,
            self._lpips,
            self.networks["discriminator"],
            pixels=pixels,
            contours=contours,
            x_hat=x_hat.float(),
            told=x_half,
            pattern_px=_PATTERN_PX,
            step=self.step,
            noise=noise,
        )

    @torch.no_grad()
    def _painted(self, pixels: NDArray[np.uint8], noise: torch.Generator) -> Tensor:
        """Return what a receiver paints of crops (B, crop, crop, 3) at half the resolution, (B, 3, crop/2, crop/2)."""
        y_hat, side = halved_latents(self._frozen, pixels, self.device, noise)
        painted = [
            self._generator.run(None, {"y_hat": one[None].cpu().numpy(), "side": around[None].cpu().numpy()})[0]
            for one, around in zip(y_hat, side, strict=True)
        ]
        return torch.from_numpy(np.concatenate(painted)).to(self.device).clamp(0, 1)


def load_perceptual_enlarger(folder: Path) -> tuple[Enlarger, dict[str, Any]]:
    """Return the averaged enlarger of a run folder in evaluation mode, and its record.

    Raises:
        RunError: There is no run, or it is one of something else.
    """
    state, record = load_run(folder)
    prefix = "enlarger."
    own = {name.removeprefix(prefix): value for name, value in state["average"].items() if name.startswith(prefix)}
    if "generator_sha256" not in record or not own:
        raise RunError(f"{folder} is no run of the perceptual enlarger")
    enlarger = Enlarger(TrainSettings.model_validate(record["scene_run"]["settings"]).network)
    enlarger.load_state_dict(own)
    return enlarger.eval(), record

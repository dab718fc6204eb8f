"""Training of the perceptual generator: what one step learns from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from pantel_export.data import PhotoSet
from pantel_export.errors import RunError
from pantel_export.networks import CELL_PX, Generator, SceneNetworks, spread_groups
from pantel_export.perceptual.discriminator import PatchDiscriminator
from pantel_export.perceptual.halved import halved_latents
from pantel_export.perceptual.lpips import Lpips
from pantel_export.perceptual.objective import objective
from pantel_export.perceptual.settings import PerceptualSettings
from pantel_export.precision import mixed_precision
from pantel_export.settings import TrainSettings
from pantel_export.train import crop_tensors, draw_availability, draw_qualities, load_networks
from pantel_export.training_run import TrainingRun, load_run

__all__ = ["PerceptualTrainer", "load_perceptual_generator"]


class PerceptualTrainer(TrainingRun):
    """A run of the perceptual generator, which begins as the faithful one; encoder and entropy model are frozen."""

    def __init__(
        self, settings: PerceptualSettings, scene_run: Path, lpips: Path, photos: PhotoSet, folder: Path
    ) -> None:
        self.settings = settings
        self.photos = photos
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(settings.seed)
        frozen, self._scene_settings, record = load_networks(scene_run)
        self._frozen: SceneNetworks = frozen.to(self.device).requires_grad_(requires_grad=False)
        self._lpips = Lpips(lpips).to(self.device)
        generator = Generator(self._scene_settings.network)
        generator.load_state_dict(frozen.generator.state_dict())
        discriminator = PatchDiscriminator(self._scene_settings.network.channels)
        self.networks = nn.ModuleDict({"generator": generator, "discriminator": discriminator})
        self.networks.to(self.device, memory_format=torch.channels_last)
        material = {
            "pictures": len(photos),
            "pictures_sha256": photos.fingerprint,
            "scene_run": {"step": record["step"], "settings": record["settings"]},
        }
        super().__init__(settings, self.networks, folder, material)

    def loss(self) -> tuple[Tensor, dict[str, float]]:
        """Return the sum of what generator and discriminator each try to lower, and figures for people."""
        s = self.settings
        batch = self.photos.batch(size=s.batch, crop_px=s.crop_px, seed=s.seed, step=self.step + 1)
        noise = torch.Generator().manual_seed(s.seed * 1_000_003 + self.step)
        pixels, contours = crop_tensors(batch, self.device)
        y_hat, side = self._received(pixels, contours, noise)
        if s.enlarged_crops:
            self._enlarge(y_hat, side, batch.pixels[: s.enlarged_crops], noise)
        with mixed_precision(self.device):
            x_hat = self.networks["generator"](y_hat, side)
        return objective(
            s,
            self._lpips,
            self.networks["discriminator"],
            pixels=pixels,
            contours=contours,
            x_hat=x_hat.float(),
            told=y_hat,
            pattern_px=CELL_PX,
            step=self.step,
            noise=noise,
        )

    @torch.no_grad()
    def _received(self, pixels: Tensor, contours: Tensor, noise: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return latents and side planes as a receiver has them."""
        network = self._scene_settings.network
        received, in_payload = draw_availability(len(pixels), len(network.groups), pixels.shape[2] // CELL_PX, noise)
        quality, elsewhere, in_payload = draw_qualities(in_payload, noise)
        received, planes = received.to(self.device), (quality[:, None, None, None] + elsewhere).to(self.device)
        x = torch.cat([pixels, contours], 1).contiguous(memory_format=torch.channels_last)
        with mixed_precision(self.device):
            y = self._frozen.encoder(x)
            gain = self._frozen.gain(planes)
            coded = self._frozen.context(y.float() * gain, in_payload.to(self.device), quality.to(self.device))
        y_hat = coded.values / gain * spread_groups(received, network.groups)
        return y_hat, torch.cat([received, planes], 1)

    @torch.no_grad()
    def _enlarge(self, y_hat: Tensor, side: Tensor, pixels: NDArray[np.uint8], noise: torch.Generator) -> None:
        """Put what a receiver makes of cells of half the resolution in the place of missing ones, in place.

        As `SceneCodec.synthesise` does: what the generator paints of them is enlarged and analysed. Of half of the
        crops all cells are missing.

        Args:
            y_hat: (B, channels, cells, cells), as they were received.
            side: (B, groups + 1, cells, cells), what is known of them.
            pixels: (N, H, W, 3) uint8, the first N crops.
            noise: Draws the qualities, and what is missing.
        """
        small, known = halved_latents(self._frozen, pixels, self.device, noise)
        with mixed_precision(self.device):
            painted = self.networks["generator"](small, known).float()
            if self._scene_settings.enlarged_crops:
                picture = self._frozen.enlarger(painted.clamp(0, 1)).float().clamp(0, 1)
            else:
                picture = functional.interpolate(painted.clamp(0, 1), scale_factor=2, mode="bicubic").clamp(0, 1)
            latents = self._frozen.encoder(torch.cat([picture, torch.zeros_like(picture[:, :1])], 1)).float()
        whole = torch.rand(len(pixels), generator=noise).to(self.device) < 0.5
        missing = (side[: len(pixels), :1] == 0) | whole[:, None, None, None]
        y_hat[: len(pixels)] = torch.where(missing, latents, y_hat[: len(pixels)])
        side[: len(pixels)] = torch.where(missing, torch.ones_like(side[: len(pixels)]), side[: len(pixels)])


def load_perceptual_generator(folder: Path) -> tuple[Generator, dict[str, Any]]:
    """Return the averaged generator of a run folder in evaluation mode, and its record.

    Raises:
        RunError: There is no run, or it is one of something else.
    """
    state, record = load_run(folder)
    if "scene_run" not in record:
        raise RunError(f"{folder} is no run of the perceptual generator")
    generator = Generator(TrainSettings.model_validate(record["scene_run"]["settings"]).network)
    prefix = "generator."
    generator.load_state_dict(
        {name.removeprefix(prefix): value for name, value in state["average"].items() if name.startswith(prefix)}
    )
    return generator.eval(), record

"""Training of the perceptual generator of thumbnails: what one step learns from.

At a few dozen bits the generator with the least squared error shows a blur in the shape of a person. This one shows a
person: the same latents and the same encoder, other weights, for looking at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
from pantel_export.data import PhotoSet
from pantel_export.detector_network import DetectorNetwork, verdict_loss
from pantel_export.errors import RunError
from pantel_export.perceptual.discriminator import TOLD, patch_judge
from pantel_export.perceptual.lpips import Lpips
from pantel_export.precision import mixed_precision
from pantel_export.thumbnails.crops import ObjectCrop
from pantel_export.thumbnails.display import draw_spots, shown_at
from pantel_export.thumbnails.networks import ThumbnailGenerator, widened
from pantel_export.thumbnails.settings import PerceptualThumbnailSettings, ThumbnailSettings
from pantel_export.thumbnails.shipped import ShippedThumbnails
from pantel_export.thumbnails.train import Batch, chances, fingerprint
from pantel_export.train import crop_tensors
from pantel_export.training_run import TrainingRun, load_run
from pantel_models.thumbnails import CONDITIONS

__all__ = ["Onlookers", "PerceptualThumbnailTrainer", "load_perceptual_thumbnails"]

_Paint = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Maps scaled latents to colour and alpha."""

_SURROUNDINGS_PX = 8  # blocks of the surroundings that a decoded background would show
_FLAT = 0.5  # share of objects that stand before one colour instead
_TOLD_PX = 8
_DETAILED = 0.35  # share of objects whose detail has been told
_SEEN_SOFTLY = 0.5  # share of pictures that detectors see at half the resolution, where no pattern can deceive them
_SEARCH_STEP = 0.2  # of a symbol
_JUDGE_WIDTHS = (32, 64, 96, 128)  # so that its patches hold most of an object


class ObjectDiscriminator(nn.Module):
    """Tells photographed objects from generated ones; see `pantel_export.perceptual.discriminator`."""

    def __init__(self, latents: int) -> None:
        super().__init__()
        self.told = spectral_norm(nn.Linear(latents + CONDITIONS, TOLD * _TOLD_PX**2))
        self.body = patch_judge(last_kernel=3, widths=_JUDGE_WIDTHS)

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


@dataclass(frozen=True, slots=True, eq=False)
class Onlookers:
    """What objects are shown to, and before what.

    Attributes:
        lpips: Weights of LPIPS.
        detectors: ONNX files of detectors that should recognize what is painted; each judges every n-th step.
        photos: What the objects stand before when they are shown as small as in the product.
    """

    lpips: Path
    detectors: Sequence[Path]
    photos: PhotoSet


class PerceptualThumbnailTrainer(TrainingRun):
    """A run of the perceptual generator of thumbnails; it begins as the faithful one, and the encoder is frozen."""

    def __init__(
        self,
        settings: PerceptualThumbnailSettings,
        thumbnails: ShippedThumbnails,
        onlookers: Onlookers,
        crops: Sequence[ObjectCrop],
        folder: Path,
    ) -> None:
        """Begin at step 0.

        Args:
            settings: Of the run.
            thumbnails: Whose latents are painted, and as what the generator begins.
            onlookers: What judges the objects, and what they stand before.
            crops: Objects to learn from.
            folder: For the checkpoint and the record.

        Raises:
            DataError: The weights of LPIPS or a detector cannot be used.
        """
        frozen, self._scale = thumbnails.networks, thumbnails.settings
        self.settings = settings
        self.crops = crops
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(settings.seed)
        self._frozen = frozen.to(self.device).requires_grad_(requires_grad=False)
        self._lpips = Lpips(onlookers.lpips).to(self.device)
        self._detectors = [DetectorNetwork(path).to(self.device) for path in onlookers.detectors]
        self._photos = onlookers.photos
        self._chances = chances(self._scale, crops)
        network = self._scale.network.model_copy(update={"generator_width": settings.generator_width})
        generator = widened(thumbnails.begin, ThumbnailGenerator(network))
        discriminator = ObjectDiscriminator(self._scale.network.latents)
        self.networks = nn.ModuleDict({"generator": generator, "discriminator": discriminator})
        self.networks.to(self.device, memory_format=torch.channels_last)
        material = {
            "objects": len(crops),
            "objects_sha256": fingerprint(crops),
            "thumbnails": {"sha256": thumbnails.sha256, "settings": self._scale.model_dump(mode="json")},
            "begun_as_sha256": thumbnails.begin_sha256,
            "detectors": [path.name for path in onlookers.detectors],
            "pictures": len(onlookers.photos),
            "pictures_sha256": onlookers.photos.fingerprint,
        }
        super().__init__(settings, self.networks, folder, material)

    def loss(self) -> tuple[Tensor, dict[str, float]]:
        """Return the sum of what generator and discriminator each try to lower, and figures for people."""
        s = self.settings
        rng = np.random.default_rng((s.seed, self.step))
        batch = Batch.drawn(self.crops, self._chances, s.batch, rng, self.device)
        behind = self._behind(batch, rng)
        latents, side = self._received(batch, behind, rng)
        with mixed_precision(self.device):
            painted = self.networks["generator"](latents, batch.condition, side)
        colour, alpha = (each.float() for each in painted)
        shown = behind + alpha * (colour - behind)
        truth = behind + batch.mask * (batch.pixels - behind)
        # What hid an object is no part of it: there the truth is what is shown.
        truth = torch.where(batch.known > 0, truth, shown.detach())

        with mixed_precision(self.device):
            lpips = self._lpips(truth, shown.clamp(0, 1)).float().mean()
        difference = shown - truth
        error = difference.abs().mean()
        hue = (difference - difference.mean(1, keepdim=True)).abs().mean()
        mask_error = ((alpha - batch.mask) * batch.known).abs().mean()
        detected, display = self._as_shown(batch, colour, alpha, rng)
        fidelity = s.l1_weight * error + s.mask_weight * mask_error + s.lpips_weight * lpips
        fidelity = fidelity + s.hue_weight * hue + s.detector_weight * detected + s.display_weight * display
        judge = self.networks["discriminator"]
        fixed = {name: value.detach() for name, value in judge.named_parameters()}
        told = latents, batch.condition
        with mixed_precision(self.device):
            fooled = -functional_call(judge, fixed, (shown, *told)).float().mean()
            real = functional.relu(1 - judge(truth, *told).float()).mean()
            fake = functional.relu(1 + judge(shown.detach(), *told).float()).mean()
        adversarial = s.adversarial_weight if self.step >= s.adversarial_from_step else 0.0
        loss = fidelity + adversarial * fooled + real + fake
        figures = {
            "fidelity": fidelity.item(),
            "l1": error.item(),
            "hue": hue.item(),
            "mask": mask_error.item(),
            "lpips": lpips.item(),
            "detected": detected.item(),
            "display": display.item(),
            "fooled": fooled.item(),
            "judge": (real + fake).item(),
        }
        return loss, figures

    def _as_shown(self, batch: Batch, colour: Tensor, alpha: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Return by how much the verdict of a detector changes, and LPIPS, when objects are shown on a picture."""
        detector = self._detectors[self.step % len(self._detectors)]
        side_px = detector.side_px
        background = self._photos.batch(size=1, crop_px=side_px // 2, seed=self.settings.seed, step=self.step + 1)
        picture, _ = crop_tensors(background, self.device)
        picture = functional.interpolate(picture, size=(side_px, side_px), mode="bilinear")
        spots = draw_spots(batch.aspect, side_px, rng)
        truth = shown_at(picture, spots, batch.pixels, batch.mask)
        shown = shown_at(picture, spots, colour.clamp(0, 1), alpha)
        with mixed_precision(self.device):
            seen = truth, shown
            if rng.random() < _SEEN_SOFTLY:
                seen = tuple(functional.interpolate(functional.avg_pool2d(x, 2), scale_factor=2) for x in seen)
            with torch.no_grad():
                true_verdict = detector(seen[0])
            verdict = detector(seen[1])
            display = self._lpips(truth, shown).float().mean()
        return verdict_loss(true_verdict, verdict), display

    def _received(self, batch: Batch, behind: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Return latents and side as a receiver has them.

        Args:
            batch: What the encoder is given.
            behind: (B, 3, RASTER_PX, RASTER_PX), what the objects stand before.
            rng: Draws qualities, whether there is detail, and how far latents were searched for.
        """
        s, core = self.settings, self._scale.network.core
        quality = self._tensor(rng.integers(0, THUMBNAIL_QUALITIES, s.batch))
        detail = self._tensor(rng.random(s.batch) < _DETAILED)
        told = torch.ones(s.batch, self._scale.network.latents, device=self.device)
        told[:, core:] = detail[:, None]
        side = torch.stack([quality / (THUMBNAIL_QUALITIES - 1), detail], 1)
        gain = self._frozen.gain(quality)
        with torch.no_grad():
            y = self._frozen.encoder(batch.pixels, batch.found, batch.known, batch.condition) * told

        def paint(scaled: Tensor) -> tuple[Tensor, Tensor]:
            colour, alpha = self._frozen.generator(scaled / gain * told, batch.condition, side)
            return colour, alpha

        scaled = self._searched(y * gain, paint, batch, behind, int(rng.integers(0, s.search_steps + 1)))
        # Rate-distortion optimization prefers the symbol next to zero.
        reluctance = self._tensor(rng.uniform(0, 0.2, (s.batch, 1)))
        symbols = scaled.sign() * (scaled.abs() + 0.5 - reluctance).floor()
        return symbols / gain * told, side

    @torch.enable_grad()
    def _searched(self, scaled: Tensor, paint: _Paint, batch: Batch, behind: Tensor, steps: int) -> Tensor:
        """Return scaled latents (B, latents) that fit the picture better, as a sender searches for them.

        It takes whole steps, from all derivatives; here a few steps of gradient descent (Adam) do about the same.
        """
        scaled = scaled.detach().clone().requires_grad_()
        optimizer = torch.optim.Adam([scaled], lr=_SEARCH_STEP, betas=(0.5, 0.9))
        truth = behind + batch.mask * (batch.pixels - behind)
        weight = batch.known * (1 + (self.settings.roi_weight - 1) * batch.found)
        for _ in range(steps):
            with mixed_precision(self.device):
                colour, alpha = paint(scaled)
            error = behind + alpha * (colour - behind) - truth
            (scaled.grad,) = torch.autograd.grad((error.square() * weight).sum(), scaled)
            optimizer.step()
        return scaled.detach()

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
    if "thumbnails" not in record:
        raise RunError(f"{folder} is no run of the perceptual generator of thumbnails")
    settings = ThumbnailSettings.model_validate(record["thumbnails"]["settings"])
    width = PerceptualThumbnailSettings.model_validate(record["settings"]).generator_width
    generator = ThumbnailGenerator(settings.network.model_copy(update={"generator_width": width}))
    prefix = "generator."
    generator.load_state_dict(
        {name.removeprefix(prefix): value for name, value in state["average"].items() if name.startswith(prefix)}
    )
    return generator.eval(), record

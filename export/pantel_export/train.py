"""Training of the scene codec: what one step learns from."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import ValidationError
from torch import Tensor

from pantel_export.data import Batch, PhotoSet
from pantel_export.enlarger import ENLARGEMENT
from pantel_export.errors import RunError
from pantel_export.losses import logistic_bits, ms_ssim_loss
from pantel_export.networks import CELL_PX, SceneNetworks, spread_groups
from pantel_export.precision import mixed_precision
from pantel_export.settings import TrainSettings
from pantel_export.training_run import TrainingRun, load_run
from pantel_export.warm_start import RECORD, load_warm_start
from pantel_models import contour_map, reduced

__all__ = ["Trainer", "load_networks"]

_PICTURE_PX = 320, 240


class Trainer(TrainingRun):
    """A run of the scene codec."""

    def __init__(self, settings: TrainSettings, photos: PhotoSet, folder: Path) -> None:
        self.settings = settings
        self.photos = photos
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(settings.seed)
        self.networks = SceneNetworks(settings.network)
        self.networks.start_from_lapped_transform(self._crops())
        self.networks.to(self.device, memory_format=torch.channels_last)
        if settings.only:
            self.networks.requires_grad_(False)
            self.networks.get_submodule(settings.only).requires_grad_(True)
        material = {"pictures": len(photos), "pictures_sha256": photos.fingerprint}
        self._frame = _border_weights(settings.crop_px).to(self.device)
        super().__init__(settings, self.networks, folder, material)

    def _crops(self) -> Tensor:
        """Return crops (N, 3, H, W) in 0..1 for the first transform."""
        batch = self.photos.batch(size=512, crop_px=self.settings.crop_px, seed=self.settings.seed, step=0)
        return crop_tensors(batch, torch.device("cpu"))[0]

    def _rate_weight(self, quality: Tensor) -> Tensor:
        """Return lambda at each quality in 0..1."""
        s = self.settings
        return s.rate_weight_low * (s.rate_weight_high / s.rate_weight_low) ** quality

    def loss(self) -> tuple[Tensor, dict[str, float]]:
        """Return the rate-distortion loss of the present step, and figures for people."""
        s, nets = self.settings, self.networks
        # Numbers of a step come from (seed, step) as well, so that a resumed run draws the same.
        noise = torch.Generator().manual_seed(s.seed * 1_000_003 + self.step)
        pixels, contours, wide = self._draw()
        x_in = torch.cat([pixels, contours], 1).contiguous(memory_format=torch.channels_last)
        cells = s.crop_px // CELL_PX
        received, in_payload = draw_availability(len(pixels), len(s.network.groups), cells, noise)
        quality, elsewhere, in_payload = draw_qualities(in_payload, noise, power=s.quality_power)
        if s.enlarged_crops:  # whole pictures
            received[-s.enlarged_crops :] = in_payload[-s.enlarged_crops :] = 1
            elsewhere[-s.enlarged_crops :] = 0
        quality, elsewhere = quality.to(self.device), elsewhere.to(self.device)
        received, in_payload = received.to(self.device), in_payload.to(self.device)
        weight = self._rate_weight(quality)
        planes = quality[:, None, None, None] + elsewhere  # (B, 1, cells, cells)
        gain = nets.gain(planes)  # (B, channels, cells, cells)

        with mixed_precision(self.device):
            y = nets.encoder(x_in)
        scaled = y.float() * gain
        jitter = torch.rand(scaled.shape, generator=noise).to(self.device) - 0.5
        with mixed_precision(self.device):
            coded = nets.context(scaled, in_payload, quality)
        bits = logistic_bits(scaled + jitter, coded.mean, coded.log_scale)
        if s.only == "context":
            bits = coded.bits(bits)
        paid = spread_groups(in_payload, s.network.groups)
        # Rate per pixel of what the payload holds; a partial payload counts as if all of it were like this.
        share = paid.mean((1, 2, 3)).clamp(min=0.05)
        bpp = (bits * paid).sum((1, 2, 3)) / (s.crop_px**2 * share)

        y_hat = coded.values / gain * spread_groups(received, s.network.groups)
        with mixed_precision(self.device):
            x_hat = nets.generator(y_hat, torch.cat([received, planes], 1))
        x_hat = x_hat.float()
        error = (x_hat - pixels) ** 2
        near = torch.nn.functional.max_pool2d(contours, 3, stride=1, padding=1)
        # The geometric mean of both weightings keeps the gradients of all qualities alike.
        per_pixel = self._rate_weight(planes).rsqrt().repeat_interleave(CELL_PX, 2).repeat_interleave(CELL_PX, 3)
        per_pixel = per_pixel * self._frame
        mse = error.mean((1, 2, 3))
        distortion = (error * (1 + s.contour_weight * near) * per_pixel).mean((1, 2, 3))
        structure = ms_ssim_loss(pixels, x_hat)
        if wide is not None:  # what counts of these is what their enlargement shows
            with mixed_precision(self.device):
                enlarged = nets.enlarger(x_hat[-len(wide) :].clamp(0, 1))
            enlarged = enlarged.float()
            mse[-len(wide) :] = ((enlarged - wide) ** 2).mean((1, 2, 3))
            distortion[-len(wide) :] = (mse * weight.rsqrt())[-len(wide) :]
            structure[-len(wide) :] = ms_ssim_loss(wide, enlarged)
        loss = (distortion + s.ms_ssim_weight * structure * weight.rsqrt() + bpp * weight.sqrt()).mean()
        figures = {
            "loss": loss.item(),
            "bpp": bpp.mean().item(),
            "psnr": (-10 * torch.log10(mse)).mean().item(),
            "msssim": 1 - structure.mean().item(),
        }
        if wide is not None:
            figures["psnr_enlarged"] = (-10 * torch.log10(mse[-len(wide) :])).mean().item()
        return loss, figures

    def _draw(self) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return what the present step codes, pixels and contours, and last in it a reduced version of the rest.

        Returns:
            pixels: (B, 3, crop, crop) in 0..1.
            contours: (B, 1, crop, crop).
            wide: (enlarged crops, 3, 2 crop, 2 crop): what the last of the crops are reduced from; None without any.
        """
        s = self.settings
        draw = partial(self.photos.batch, seed=s.seed, step=self.step + 1)
        pixels, contours = crop_tensors(draw(size=s.batch - s.enlarged_crops, crop_px=s.crop_px), self.device)
        if not s.enlarged_crops:
            return pixels, contours, None
        batch = draw(size=s.enlarged_crops, crop_px=ENLARGEMENT * s.crop_px)
        small = np.stack([reduced(picture, 1) for picture in batch.pixels])
        lines = np.stack([contour_map(picture) for picture in small])
        small_pixels, small_contours = crop_tensors(Batch(small, lines), self.device)
        wide, _ = crop_tensors(batch, self.device)
        return torch.cat([pixels, small_pixels]), torch.cat([contours, small_contours]), wide


def _border_weights(crop_px: int) -> Tensor:
    """Return (crop, crop): 1, and less within half a cell of the border, of which a crop has more than a picture."""
    picture, crop = (
        1 - (width - CELL_PX) * (height - CELL_PX) / (width * height)
        for width, height in (_PICTURE_PX, (crop_px, crop_px))
    )
    weights = torch.full((crop_px, crop_px), picture / (1 - picture) * (1 - crop) / crop)
    inner = slice(CELL_PX // 2, -CELL_PX // 2)
    weights[inner, inner] = 1
    return weights


def crop_tensors(batch: Batch, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the pixels (B, 3, H, W) in 0..1 and the contours (B, 1, H, W) of a batch on a device."""
    pixels = torch.from_numpy(batch.pixels).to(device).permute(0, 3, 1, 2).float() / 255
    return pixels, torch.from_numpy(batch.contours).to(device)[:, None].float()


def draw_availability(size: int, groups: int, cells: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw which groups of which cells the receiver holds, and which of them one payload holds.

    Returns:
        received: (B, groups, cells, cells) of 0 and 1, nested: a group never without the coarser ones.
        in_payload: Same shape; what the entropy model may use as context and pays for.
    """
    received = torch.ones(size, groups, cells, cells)
    in_payload = torch.ones(size, groups, cells, cells)
    for i in range(size):
        kind, extent, start, block = torch.rand(4, generator=generator).tolist()
        levels = torch.arange(groups)[:, None, None]
        if kind < 0.15:  # coarse levels only
            received[i] = (levels < 1 + int(extent * groups)).float()
        elif kind < 0.35:  # scattered losses
            lost = torch.rand(cells, cells, generator=generator) < 0.4 * extent
            received[i] *= ~lost
        elif kind < 0.5:  # a region finer than the rest, or nothing outside it
            y0, x0 = int(start * cells * 0.7), int(block * cells * 0.7)
            side = 1 + int(extent * cells * 0.6)
            inside = torch.zeros(cells, cells, dtype=torch.bool)
            inside[y0 : y0 + side, x0 : x0 + side] = True
            outside = int(torch.randint(groups, (1,), generator=generator))
            received[i] = ((levels < outside) | inside).float()
        kind, extent, start, block = torch.rand(4, generator=generator).tolist()
        if kind < 0.25:  # a stripe or block of the picture
            y0, x0 = int(start * cells * 0.7), int(block * cells * 0.7)
            inside = torch.zeros(cells, cells)
            inside[y0 : y0 + 1 + int(extent * cells * 0.5), x0:] = 1
            in_payload[i] *= inside
        if 0.15 < kind < 0.4:  # a refinement without its coarse levels
            in_payload[i] *= (levels >= 1 + int(extent * (groups - 1))).float()
    return received, in_payload


def draw_qualities(
    in_payload: Tensor, generator: torch.Generator, *, power: float = 1.0
) -> tuple[Tensor, Tensor, Tensor]:
    """Draw the quality of each payload, and by how much that of other cells differs.

    A receiver holds cells of many payloads, each with a quality of its own. What is no part of the payload may
    have any; it is all of one quality in most crops.

    Returns:
        quality: (B,) in 0..1, of the payload.
        elsewhere: (B, 1, cells, cells): what to add to it where the payload has nothing.
        in_payload: What the payload holds then: in some crops only a region of what it was given.
    """
    in_payload = in_payload.clone()
    size, _, cells, _ = in_payload.shape
    quality, other = torch.rand(2, size, generator=generator) ** power
    elsewhere = torch.zeros(size, 1, cells, cells)
    for i in range(size):
        kind, y, x, extent = torch.rand(4, generator=generator).tolist()
        if kind < 0.4:
            inside = torch.zeros(cells, cells, dtype=torch.bool)
            y0, x0 = int(y * cells * 0.7), int(x * cells * 0.7)
            side = 2 + int(extent * cells * 0.6)
            inside[y0 : y0 + side, x0 : x0 + side + 1] = True
            in_payload[i] *= inside
            if in_payload[i].sum() == 0:
                in_payload[i] = inside
            elsewhere[i, 0] = (other[i] - quality[i]) * ~inside
    return quality, elsewhere, in_payload


def load_networks(folder: Path, *, averaged: bool = True) -> tuple[SceneNetworks, TrainSettings, dict[str, Any]]:
    """Return the networks of a run folder in evaluation mode, its settings and its record.

    Args:
        folder: With a checkpoint, or with the 16-bit weights and the record of a run.
        averaged: Take the averaged weights, not the newest; 16-bit weights are averaged ones.

    Raises:
        RunError: There is no run, or it is one of something else.
    """
    if not (folder / "checkpoint.pt").exists() and (folder / RECORD).exists():
        record = json.loads((folder / RECORD).read_text())
        weights = load_warm_start(folder)
    else:
        state, record = load_run(folder)
        weights = state["average"] if averaged else state["networks"]
    try:
        settings = TrainSettings.model_validate(record["settings"])
    except ValidationError as error:
        raise RunError(f"{folder} is no run of the scene codec") from error
    networks = SceneNetworks(settings.network)
    networks.load_state_dict(weights)
    return networks.eval(), settings, record

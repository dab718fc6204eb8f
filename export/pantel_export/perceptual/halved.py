"""What a receiver has of photographs of which half the resolution was coded."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pantel_export.data import Batch
from pantel_export.networks import CELL_PX, SceneNetworks
from pantel_export.precision import mixed_precision
from pantel_export.train import crop_tensors
from pantel_models import contour_map, reduced

__all__ = ["halved_latents"]


@torch.no_grad()
def halved_latents(
    frozen: SceneNetworks, pixels: NDArray[np.uint8], device: torch.device, noise: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return what a generator is given of pictures of half the resolution, all of it known.

    Args:
        frozen: Encoder, quantizer and context networks.
        pixels: (B, crop, crop, 3) uint8, of the full resolution.
        device: Of the networks.
        noise: Draws the qualities.

    Returns:
        y_hat: (B, channels, crop/32, crop/32).
        side: (B, groups + 1, crop/32, crop/32).
    """
    halved = np.stack([reduced(crop, 1) for crop in pixels])
    small, contours = crop_tensors(Batch(halved, np.stack([contour_map(crop) for crop in halved])), device)
    quality = torch.rand(len(halved), generator=noise).to(device)
    cells = small.shape[2] // CELL_PX
    known = torch.ones(len(halved), len(frozen.settings.groups), cells, cells).to(device)
    planes = quality[:, None, None, None].expand_as(known[:, :1])
    with mixed_precision(device):
        y = frozen.encoder(torch.cat([small, contours], 1))
        gain = frozen.gain(planes)
        coded = frozen.context(y.float() * gain, known, quality)
    return coded.values / gain, torch.cat([known, planes], 1)

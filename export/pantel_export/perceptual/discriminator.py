"""Tells patches of photographs from patches that were generated for the same latents."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from pantel_export.networks import CELL_PX

__all__ = ["TOLD", "EnlargementDiscriminator", "PatchDiscriminator", "patch_judge"]

TOLD = 12
_WIDTHS = (32, 64, 96)


class PatchDiscriminator(nn.Module):
    """A patch discriminator conditioned on the latents.

    Isola et al., "Image-to-image translation with conditional adversarial networks" (2017); conditioned as in Mentzer
    et al., "High-fidelity generative image compression" (2020); spectral normalization after Miyato et al. (2018).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.told = spectral_norm(nn.Conv2d(channels, TOLD, 3, padding=1))
        self.body = patch_judge(last_kernel=1)

    def forward(self, x: Tensor, y_hat: Tensor) -> Tensor:
        """Return one score for each 8x8 pixels, high for photographs.

        Args:
            x: (B, 3, H, W), RGB in 0..1.
            y_hat: (B, channels, H/16, W/16), what the generator was given.
        """
        told = functional.interpolate(functional.leaky_relu(self.told(y_hat), 0.2), scale_factor=CELL_PX)
        return torch.as_tensor(self.body(torch.cat([2 * x - 1, told], 1)))


class EnlargementDiscriminator(nn.Module):
    """A patch discriminator conditioned on the picture of half the resolution that was enlarged."""

    def __init__(self) -> None:
        super().__init__()
        self.told = spectral_norm(nn.Conv2d(3, TOLD, 3, padding=1))
        self.body = patch_judge(last_kernel=1)

    def forward(self, x: Tensor, x_half: Tensor) -> Tensor:
        """Return one score for each 8x8 pixels, high for photographs.

        Args:
            x: (B, 3, H, W), RGB in 0..1.
            x_half: (B, 3, H/2, W/2), what the enlarger was given.
        """
        told = functional.interpolate(functional.leaky_relu(self.told(2 * x_half - 1), 0.2), scale_factor=2)
        return torch.as_tensor(self.body(torch.cat([2 * x - 1, told], 1)))


def patch_judge(last_kernel: int, widths: Sequence[int] = _WIDTHS) -> nn.Sequential:
    """Return the layers that map a picture and what a judge is told, 3 + TOLD planes, to scores of its patches.

    Args:
        last_kernel: Of the layer that makes scores.
        widths: Of the layers before it, each of which halves the resolution.
    """
    layers: list[nn.Module] = []
    inputs = 3 + TOLD
    for width in widths:
        layers += [spectral_norm(nn.Conv2d(inputs, width, 4, stride=2, padding=1)), nn.LeakyReLU(0.2)]
        inputs = width
    return nn.Sequential(*layers, spectral_norm(nn.Conv2d(inputs, 1, last_kernel)))

"""The mender in PyTorch: a composed picture to one in which sprites and background belong together.

A few residual blocks at a fraction of the resolution, where they see far for little: what lies in each square of pixels
becomes channels (Shi et al., "Real-time single image and video super-resolution", 2016, backwards and forwards). Light
is told and corrected pixel by pixel, colour square by square, as in every television signal.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from pantel_export.blocks import DepthwiseBlock
from pantel_export.composition.settings import MenderNetworkSettings

__all__ = ["Mender", "weakened"]

_LUMA = (0.299, 0.587, 0.114)
_COLOURS = 3


class Mender(nn.Module):
    """A composed picture and its cover to what has to be added to the picture."""

    def __init__(self, settings: MenderNetworkSettings) -> None:
        super().__init__()
        self.fold = settings.fold
        width, pixels = settings.width, settings.fold**2
        luma = nn.Conv2d(_COLOURS + 1, 1, 1, bias=False).requires_grad_(requires_grad=False)
        luma.weight.data = torch.tensor([*_LUMA, 0.0]).view(1, -1, 1, 1)
        self.luma = luma
        self.enter = nn.Conv2d(pixels + _COLOURS + 1, width, 1)
        self.blocks = nn.Sequential(*(DepthwiseBlock(width, settings.hidden, 3) for _ in range(settings.blocks)))
        self.light = nn.Conv2d(width, pixels, 1)
        self.colour = nn.Conv2d(width, _COLOURS, 1)
        for layer in (self.light, self.colour):  # it begins by adding nothing
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, composed: Tensor) -> Tensor:
        """Map RGB and cover (B, 4, H, W) in 0..1, sides multiples of the fold, to (B, 3, H, W), added to the RGB."""
        light = functional.pixel_unshuffle(self.luma(composed), self.fold)
        whole = functional.avg_pool2d(composed, self.fold)
        features = self.blocks(functional.relu(self.enter(torch.cat([light, whole], 1))))
        light = functional.pixel_shuffle(self.light(features), self.fold)
        colour = functional.interpolate(self.colour(features), scale_factor=self.fold, mode="bilinear")
        return torch.as_tensor(light + colour)


def weakened(mender: Mender, strength: float) -> Mender:
    """Return the mender itself, which from here on adds so many times what it added before."""
    with torch.no_grad():
        for layer in (mender.light, mender.colour):
            for weight in layer.parameters():
                weight.mul_(strength)
    return mender

"""The enlarger in PyTorch: a picture of half the width and height to one of the full.

Bicubic interpolation, and what a small network at the lower resolution adds to each pixel's four (the sub-pixel
convolution of Shi et al., "Real-time single image and video super-resolution", 2016). It is trained on pictures that
were coded at half the resolution, so it also mends what coding does to contours.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from pantel_export.blocks import DepthwiseBlock
from pantel_export.settings import NetworkSettings

__all__ = ["ENLARGEMENT", "Enlarger"]

ENLARGEMENT = 2


class Enlarger(nn.Module):
    """Pixels to twice as many in each direction."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        width, hidden = settings.enlarger_width, settings.enlarger_hidden
        self.body = nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1),
            nn.ReLU(),
            *(DepthwiseBlock(width, hidden, 3) for _ in range(settings.enlarger_blocks)),
            nn.Conv2d(width, 3 * ENLARGEMENT**2, 1),
            nn.PixelShuffle(ENLARGEMENT),
        )
        # It begins as little more than the interpolation.
        nn.init.zeros_(self.body[-2].bias)
        self.body[-2].weight.data.mul_(0.1)

    def forward(self, pixels: Tensor) -> Tensor:
        """Map RGB (B, 3, H, W) in 0..1 to (B, 3, 2H, 2W), unclipped."""
        smooth = functional.interpolate(pixels, scale_factor=ENLARGEMENT, mode="bicubic")
        return smooth + self.body(pixels)

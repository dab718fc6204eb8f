"""The networks of thumbnails in PyTorch.

```
pixels, mask, known --> Encoder --> y --> * gain(q) --> round --> symbols --> / gain(q) --> Generator --> colour, alpha
```

A variational autoencoder after Balle et al., "Variational image compression with a scale hyperprior" (2018), with one
vector of latents for the whole object instead of a grid: objects of a kind stand alike in their boxes. Their
distribution is a Laplacian each, fixed for a shape; quality scales all gains by the same half octaves.
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from pantel_codec import THUMBNAIL_SHAPES
from pantel_export.thumbnails.settings import ThumbnailNetworkSettings
from pantel_models.thumbnails import CONDITIONS, RASTER_PX

__all__ = [
    "COARSE_PX",
    "GAIN_OCTAVES",
    "ThumbnailEncoder",
    "ThumbnailGenerator",
    "ThumbnailNetworks",
    "laplacian_bits",
    "widened",
]

GAIN_OCTAVES = 0.5
"""By which the gains rise with each quality."""

COARSE_PX = 16
"""Samples across of what the linear paths see and paint."""
_FIRST_PX = 4
_FIRST_STEP = 2.0  # of the quantizer at quality 0, before training
_MASK_WEIGHT = 0.7  # of an error in the mask, compared with one in a colour


class ThumbnailEncoder(nn.Module):
    """Analysis transform: an object on the raster to its latents."""

    def __init__(self, settings: ThumbnailNetworkSettings) -> None:
        super().__init__()
        widths = (5 + CONDITIONS, *settings.encoder_width)
        layers: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise(widths):
            layers += [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        last_px = RASTER_PX >> len(settings.encoder_width)
        self.head = nn.Linear(widths[-1] * last_px**2, settings.latents)
        self.linear = nn.Linear(5 * COARSE_PX**2, settings.latents, bias=False)

    def forward(self, pixels: Tensor, mask: Tensor, known: Tensor, condition: Tensor) -> Tensor:
        """Map an object to latents (B, latents).

        Args:
            pixels: (B, 3, RASTER_PX, RASTER_PX), RGB in 0..1.
            mask: (B, 1, RASTER_PX, RASTER_PX), 1 on the object.
            known: Same shape, 0 where something hides it.
            condition: (B, CONDITIONS).
        """
        x = torch.cat([object_planes(pixels, mask * known), known], 1) - 0.5
        told = condition[:, :, None, None] * torch.ones_like(known)
        features = self.body(torch.cat([x, told], 1)).flatten(1)
        coarse = functional.avg_pool2d(x, RASTER_PX // COARSE_PX).flatten(1)
        return torch.as_tensor(self.head(features) + self.linear(coarse))


def object_planes(pixels: Tensor, mask: Tensor) -> Tensor:
    """Return colours, those outside the mask replaced by the mean of those inside, and the mask: (B, 4, H, W)."""
    mean = (pixels * mask).sum((2, 3), keepdim=True) / mask.sum((2, 3), keepdim=True).clamp(min=1)
    return torch.cat([(pixels - mean) * mask + mean, mask], 1)


class _Block(nn.Module):
    """Twice the resolution by shuffling, then a residual of two dense 3x3 convolutions."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.up = nn.Conv2d(inputs, 4 * width, 1)
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(functional.pixel_shuffle(self.up(x), 2))
        return functional.relu(x + self.second(functional.relu(self.first(x))))


class ThumbnailGenerator(nn.Module):
    """Synthesis transform: dequantized latents to colours and a soft mask."""

    def __init__(self, settings: ThumbnailNetworkSettings) -> None:
        super().__init__()
        self.first_width, *widths = settings.generator_width
        self.first = nn.Linear(settings.latents + CONDITIONS + 2, self.first_width * _FIRST_PX**2)
        inputs = (self.first_width, *widths)
        self.blocks = nn.Sequential(*(_Block(a, b) for a, b in itertools.pairwise(inputs)))
        self.last = nn.Conv2d(widths[-1], 16, 3, padding=1)
        self.linear = nn.Linear(settings.latents, 4 * COARSE_PX**2)

    def forward(self, latents: Tensor, condition: Tensor, side: Tensor) -> tuple[Tensor, Tensor]:
        """Map latents to colour (B, 3, RASTER_PX, RASTER_PX), unclipped, and alpha (B, 1, ...) in 0..1.

        Args:
            latents: (B, latents), dequantized, zero where nothing was received.
            condition: (B, CONDITIONS).
            side: (B, 2): the core's quality in 0..1, and whether there is detail.
        """
        x = functional.relu(self.first(torch.cat([latents, condition, side], 1)))
        x = self.blocks(x.view(-1, self.first_width, _FIRST_PX, _FIRST_PX))
        fine = functional.pixel_shuffle(self.last(x), 2)
        coarse = self.linear(latents).view(-1, 4, COARSE_PX, COARSE_PX)
        planes = fine + functional.interpolate(coarse, size=(RASTER_PX, RASTER_PX), mode="bilinear")
        return planes[:, :3], torch.sigmoid(4 * planes[:, 3:] - 2)


@torch.no_grad()
def widened(narrow: ThumbnailGenerator, wide: ThumbnailGenerator) -> ThumbnailGenerator:
    """Return a generator that paints as a narrower one does, until it is trained.

    Args:
        narrow: None of its layers has more channels.
        wide: Takes its weights over; what it has more of begins at random and is not listened to.
    """
    weights = narrow.state_dict()
    for name, value in wide.named_parameters():
        old = weights[name]
        if value.dim() == 4:
            value[: len(old), old.shape[1] :] = 0
        value[tuple(slice(length) for length in old.shape)] = old
    return wide


class ThumbnailNetworks(nn.Module):
    """All trained parts together, so that one state holds them."""

    def __init__(self, settings: ThumbnailNetworkSettings) -> None:
        super().__init__()
        self.encoder = ThumbnailEncoder(settings)
        self.generator = ThumbnailGenerator(settings)
        self.log_gain = nn.Parameter(torch.full((settings.latents,), -math.log(_FIRST_STEP)))
        self.log_scale = nn.Parameter(torch.zeros(THUMBNAIL_SHAPES, settings.latents))  # of latents without gain

    @torch.no_grad()
    def start_from_principal_components(self, pixels: Tensor, mask: Tensor) -> None:
        """Let the linear paths begin as the Karhunen-Loeve transform of objects.

        Args:
            pixels: (N, 3, RASTER_PX, RASTER_PX), RGB in 0..1.
            mask: (N, 1, RASTER_PX, RASTER_PX), 1 on the object.
        """
        planes = functional.avg_pool2d(object_planes(pixels, mask), RASTER_PX // COARSE_PX)
        weight = torch.ones(4, COARSE_PX, COARSE_PX)
        weight[3] = _MASK_WEIGHT
        flat, weight = planes.flatten(1).double(), weight.flatten().double()
        mean = flat.mean(0)
        _, _, basis = torch.linalg.svd((flat - mean) * weight, full_matrices=False)
        basis = basis[: self.log_gain.numel()]  # (latents, 4 * COARSE_PX²)
        encoder, generator = self.encoder, self.generator
        nn.init.zeros_(encoder.linear.weight)
        encoder.linear.weight[:, : flat.shape[1]] = (basis * weight).float()
        encoder.head.bias.copy_(((0.5 - mean) * weight) @ basis.T)
        generator.linear.weight.copy_((basis / weight).T)
        generator.linear.bias.copy_(mean)
        # The networks beside the linear paths begin small, not at zero: an encoder at zero stays there.
        for last in (encoder.head.weight, generator.last.weight):
            last.mul_(0.1)
        nn.init.zeros_(generator.last.bias)
        scale = ((flat - mean) * weight @ basis.T).abs().mean(0)
        self.log_scale.copy_(scale.log().float().expand_as(self.log_scale))

    def gain(self, quality: Tensor) -> Tensor:
        """Map qualities (B,), 0 to 7, to gains (B, latents)."""
        return torch.exp(self.log_gain + quality[:, None] * GAIN_OCTAVES * math.log(2))


def laplacian_bits(values: Tensor, log_scale: Tensor) -> Tensor:
    """Return what each value costs under a Laplacian around zero, integrated over an interval of 1 around it [bit].

    Args:
        values: Any shape; scaled latents, with uniform noise in training.
        log_scale: Logarithm of the Laplacian's scale, the same shape.
    """
    scale = log_scale.exp().clamp(min=0.02)
    magnitude = values.abs()

    def below(x: Tensor) -> Tensor:
        return 0.5 - 0.5 * x.sign() * torch.expm1(-x.abs() / scale)

    mass = below(0.5 - magnitude) - below(-0.5 - magnitude)
    return torch.as_tensor(-mass.clamp(min=1e-6).log2())

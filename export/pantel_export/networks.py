"""The networks of the scene codec in PyTorch: analysis transform, generator and context model.

```
x (RGB, contours) --> Encoder --> y --> * gain(q) --> - mean, round, + mean --> / gain(q) --> Generator --> x_hat
                                                |
                             ContextModel: mean and scale of each latent, from those before it
```

The cell is 16x16 pixels; its latents stand in channel groups, coarse first. The structure follows Balle et al.,
"Variational image compression with a scale hyperprior" (2018) with the gain units of Cui et al., "Asymmetric
gained deep image compression" (2021) and the multi-stage context of He et al. (2021); there is no hyperprior,
because at a few bits per cell its side information costs more than it saves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from pantel_codec.context import KNOWN_LIMIT
from pantel_codec.stages import stages_of
from pantel_export.blocks import DepthwiseBlock, ResidualBlock
from pantel_export.enlarger import Enlarger
from pantel_export.lapped import lapped_transform
from pantel_export.losses import logistic_bits
from pantel_export.settings import NetworkSettings

__all__ = [
    "CELL_PX",
    "Coded",
    "ContextModel",
    "Encoder",
    "GainUnit",
    "Generator",
    "SceneNetworks",
    "code_in_stages",
    "interpolate_anchors",
    "rounded",
    "spread_groups",
]

CELL_PX = 16

# What an error of a whole step is worth in bits: about what it costs the shipped encoder (`Quantizer.quantize` with its
# steps, prices and sensitivities, at the strength that it is used with).
_ERROR_BITS = 12.0


class Encoder(nn.Module):
    """Analysis transform: pixels and contours to latents of one cell per 16x16 pixels."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        quarter, eighth, sixteenth = settings.encoder_width
        channels = settings.channels
        self.linear = nn.Conv2d(3, channels, 2 * CELL_PX, stride=CELL_PX)
        self.body = nn.Sequential(
            nn.Conv2d(4, quarter, 8, stride=4, padding=2),
            nn.ReLU(),
            nn.Conv2d(quarter, eighth, 4, stride=2, padding=1),
            nn.ReLU(),
            ResidualBlock(eighth),
            nn.Conv2d(eighth, sixteenth, 4, stride=2, padding=1),
            nn.ReLU(),
            ResidualBlock(sixteenth),
        )
        self.head = nn.Conv2d(sixteenth, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, 4, H, W), RGB and contours in 0..1, to latents (B, channels, H/16, W/16)."""
        overlap = CELL_PX // 2
        padded = functional.pad(x[:, :3], (overlap,) * 4, mode="reflect")
        return self.linear(padded) + self.head(self.body(x))


class Generator(nn.Module):
    """Synthesis transform: dequantized latents, presence of each group and quality to pixels.

    A trunk at the resolution of cells sees each cell among its neighbours. It corrects the latents, where they are
    missing or coarsely quantized, before the lapped linear path makes pixels of them, and adds what is not linear.
    """

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        sixteenth, eighth, quarter, half = settings.generator_width
        coarse, middle, fine = settings.generator_blocks
        channels = settings.channels
        self.trunk = nn.Sequential(
            nn.Conv2d(channels + len(settings.groups) + 1, sixteenth, 3, padding=1),
            *(DepthwiseBlock(sixteenth, 2 * sixteenth, 5) for _ in range(coarse)),
        )
        self.correction = nn.Conv2d(sixteenth, channels, 1)
        # What a latent becomes in the cell mirrored at the border of the picture, up or down and left or right.
        self.parity = nn.Parameter(torch.ones(2, channels, 1, 1))
        # A block of pixels around each corner of the cells, from the four cells that meet there: a transposed
        # convolution of 32x32 pixels that overlaps by half a cell. Chroma has half the resolution.
        self.luma = nn.Conv2d(channels, CELL_PX**2, 2)
        self.chroma = nn.Conv2d(channels, 2 * (CELL_PX // 2) ** 2, 2)
        self.upsample = nn.ConvTranspose2d(2, 2, 4, stride=2, padding=1, groups=2, bias=False)
        self.colour = nn.Conv2d(3, 3, 1)
        self.detail = nn.Sequential(
            nn.Conv2d(sixteenth, 4 * eighth, 1),
            nn.PixelShuffle(2),
            *(DepthwiseBlock(eighth, 80 * eighth // 48, 3) for _ in range(middle)),
            nn.Conv2d(eighth, 4 * quarter, 1),
            nn.PixelShuffle(2),
            *(DepthwiseBlock(quarter, 2 * quarter, 3) for _ in range(fine)),
            nn.Conv2d(quarter, 4 * half, 1),
            nn.PixelShuffle(2),
            nn.ReLU(),
            nn.Conv2d(half, 12, 3, padding=1),
            nn.PixelShuffle(2),
        )

    def forward(self, y_hat: Tensor, side: Tensor) -> Tensor:
        """Map y_hat (B, channels, h, w) and side (B, groups + 1, h, w) to RGB (B, 3, 16h, 16w), unclipped.

        The first planes of `side` are 1 where a group was received, the last is the quality in 0..1.
        """
        features = self.trunk(torch.cat([y_hat, side], 1))
        return self.linear(y_hat + self.correction(features)) + self.detail(features)

    def linear(self, y: Tensor) -> Tensor:
        """Map latents (B, channels, h, w) to RGB (B, 3, 16h, 16w) by the lapped linear path."""
        vertical, horizontal = self.parity
        y = torch.cat([y[:, :, :1] * vertical, y, y[:, :, -1:] * vertical], 2)
        y = torch.cat([y[..., :1] * horizontal, y, y[..., -1:] * horizontal], 3)
        luma = functional.pixel_shuffle(self.luma(y), CELL_PX)  # (B, 1, 16h + 16, 16w + 16)
        chroma = self.upsample(functional.pixel_shuffle(self.chroma(y), CELL_PX // 2))
        half = CELL_PX // 2
        return self.colour(torch.cat([luma, chroma], 1)[..., half:-half, half:-half])


class GainUnit(nn.Module):
    """Quantizer gain of each channel as a function of quality: log-linear between anchors."""

    def __init__(self, settings: NetworkSettings, low: float, high: float) -> None:
        super().__init__()
        ramp = torch.linspace(low, high, settings.anchors)  # (anchors,)
        self.log_gain = nn.Parameter(ramp[:, None].repeat(1, settings.channels))

    def forward(self, quality: Tensor) -> Tensor:
        """Map qualities (B,) in 0..1 to gains (B, channels, 1, 1), or (B, 1, h, w) to (B, channels, h, w)."""
        if quality.ndim == 1:
            quality = quality[:, None, None, None]
        batch, _, height, width = quality.shape
        gains = interpolate_anchors(self.log_gain, quality.flatten()).exp()  # (B h w, channels)
        return gains.view(batch, height, width, -1).permute(0, 3, 1, 2)


def interpolate_anchors(table: Tensor, quality: Tensor) -> Tensor:
    """Interpolate rows of `table` (anchors, N) linearly at qualities (B,) in 0..1; returns (B, N)."""
    position = quality * (table.shape[0] - 1)
    low = position.floor().long().clamp(max=table.shape[0] - 2)
    weight = (position - low)[:, None]
    return table[low] * (1 - weight) + table[low + 1] * weight


class _SliceContext(nn.Module):
    """Mean and scale of one slice of a channel group, stage by stage."""

    def __init__(self, settings: NetworkSettings, index: int) -> None:
        super().__init__()
        slices = settings.slices
        width, reach = settings.context_width[index], settings.context_reach[index]
        self.group = slices.groups[index]
        self.own = slices.channels(index)
        self.stages = stages_of(self.group)
        known = slices.sizes[: slices.of_group(self.group).stop]
        # Values and magnitudes of the known symbols, and one plane that tells which cells of each slice are known.
        inputs = 2 * sum(known) + len(known)
        self.spatial = nn.ModuleList(
            nn.Conv2d(inputs, width, 2 * reach + 1, padding=reach * dilation, dilation=dilation)
            for dilation in sorted({stage.dilation for stage in self.stages})
        )
        self.bias = nn.Parameter(torch.zeros(settings.anchors, len(self.stages) * width))
        self.hidden = nn.Conv2d(width, width, 1)
        self.head = nn.Conv2d(width, 2 * slices.sizes[index], 1)
        nn.init.zeros_(self.head.weight)

    def forward(self, known: Tensor, planes: Tensor, quality: Tensor, stage: int) -> tuple[Tensor, Tensor]:
        width = self.hidden.weight.shape[0]
        bias = interpolate_anchors(self.bias, quality)[:, stage * width : (stage + 1) * width]
        spatial = next(conv for conv in self.spatial if conv.dilation[0] == self.stages[stage].dilation)
        x = torch.cat([known, known.abs(), planes], 1)
        x = functional.relu(spatial(x) + bias[..., None, None])
        x = functional.relu(self.hidden(x))
        mean, log_scale = self.head(x).chunk(2, 1)
        return mean, log_scale


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """Latents as the entropy code carries them, each (B, channels, h, w), in quantizer steps.

    Attributes:
        values: The means plus the whole numbers that are coded; gradients pass straight through to the targets.
        mean: What the context predicts.
        log_scale: Natural logarithm of the predicted logistic's scale.
    """

    values: Tensor
    mean: Tensor
    log_scale: Tensor

    def bits(self, noisy: Tensor) -> Tensor:
        """Return the cost in bits of the whole numbers that are coded, under logistic distributions.

        Scales learn from these. Means learn from noise: whole numbers tell them nothing until the next one is nearer.
        (Guo et al., "Soft then hard: rethinking the quantization in neural image compression", 2021.)

        Args:
            noisy: Same shape, the cost with noise in the place of rounding, a function of the means.
        """
        residual = (self.values - self.mean).detach().round()
        return logistic_bits(residual, torch.zeros_like(residual), self.log_scale) + noisy - noisy.detach()


class ContextModel(nn.Module):
    """Mean and log scale of every latent from those coded before it in the same payload, and the coding itself.

    Groups are coded coarse first, each in the stages of `pantel_codec.stages`: the coarsest group on ever finer grids,
    the others in the two halves of a checkerboard. In each stage the slices of a group follow each other. What is not
    in the payload counts as unknown: zeros, and a zero in the plane of its slice. The shipped model is this network in
    integers.

    What is rounded is the distance from the mean, as in Minnen, Balle and Toderici, "Joint autoregressive and
    hierarchical priors for learned image compression" (2018): where nothing is coded a smooth prediction is left.
    """

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        self.groups = settings.groups
        self.nets = nn.ModuleList(_SliceContext(settings, index) for index in range(len(settings.context_slices)))

    def forward(self, targets: Tensor, available: Tensor, quality: Tensor) -> Coded:
        """Quantize all latents, stage by stage, as an encoder does.

        Args:
            targets: (B, channels, h, w), latents in quantizer steps.
            available: (B, groups, h, w), 1 where a group of a cell is in the payload.
            quality: (B,) in 0..1.
        """
        return code_in_stages(
            self.nets, targets, available, lambda net, known, planes, stage: net(known, planes, quality, stage)
        )


def code_in_stages(
    nets: nn.ModuleList,
    targets: Tensor,
    available: Tensor,
    predict: Callable[[nn.Module, Tensor, Tensor, int], tuple[Tensor, Tensor]],
) -> Coded:
    """Quantize all latents, group by group, stage by stage and slice by slice, each by what was coded before it.

    Args:
        nets: For each slice a network that knows its `group`, the `stages` of that, and its `own` channels.
        targets: (B, channels, h, w), latents in quantizer steps.
        available: (B, groups, h, w), 1 where a group of a cell is in the payload.
        predict: Gives mean and log scale of a slice from its network, the values known so far, the planes that tell
            which they are, and the index of the stage.
    """
    height, width = targets.shape[-2:]
    coded: list[Coded] = []  # of each slice
    known: list[Tensor] = []
    planes: list[Tensor] = []
    for group in range(available.shape[1]):
        own = [net for net in nets if net.group == group]
        mask = available[:, group : group + 1]
        coded += [Coded(*(torch.zeros_like(targets[:, net.own]) for _ in range(3))) for net in own]
        known += [torch.zeros_like(targets[:, net.own]) for net in own]
        planes += [torch.zeros_like(mask) for _ in own]
        for index, stage in enumerate(own[0].stages):
            cells = torch.from_numpy(stage.mask(height, width)).to(targets)  # (h, w)
            for number, net in enumerate(own, start=len(coded) - len(own)):
                target = targets[:, net.own]
                seen = torch.cat(known, 1), torch.cat(planes, 1)
                mean, scale = (x.float() for x in predict(net, *seen, index))
                residual = rounded((target - mean).detach(), scale.detach())
                values = target + (mean + residual - target).detach()  # straight through
                before = coded[number]
                coded[number] = Coded(
                    before.values + values * cells, before.mean + mean * cells, before.log_scale + scale * cells
                )
                planes[number] = planes[number] + mask * cells
                known[number] = coded[number].values.clamp(-KNOWN_LIMIT, KNOWN_LIMIT) * planes[number]
    values, means, scales = ([getattr(each, name) for each in coded] for name in ("values", "mean", "log_scale"))
    return Coded(torch.cat(values, 1), torch.cat(means, 1), torch.cat(scales, 1))


def rounded(distance: Tensor, log_scale: Tensor) -> Tensor:
    """Round distances from the mean to whole numbers, or one nearer to zero where that is worth the error."""
    nearest = distance.round()
    lower = nearest - nearest.sign()
    cost, less = (
        _ERROR_BITS * (whole - distance) ** 2 + logistic_bits(whole, torch.zeros_like(whole), log_scale)
        for whole in (nearest, lower)
    )
    return torch.where(less < cost, lower, nearest)


def _spread(planes: Tensor, groups: tuple[int, ...]) -> Tensor:
    """Repeat each group's plane (B, groups, h, w) for each of its channels."""
    return planes.repeat_interleave(torch.tensor(groups, dtype=torch.long, device=planes.device), dim=1)


class SceneNetworks(nn.Module):
    """All trained parts together, so that one state holds them."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        self.settings = settings
        self.encoder = Encoder(settings)
        self.generator = Generator(settings)
        # Quantizer steps of about 6 to 0.3 in units of an orthonormal transform of 0..1 pixels.
        self.gain = GainUnit(settings, low=-1.8, high=1.2)
        self.context = ContextModel(settings)
        self.enlarger = Enlarger(settings)

    @torch.no_grad()
    def start_from_lapped_transform(self, crops: Tensor) -> None:
        """Let the linear paths begin as a lapped transform fitted to crops (N, 3, H, W) in 0..1."""
        transform = lapped_transform(crops.permute(0, 2, 3, 1).numpy(), CELL_PX, self.settings.channels)
        analysis, synthesis = (torch.from_numpy(k).float() for k in (transform.analysis, transform.synthesis))
        mean = torch.from_numpy(transform.mean).float()  # (3,)
        encoder, generator = self.encoder, self.generator
        encoder.linear.weight.copy_(analysis)
        encoder.linear.bias.copy_(-torch.einsum("ctij,t->c", analysis, mean))
        generator.parity.copy_(torch.from_numpy(transform.parity).float()[..., None, None])
        colour = torch.tensor([[1, 1, 1], [1, 0, -1], [-1, 2, -1]]).float()
        colour = colour / colour.norm(dim=1, keepdim=True)  # orthonormal: luma and two of chroma, of RGB
        generator.colour.weight.copy_(colour.T[..., None, None])
        generator.colour.bias.copy_(mean)
        planes = torch.einsum("pt,ctij->cpij", colour, synthesis)  # (channels, 3, 32, 32)
        generator.luma.weight.copy_(_corner_blocks(planes[:, :1]))
        generator.chroma.weight.copy_(_corner_blocks(functional.avg_pool2d(planes[:, 1:], 2)))
        nn.init.zeros_(generator.luma.bias)
        nn.init.zeros_(generator.chroma.bias)
        tent = torch.tensor([1.0, 3, 3, 1]) / 4
        generator.upsample.weight.copy_((tent[:, None] * tent).expand(2, 1, 4, 4))
        # The networks beside the linear paths begin small, not at zero: an encoder at zero stays there.
        for last in (encoder.head, generator.correction, generator.detail[-2]):
            last.weight.mul_(0.1)
            nn.init.zeros_(last.bias)


def spread_groups(planes: Tensor, groups: tuple[int, ...]) -> Tensor:
    """Repeat each group's plane (B, groups, h, w) for each of its channels: (B, channels, h, w)."""
    return _spread(planes, groups)


def _corner_blocks(kernels: Tensor) -> Tensor:
    """Turn synthesis kernels (channels, planes, 2n, 2n) into weights (planes n², channels, 2, 2) of corner blocks."""
    channels, planes, size, _ = kernels.shape
    n = size // 2
    # The upper left cell of a corner gives the block its lower right quarter, and so on.
    quarters = kernels.view(channels, planes, 2, n, 2, n).flip(2, 4)
    return quarters.permute(1, 3, 5, 0, 2, 4).reshape(planes * n * n, channels, 2, 2)

"""The refinement context in PyTorch: mean and scale of latents of which the receiver holds a coarser version.

The coarser version, the **base**, is known in every cell of the block, so there is no need of nested grids: each group
is coded in the two halves of a checkerboard. What is predicted is by how much a latent differs from its base. To code
an enhancement layer by the base layer is what scalable video codecs do (Schwarz, Marpe and Wiegand, "Overview of the
scalable video coding extension of the H.264/AVC standard", 2007), there with fixed rules in the network's place.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from pantel_codec.context import KNOWN_LIMIT
from pantel_codec.stages import REFINEMENT_STAGES
from pantel_export.networks import Coded, code_in_stages, interpolate_anchors
from pantel_export.settings import NetworkSettings

__all__ = ["Base", "RefinementContext"]


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """The version that the receiver holds.

    Attributes:
        values: (B, channels, h, w), in quantizer steps of the refinement; zero in groups that are not held.
        held: (B, groups, h, w), 1 where a group is held.
        quality: (B,) in 0..1, with which it was quantized.
    """

    values: Tensor
    held: Tensor
    quality: Tensor


class _GroupRefinement(nn.Module):
    """Mean and scale of one channel group, stage by stage."""

    def __init__(self, settings: NetworkSettings, group: int, width: int) -> None:
        super().__init__()
        before = sum(settings.groups[:group])
        own = settings.groups[group]
        self.group = group
        self.own = slice(before, before + own)
        self.stages = REFINEMENT_STAGES
        # As for other cells, and beside them the base: values, magnitudes, and which groups are held.
        inputs = 2 * (before + own) + group + 1 + 2 * settings.channels + len(settings.groups)
        self.spatial = nn.Conv2d(inputs, width, 3, padding=1)
        self.bias = nn.Parameter(torch.zeros(settings.anchors, len(self.stages) * width))
        self.base_bias = nn.Parameter(torch.zeros(settings.anchors, width))
        self.hidden = nn.Conv2d(width, width, 1)
        self.head = nn.Conv2d(width, 2 * own, 1)
        nn.init.zeros_(self.head.weight)

    def forward(self, known: Tensor, planes: Tensor, base: Base, quality: Tensor, stage: int) -> tuple[Tensor, Tensor]:
        width = self.hidden.weight.shape[0]
        bias = interpolate_anchors(self.bias, quality)[:, stage * width : (stage + 1) * width]
        bias = bias + interpolate_anchors(self.base_bias, base.quality)
        values = base.values.clamp(-KNOWN_LIMIT, KNOWN_LIMIT)
        x = torch.cat([known, known.abs(), planes, values, values.abs(), base.held], 1)
        x = functional.relu(self.spatial(x) + bias[..., None, None])
        x = functional.relu(self.hidden(x))
        change, log_scale = self.head(x).chunk(2, 1)
        return base.values[:, self.own] + change, log_scale


class RefinementContext(nn.Module):
    """Mean and log scale of every latent from the base and from what was coded before it, and the coding itself.

    As `pantel_export.networks.ContextModel`. The shipped model is this network in integers.
    """

    def __init__(self, settings: NetworkSettings, width: int) -> None:
        super().__init__()
        self.groups = settings.groups
        self.nets = nn.ModuleList(_GroupRefinement(settings, g, width) for g in range(len(settings.groups)))

    def forward(self, targets: Tensor, base: Base, available: Tensor, quality: Tensor) -> Coded:
        """Quantize all latents, stage by stage, as an encoder does.

        Args:
            targets: (B, channels, h, w), latents in quantizer steps.
            base: What the receiver holds.
            available: (B, groups, h, w), 1 where a group of a cell is in the payload.
            quality: (B,) in 0..1.
        """
        return code_in_stages(
            self.nets, targets, available, lambda net, known, planes, stage: net(known, planes, base, quality, stage)
        )

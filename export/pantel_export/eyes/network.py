"""The detector in PyTorch: YOLO-style, anchor-free, of convolutions that a small computer runs fast in int8.

```
picture --> stem --> 1/4 --> 1/8 --> 1/16 --> 1/32     backbone of cross-stage partial blocks
                              |       |        |
                              +<--up--+<--up---+        features of all scales joined, downwards and up again
                              +--down>+--down->+
                              head    head     head     per cell: scores of the classes, distances to four sides
```

The structure is that of YOLOv8 (Jocher et al., 2023) with a path aggregation network (Liu et al., CVPR 2018); blocks
are narrower, activations are ReLU, so that int8 ranges stay one-sided, and both heads share a convolution.
"""

from __future__ import annotations

import math
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from pantel_export.eyes.classes import CLASSES
from pantel_export.eyes.settings import DetectorShape

__all__ = ["STRIDES", "Detector", "cell_centres"]

STRIDES = (8, 16, 32)
_PRIOR = 0.01  # probability of an object in a cell, before training


class _Normalization(nn.BatchNorm2d):
    """Batch normalization that does not count its batches: the averages of a run are taken over floats."""

    def __init__(self, width: int) -> None:
        super().__init__(width, eps=1e-3, momentum=0.03)
        self.num_batches_tracked = None

    def _load_from_state_dict(self, *arguments: Any) -> None:
        """Load as any module does; that of the base class would ask for the counter."""
        nn.Module._load_from_state_dict(self, *arguments)  # noqa: SLF001 - the hook that PyTorch gives subclasses


class _Convolution(nn.Module):
    """Convolution, batch normalization, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.norm = _Normalization(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.norm(self.conv(x)))


class _Bottleneck(nn.Module):
    """Two dense 3x3 convolutions, with a shortcut if there is one."""

    def __init__(self, width: int, *, shortcut: bool) -> None:
        super().__init__()
        self.first = _Convolution(width, width, 3)
        self.second = _Convolution(width, width, 3)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.second(self.first(x))
        return x + y if self.shortcut else y


class _PartialBlock(nn.Module):
    """Cross-stage partial block: half of the channels pass by, all stages are joined at the end."""

    def __init__(self, inputs: int, outputs: int, depth: int, *, shortcut: bool) -> None:
        super().__init__()
        self.hidden = outputs // 2
        self.first = _Convolution(inputs, 2 * self.hidden)
        self.stages = nn.ModuleList(_Bottleneck(self.hidden, shortcut=shortcut) for _ in range(depth))
        self.last = _Convolution((2 + depth) * self.hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        parts = list(self.first(x).split(self.hidden, 1))
        for stage in self.stages:
            parts.append(stage(parts[-1]))
        y: Tensor = self.last(torch.cat(parts, 1))
        return y


class _Pyramid(nn.Module):
    """Spatial pyramid pooling (He et al., 2014), the pools one after the other."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _Convolution(width, width // 2)
        self.last = _Convolution(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        parts = [self.first(x)]
        for _ in range(3):
            parts.append(functional.max_pool2d(parts[-1], 5, 1, 2))
        y: Tensor = self.last(torch.cat(parts, 1))
        return y


class _Head(nn.Module):
    """Scores and distances of one scale, from a convolution that both share."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.shared = _Convolution(width, hidden, 3)
        self.scores, self.distances = (
            nn.Sequential(_Convolution(hidden, hidden), nn.Conv2d(hidden, outputs, 1)) for outputs in (len(CLASSES), 4)
        )
        nn.init.constant_(self.scores[-1].bias, -math.log((1 - _PRIOR) / _PRIOR))
        nn.init.constant_(self.distances[-1].bias, math.log(1.5))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.shared(x)
        return self.scores(x), self.distances(x)


class Detector(nn.Module):
    """Objects of a picture, for each cell of three grids."""

    def __init__(self, shape: DetectorShape) -> None:
        super().__init__()
        stem, *widths = shape.widths
        self.stem = _Convolution(3, stem, 3, 2)
        stages = []
        inputs = stem
        for width, depth in zip(widths, shape.depths, strict=True):
            stages.append(
                nn.Sequential(_Convolution(inputs, width, 3, 2), _PartialBlock(width, width, depth, shortcut=True))
            )
            inputs = width
        stages[-1].append(_Pyramid(inputs))
        self.stages = nn.ModuleList(stages)
        neck = shape.neck
        self.lateral = nn.ModuleList(_Convolution(width, neck) for width in widths[1:])
        self.up = nn.ModuleList(_PartialBlock(2 * neck, neck, 1, shortcut=False) for _ in range(2))
        self.down = nn.ModuleList(_Convolution(neck, neck, 3, 2) for _ in range(2))
        self.joined = nn.ModuleList(_PartialBlock(2 * neck, neck, 1, shortcut=False) for _ in range(2))
        self.heads = nn.ModuleList(_Head(neck, shape.head) for _ in STRIDES)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Look at pictures.

        Args:
            x: (B, 3, H, W), RGB in 0..1, sides multiples of 32.

        Returns:
            (B, cells, classes) logits, and (B, cells, 4) logarithms of the distances from a cell's centre to the left,
            upper, right and lower side, in strides; the cells of the finest grid first, row by row.
        """
        return self.answers(self.features(x))

    def answers(self, features: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Return what `forward` does, of features."""
        scores, distances = zip(*self.grids(features), strict=True)
        return _cells(scores), _cells(distances)

    def grids(self, features: list[Tensor]) -> list[tuple[Tensor, Tensor]]:
        """Return the same of each scale as (B, classes, h, w) and (B, 4, h, w)."""
        return [head(feature) for head, feature in zip(self.heads, features, strict=True)]

    def features(self, x: Tensor) -> list[Tensor]:
        """Return what the heads look at, (B, neck, h, w) of each scale, the finest first."""
        x = self.stem(x)
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        fine, middle, coarse = (lateral(feature) for lateral, feature in zip(self.lateral, features[1:], strict=True))
        middle = self.up[0](torch.cat([middle, _twice(coarse)], 1))
        fine = self.up[1](torch.cat([fine, _twice(middle)], 1))
        middle = self.joined[0](torch.cat([self.down[0](fine), middle], 1))
        coarse = self.joined[1](torch.cat([self.down[1](middle), coarse], 1))
        return [fine, middle, coarse]

    def fused(self) -> Detector:
        """Return a copy whose convolutions do what normalization did; for evaluation alone."""
        copied = deepcopy(self).eval()
        for module in copied.modules():
            if isinstance(module, _Convolution):
                module.conv = fuse_conv_bn_eval(module.conv, module.norm)
                module.norm = nn.Identity()
        return copied


def _twice(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


def _cells(grids: tuple[Tensor, ...]) -> Tensor:
    """Join (B, C, h, w) of all scales to (B, cells, C)."""
    return torch.cat([grid.flatten(2) for grid in grids], 2).transpose(1, 2)


def cell_centres(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Return (cells, 2) x and y of each cell's centre [px], and (cells, 1) its stride [px], for a picture's size."""
    centres, strides = [], []
    for stride in STRIDES:
        rows, columns = torch.meshgrid(torch.arange(height // stride), torch.arange(width // stride), indexing="ij")
        grid = torch.stack([columns, rows], -1).reshape(-1, 2)
        centres.append((grid + 0.5) * stride)
        strides.append(torch.full((len(grid), 1), float(stride)))
    return torch.cat(centres), torch.cat(strides)

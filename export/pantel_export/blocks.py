"""Residual blocks that the networks of the workshop are made of."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

__all__ = ["DepthwiseBlock", "ResidualBlock"]


class DepthwiseBlock(nn.Module):
    """Residual block: depthwise kxk, pointwise up, ReLU, pointwise down."""

    def __init__(self, width: int, hidden: int, kernel: int) -> None:
        super().__init__()
        self.spatial = nn.Conv2d(width, width, kernel, padding=kernel // 2, groups=width)
        self.expand = nn.Conv2d(width, hidden, 1)
        self.reduce = nn.Conv2d(hidden, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, width, H, W) to the same shape."""
        return x + self.reduce(functional.relu(self.expand(self.spatial(x))))


class ResidualBlock(nn.Module):
    """Residual block of two dense 3x3 convolutions; ReLU only, so that int8 ranges stay one-sided."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, width, H, W) to the same shape."""
        return functional.relu(x + self.second(functional.relu(self.first(x))))

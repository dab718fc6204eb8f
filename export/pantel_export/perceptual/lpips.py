"""LPIPS as a loss.

R. Zhang et al., "The unreasonable effectiveness of deep features as a perceptual metric", CVPR 2018; version 0.1 with
SqueezeNet 1.1 (torchvision's layer numbers).
"""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pantel_export.errors import DataError
from pantel_export.precision import mixed_precision

__all__ = ["Lpips", "shifted"]

_POOLS = (2, 5, 8)
_FIRES = (3, 4, 6, 7, 9, 10, 11, 12)
_TAPS = (4, 7, 9, 10, 11, 12)
_SHIFTS = 4  # by 0 to 3 pixels


class Lpips(nn.Module):
    """The distance of two batches of pictures; its weights are fixed."""

    def __init__(self, path: Path) -> None:
        """Read the weights from an `.npz` file with `backbone.*` and `lin0` to `lin6`.

        Raises:
            DataError: The file cannot be read or holds something else.
        """
        super().__init__()
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                for name in arrays.files:
                    self.register_buffer(name.replace(".", "_"), torch.from_numpy(arrays[name].astype(np.float32)))
            self(torch.zeros(1, 3, 64, 64), torch.zeros(1, 3, 64, 64))
        except (
            AttributeError,
            EOFError,
            KeyError,
            OSError,
            RuntimeError,
            TypeError,
            ValueError,
            BadZipFile,
        ) as error:
            raise DataError(f"{path} does not hold the weights of LPIPS v0.1 with SqueezeNet: {error}") from error

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the distance (B,) of pictures (B, 3, H, W), RGB in 0..1."""
        total = torch.zeros(len(x), device=x.device)
        for tap, (a, b) in enumerate(zip(self._features(x), self._features(y), strict=True)):
            weights = self.get_buffer(f"lin{tap}").view(1, -1, 1, 1)
            total = total + ((a - b) ** 2 * weights).sum(1).mean((1, 2))
        return total

    def _features(self, x: Tensor) -> list[Tensor]:
        """Return the seven taps, of unit length along the channels."""
        shift = torch.tensor([-0.030, -0.088, -0.188], device=x.device).view(1, 3, 1, 1)
        scale = torch.tensor([0.458, 0.448, 0.450], device=x.device).view(1, 3, 1, 1)
        x = functional.relu(self._convolved((2 * x - 1 - shift) / scale, "0", stride=2))
        taps = [x]
        for layer in range(2, 13):
            if layer in _POOLS:
                x = functional.max_pool2d(x, 3, stride=2, ceil_mode=True)
            elif layer in _FIRES:
                squeezed = functional.relu(self._convolved(x, f"{layer}_squeeze"))
                narrow = self._convolved(squeezed, f"{layer}_expand1x1")
                wide = self._convolved(squeezed, f"{layer}_expand3x3", padding=1)
                x = functional.relu(torch.cat([narrow, wide], 1))
            if layer in _TAPS:
                taps.append(x)
        return [tap / (tap.square().sum(1, keepdim=True).add(1e-10).sqrt()) for tap in taps]

    def _convolved(self, x: Tensor, name: str, *, stride: int = 1, padding: int = 0) -> Tensor:
        weight, bias = self.get_buffer(f"backbone_{name}_weight"), self.get_buffer(f"backbone_{name}_bias")
        return functional.conv2d(x, weight, bias, stride=stride, padding=padding)


def shifted(distance: Lpips, x: Tensor, y: Tensor, noise: torch.Generator) -> Tensor:
    """Return LPIPS with the pictures shifted at random against its grids, which a generator would print on them else.

    Args:
        distance: LPIPS.
        x: (B, 3, H, W) in 0..1.
        y: Same shape.
        noise: Draws the shift.
    """
    down, right = torch.randint(_SHIFTS, (2,), generator=noise).tolist()
    with mixed_precision(x.device):
        return torch.as_tensor(distance(x[..., down:, right:], y[..., down:, right:])).float()

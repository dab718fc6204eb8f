"""Rate and distortion in PyTorch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["fixed_pattern", "logistic_bits", "ms_ssim_loss"]

_MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # Wang, Simoncelli and Bovik (2003)
_PATTERN_CELLS = 4  # cells across a neighbourhood, of which a pattern has to be common to all
_SCALES = slice(1, 4)  # the first weighs 4 % and costs most; crops of 128 px have no fifth one of 11 taps


def logistic_bits(symbols: Tensor, mean: Tensor, log_scale: Tensor) -> Tensor:
    """Return the cost in bits of each symbol under a logistic distribution integrated over unit bins.

    Args:
        symbols: Quantized or noisy symbols.
        mean: Same shape, in symbol units.
        log_scale: Same shape, natural logarithm of the logistic's scale.
    """
    inverse = (-log_scale.clamp(-3.0, 4.0)).exp()
    distance = (symbols - mean).abs()
    # Both bounds on the negative side keep the difference of sigmoids exact in the tail.
    mass = torch.sigmoid((0.5 - distance) * inverse) - torch.sigmoid((-0.5 - distance) * inverse)
    return -torch.log2(mass.clamp(min=1e-7))


def _gaussian(x: Tensor, kernel: Tensor) -> Tensor:
    channels = x.shape[1]
    taps = kernel.numel()
    x = functional.conv2d(x, kernel.view(1, 1, taps, 1).expand(channels, 1, taps, 1), groups=channels)
    return functional.conv2d(x, kernel.view(1, 1, 1, taps).expand(channels, 1, 1, taps), groups=channels)


def ms_ssim_loss(x: Tensor, x_hat: Tensor) -> Tensor:
    """Return 1 - MS-SSIM of each picture over its second to fourth scale, (B,), inputs (B, 3, H, W) in 0..1."""
    offsets = torch.arange(11, dtype=x.dtype, device=x.device) - 5
    kernel = torch.exp(-(offsets**2) / (2 * 1.5**2))
    kernel = kernel / kernel.sum()
    weights = torch.tensor(_MS_SSIM_WEIGHTS[_SCALES], dtype=x.dtype, device=x.device)
    weights = weights / weights.sum()
    c1, c2 = 0.01**2, 0.03**2
    result = torch.ones(x.shape[0], dtype=x.dtype, device=x.device)
    for scale in range(len(weights)):
        x, x_hat = functional.avg_pool2d(x, 2), functional.avg_pool2d(x_hat, 2)
        moments = _gaussian(torch.cat([x, x_hat, x * x, x_hat * x_hat, x * x_hat], 1), kernel)
        mu_x, mu_y, xx, yy, xy = moments.chunk(5, 1)
        structure = (2 * (xy - mu_x * mu_y) + c2) / (xx - mu_x**2 + yy - mu_y**2 + c2)
        if scale == len(weights) - 1:
            structure = structure * (2 * mu_x * mu_y + c1) / (mu_x**2 + mu_y**2 + c1)
        result = result * structure.mean((1, 2, 3)).clamp(min=1e-3) ** weights[scale]
    return 1 - result


def fixed_pattern(error: Tensor, cell_px: int) -> Tensor:
    """Return (B,): the power of what the errors (B, 3, H, W) of neighbouring cells have in common, but for their means.

    A generator that is told the same of all cells of a flat area paints the same in each: whatever texture it adds
    repeats with the period of its cells. Errors in what a picture shows have no such pattern.
    """
    size, channels = error.shape[:2]
    cells = functional.pixel_unshuffle(error, cell_px)  # (B, 3 cell_px², h, w)
    cells = cells.view(size, channels, cell_px**2, *cells.shape[-2:])
    cells = (cells - cells.mean(2, keepdim=True)).flatten(1, 2)
    common = functional.avg_pool2d(cells, _PATTERN_CELLS, stride=_PATTERN_CELLS // 2)
    return common.square().mean((1, 2, 3))

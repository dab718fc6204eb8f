"""What a network that paints for the eye and its discriminator try to lower."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from pantel_export.losses import fixed_pattern, ms_ssim_loss
from pantel_export.perceptual.lpips import Lpips, shifted
from pantel_export.precision import mixed_precision

__all__ = ["Weights", "objective"]


class Weights(Protocol):
    """Of the parts of the objective."""

    l1_weight: float
    lpips_weight: float
    adversarial_weight: float
    adversarial_from_step: int
    contour_weight: float
    ms_ssim_weight: float
    pattern_weight: float


def objective(
    weights: Weights,
    distance: Lpips,
    judge: nn.Module,
    *,
    pixels: Tensor,
    contours: Tensor,
    x_hat: Tensor,
    told: Tensor,
    pattern_px: int,
    step: int,
    noise: torch.Generator,
) -> tuple[Tensor, dict[str, float]]:
    """Return the sum of what painter and discriminator each try to lower, and figures for people.

    Args:
        weights: Of the parts.
        distance: LPIPS.
        judge: The discriminator, a function of a picture and of what it is told.
        pixels: (B, 3, H, W) in 0..1, the source.
        contours: (B, 1, H, W) of 0 and 1.
        x_hat: (B, 3, H, W), what was painted.
        told: What it was painted from.
        pattern_px: Period of the pattern that is punished.
        step: Of the training; the discriminator learns alone at first.
        noise: Draws the shift of the pictures under LPIPS.
    """
    error = x_hat - pixels
    near = functional.max_pool2d(contours, 3, stride=1, padding=1)
    lpips = shifted(distance, pixels, x_hat.clamp(0, 1), noise)
    structure = ms_ssim_loss(pixels, x_hat)
    pattern = fixed_pattern(error, pattern_px)
    fidelity = (
        weights.l1_weight * error.abs().mean()
        + weights.contour_weight * (error.square() * near).mean()
        + weights.ms_ssim_weight * structure.mean()
        + weights.lpips_weight * lpips.mean()
        + weights.pattern_weight * pattern.mean()
    )
    fixed = {name: value.detach() for name, value in judge.named_parameters()}
    with mixed_precision(pixels.device):
        fooled = -functional_call(judge, fixed, (x_hat, told)).float().mean()
        real = functional.relu(1 - judge(pixels, told).float()).mean()
        fake = functional.relu(1 + judge(x_hat.detach(), told).float()).mean()
    adversarial = weights.adversarial_weight if step >= weights.adversarial_from_step else 0.0
    figures = {
        "fidelity": fidelity.item(),
        "psnr": (-10 * torch.log10(error.square().mean((1, 2, 3)))).mean().item(),
        "msssim": 1 - structure.mean().item(),
        "lpips": lpips.mean().item(),
        "pattern_rms": pattern.mean().sqrt().item() * 255,
        "fooled": fooled.item(),
        "judge": (real + fake).item(),
    }
    return fidelity + adversarial * fooled + real + fake, figures

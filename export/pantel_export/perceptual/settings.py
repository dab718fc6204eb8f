"""Settings of a training run of the perceptual generator."""

from __future__ import annotations

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from pantel_export.settings import TomlSettings

__all__ = ["PerceptualEnlargerSettings", "PerceptualSettings"]


class PerceptualSettings(TomlSettings):
    """Everything that decides what a training run produces, apart from the pictures and the run it builds on."""

    seed: int = 1
    steps: PositiveInt = 30_000
    batch: PositiveInt = 8
    crop_px: int = Field(128, ge=96, multiple_of=32)
    learning_rate: PositiveFloat = 3e-4
    final_learning_rate: PositiveFloat = 1e-5
    warmup_steps: PositiveInt = 300
    ema_decay: PositiveFloat = 0.999
    l1_weight: PositiveFloat = 8.0  # of the mean absolute error in 0..1 units
    lpips_weight: PositiveFloat = 1.0
    adversarial_weight: float = 0.04
    adversarial_from_step: int = 2_000  # until then the discriminator learns alone
    contour_weight: float = 4.0  # of squared errors on contours
    ms_ssim_weight: float = 0.3
    pattern_weight: float = 1_000.0  # of the power that errors of neighbouring cells have in common
    enlarged_crops: NonNegativeInt = 0  # of a batch, whose missing cells were received at half the resolution


class PerceptualEnlargerSettings(TomlSettings):
    """The same for the perceptual enlarger."""

    seed: int = 1
    steps: PositiveInt = 6_000
    batch: PositiveInt = 4
    crop_px: int = Field(256, ge=96, multiple_of=32)  # of what is made; half of it is coded
    learning_rate: PositiveFloat = 1e-3
    final_learning_rate: PositiveFloat = 1e-5
    warmup_steps: PositiveInt = 200
    ema_decay: PositiveFloat = 0.999
    l1_weight: PositiveFloat = 8.0
    lpips_weight: PositiveFloat = 1.0
    adversarial_weight: float = 0.04
    adversarial_from_step: int = 1_000
    contour_weight: float = 4.0
    ms_ssim_weight: float = 0.3
    pattern_weight: float = 1_000.0

"""Settings of a training run of the network that mends composed pictures."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt

from pantel_export.settings import TomlSettings

__all__ = ["MenderNetworkSettings", "MenderSettings"]


class MenderNetworkSettings(BaseModel):
    """Shape of the network: about 500 multiply-accumulates per pixel."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fold: PositiveInt = 4  # side of the squares of pixels that become channels
    width: PositiveInt = 40
    hidden: PositiveInt = 20
    blocks: PositiveInt = 3


class MenderSettings(TomlSettings):
    """Everything that decides what a training run produces, apart from the pictures."""

    network: MenderNetworkSettings = MenderNetworkSettings()
    seed: int = 1
    steps: PositiveInt = 5_000
    batch: PositiveInt = 4
    crop_px: int = Field(128, ge=96, multiple_of=32)
    learning_rate: PositiveFloat = 1e-3
    final_learning_rate: PositiveFloat = 1e-5
    warmup_steps: PositiveInt = 200
    ema_decay: PositiveFloat = 0.999
    l1_weight: PositiveFloat = 8.0  # of the mean absolute error in 0..1 units
    lpips_weight: PositiveFloat = 1.0
    contour_weight: float = 4.0  # of squared errors on contours
    ms_ssim_weight: float = 0.3
    pattern_weight: float = 1_000.0  # of the power that errors of neighbouring squares have in common
    detector_weight: float = 0.3  # of what a detector that looks on no longer recognizes

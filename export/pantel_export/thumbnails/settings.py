"""Settings of a training run of thumbnails."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from pantel_export.settings import TomlSettings

__all__ = ["PerceptualThumbnailSettings", "ThumbnailNetworkSettings", "ThumbnailSettings"]


class ThumbnailNetworkSettings(BaseModel):
    """Shape of the networks; the bitstream depends on `latents` and `core` only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    latents: PositiveInt = 96
    core: PositiveInt = 28  # latents that belong to the core; the others are detail
    encoder_width: tuple[PositiveInt, ...] = (24, 40, 64, 96)  # from half the raster down
    generator_width: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt] = (64, 40, 28, 14)  # from 4x4 up

    @model_validator(mode="after")
    def _core_is_part(self) -> Self:
        if self.core > self.latents:
            raise ValueError("the core has more latents than there are")
        return self


class ThumbnailSettings(TomlSettings):
    """Everything that decides what a training run produces, apart from the objects."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 1
    steps: PositiveInt = 40_000
    batch: PositiveInt = 24
    learning_rate: PositiveFloat = 1e-3
    final_learning_rate: PositiveFloat = 2e-5
    warmup_steps: PositiveInt = 300
    ema_decay: PositiveFloat = 0.9995
    rate_weight_low: PositiveFloat = 6e-4  # lambda at quality 0 [mean squared error in 0..1 units per bit]
    rate_weight_high: PositiveFloat = 4e-6  # lambda at the highest quality
    hidden_weight: PositiveFloat = 0.25  # of errors where something hid the object
    vehicle_weight: PositiveFloat = 3.0  # how often a vehicle or two-wheeler is drawn, compared with a person
    animal_weight: PositiveFloat = 0.4
    network: ThumbnailNetworkSettings = ThumbnailNetworkSettings()


class PerceptualThumbnailSettings(TomlSettings):
    """Everything that decides what a training of the perceptual generator produces, apart from what it builds on."""

    seed: int = 1
    steps: PositiveInt = 8_000
    batch: PositiveInt = 16
    learning_rate: PositiveFloat = 3e-4
    final_learning_rate: PositiveFloat = 1e-5
    warmup_steps: PositiveInt = 300
    ema_decay: PositiveFloat = 0.999
    l1_weight: PositiveFloat = 6.0  # of the mean absolute error in 0..1 units
    hue_weight: float = 8.0  # of that of the colours without their mean: inventions are light and dark
    mask_weight: PositiveFloat = 1.0  # of the mean absolute error of the mask
    lpips_weight: PositiveFloat = 1.0
    display_weight: float = 4.0  # of LPIPS of the whole picture, as large as it is shown
    detector_weight: float = 0.1  # of what a detector no longer recognizes
    adversarial_weight: float = 0.1
    adversarial_from_step: int = 500  # until then the discriminator learns alone
    search_steps: NonNegativeInt = 6  # at most, by which latents fit the picture better than the encoder's
    roi_weight: PositiveFloat = 1.5  # of errors in what moves, in that search; about that of senders
    generator_width: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt] = (64, 64, 48, 32)

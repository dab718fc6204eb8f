"""Settings of a training run: read from a TOML file, kept whole in every checkpoint and run record."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)

from pantel_codec.errors import SymbolError
from pantel_codec.slices import ChannelSlices
from pantel_export.errors import RunError

__all__ = ["NetworkSettings", "TomlSettings", "TrainSettings"]


class NetworkSettings(BaseModel):
    """Shape of the networks; the bitstream depends on `groups` and `anchors` only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    groups: tuple[PositiveInt, ...] = (6, 10, 20, 44)  # latent channels per refinement level, coarse first
    anchors: PositiveInt = 8  # quality anchors between which gains and biases are interpolated
    encoder_width: tuple[PositiveInt, PositiveInt, PositiveInt] = (32, 64, 96)  # at 1/4, 1/8, 1/16
    generator_width: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt] = (96, 54, 26, 8)
    generator_blocks: tuple[PositiveInt, PositiveInt, PositiveInt] = (1, 2, 1)  # at 1/16, 1/8, 1/4
    context_slices: tuple[PositiveInt, ...] = ()  # channels that are predicted together; by default the groups
    context_width: tuple[PositiveInt, ...] = ()  # of the network of each slice; by default 32
    context_reach: tuple[Literal[1, 2], ...] = ()  # cells it looks in each direction; by default 1
    enlarger_width: PositiveInt = 24
    enlarger_hidden: PositiveInt = 46
    enlarger_blocks: PositiveInt = 2

    @property
    def channels(self) -> int:
        """Number of latent channels of a cell."""
        return sum(self.groups)

    @model_validator(mode="before")
    @classmethod
    def _contexts_alike(cls, settings: Any) -> Any:
        """Fill in what depends on the groups; one number stands for all slices, as in the records of older runs."""
        if not isinstance(settings, Mapping):
            return settings
        slices = settings.get("context_slices") or settings.get("groups", cls.model_fields["groups"].default)
        filled = {"context_slices": slices}
        for key, default in (("context_width", 32), ("context_reach", 1)):
            given = settings.get(key) or default
            filled[key] = (given,) * len(slices) if isinstance(given, int) else given
        return {**settings, **filled}

    @model_validator(mode="after")
    def _a_context_for_each_slice(self) -> Self:
        if not len(self.context_slices) == len(self.context_width) == len(self.context_reach):
            raise ValueError("context_width and context_reach need a number for each of the slices")
        try:
            ChannelSlices.of(self.groups, self.context_slices)
        except SymbolError as error:
            raise ValueError(str(error)) from error
        return self

    @property
    def slices(self) -> ChannelSlices:
        """How the context networks cut the groups."""
        return ChannelSlices.of(self.groups, self.context_slices)


class TomlSettings(BaseModel):
    """Settings that a TOML file may hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def from_toml(cls, path: Path) -> Self:
        """Read settings.

        Raises:
            RunError: The file is missing, is no TOML or has a wrong or unknown key.
        """
        import tomllib

        try:
            return cls.model_validate(tomllib.loads(path.read_text()))
        except OSError as error:
            raise RunError(f"cannot read the settings {path}: {error.strerror}") from error
        except tomllib.TOMLDecodeError as error:
            raise RunError(f"{path} is not valid TOML: {error}") from error
        except ValidationError as error:
            first = error.errors()[0]
            raise RunError(f"{path}: {'.'.join(map(str, first['loc'])) or 'settings'}: {first['msg']}") from error


class TrainSettings(TomlSettings):
    """Everything that decides what a training run produces, apart from the pictures."""

    seed: int = 1
    steps: PositiveInt = 60_000
    batch: PositiveInt = 8
    crop_px: int = Field(128, ge=96, multiple_of=16)  # four scales of MS-SSIM need 96 pixels
    learning_rate: PositiveFloat = 1e-3
    final_learning_rate: PositiveFloat = 1e-5
    warmup_steps: PositiveInt = 500
    ema_decay: PositiveFloat = 0.9995
    rate_weight_low: PositiveFloat = 1.5  # lambda at quality 0 [squared error in 0..1 units per bit per pixel]
    rate_weight_high: PositiveFloat = 0.004  # lambda at the highest quality
    ms_ssim_weight: float = 0.01  # weight of 1 - MS-SSIM beside the mean squared error
    # Crops of a batch that are coded at half the resolution and enlarged; they show as much as 2x2 others.
    enlarged_crops: NonNegativeInt = 0
    # Nothing else is trained: the enlarger, or the context networks, these by the rate of whole numbers.
    only: Literal["enlarger", "context"] | None = None
    # Qualities are drawn as a random number to this power: the lower it is, the fewer of the coarsest there are.
    quality_power: PositiveFloat = 1.0
    contour_weight: float = 0.2  # additional weight of squared errors on a contour that the encoder is given
    network: NetworkSettings = NetworkSettings()

    @model_validator(mode="after")
    def _enlarged_crops_are_crops(self) -> Self:
        if self.enlarged_crops > self.batch:
            raise ValueError(f"{self.enlarged_crops} enlarged crops are more than a batch of {self.batch}")
        if self.only == "enlarger" and not self.enlarged_crops:
            raise ValueError("the enlarger learns nothing without enlarged_crops")
        return self

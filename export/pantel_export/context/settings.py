"""Settings of a training run of the context networks."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from pantel_export.settings import TomlSettings

__all__ = ["ContextSettings"]


class ContextSettings(TomlSettings):
    """Everything that decides what a training run produces, apart from the pictures and the run it builds on."""

    seed: int = 1
    steps: PositiveInt = 12_000
    batch: PositiveInt = 8  # crops; each is coded twice, in other blocks and with other qualities
    crop_px: int = Field(256, ge=32, multiple_of=16)
    learning_rate: PositiveFloat = 2e-3
    final_learning_rate: PositiveFloat = 4e-6
    warmup_steps: PositiveInt = 100
    ema_decay: PositiveFloat = 0.999
    slices: tuple[PositiveInt, ...]  # channels that are predicted together
    width: tuple[PositiveInt, ...]  # of the network of each slice
    reach: tuple[Literal[1, 2], ...]  # cells it looks in each direction

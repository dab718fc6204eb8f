"""Settings of a training run of the refinement context."""

from __future__ import annotations

from pydantic import Field, PositiveFloat, PositiveInt

from pantel_export.settings import TomlSettings

__all__ = ["RefinementSettings"]


class RefinementSettings(TomlSettings):
    """Everything that decides what a training run produces, apart from the pictures and the run it builds on."""

    seed: int = 1
    steps: PositiveInt = 40_000
    batch: PositiveInt = 8
    crop_px: int = Field(128, ge=32, multiple_of=16)
    learning_rate: PositiveFloat = 1e-3
    final_learning_rate: PositiveFloat = 1e-5
    warmup_steps: PositiveInt = 300
    ema_decay: PositiveFloat = 0.999
    width: PositiveInt = 48
    smallest_gap: PositiveFloat = 0.06  # between the quality of the base and that of the refinement, in 0..1
    largest_gap: PositiveFloat = 0.56

"""Settings of the training of a detector."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from pantel_export.settings import TomlSettings

__all__ = ["DetectorSettings", "DetectorShape"]

_Share = Annotated[float, Field(ge=0, le=1)]


class DetectorShape(BaseModel):
    """Shape of the network."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    widths: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt, PositiveInt] = (16, 32, 64, 112, 192)
    depths: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt] = (1, 2, 2, 1)  # at 1/4, 1/8, 1/16, 1/32
    neck: PositiveInt = 64  # channels of the features that are joined from all scales
    head: PositiveInt = 32  # of what the heads for classes and for boxes share


class DetectorSettings(TomlSettings):
    """Everything that decides what a training run produces, apart from the pictures."""

    seed: int = 1
    steps: PositiveInt = 15_000
    schedule_steps: PositiveInt | None = None  # the learning rate falls as if there were so many; by default `steps`
    batch: PositiveInt = 16
    side_px: Annotated[int, Field(ge=96, multiple_of=32)] = 256
    learning_rate: PositiveFloat = 2e-3
    final_learning_rate: PositiveFloat = 2e-5
    warmup_steps: PositiveInt = 500
    weight_decay: NonNegativeFloat = 0.02
    ema_decay: PositiveFloat = 0.9995
    mosaic: _Share = 0.6  # share of pictures that are put together from four
    plain_steps: NonNegativeInt = 1_500  # last steps without mosaics, which no camera takes
    pasted_people: NonNegativeFloat = 0.8  # cut-out people pasted into a picture, on average
    sure_score: _Share = 0.4  # of a pseudo-label; what is weaker is neither right nor wrong
    box_weight: PositiveFloat = 5.0
    teacher_weight: NonNegativeFloat = 1.0  # of the teacher's scores and boxes beside those of the labels
    teacher_overrules: bool = False  # its word counts where labels say what there is, too; it misses what is small
    feature_weight: NonNegativeFloat = 5.0  # of the teacher's features
    network: DetectorShape = DetectorShape()

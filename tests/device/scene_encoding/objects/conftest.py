"""Stages for lines with little, no and much loss."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.device.scene_encoding.objects.stage import Stage

from pantel_device.frame import Observation, Track
from pantel_models import SceneCodec


@pytest.fixture
def set_stage(
    codec: SceneCodec,
    street: NDArray[np.uint8],
    paint: Callable[..., NDArray[np.uint8]],
    observe: Callable[..., Observation],
    walk: Callable[..., Track],
) -> Callable[[float], Stage]:
    """Return what sets a stage for a line with a loss."""
    return lambda loss: Stage(codec, street, paint, observe, walk, loss=loss)


@pytest.fixture
def stage(set_stage: Callable[[float], Stage]) -> Stage:
    return set_stage(0.05)


@pytest.fixture
def lossless(set_stage: Callable[[float], Stage]) -> Stage:
    return set_stage(0.0)


@pytest.fixture
def poor(set_stage: Callable[[float], Stage]) -> Stage:
    return set_stage(0.3)

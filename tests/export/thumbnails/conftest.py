"""Objects for the thumbnails' tests, painted as crops, networks that train in moments, and who judges them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pantel_export.data import PhotoSet
from pantel_export.thumbnails.crops import ObjectCrop
from pantel_export.thumbnails.settings import ThumbnailNetworkSettings, ThumbnailSettings
from pantel_models.thumbnails import Kind


def _crop(kind: Kind, seed: int) -> ObjectCrop:
    """Return a person with a head, or something flat and wide, of some colours before noise."""
    rng = np.random.default_rng(seed)
    height, width = (60, 28) if kind is Kind.PERSON else (30, 64)
    y, x = (np.mgrid[:height, :width] + 0.5) / np.array([height, width]).reshape(2, 1, 1) - 0.5
    if kind is Kind.PERSON:
        mask = (np.hypot(x / 0.5, (y + 0.33) / 0.3) < 0.4) | (np.hypot(x / 0.9, (y - 0.1) / 0.9) < 0.42)
    else:
        mask = (abs(x) < 0.42) & (abs(y - 0.1) < 0.25) | (abs(x - 0.05) < 0.25) & (abs(y) < 0.4)
    upper, lower = rng.integers(20, 236, (2, 3))
    inside = np.where(y[..., None] < rng.uniform(-0.1, 0.2), upper, lower) + rng.normal(0, 6, (height, width, 3))
    pixels = np.where(mask[..., None], inside, rng.integers(0, 256, (height, width, 3)))
    return ObjectCrop(np.clip(pixels, 0, 255).astype(np.uint8), mask.astype(np.float32), kind)


@pytest.fixture(scope="session")
def crops() -> list[ObjectCrop]:
    """Sixteen people and eight vehicles, no two alike."""
    kinds = [*[Kind.PERSON] * 16, *[Kind.VEHICLE] * 8]
    return [_crop(kind, seed) for seed, kind in enumerate(kinds)]


@pytest.fixture(scope="session")
def thumbnail_settings() -> ThumbnailSettings:
    """A network of toy size."""
    network = ThumbnailNetworkSettings(latents=8, core=5, encoder_width=(4, 4, 6, 6), generator_width=(8, 6, 4, 4))
    return ThumbnailSettings(steps=4, batch=3, warmup_steps=2, network=network)


@pytest.fixture(scope="session")
def onlookers(lpips_file: Path, detector_files: dict[str, Path], photos: PhotoSet) -> Any:
    """What perceptual generators are judged by, none of it with weights that mean anything."""
    from pantel_export.thumbnails.perceptual import Onlookers

    return Onlookers(lpips_file, [detector_files["fastest_det"]], photos)

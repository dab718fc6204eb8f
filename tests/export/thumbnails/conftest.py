"""Objects for the thumbnails' tests, painted as crops, networks that train in moments, and who judges them."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pantel_export.data import PhotoSet
from pantel_export.manifest import add_files, enter_artefact
from pantel_export.thumbnails.crops import ObjectCrop
from pantel_export.thumbnails.settings import (
    PerceptualThumbnailSettings,
    ThumbnailNetworkSettings,
    ThumbnailSettings,
)
from pantel_models import MANIFEST, find_artefact
from pantel_models.thumbnails import Kind

NAME = find_artefact().name


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


@pytest.fixture(scope="session")
def perceptual_settings() -> PerceptualThumbnailSettings:
    """Of a run in which the generator heeds the discriminator in its last step only."""
    return PerceptualThumbnailSettings(
        steps=3,
        batch=3,
        warmup_steps=1,
        adversarial_from_step=2,
        adversarial_weight=5.0,
        search_steps=2,
        generator_width=(8, 8, 6, 4),
    )


@pytest.fixture(scope="session")
def thumbnail_run(
    crops: list[ObjectCrop], thumbnail_settings: ThumbnailSettings, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return the folder of a finished run of thumbnails."""
    from pantel_export.thumbnails.train import ThumbnailTrainer

    folder = tmp_path_factory.mktemp("runs") / "thumbnails"
    ThumbnailTrainer(thumbnail_settings, crops, folder, [{"folder": "street", "objects": 24}]).run()
    return folder


@pytest.fixture(scope="session")
def add_again(thumbnail_run: Path, crops: list[ObjectCrop]) -> Callable[[Path], None]:
    """Return a function that puts the thumbnails of the run into the artefact in a folder."""
    from pantel_export.thumbnails.add import add_thumbnails

    def add(artefacts: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter of PyTorch warns about itself
            add_thumbnails(thumbnail_run, NAME, crops, artefacts)

    return add


@pytest.fixture(scope="session")
def bare(add_again: Callable[[Path], None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of artefacts of which ours has these thumbnails and no perceptual generator for them."""
    artefacts = tmp_path_factory.mktemp("bare") / "artefacts"
    shutil.copytree(MANIFEST.parent, artefacts)
    enter_artefact(artefacts, "other", {"tables": ("tables.npz", b"tables")})
    view = (artefacts / NAME / "faithful.onnx").read_bytes()  # there is a perceptual view, whatever is shipped
    add_files(artefacts, NAME, {"perceptual": ("perceptual.onnx", view)})
    add_again(artefacts)
    return artefacts


@pytest.fixture(scope="session")
def shipped(bare: Path) -> Any:
    """Return these thumbnails as whatever is trained on top of them begins with."""
    from pantel_export.thumbnails.shipped import ShippedThumbnails

    return ShippedThumbnails.of(bare, NAME)


@pytest.fixture
def begin(
    perceptual_settings: PerceptualThumbnailSettings,
    shipped: Any,
    onlookers: Any,
    crops: list[ObjectCrop],
    tmp_path: Path,
) -> Callable[..., Any]:
    """Return a function that begins a run of the perceptual generator in a folder of that name."""
    from pantel_export.thumbnails.perceptual import PerceptualThumbnailTrainer

    def run(name: str = "run", **others: float) -> PerceptualThumbnailTrainer:
        settings = perceptual_settings.model_copy(update=others)
        return PerceptualThumbnailTrainer(settings, shipped, onlookers, crops, tmp_path / name)

    return run

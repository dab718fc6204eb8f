"""Thumbnails of an artefact as the networks that were trained, read from what is shipped of them."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from pantel_export.errors import ExportError
from pantel_export.thumbnails.add import add_perceptual_thumbnails
from pantel_export.thumbnails.perceptual import PerceptualThumbnailTrainer, load_perceptual_thumbnails
from pantel_export.thumbnails.shipped import PERCEPTUAL_ROLE, ShippedThumbnails
from pantel_export.thumbnails.train import load_thumbnail_networks
from pantel_models import MANIFEST, find_artefact

NAME = find_artefact().name


def test_they_are_the_networks_of_the_run(shipped: ShippedThumbnails, thumbnail_run: Path) -> None:
    trained, settings, _ = load_thumbnail_networks(thumbnail_run)
    assert shipped.settings == settings
    assert not shipped.networks.training
    for part in ("encoder", "generator"):
        ours, theirs = (getattr(each, part).state_dict() for each in (shipped.networks, trained))
        for name, value in theirs.items():
            assert torch.equal(ours[name], value), name
    quality = torch.arange(8.0)
    assert torch.allclose(shipped.networks.gain(quality), trained.gain(quality), rtol=1e-5)
    assert (shipped.begin, shipped.begin_sha256) == (shipped.networks.generator, None)


def test_a_training_goes_on_from_the_perceptual_generator(
    bare: Path,
    begin: Callable[..., PerceptualThumbnailTrainer],
    rounded_to_half: Callable[[Any], Any],
    tmp_path: Path,
) -> None:
    trainer = begin()
    trainer.run()
    folder = Path(shutil.copytree(bare, tmp_path / "artefacts"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter of PyTorch warns about itself
        add_perceptual_thumbnails(trainer.folder, NAME, folder)
    again = ShippedThumbnails.of(folder, NAME, from_perceptual=True)
    expected = rounded_to_half(load_perceptual_thumbnails(trainer.folder)[0]).state_dict()
    for name, value in again.begin.state_dict().items():
        assert torch.equal(value, expected[name]), name
    path = folder / NAME / f"{PERCEPTUAL_ROLE}.onnx"
    files = find_artefact(name=NAME, manifest=folder / "manifest.json").sha256
    assert again.begin_sha256 == files[PERCEPTUAL_ROLE]
    assert again.sha256 == files["thumbnail_generator"]
    assert path.exists()


def test_the_shipped_artefact_can_be_gone_on_from() -> None:
    """Its perceptual generator is no copy of the faithful one."""
    thumbnails = ShippedThumbnails.of(MANIFEST.parent, NAME, from_perceptual=True)
    rng = np.random.default_rng(1)
    latents = torch.from_numpy(rng.normal(0, 3, (2, thumbnails.settings.network.latents)).astype(np.float32))
    told = latents, torch.eye(2, 8), torch.ones(2, 2)
    with torch.no_grad():
        faithful, perceptual = (each(*told)[0] for each in (thumbnails.networks.generator, thumbnails.begin))
    assert 0.01 < float((faithful - perceptual).abs().mean()) < 0.5


def test_what_is_not_there_is_named(bare: Path) -> None:
    with pytest.raises(ExportError, match="there is no artefact nothing"):
        ShippedThumbnails.of(bare, "nothing")
    with pytest.raises(ExportError, match=f"{NAME} has no perceptual generator of thumbnails to begin as"):
        ShippedThumbnails.of(bare, NAME, from_perceptual=True)

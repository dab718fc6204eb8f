"""What the perceptual generator of thumbnails learns from: latents as receivers have them, before something."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from torch import Tensor
from torch.nn import functional

from pantel_export.thumbnails.augmentation import Specimen, augmented, plain
from pantel_export.thumbnails.crops import ObjectCrop
from pantel_export.thumbnails.perceptual import PerceptualThumbnailTrainer
from pantel_export.thumbnails.settings import ThumbnailSettings
from pantel_export.thumbnails.train import Batch, load_thumbnail_networks
from pantel_models.thumbnails import Kind

Begin = Callable[..., PerceptualThumbnailTrainer]


def test_latents_are_what_a_receiver_has(begin: Begin, crops: list[ObjectCrop], thumbnail_run: Path) -> None:
    """Quantized at some quality; of the detail either all or nothing, and the generator is told which."""
    frozen, settings, _ = load_thumbnail_networks(thumbnail_run)
    trainer = begin(batch=24, search_steps=0)
    rng = np.random.default_rng(2)
    batch = Batch.of([augmented(crop, rng) for crop in crops], trainer.device)
    latents, side = (each.cpu() for each in trainer._received(batch, batch.pixels, np.random.default_rng(3)))
    quality, detail = side[:, 0] * 7, side[:, 1]
    assert len(set(quality.round().tolist())) > 4
    with torch.no_grad():
        gain = frozen.gain(quality)
        y = frozen.encoder(*(each.cpu() for each in (batch.pixels, batch.found, batch.known, batch.condition)))
    core = settings.network.core
    told = torch.ones_like(y)
    told[:, core:] = detail[:, None]
    assert torch.allclose(latents * gain, (latents * gain).round(), atol=1e-3)
    assert ((latents - y * told).abs() * gain).max() < 0.71  # rounded towards zero rather than away from it
    assert set(detail.tolist()) == {0.0, 1.0}
    assert latents[detail == 1, core:].abs().max() > 0
    assert latents[:, :core].abs().amax(0).min() > 0


def test_latents_are_searched_for_as_senders_do(begin: Begin, crops: list[ObjectCrop]) -> None:
    """So that what is told fits the picture better than what the encoder network gives."""
    trainer = begin(batch=24)
    batch = Batch.of([plain(crop) for crop in crops], trainer.device)
    behind = trainer._behind(batch, np.random.default_rng(3))
    truth = behind + batch.mask * (batch.pixels - behind)
    side = torch.ones(24, 2)

    def paint(latents: Tensor) -> tuple[Tensor, Tensor]:
        colour, alpha = trainer._frozen.generator(latents, batch.condition, side)
        return colour, alpha

    def error(latents: Tensor) -> float:
        with torch.no_grad():
            colour, alpha = paint(latents)
        return float((behind + alpha * (colour - behind) - truth).square().mean())

    with torch.no_grad():
        y = trainer._frozen.encoder(batch.pixels, batch.found, batch.known, batch.condition)
    found = trainer._searched(y, paint, batch, behind, 8)
    assert torch.equal(trainer._searched(y, paint, batch, behind, 0), y)
    assert not found.requires_grad
    assert error(found) < 0.9 * error(y)


def test_objects_stand_before_their_blurred_surroundings_or_one_colour(begin: Begin, crops: list[ObjectCrop]) -> None:
    trainer = begin(batch=24)
    batch = Batch.of([plain(crop) for crop in crops], trainer.device)
    behind = trainer._behind(batch, np.random.default_rng(3))
    assert behind.shape == batch.pixels.shape
    one_colour = behind.flatten(2).std(2).amax(1) < 1e-5
    assert 6 < one_colour.sum() < 18
    surroundings = functional.avg_pool2d(batch.pixels, 16)
    difference = (functional.avg_pool2d(behind, 16) - surroundings).abs().mean((1, 2, 3))
    assert difference[~one_colour].max() < 0.1
    assert difference[one_colour].min() > 0.1
    steps = behind[~one_colour].diff(dim=3).abs().amax((1, 2, 3))
    assert (steps < 0.5 * batch.pixels[~one_colour].diff(dim=3).abs().amax((1, 2, 3))).all()


def hidden_otherwise(crop: ObjectCrop) -> ObjectCrop:
    """Return an object that has other feet."""
    pixels, mask = crop.pixels.copy(), crop.mask.copy()
    pixels[48:] = 255 - pixels[48:]
    mask[50:57] = 0
    return ObjectCrop(pixels, mask, crop.kind)


def elsewhere(crop: ObjectCrop) -> ObjectCrop:
    """Return an object before something else, but for a seam."""
    near = cv2.dilate(crop.mask, np.ones((7, 7)))[..., None] > 0
    return ObjectCrop(np.where(near, crop.pixels, 255 - crop.pixels), crop.mask, crop.kind)


@pytest.mark.parametrize("change", [hidden_otherwise, elsewhere])
def test_what_is_hidden_or_no_object_is_no_error(
    begin: Begin, crops: list[ObjectCrop], change: Callable[[ObjectCrop], ObjectCrop]
) -> None:
    """Two that differ in nothing else are the same, as far as the surroundings of the object do not show it."""
    trainer = begin(batch=1, search_steps=0)  # what it stands before would guide a search
    trainer._chances = np.ones(1)

    def specimen(crop: ObjectCrop) -> Specimen:
        rng = np.random.default_rng((trainer.settings.seed, trainer.step))
        rng.choice(1, 1, p=trainer._chances)
        return augmented(crop, rng)

    def figures(crop: ObjectCrop) -> tuple[float, float, float]:
        trainer.crops = [crop]
        found = trainer.loss()[1]
        return found["mask"], found["l1"], found["lpips"]

    same: list[bool] = []
    pair = crops[0], change(crops[0])
    for trainer.step in range(400):
        one, other = map(specimen, pair)
        differ = (one.pixels != other.pixels).any(2)
        shown = (one.mask > 0) | (one.found > 0)
        matters = (one.known > 0) & ((one.mask != other.mask) | (one.found != other.found) | differ & shown)
        there = differ & ((one.known > 0) if change is elsewhere else (one.known == 0))
        if len(same) < 12 and there.mean() > 0.1 and not matters.any():
            found, again = map(figures, pair)
            assert again[0] == pytest.approx(found[0], rel=1e-4)
            same.append(again == pytest.approx(found, rel=1e-4))
    assert len(same) > 4
    assert any(same)


def test_objects_are_drawn_as_in_the_run_of_thumbnails(begin: Begin, crops: list[ObjectCrop]) -> None:
    chances = begin()._chances
    assert chances.sum() == pytest.approx(1)
    kinds = [crop.kind for crop in crops]
    person, vehicle = kinds.index(Kind.PERSON), kinds.index(Kind.VEHICLE)
    assert chances[vehicle] / chances[person] == pytest.approx(ThumbnailSettings().vehicle_weight)

"""The model card says what a model was made of."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pantel_export.data import PhotoSet
from pantel_export.model_card import model_card, with_perceptual, with_perceptual_thumbnails, with_thumbnails
from pantel_export.perceptual.settings import PerceptualSettings
from pantel_export.settings import TrainSettings
from pantel_export.thumbnails.settings import PerceptualThumbnailSettings, ThumbnailSettings
from pantel_models import find_artefact

THUMBNAILS = {
    "objects": 42,
    "objects_sha256": "0b1ec75",
    "sources": [{"folder": "street", "objects": 40}, {"folder": "farm", "objects": 2}],
    "settings": ThumbnailSettings(steps=1234, seed=5).model_dump(mode="json"),
}

PERCEPTUAL = {"pictures": 6, "step": 4321, "settings": PerceptualSettings(crop_px=128).model_dump(mode="json")}

PERCEPTUAL_THUMBNAILS = {
    "objects": 43,
    "objects_sha256": "0b1ec76",
    "step": 765,
    "pictures": 89,
    "detectors": ["one.onnx", "two.onnx"],
    "settings": PerceptualThumbnailSettings(
        seed=3,
        batch=12,
        l1_weight=1.5,
        mask_weight=2.5,
        lpips_weight=3.5,
        adversarial_weight=4.5,
        display_weight=5.5,
        detector_weight=6.5,
        generator_width=(9, 8, 7, 6),
    ).model_dump(mode="json"),
}


@pytest.fixture
def record(photos: PhotoSet) -> dict[str, Any]:
    return {"pictures": len(photos), "pictures_sha256": photos.fingerprint, "int8_encoder_snr_db": 26.5}


def test_a_card_names_material_and_settings(photos: PhotoSet, settings: TrainSettings, record: dict[str, Any]) -> None:
    card = model_card("toy", settings, record, photos)
    assert card.startswith("# Model card: toy\n")
    assert photos.fingerprint in card
    folder = photos.names[0].split("/")[0]
    assert f"* `{folder}`: 6\n" in card
    assert "4 steps of 2 crops of 96 px" in card
    assert "26.5 dB" in card
    assert "## Thumbnails" not in card
    assert "Begun as a lapped transform." in card
    assert "Begun with the weights `abc`." in model_card("toy", settings, record | {"warm_start_sha256": "abc"}, photos)


def test_a_card_names_the_objects_of_its_thumbnails(
    photos: PhotoSet, settings: TrainSettings, record: dict[str, Any]
) -> None:
    plain = model_card("toy", settings, record, photos)
    card = model_card("toy", settings, record | {"thumbnails": THUMBNAILS}, photos)
    assert card == with_thumbnails(plain, THUMBNAILS)
    assert card.startswith(plain)
    assert "**Material.** 42 people, vehicles and animals (SHA-256 of all: `0b1ec75`)" in card
    assert "* `street`: 40\n* `farm`: 2\n" in card
    assert "1234 steps of 24 objects, seed 5;" in card
    assert "96 latents of which 28 are the core" in card.replace("\n", " ")


def test_thumbnails_made_anew_replace_those_before(
    photos: PhotoSet, settings: TrainSettings, record: dict[str, Any]
) -> None:
    plain = model_card("toy", settings, record, photos)
    card = with_thumbnails(plain, THUMBNAILS)
    assert with_thumbnails(card, THUMBNAILS) == card
    others = THUMBNAILS | {"objects": 7}
    assert with_thumbnails(card, others) == with_thumbnails(plain, others) != card
    assert with_thumbnails(card, None) == plain


def test_sections_do_not_disturb_each_other(photos: PhotoSet, settings: TrainSettings, record: dict[str, Any]) -> None:
    plain = model_card("toy", settings, record, photos)
    with_one, with_other = with_thumbnails(plain, THUMBNAILS), with_perceptual(plain, PERCEPTUAL)
    with_both = with_perceptual(with_one, PERCEPTUAL)
    assert with_both.startswith(with_one)
    assert with_both.count("\n## ") == 2
    assert "4321 steps of 8 crops of 128 px, seed 1" in with_both
    assert with_thumbnails(with_both, None) == with_other
    assert with_perceptual(with_both, None) == with_one
    again = with_thumbnails(with_both, THUMBNAILS | {"objects": 7})
    assert again.startswith(with_other)
    assert "42 people" not in again
    assert "7 people" in again


def test_a_card_tells_the_perceptual_generator_of_thumbnails_from_that_of_pictures(
    photos: PhotoSet, settings: TrainSettings, record: dict[str, Any]
) -> None:
    both = {"thumbnails": THUMBNAILS, "perceptual_thumbnails": PERCEPTUAL_THUMBNAILS}
    without = model_card("toy", settings, record | {"thumbnails": THUMBNAILS}, photos)
    card = model_card("toy", settings, record | both, photos)
    assert card == with_perceptual_thumbnails(without, PERCEPTUAL_THUMBNAILS)
    assert card.startswith(without)
    assert "**Settings.** 43 objects (SHA-256 of pixels, masks and kinds `0b1ec76`), before 89 photographs;" in card
    assert "\n765 steps of 12, seed 3;" in card
    assert "It began as `thumbnail_generator.onnx`;" in card
    gone_on = with_perceptual_thumbnails(without, PERCEPTUAL_THUMBNAILS | {"begun_as_sha256": "be901"})
    assert "It began as the generator before it (`be901`);" in gone_on
    assert "(9, 8, 7, 6 channels)" in card
    text = card.replace("\n", " ")
    for loss in ("1.5 x mean absolute error of the object", "2.5 x mean absolute error of its mask", "3.5 x LPIPS"):
        assert loss in text
    assert "4.5 x hinge loss" in text
    assert "5.5 x LPIPS + 6.5 x what one.onnx and two.onnx no longer recognizes" in text
    with_all = with_perceptual(card, PERCEPTUAL)
    assert with_all.count("\n## ") == 3
    assert with_perceptual_thumbnails(with_all, None) == with_perceptual(without, PERCEPTUAL)
    assert with_perceptual(with_all, None) == card
    again = with_perceptual_thumbnails(with_all, PERCEPTUAL_THUMBNAILS | {"step": 7})
    assert "765 steps of" not in again
    assert "7 steps of 12" in again


def test_the_shipped_card_is_that_of_its_record() -> None:
    folder = find_artefact().folder
    record = json.loads((folder / "record.json").read_text())
    card = (folder / "CARD.md").read_text()
    assert f"# Model card: {find_artefact().name}\n" in card
    assert f"{record['pictures']} photographs" in card
    assert record["thumbnails"]
    assert with_thumbnails("", record["thumbnails"]).strip() in card
    assert with_perceptual("", record.get("perceptual")).strip() in card
    assert ("perceptual" in record) == ("perceptual" in find_artefact().files)
    assert with_perceptual_thumbnails("", record.get("perceptual_thumbnails")).strip() in card
    assert ("perceptual_thumbnails" in record) == ("thumbnail_perceptual" in find_artefact().files)

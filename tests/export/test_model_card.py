"""The model card says what a model was made of."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pantel_export.data import PhotoSet
from pantel_export.model_card import model_card, with_thumbnails
from pantel_export.settings import TrainSettings
from pantel_models import find_artefact

THUMBNAILS = [
    {"photos": "street", "boxes": "street_boxes", "objects": 40},
    {"photos": "farm", "boxes": "farm", "objects": 2},
]


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


def test_a_card_names_the_objects_of_its_thumbnails(
    photos: PhotoSet, settings: TrainSettings, record: dict[str, Any]
) -> None:
    plain = model_card("toy", settings, record, photos)
    card = model_card("toy", settings, record | {"thumbnails": THUMBNAILS}, photos)
    assert card == with_thumbnails(plain, THUMBNAILS)
    assert card.startswith(plain)
    assert "**Material.** 42 people, vehicles and animals" in card
    assert "* `street` with the boxes of `street_boxes`: 40\n* `farm` with the boxes of `farm`: 2\n" in card


def test_thumbnails_made_anew_replace_those_before(
    photos: PhotoSet, settings: TrainSettings, record: dict[str, Any]
) -> None:
    plain = model_card("toy", settings, record, photos)
    card = with_thumbnails(plain, THUMBNAILS)
    assert with_thumbnails(card, THUMBNAILS) == card
    assert with_thumbnails(card, THUMBNAILS[:1]) == with_thumbnails(plain, THUMBNAILS[:1])
    assert with_thumbnails(card, []) == plain


def test_the_shipped_card_is_that_of_its_record() -> None:
    folder = find_artefact().folder
    record = json.loads((folder / "record.json").read_text())
    card = (folder / "CARD.md").read_text()
    assert card == with_thumbnails(card, record["thumbnails"])
    assert f"# Model card: {find_artefact().name}\n" in card
    assert f"{record['pictures']} photographs" in card
    assert record["thumbnails"]

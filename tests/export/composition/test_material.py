"""Composed pictures for training: objects are where they were, and the background was coded without them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pantel_export.composition.folder import read_composed, write_composed
from pantel_export.composition.material import compose, laid_over
from pantel_export.composition.photographs import Photograph, find_photographs, read_photograph
from pantel_export.errors import DataError
from pantel_models import SceneCodec, View, find_artefact, load_scene_codec
from pantel_models.thumbnails import RASTER_PX, Look

Scenery = tuple[list[Photograph], list[Photograph]]
SIDE_PX = 128


@pytest.fixture(scope="module")
def codec() -> SceneCodec:
    return load_scene_codec(find_artefact(), view=View.PERCEPTUAL)


def test_objects_are_shown_where_they_were(codec: SceneCodec, scenery: Scenery) -> None:
    bare, populated = scenery
    found = 0
    for seed in range(6):
        one = compose(codec, populated, populated, SIDE_PX, np.random.default_rng(seed))
        assert one.pixels.shape == one.source.shape == (SIDE_PX, SIDE_PX, 3)
        assert one.cover.shape == (SIDE_PX, SIDE_PX)
        red = (one.source[..., 0] > 200) & (one.source[..., 1] < 60)
        if one.cover.any():
            found += 1
            assert (one.cover[red] > 128).mean() > 0.7
            assert (one.cover[~red] > 128).mean() < 0.2
            assert one.pixels[red][:, 0].mean() > 140
    assert found >= 3
    alone = compose(codec, bare, bare, SIDE_PX, np.random.default_rng(1))
    assert not alone.cover.any()
    assert np.abs(alone.pixels.astype(int) - alone.source).mean() < 25


def test_a_picture_is_a_function_of_seed_and_number(codec: SceneCodec, scenery: Scenery, tmp_path: Path) -> None:
    for name, count in (("one", 1), ("two", 2)):
        write_composed(tmp_path / name, codec, scenery, count=count, side_px=SIDE_PX, seed=3)
    one, _ = read_composed([tmp_path / "one"])
    both, records = read_composed([tmp_path / "one", tmp_path / "two"])
    assert np.array_equal(one[0], both[0])
    assert np.array_equal(one[0], both[1])
    assert not np.array_equal(one[0], both[2])
    assert [record["pictures"] for record in records] == [1, 2]
    assert records[0]["artefact"] == codec.artefact.name
    assert records[0]["painters_sha256"]["perceptual"] == codec.artefact.sha256["perceptual"]


def test_a_sprite_hides_what_is_behind_it() -> None:
    look = Look(np.full((RASTER_PX, RASTER_PX, 3), 200, np.float32), np.ones((RASTER_PX, RASTER_PX), np.float32))
    shown, cover = np.zeros((40, 40, 3), np.float32), np.zeros((40, 40, 1), np.float32)
    laid_over(shown, cover, look, (10, 8, 30, 38))
    assert shown[12:34, 13:27] == pytest.approx(200)
    assert cover[12:34, 13:27] == pytest.approx(1)
    assert not shown[:6].any()
    assert not cover[:, 33:].any()


def test_folders_are_matched_by_names(scenery: Scenery, tmp_path: Path) -> None:
    folder = scenery[0][0].path.parent
    (tmp_path / "boxes").mkdir()
    (tmp_path / "boxes" / "person.txt").write_text("0 0.44 0.5 0.19 0.5\n")
    (tmp_path / "boxes" / "missing.txt").write_text("0 0.44 0.5 0.19 0.5\n")
    bare, populated = find_photographs([folder], [(folder, tmp_path / "boxes")], [])
    assert len(bare) == 3
    assert [each.path.name for each in populated] == ["person.png"]
    pixels, objects = read_photograph(populated[0])
    ((mask, class_id),) = objects
    red = (pixels[..., 0] > 200) & (pixels[..., 1] < 60)
    assert class_id == 1
    assert (mask & red).sum() / (mask | red).sum() > 0.7
    with pytest.raises(DataError, match="with and without known objects"):
        find_photographs([folder], [], [])


def test_what_holds_no_pictures_is_refused(composed_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no composed pictures"):
        read_composed([tmp_path])
    np.save(tmp_path / "pictures.npy", np.zeros((1, 64, 64, 7), np.uint8))
    (tmp_path / "record.json").write_text(json.dumps({}))
    with pytest.raises(DataError, match="several sizes"):
        read_composed([composed_folder, tmp_path])

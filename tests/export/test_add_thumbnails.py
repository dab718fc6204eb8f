"""Thumbnails join the tables of an artefact; its other arrays, record and card stay what they were."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pantel_export.__main__ import main
from pantel_export.add_thumbnails import add_thumbnails, thumbnails_of
from pantel_export.errors import ExportError
from pantel_models import MANIFEST, find_artefact, load_scene_codec

NAME = find_artefact().name


@pytest.fixture
def artefacts(tmp_path: Path) -> Path:
    """Return a copy of everything that is shipped."""
    return Path(shutil.copytree(MANIFEST.parent, tmp_path / "artefacts"))


@pytest.fixture
def objects(tmp_path: Path, paint: Callable[..., None]) -> tuple[Path, Path]:
    """Return a folder of photographs and one of their boxes, with three objects."""
    paint("tall", ["0 0.5 0.5 0.16667 0.625"], (120, 80, 40, 100))
    paint("two", ["2 0.25 0.5 0.25 0.25", "16 0.75 0.5 0.25 0.375"], (60, 80, 60, 40), (180, 80, 60, 60))
    return tmp_path / "photos", tmp_path / "boxes"


def tables(artefacts: Path) -> Path:
    return artefacts / NAME / "tables.npz"


def test_an_artefact_gets_other_thumbnails(artefacts: Path, objects: tuple[Path, Path]) -> None:
    before = dict(np.load(tables(artefacts)))
    assert add_thumbnails(NAME, [objects], artefacts) == 3
    after = dict(np.load(tables(artefacts)))
    assert after.keys() == before.keys()
    for name, array in before.items():
        assert np.array_equal(after[name], array) != (name in {"thumbnail_mean", "thumbnail_level"})
    codec = load_scene_codec(find_artefact(name=NAME, manifest=artefacts / "manifest.json"))
    assert codec.artefact.hash == hashlib.sha256(tables(artefacts).read_bytes()).hexdigest() != find_artefact().hash


def test_what_was_used_is_noted(artefacts: Path, objects: tuple[Path, Path]) -> None:
    folder = artefacts / NAME
    before, settings = (folder / "CARD.md").read_text(), json.loads((folder / "record.json").read_text())["settings"]
    add_thumbnails(NAME, [objects], artefacts)
    record = json.loads((folder / "record.json").read_text())
    assert record["thumbnails"] == [{"photos": "photos", "boxes": "boxes", "objects": 3}]
    assert record["settings"] == settings
    card = (folder / "CARD.md").read_text()
    assert "* `photos` with the boxes of `boxes`: 3\n" in card
    assert card.count("## Thumbnails") == 1
    assert card.partition("## Thumbnails")[0] == before.partition("## Thumbnails")[0]


def test_the_same_objects_give_the_same_bytes(artefacts: Path, objects: tuple[Path, Path]) -> None:
    add_thumbnails(NAME, [objects], artefacts)
    first = tables(artefacts).read_bytes()
    add_thumbnails(NAME, [objects], artefacts)
    assert tables(artefacts).read_bytes() == first


def test_thumbnails_are_told_from_the_other_arrays(artefacts: Path, tmp_path: Path) -> None:
    names = {name for name, _ in thumbnails_of(tables(artefacts))}
    assert names == {f"thumbnail_{name}" for name in ("mean", "steps", "level", "slope", "part", "counts")}
    assert list(thumbnails_of(tmp_path / "nowhere.npz")) == []


def test_mistakes_are_named(artefacts: Path, objects: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="no artefact nothing"):
        add_thumbnails("nothing", [objects], artefacts)
    with pytest.raises(ExportError, match="cannot read the manifest"):
        add_thumbnails(NAME, [objects], tmp_path)
    for path in objects[1].iterdir():
        path.write_text("56 0.5 0.5 0.2 0.2")
    before = tables(artefacts).read_bytes()
    with pytest.raises(ExportError, match="no object could be cut out"):
        add_thumbnails(NAME, [objects], artefacts)
    assert tables(artefacts).read_bytes() == before


def test_the_workshop_takes_folders_from_the_command_line(
    artefacts: Path, objects: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    photos, boxes = objects
    command = ["thumbnails", "--name", NAME, "--artefacts", str(artefacts), "--objects"]
    assert main([*command, f"{photos}:{boxes}"]) == 0
    assert capsys.readouterr().out == "fitted thumbnails to objects=3\n"
    assert main(["thumbnails", "--name", "nothing", "--artefacts", str(artefacts), "--objects", f"{photos}:{boxes}"])
    assert capsys.readouterr().err.startswith("error: there is no artefact nothing")
    for wrong in (str(photos), f"{photos}:", f"{photos}:nowhere"):
        with pytest.raises(SystemExit):
            main([*command, wrong])
        assert "does not name a folder of photographs and one of boxes" in capsys.readouterr().err

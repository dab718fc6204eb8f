"""The manifest of artefacts: files are written and entered with their hashes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pantel_export.errors import ExportError
from pantel_export.manifest import add_files, enter_artefact
from pantel_models import list_artefacts

FILES = {"tables": ("tables.npz", b"tables"), "encoder": ("encoder.onnx", b"encoder")}


def contents(artefacts: Path) -> list[tuple[str, dict[str, bytes]]]:
    """Return name and files of all artefacts, the hashes of which are right."""
    found = list_artefacts(artefacts / "manifest.json")
    return [(each.name, {role: each.read(role) for role in each.files}) for each in found]


def test_an_artefact_is_entered_as_the_default_one(tmp_path: Path) -> None:
    enter_artefact(tmp_path / "new", "one", FILES)
    enter_artefact(tmp_path / "new", "two", {"tables": ("tables.npz", b"others")})
    assert contents(tmp_path / "new") == [
        ("two", {"tables": b"others"}),
        ("one", {"tables": b"tables", "encoder": b"encoder"}),
    ]
    _, one = json.loads((tmp_path / "new" / "manifest.json").read_text())["artefacts"]
    assert one["files"]["encoder"]["bytes"] == 7


def test_an_artefact_of_the_same_name_is_replaced(tmp_path: Path) -> None:
    for name in ("one", "two"):
        enter_artefact(tmp_path, name, FILES)
    enter_artefact(tmp_path, "one", {"tables": ("tables.npz", b"others")})
    assert contents(tmp_path) == [
        ("one", {"tables": b"others"}),
        ("two", {"tables": b"tables", "encoder": b"encoder"}),
    ]


def test_files_join_those_of_other_roles(tmp_path: Path) -> None:
    for name in ("one", "two"):
        enter_artefact(tmp_path, name, FILES)
    add_files(tmp_path, "one", {"tables": ("tables.npz", b"others"), "perceptual": ("perceptual.onnx", b"more")})
    two, one = contents(tmp_path)
    assert one == ("one", {"tables": b"others", "encoder": b"encoder", "perceptual": b"more"})
    assert two == ("two", {"tables": b"tables", "encoder": b"encoder"})


def test_files_that_no_longer_belong_leave(tmp_path: Path) -> None:
    for name in ("one", "two"):
        enter_artefact(tmp_path, name, {**FILES, "perceptual": ("view.onnx", b"perceptual")})
    add_files(tmp_path, "one", {"tables": ("tables.npz", b"others")}, without=["perceptual", "nothing"])
    two, one = contents(tmp_path)
    assert one == ("one", {"tables": b"others", "encoder": b"encoder"})
    assert two == ("two", {"tables": b"tables", "encoder": b"encoder", "perceptual": b"perceptual"})
    assert {path.name for path in (tmp_path / "one").iterdir()} == {"tables.npz", "encoder.onnx"}


def test_there_must_be_an_artefact_to_join(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="cannot read the manifest of"):
        add_files(tmp_path, "one", FILES)
    enter_artefact(tmp_path, "one", FILES)
    with pytest.raises(ExportError, match="there is no artefact nothing"):
        add_files(tmp_path, "nothing", FILES)
    assert not (tmp_path / "nothing").exists()

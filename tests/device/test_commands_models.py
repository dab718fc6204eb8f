"""`pantel models`: the list, and the check against the manifest."""

from __future__ import annotations

import builtins
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pantel_device.cli import main
from pantel_device.commands import models
from pantel_models import MANIFEST, list_artefacts


def test_list_names_every_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["name", "hash", "tag", "file", "bytes", "MAC/pixel"]
    artefacts = list_artefacts()
    assert len(rows) == sum(len(artefact.files) for artefact in artefacts)
    assert rows[0].split()[:3] == [artefacts[0].name, artefacts[0].hash[:8], f"{artefacts[0].tag:#04x}"]
    counts = [row.split()[-1].replace(",", "") for row in rows if ".onnx" in row]
    assert all(count.isdecimal() for count in counts)


def test_list_works_without_onnx(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import_anything = builtins.__import__

    def import_without_onnx(name: str, *rest: object) -> object:
        if name == "onnx":
            raise ImportError("No module named 'onnx'")
        return import_anything(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", import_without_onnx)
    assert main(["models", "list"]) == 0
    assert capsys.readouterr().out.splitlines()[2].endswith("needs onnx")


def test_list_names_a_damaged_network_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    folder = tmp_path / "artefacts"
    shutil.copytree(MANIFEST.parent, folder)
    (folder / list_artefacts()[0].name / "faithful.onnx").write_bytes(b"noise")
    monkeypatch.setattr(models, "list_artefacts", lambda: list_artefacts(folder / MANIFEST.name))
    assert main(["models", "list"]) == 0
    lines = {line.split()[-3]: line.split()[-1] for line in capsys.readouterr().out.splitlines()[1:]}
    assert lines["faithful.onnx"] == "damaged"
    assert lines["encoder.onnx"] != "damaged"


def test_check_accepts_what_is_shipped(capsys: pytest.CaptureFixture[str]) -> None:
    artefact = list_artefacts()[0]
    for argv in (["models", "check"], ["models", "check", artefact.name]):
        assert main(argv) == 0
        said = f"{artefact.name}: {len(artefact.files)} files as in the manifest"
        assert said in capsys.readouterr().out


def test_check_recognizes_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    artefact = list_artefacts()[0]
    copy = tmp_path / "copy.onnx"
    copy.write_bytes(artefact.read("encoder"))
    assert main(["models", "check", str(copy)]) == 0
    assert f"encoder of {artefact.name}" in capsys.readouterr().out


def _damage_tables(folder: Path) -> None:
    path = folder / list_artefacts()[0].name / "tables.npz"
    path.write_bytes(path.read_bytes() + b"\0")


def _remove_tables(folder: Path) -> None:
    (folder / list_artefacts()[0].name / "tables.npz").unlink()


@pytest.mark.parametrize(
    ("harm", "said"), [(_damage_tables, "differs from the manifest"), (_remove_tables, "cannot be read (No such file")]
)
def test_check_finds_a_damaged_model(
    harm: Callable[[Path], None],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "artefacts"
    shutil.copytree(MANIFEST.parent, folder)
    harm(folder)
    monkeypatch.setattr(models, "list_artefacts", lambda: list_artefacts(folder / MANIFEST.name))
    assert main(["models", "check"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("pantel: error: ")
    assert error.count("\n") == 1
    assert said in error


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (["models", "check", "scene-v0"], 2, "there is no model and no file scene-v0; installed models: "),
        (["models", "check", "/"], 1, "cannot read /: Is a directory"),
        (["models", "check", __file__], 1, "is no file of an installed model"),
        (["models", "sell"], 2, "invalid choice: 'sell'"),
    ],
)
def test_mistakes_are_one_line(argv: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == code
    error = capsys.readouterr().err
    assert error.startswith("pantel: error: ")
    assert error.count("\n") == 1
    assert said in error

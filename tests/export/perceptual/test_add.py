"""The perceptual generator of a run joins the artefact that it was trained for."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from pantel_export.__main__ import main
from pantel_export.data import PhotoSet
from pantel_export.errors import ExportError
from pantel_export.manifest import enter_artefact
from pantel_export.model_card import with_perceptual
from pantel_export.perceptual.add import add_perceptual
from pantel_export.perceptual.settings import PerceptualSettings
from pantel_export.perceptual.train import PerceptualTrainer, load_perceptual_generator
from pantel_models import Generator, find_artefact

CARD = "# Model card: toy\n\nThis and that.\n"


def read(path: Path) -> Any:
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def run(scene_run: Path, lpips_file: Path, photos: PhotoSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished run with a long history."""
    folder = tmp_path_factory.mktemp("perceptual") / "run"
    settings = PerceptualSettings(steps=1, batch=1, crop_px=96)
    trainer = PerceptualTrainer(settings, scene_run, lpips_file, photos, folder)
    trainer.run()
    trainer.history = [{"step": step, "fidelity": 1.0} for step in range(9)]
    trainer.save()
    return folder


@pytest.fixture(scope="module")
def bare(scene_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of artefacts with one of that scene run, without a perceptual generator."""
    artefacts = tmp_path_factory.mktemp("artefacts")
    enter_artefact(artefacts, "toy", {"tables": ("tables.npz", b"tables"), "faithful": ("faithful.onnx", b"faithful")})
    shutil.copy(scene_run / "record.json", artefacts / "toy" / "record.json")
    (artefacts / "toy" / "CARD.md").write_text(CARD)
    return artefacts


@pytest.fixture(scope="module")
def artefacts(bare: Path, run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the same with the perceptual generator, which the command line puts there."""
    folder = Path(shutil.copytree(bare, tmp_path_factory.mktemp("added") / "artefacts"))
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()) as said:
        warnings.simplefilter("ignore")  # the exporter of PyTorch warns about itself
        assert main(["perceptual", "--run", str(run), "--name", "toy", "--artefacts", str(folder)]) == 0
    assert said.getvalue().splitlines()[-1] == f"added the perceptual generator of {run} to toy"
    return folder


def test_the_product_paints_what_the_trained_generator_does(
    artefacts: Path, run: Path, rounded_to_half: Callable[[Any], Any]
) -> None:
    with torch.no_grad():
        generator = rounded_to_half(load_perceptual_generator(run)[0])
        product = Generator(find_artefact(name="toy", manifest=artefacts / "manifest.json"), "perceptual")
        rng = np.random.default_rng(1)
        for rows, columns in ((6, 8), (3, 5)):
            y_hat = rng.normal(size=(5, rows, columns)).astype(np.float32)
            side = rng.integers(0, 2, (3, rows, columns)).astype(np.float32)
            x_hat = generator(torch.from_numpy(y_hat)[None], torch.from_numpy(side)[None])[0]
            expected = (x_hat.clamp(0, 1) * 255).permute(1, 2, 0).numpy()
            np.testing.assert_allclose(product(y_hat, side), expected, atol=0.51)
            assert expected.std() > 1


def test_the_other_files_stay(artefacts: Path, bare: Path) -> None:
    (before,), (after,) = (read(folder / "manifest.json")["artefacts"] for folder in (bare, artefacts))
    data = (artefacts / "toy" / "perceptual.onnx").read_bytes()
    file = {"name": "perceptual.onnx", "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    assert after == before | {"files": before["files"] | {"perceptual": file}}


def test_record_and_card_say_how_it_was_made(artefacts: Path, bare: Path, run: Path) -> None:
    record = read(artefacts / "toy" / "record.json")
    ours = record.pop("perceptual")
    assert record == read(bare / "toy" / "record.json")
    trained = read(run / "record.json")
    del trained["scene_run"]  # that is the rest of the record
    assert ours == trained | {"history": trained["history"][-5:]}
    assert (artefacts / "toy" / "CARD.md").read_text() == with_perceptual(CARD, ours)


def test_what_does_not_belong_together_is_refused(bare: Path, run: Path, scene_run: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="there is no artefact nothing in"):
        add_perceptual(run, "nothing", bare)
    with pytest.raises(ExportError, match="train first"):
        add_perceptual(tmp_path, "toy", bare)
    with pytest.raises(ExportError, match="is no run of the perceptual generator"):
        add_perceptual(scene_run, "toy", bare)
    other = Path(shutil.copytree(bare, tmp_path / "other"))
    record = read(other / "toy" / "record.json")
    record["settings"]["network"]["generator_width"][0] += 4
    (other / "toy" / "record.json").write_text(json.dumps(record))
    with pytest.raises(ExportError, match="was trained for another artefact than toy"):
        add_perceptual(run, "toy", other)
    assert not (other / "toy" / "perceptual.onnx").exists()

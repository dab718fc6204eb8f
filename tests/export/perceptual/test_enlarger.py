"""The perceptual enlarger: its training, with networks of toy size, and how it joins an artefact."""

from __future__ import annotations

import hashlib
import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from pantel_export.__main__ import main
from pantel_export.data import PhotoSet
from pantel_export.errors import ExportError, RunError
from pantel_export.manifest import add_files
from pantel_export.model_card import with_perceptual_enlarger
from pantel_export.perceptual.add import add_perceptual, add_perceptual_enlarger
from pantel_export.perceptual.enlarger import PerceptualEnlargerTrainer, load_perceptual_enlarger
from pantel_export.perceptual.settings import PerceptualEnlargerSettings, PerceptualSettings
from pantel_export.perceptual.train import PerceptualTrainer
from pantel_models import Enlarger, find_artefact

CONFIGS = Path(__file__).parents[3] / "export" / "configs"
SETTINGS = PerceptualEnlargerSettings(steps=2, batch=2, crop_px=128, warmup_steps=1, adversarial_from_step=0)
Begin = Callable[..., PerceptualEnlargerTrainer]


@pytest.fixture(scope="module")
def large_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three smooth random pictures of 128x128 pixels."""
    folder = tmp_path_factory.mktemp("large")
    rng = np.random.default_rng(6)
    for number in range(3):
        noise = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        assert cv2.imwrite(str(folder / f"{number}.png"), cv2.resize(noise, (128, 128), interpolation=cv2.INTER_CUBIC))
    return folder


@pytest.fixture(scope="module")
def artefacts(toy_artefacts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of artefacts with a toy whose perceptual generator paints as the faithful one."""
    folder = Path(shutil.copytree(toy_artefacts, tmp_path_factory.mktemp("artefacts") / "ours"))
    add_files(folder, "toy", {"perceptual": ("perceptual.onnx", (folder / "toy" / "faithful.onnx").read_bytes())})
    return folder


@pytest.fixture
def begin(artefacts: Path, lpips_file: Path, large_folder: Path, tmp_path: Path) -> Begin:
    """Return a function that begins a run in a folder of that name."""

    def run(name: str = "run", **others: float) -> PerceptualEnlargerTrainer:
        settings = SETTINGS.model_copy(update=others)
        frozen = artefacts / "weights", (artefacts / "toy" / "perceptual.onnx").read_bytes()
        photos = PhotoSet([large_folder], minimum_px=128)
        return PerceptualEnlargerTrainer(settings, frozen, lpips_file, photos, tmp_path / name)

    return run


@pytest.fixture(scope="module")
def run(artefacts: Path, large_folder: Path, lpips_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run that the command trained."""
    folder = tmp_path_factory.mktemp("enlarger")
    (folder / "toy.toml").write_text("steps = 2\nbatch = 2\ncrop_px = 128\n")
    arguments = ["--config", folder / "toy.toml", "--scene-run", artefacts / "weights", "--name", "toy"]
    arguments += ["--artefacts", artefacts, "--lpips", lpips_file, "--photos", large_folder, "--out", folder / "run"]
    assert main(["train-perceptual-enlarger", *map(str, arguments)]) == 0
    return folder / "run"


def test_it_begins_as_the_faithful_one_and_nothing_else_is_trained(begin: Begin) -> None:
    trainer = begin()
    faithful = trainer._frozen.state_dict()
    before = {key: value.clone() for key, value in faithful.items()}
    own = trainer.networks["enlarger"].state_dict()
    assert all(torch.equal(value, faithful[f"enlarger.{key}"]) for key, value in own.items())
    trainer.run()
    assert all(torch.equal(value, before[key]) for key, value in faithful.items())
    for part in ("enlarger", "discriminator"):
        assert any(weight.grad.abs().max() > 0 for weight in trainer.networks[part].parameters())
    assert not all(torch.equal(value, faithful[f"enlarger.{key}"]) for key, value in own.items())


def test_a_step_is_a_function_of_seed_and_number(begin: Begin) -> None:
    trainer, other = begin(), begin("other", seed=2)

    def fidelity(run: PerceptualEnlargerTrainer, step: int) -> float:
        run.step = step
        return run.loss()[1]["fidelity"]

    first = fidelity(trainer, 7)
    assert fidelity(trainer, 8) != first
    assert fidelity(trainer, 7) == first
    assert fidelity(other, 7) != first


def test_what_is_enlarged_is_a_picture_of_half_the_size(begin: Begin, photos: PhotoSet) -> None:
    trainer = begin()
    pixels = photos.batch(size=2, crop_px=64, seed=3, step=1).pixels
    painted = trainer._painted(pixels, torch.Generator().manual_seed(1))
    assert painted.shape == (2, 3, 32, 32)
    assert painted.min() >= 0
    assert painted.max() <= 1


def test_the_settings_of_the_shipped_one_are_valid() -> None:
    for path in CONFIGS.glob("perceptual-enlarger-*.toml"):
        assert PerceptualEnlargerSettings.from_toml(path).steps > 0


@pytest.mark.slow
def test_the_product_enlarges_as_the_trained_one_does(artefacts: Path, run: Path, tmp_path: Path) -> None:
    ours = Path(shutil.copytree(artefacts, tmp_path / "ours"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter of PyTorch warns about itself
        assert main(["perceptual-enlarger", "--run", str(run), "--name", "toy", "--artefacts", str(ours)]) == 0
    artefact = find_artefact(name="toy", manifest=ours / "manifest.json")
    artefact.check()
    record = json.loads((ours / "toy" / "record.json").read_text())["perceptual_enlarger"]
    assert record["step"] == 2
    card = (artefacts / "toy" / "CARD.md").read_text()
    assert (ours / "toy" / "CARD.md").read_text() == with_perceptual_enlarger(card, record)

    small = np.random.default_rng(1).integers(0, 256, (24, 32, 3), np.uint8)
    shown = Enlarger(artefact, "perceptual_enlarger")(small)
    enlarger, _ = load_perceptual_enlarger(run)
    x_half = torch.from_numpy(small.transpose(2, 0, 1).astype(np.float32) / 255)[None]
    with torch.no_grad():
        expected = (enlarger(x_half)[0] * 255).round().clamp(0, 255).numpy().transpose(1, 2, 0)
    assert np.abs(shown - expected).max() <= 1


@pytest.mark.slow
def test_another_generator_takes_the_enlarger_away(
    artefacts: Path, run: Path, lpips_file: Path, photos: PhotoSet, tmp_path: Path
) -> None:
    ours = Path(shutil.copytree(artefacts, tmp_path / "ours"))
    other = PerceptualSettings(steps=1, batch=1, crop_px=96)
    PerceptualTrainer(other, ours / "weights", lpips_file, photos, tmp_path / "run").run()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter of PyTorch warns about itself
        add_perceptual_enlarger(run, "toy", ours)
        add_perceptual(tmp_path / "run", "toy", ours)
    artefact = find_artefact(name="toy", manifest=ours / "manifest.json")
    assert "perceptual_enlarger" not in artefact.files
    assert not (ours / "toy" / "perceptual_enlarger.onnx").exists()
    assert "Perceptual enlarger" not in (ours / "toy" / "CARD.md").read_text()


@pytest.mark.slow
def test_a_run_for_another_generator_is_refused(artefacts: Path, run: Path, scene_run: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(artefacts, tmp_path / "other"))
    add_files(other, "toy", {"perceptual": ("perceptual.onnx", b"another one")})
    with pytest.raises(ExportError, match="was trained for another perceptual generator"):
        add_perceptual_enlarger(run, "toy", other)
    with pytest.raises(RunError, match="is no run of the perceptual enlarger"):
        load_perceptual_enlarger(scene_run)
    generator = (artefacts / "toy" / "perceptual.onnx").read_bytes()
    record = json.loads((run / "record.json").read_text())
    assert record["generator_sha256"] == hashlib.sha256(generator).hexdigest()

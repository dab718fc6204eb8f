"""The mender: its training, with a network of toy size, its cost, and how it joins an artefact."""

from __future__ import annotations

import hashlib
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
from pantel_export.composition.card import with_mender
from pantel_export.composition.network import Mender as Network
from pantel_export.composition.settings import MenderNetworkSettings, MenderSettings
from pantel_export.composition.train import MenderTrainer, load_mender
from pantel_export.errors import DataError, ExportError, RunError
from pantel_export.manifest import enter_artefact
from pantel_models import Mender, find_artefact

CONFIGS = Path(__file__).parents[3] / "export" / "configs"
CARD = "# Model card: toy\n\nThis and that.\n"
SETTINGS = MenderSettings(
    steps=2, batch=2, crop_px=96, warmup_steps=1, network=MenderNetworkSettings(width=6, hidden=4, blocks=1)
)
TOML = "steps = 2\nbatch = 2\ncrop_px = 96\n[network]\nwidth = 6\nhidden = 4\nblocks = 1\n"


@pytest.fixture(scope="module")
def run(composed_folder: Path, lpips_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run that the command trained."""
    folder = tmp_path_factory.mktemp("mender")
    (folder / "toy.toml").write_text(TOML)
    arguments = ["--config", folder / "toy.toml", "--lpips", lpips_file, "--pictures", composed_folder]
    assert main(["train-composition", *map(str, arguments), "--out", str(folder / "run")]) == 0
    return folder / "run"


@pytest.fixture
def artefacts(tmp_path: Path) -> Path:
    """Return a folder of artefacts with one of nothing but tables."""
    folder = tmp_path / "artefacts"
    enter_artefact(folder, "toy", {"tables": ("tables.npz", b"tables")})
    (folder / "toy" / "record.json").write_text("{}")
    (folder / "toy" / "CARD.md").write_text(CARD)
    return folder


def test_it_begins_by_changing_nothing() -> None:
    added = Network(MenderNetworkSettings())(torch.rand(2, 4, 16, 24))
    assert added.shape == (2, 3, 16, 24)
    assert not added.any()


def test_it_learns(composed_folder: Path, lpips_file: Path, tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"steps": 40, "learning_rate": 1e-2})
    trainer = MenderTrainer(settings, lpips_file, [composed_folder], tmp_path / "run")
    before = trainer.loss()[1]
    luma = trainer.networks["mender"].luma.weight.clone()
    trainer.run()
    trainer.step = 0
    assert trainer.loss()[1]["psnr"] > before["psnr"]
    assert torch.equal(trainer.networks["mender"].luma.weight, luma)  # what light is was known before


def test_a_step_is_a_function_of_seed_and_number(composed_folder: Path, lpips_file: Path, tmp_path: Path) -> None:
    trainer = MenderTrainer(SETTINGS, lpips_file, [composed_folder], tmp_path / "run")

    def fidelity(step: int) -> float:
        trainer.step = step
        return trainer.loss()[1]["fidelity"]

    first = fidelity(7)
    assert fidelity(8) != first
    assert fidelity(7) == first


def test_detectors_look_on(
    composed_folder: Path, lpips_file: Path, detector_files: dict[str, Path], tmp_path: Path
) -> None:
    trainer = MenderTrainer(SETTINGS, lpips_file, [composed_folder], tmp_path, [detector_files["fastest_det"]])
    _, figures = trainer.loss()
    assert figures["detected"] > 0
    same = torch.rand(3, 3, 96, 96)  # as many as leave a place empty
    for softly in (False, True):
        assert trainer._detected(same, same, softly=softly).item() == pytest.approx(0, abs=1e-6)
        assert trainer._detected(same, 1 - same, softly=softly).item() > 0


def test_it_begins_as_another_run_ended(composed_folder: Path, lpips_file: Path, run: Path, tmp_path: Path) -> None:
    (tmp_path / "toy.toml").write_text(TOML.replace("steps = 2", "steps = 1\nwarmup_steps = 1000000"))
    arguments = ["--config", tmp_path / "toy.toml", "--lpips", lpips_file, "--pictures", composed_folder]
    arguments += ["--start-from", run, "--out", tmp_path / "run"]
    assert main(["train-composition", *map(str, arguments)]) == 0
    before, after = (dict(load_mender(each)[0].named_parameters()) for each in (run, tmp_path / "run"))
    assert all(torch.allclose(before[name], after[name], atol=1e-5) for name in before)
    assert json.loads((tmp_path / "run" / "record.json").read_text())["warm_start_sha256"]


def test_pictures_that_are_too_small_are_refused(composed_folder: Path, lpips_file: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="too small for crops of 160"):
        MenderTrainer(SETTINGS.model_copy(update={"crop_px": 160}), lpips_file, [composed_folder], tmp_path)


def test_the_settings_of_the_shipped_one_are_valid() -> None:
    for path in CONFIGS.glob("composition-*.toml"):
        assert MenderSettings.from_toml(path).steps > 0


def test_the_product_mends_as_the_trained_one_does(
    artefacts: Path, run: Path, rounded_to_half: Callable[[Any], Any]
) -> None:
    before = json.loads((artefacts / "manifest.json").read_text())["artefacts"][0]["files"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter of PyTorch warns about itself
        assert (
            main(
                ["composition", "--run", str(run), "--name", "toy", "--artefacts", str(artefacts), "--strength", "0.5"]
            )
            == 0
        )
    artefact = find_artefact(name="toy", manifest=artefacts / "manifest.json")
    artefact.check()
    assert artefact.hash == before["tables"]["sha256"]
    record = json.loads((artefacts / "toy" / "record.json").read_text())["mender"]
    assert (record["step"], record["strength"]) == (2, 0.5)
    assert (artefacts / "toy" / "CARD.md").read_text() == with_mender(CARD, record)

    network = rounded_to_half(load_mender(run)[0])
    product = Mender(artefact)
    rng = np.random.default_rng(1)
    for height, width in ((24, 32), (21, 34)):  # whole squares of four, or not
        pixels = rng.integers(0, 256, (height, width, 3), np.uint8)
        cover = rng.random((height, width), np.float32)
        planes = np.concatenate([pixels / np.float32(255), cover[..., None]], 2)
        whole = np.pad(planes, ((0, -height % 4), (0, -width % 4), (0, 0)), mode="edge")
        x = torch.from_numpy(whole.transpose(2, 0, 1).copy())[None]
        with torch.no_grad():
            expected = ((x[:, :3] + 0.5 * network(x))[0] * 255).clamp(0, 255).permute(1, 2, 0).numpy()[:height, :width]
        np.testing.assert_allclose(product(pixels, cover), expected, atol=0.51)


def test_what_does_not_belong_together_is_refused(artefacts: Path, run: Path, scene_run: Path, tmp_path: Path) -> None:
    from pantel_export.composition.add import add_mender

    with pytest.raises(ExportError, match="there is no artefact nothing in"):
        add_mender(run, "nothing", artefacts)
    with pytest.raises(RunError, match="is no run of the network that mends"):
        load_mender(scene_run)
    other = Path(shutil.copytree(run, tmp_path / "other"))
    record = json.loads((other / "record.json").read_text())
    record["composed"][0]["painters_sha256"] = {"perceptual": hashlib.sha256(b"another").hexdigest()}
    (other / "record.json").write_text(json.dumps(record))
    with pytest.raises(ExportError, match="pictures that toy does not paint"):
        add_mender(other, "toy", artefacts)

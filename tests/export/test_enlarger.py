"""Crops that are coded at half the resolution, and the network that enlarges them again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from pantel_export import build
from pantel_export.data import PhotoSet
from pantel_export.enlarger import Enlarger
from pantel_export.errors import DataError, ExportError, RunError
from pantel_export.onnx_export import export_enlarger
from pantel_export.settings import NetworkSettings, TrainSettings
from pantel_export.train import Trainer
from pantel_export.warm_start import save_warm_start
from pantel_models import MANIFEST, find_artefact, list_artefacts, load_scene_codec, macs_per_pixel, open_session


@pytest.fixture(scope="module")
def large_photos(tmp_path_factory: pytest.TempPathFactory) -> PhotoSet:
    folder = tmp_path_factory.mktemp("large")
    rng = np.random.default_rng(8)
    for number, side in enumerate((208, 100, 230)):
        noise = rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)
        assert cv2.imwrite(str(folder / f"{number}.png"), cv2.resize(noise, (side, side)))
    return PhotoSet([folder], minimum_px=96)


@pytest.fixture
def enlarging(settings: TrainSettings) -> TrainSettings:
    return settings.model_copy(update={"enlarged_crops": 1, "ms_ssim_weight": 0.02})


def test_crops_come_from_pictures_that_are_large_enough(large_photos: PhotoSet) -> None:
    batch = large_photos.batch(size=6, crop_px=192, seed=1, step=1)
    assert batch.pixels.shape == (6, 192, 192, 3)
    with pytest.raises(DataError, match="at least 256 px among 3"):
        large_photos.batch(size=1, crop_px=256, seed=1, step=1)


def test_enlarged_crops_teach_all_networks(large_photos: PhotoSet, enlarging: TrainSettings, tmp_path: Path) -> None:
    trainer = Trainer(enlarging, large_photos, tmp_path)
    loss, figures = trainer.loss()
    loss.backward()
    assert figures["psnr_enlarged"] < 60
    networks = trainer.networks
    for part in (networks.enlarger, networks.generator, networks.encoder, networks.context):
        assert any(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in part.parameters())


def test_the_enlarger_can_be_trained_alone(large_photos: PhotoSet, enlarging: TrainSettings, tmp_path: Path) -> None:
    alone = enlarging.model_copy(update={"only": "enlarger", "enlarged_crops": 2})
    trainer = Trainer(alone, large_photos, tmp_path)
    before = {key: value.clone() for key, value in trainer.networks.state_dict().items()}
    trainer._train_step()
    changed = {key for key, value in trainer.networks.state_dict().items() if not torch.equal(value, before[key])}
    assert changed
    assert all(key.startswith("enlarger.") for key in changed)


def test_the_export_enlarges_as_the_network_does(tmp_path: Path) -> None:
    torch.manual_seed(3)
    network = Enlarger(NetworkSettings()).eval()
    data = export_enlarger(network)
    x = torch.rand(1, 3, 18, 27)
    (correction,) = open_session(data, "the enlarger").run(None, {"x_half": x.numpy()})
    with torch.no_grad():
        expected = network(x).numpy()
    assert correction.shape == (1, 3, 36, 54)
    smooth = cv2.resize(x[0].permute(1, 2, 0).numpy(), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    assert np.abs(smooth.transpose(2, 0, 1) + correction[0] - expected[0]).max() < 2e-3
    (tmp_path / "enlarger.onnx").write_bytes(data)
    # With the generator's 2,000 at half the resolution, a quarter for each pixel, it stays below 2,000.
    assert 1000 < macs_per_pixel(tmp_path / "enlarger.onnx") < 1500


@pytest.fixture
def alone() -> TrainSettings:
    """Settings by which the enlarger of the shipped artefact can be trained."""
    record = json.loads((MANIFEST.parent / find_artefact().name / "record.json").read_text())
    network = TrainSettings.model_validate(record["settings"]).network
    return TrainSettings(steps=1, batch=1, crop_px=96, enlarged_crops=1, only="enlarger", network=network)


def test_an_artefact_takes_the_enlarger_of_a_run(large_photos: PhotoSet, alone: TrainSettings, tmp_path: Path) -> None:
    artefacts = tmp_path / "artefacts"
    shutil.copytree(MANIFEST.parent, artefacts)
    name = find_artefact().name
    trainer = Trainer(alone, large_photos, tmp_path / "run")
    weights = trainer.networks.state_dict()
    model = onnx.load(str(artefacts / name / "faithful.onnx"))
    for tensor in model.graph.initializer:
        if f"generator.{tensor.name}" in weights:
            array = onnx.numpy_helper.to_array(tensor)
            weights[f"generator.{tensor.name}"] = torch.from_numpy(array.astype(np.float16).astype(np.float32))
    trainer.warm_start(weights)
    trainer.run()
    build.add_enlarger(tmp_path / "run", name, artefacts)
    (artefact, *_) = list_artefacts(artefacts / MANIFEST.name)
    codec = load_scene_codec(artefact)
    assert codec.enlarge(np.full((16, 24, 3), 90, np.uint8), (47, 32)).shape == (32, 47, 3)
    assert (artefacts / name / "CARD.md").read_text().count("## Enlarger\n") == 1


def test_an_enlarger_of_other_networks_is_refused(large_photos: PhotoSet, alone: TrainSettings, tmp_path: Path) -> None:
    artefacts = tmp_path / "artefacts"
    shutil.copytree(MANIFEST.parent, artefacts)
    fewer = alone.model_copy(update={"network": NetworkSettings(groups=(3, 2))})
    for number, settings in enumerate((alone, fewer)):  # the first begins with weights of its own
        Trainer(settings, large_photos, tmp_path / str(number)).run()
        with pytest.raises(ExportError, match="holds no enlarger"):
            build.add_enlarger(tmp_path / str(number), find_artefact().name, artefacts)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [("batch = 2\nenlarged_crops = 3", "more than a batch of 2"), ('only = "enlarger"', "learns nothing without")],
)
def test_impossible_settings_are_named(tmp_path: Path, wrong: str, message: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(wrong)
    with pytest.raises(RunError, match=message):
        TrainSettings.from_toml(path)


def test_weights_do_not_overwrite_a_run(scene_run: Path) -> None:
    with pytest.raises(RunError, match="is the folder of a run"):
        save_warm_start(scene_run, {})


def test_tables_can_be_fitted_again(large_photos: PhotoSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artefacts = tmp_path / "artefacts"
    shutil.copytree(MANIFEST.parent, artefacts)
    monkeypatch.setattr(build, "_FIT_PICTURES", 50)
    shipped = find_artefact()
    build.refit_tables(shipped.name, large_photos, artefacts)
    (artefact, *_) = list_artefacts(artefacts / MANIFEST.name)
    artefact.check()
    assert artefact.hash != shipped.hash
    before, after = (dict(np.load(each.folder / each.files["tables"])) for each in (shipped, artefact))
    assert before.keys() == after.keys()
    assert [key for key in before if not np.array_equal(before[key], after[key])] == ["residual_counts"]
    assert load_scene_codec(artefact).entropy.qualities == 32

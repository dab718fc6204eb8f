"""Training of thumbnails, with networks of toy size and painted objects."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from pantel_export.__main__ import main
from pantel_export.errors import DataError, RunError
from pantel_export.settings import TrainSettings
from pantel_export.thumbnails.crops import ObjectCrop
from pantel_export.thumbnails.networks import ThumbnailNetworks
from pantel_export.thumbnails.settings import ThumbnailSettings
from pantel_export.thumbnails.train import ThumbnailTrainer, fingerprint, load_thumbnail_networks
from pantel_export.train import load_networks
from pantel_models.thumbnails import Kind

TALL, WIDE = 0, 2
CONFIGS = Path(__file__).parents[3] / "export" / "configs"


@pytest.fixture
def trainer(thumbnail_settings: ThumbnailSettings, crops: list[ObjectCrop], tmp_path: Path) -> ThumbnailTrainer:
    return ThumbnailTrainer(thumbnail_settings, crops, tmp_path / "run", [{"folder": "street", "objects": 24}])


def test_a_resumed_run_ends_where_an_uninterrupted_one_does(
    trainer: ThumbnailTrainer, thumbnail_settings: ThumbnailSettings, crops: list[ObjectCrop], tmp_path: Path
) -> None:
    trainer.run()
    begun = ThumbnailTrainer(thumbnail_settings, crops, tmp_path / "parts")
    for _ in range(2):
        begun._train_step()
        begun.step += 1
    begun.save()
    resumed = ThumbnailTrainer(thumbnail_settings, crops, tmp_path / "parts")
    assert resumed.resume()
    assert resumed.step == 2
    resumed.run()
    for key, value in trainer.networks.state_dict().items():
        assert torch.equal(value, resumed.networks.state_dict()[key]), key
        assert torch.equal(trainer.average[key], resumed.average[key]), key


def test_what_a_step_sees_depends_on_seed_and_step_alone(
    trainer: ThumbnailTrainer, thumbnail_settings: ThumbnailSettings, crops: list[ObjectCrop], tmp_path: Path
) -> None:
    def loss(run: ThumbnailTrainer, step: int) -> float:
        run.step = step
        return run.loss()[1]["loss"]

    torch.manual_seed(99)
    first, other_step, again = (loss(trainer, step) for step in (7, 8, 7))
    assert first == again != other_step
    other = ThumbnailTrainer(thumbnail_settings.model_copy(update={"seed": 2}), crops, tmp_path)
    other.networks.load_state_dict(trainer.networks.state_dict())
    assert loss(other, 7) != first


def figures(trainer: ThumbnailTrainer) -> dict[str, float]:
    """Return the mean figures of some steps that no training here comes to."""
    with torch.no_grad():
        before, drawn = trainer.step, []
        for trainer.step in range(1000, 1008):
            drawn.append(trainer.loss()[1])
        trainer.step = before
        return {name: float(np.mean([each[name] for each in drawn])) for name in drawn[0]}


def test_training_lowers_the_loss_from_any_start(
    crops: list[ObjectCrop], thumbnail_settings: ThumbnailSettings, tmp_path: Path
) -> None:
    """The start from principal components is far ahead of one from random weights."""
    settings = thumbnail_settings.model_copy(update={"steps": 30, "learning_rate": 5e-3, "batch": 6})
    trainer = ThumbnailTrainer(settings, crops, tmp_path)
    ahead = figures(trainer)
    trainer.networks.load_state_dict(ThumbnailNetworks(settings.network).state_dict())
    before = figures(trainer)
    trainer.run()
    after = figures(trainer)
    assert after["loss"] < 0.9 * before["loss"]
    assert after["psnr"] > before["psnr"] + 0.5
    assert ahead["loss"] < 0.5 * before["loss"]
    assert ahead["psnr"] > 15
    assert 10 < ahead["bits"] < 60


def test_detail_that_is_not_told_costs_nothing(trainer: ThumbnailTrainer) -> None:
    network = trainer.settings.network
    bits = []
    for core in (1, 5, 8):
        update = {"network": network.model_copy(update={"core": core})}
        trainer.settings = trainer.settings.model_copy(update=update)
        bits.append(figures(trainer)["bits"])
    assert bits[0] < bits[1] < bits[2]


def test_errors_matter_less_where_the_object_was_hidden(trainer: ThumbnailTrainer) -> None:
    psnr = []
    for weight in (0.01, 0.25, 1.0):
        trainer.settings = trainer.settings.model_copy(update={"hidden_weight": weight})
        psnr.append(figures(trainer)["psnr"])
    assert psnr[0] > psnr[1] > psnr[2] > psnr[0] - 3


def test_the_weight_of_the_rate_balances_bits_and_errors(trainer: ThumbnailTrainer) -> None:
    """With dear bits the loss is nearly all bits, with cheap ones nearly all error."""

    def loss(weight: float) -> dict[str, float]:
        update = {"rate_weight_low": weight, "rate_weight_high": weight}
        trainer.settings = trainer.settings.model_copy(update=update)
        return figures(trainer)

    dear, cheap = loss(1.0), loss(1e-10)
    assert dear["bits"] == cheap["bits"]
    assert dear["loss"] == pytest.approx(dear["bits"], rel=0.02)
    assert cheap["loss"] == pytest.approx(1e5 * 10 ** (-cheap["psnr"] / 10), rel=0.5)  # the mean of logarithms is lower


def test_every_part_of_the_networks_learns(trainer: ThumbnailTrainer) -> None:
    for trainer.step in range(8):  # of some, detail is withheld
        trainer.loss()[0].backward()
    for name, parameter in trainer.networks.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        if name != "log_scale":
            assert parameter.grad.abs().max() > 0, name
    by_shape = trainer.networks.log_scale.grad.abs().sum(1)
    assert by_shape[TALL] > 0
    assert by_shape[WIDE] > 0


def test_rare_kinds_are_drawn_more_often(
    crops: list[ObjectCrop], thumbnail_settings: ThumbnailSettings, tmp_path: Path
) -> None:
    kinds = (Kind.PERSON, Kind.VEHICLE, Kind.TWO_WHEELER, Kind.ANIMAL)
    objects = [ObjectCrop(each.pixels, each.mask, kinds[i % 4]) for i, each in enumerate(crops)]
    chances = ThumbnailTrainer(thumbnail_settings, objects, tmp_path)._chances
    assert chances.sum() == pytest.approx(1)
    np.testing.assert_allclose(chances[:4] / chances[0], [1, 3, 3, 0.4])


def test_the_record_says_what_was_trained_on(
    trainer: ThumbnailTrainer, thumbnail_settings: ThumbnailSettings, crops: list[ObjectCrop]
) -> None:
    trainer.run()
    networks, settings, record = load_thumbnail_networks(trainer.folder)
    assert settings == thumbnail_settings
    assert not networks.training
    for key, value in networks.state_dict().items():
        assert torch.equal(value, trainer.average[key]), key
    assert record["objects"] == 24
    assert record["objects_sha256"] == fingerprint(crops)
    assert record["sources"] == [{"folder": "street", "objects": 24}]
    assert record["step"] == 4


def test_fingerprints_differ_with_pixels_kinds_and_order(crops: list[ObjectCrop]) -> None:
    first = crops[0]
    brighter = ObjectCrop(np.maximum(first.pixels, 1), first.mask, first.kind)
    animal = ObjectCrop(first.pixels, first.mask, Kind.ANIMAL)
    others = [[brighter, *crops[1:]], [animal, *crops[1:]], crops[1:], [*crops[1:], first]]
    assert len({fingerprint(each) for each in (crops, list(crops), *others)}) == 5


def test_too_few_objects_are_a_data_error(
    crops: list[ObjectCrop], thumbnail_settings: ThumbnailSettings, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="7 objects are too few for 8 latents"):
        ThumbnailTrainer(thumbnail_settings, crops[:7], tmp_path)


def test_a_run_of_another_kind_is_refused(trainer: ThumbnailTrainer, scene_run: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is no run of thumbnails"):
        load_thumbnail_networks(scene_run)
    trainer.save()
    with pytest.raises(RunError, match="is no run of the scene codec"):
        load_networks(trainer.folder)
    with pytest.raises(RunError, match="train first"):
        load_thumbnail_networks(tmp_path)


@pytest.mark.parametrize("text", ["[network]\nlatents = 4\ncore = 5\n", "stepps = 3\n", "steps = 0\n", "steps = \n"])
def test_wrong_settings_are_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    with pytest.raises(RunError, match=r"settings\.toml.*(core|stepps|steps|TOML)"):
        ThumbnailSettings.from_toml(path)
    with pytest.raises(RunError, match="cannot read the settings"):
        TrainSettings.from_toml(tmp_path / "nowhere.toml")


def test_the_settings_of_the_shipped_thumbnails_are_valid() -> None:
    settings = ThumbnailSettings.from_toml(CONFIGS / "thumbnails-v2.toml")
    assert settings.network.core < settings.network.latents


def test_the_workshop_trains_and_continues(
    tmp_path: Path, paint: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    paint(tmp_path, "one", ["2 0.25 0.5 0.25 0.25", "16 0.75 0.5 0.25 0.375"], (60, 80, 60, 40), (180, 80, 60, 60))
    config = tmp_path / "settings.toml"
    config.write_text("steps = 1\nbatch = 1\n[network]\nlatents = 3\ncore = 2\n")
    photos, boxes, masks = (tmp_path / kind for kind in ("photos", "boxes", "masks"))
    command = ["train-thumbnails", "--config", str(config), "--objects", f"{photos}:{boxes}"]
    command += ["--out", str(tmp_path / "run")]
    assert main([*command, "--masked", f"{photos}:{masks}"]) == 0
    assert capsys.readouterr().out == f"objects=4 out={tmp_path / 'run'}\n"
    record = json.loads((tmp_path / "run" / "record.json").read_text())
    assert record["sources"] == [{"folder": "photos", "objects": 2}] * 2
    assert main([*command, "--masked", f"{photos}:{masks}"]) == 0
    assert "resumed step=1\n" in capsys.readouterr().out
    assert main(command) == 1  # two objects alone
    assert capsys.readouterr().err == "error: 2 objects are too few for 3 latents; add photographs\n"

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from pantel_export.data import PhotoSet
from pantel_export.errors import RunError
from pantel_export.settings import TrainSettings
from pantel_export.train import Trainer, draw_availability, load_networks
from pantel_export.warm_start import load_warm_start, save_warm_start


def test_a_resumed_run_ends_where_an_uninterrupted_one_does(
    photos: PhotoSet, settings: TrainSettings, tmp_path: Path
) -> None:
    whole = Trainer(settings, photos, tmp_path / "whole")
    whole.run()

    begun = Trainer(settings, photos, tmp_path / "parts")
    for _ in range(2):
        begun._train_step()
        begun.step += 1
    begun.save()
    resumed = Trainer(settings, photos, tmp_path / "parts")
    assert resumed.resume()
    assert resumed.step == 2
    resumed.run()

    for key, value in whole.networks.state_dict().items():
        assert torch.equal(value, resumed.networks.state_dict()[key]), key
        assert torch.equal(whole.average[key], resumed.average[key]), key


def test_other_settings_do_not_resume_a_run(photos: PhotoSet, settings: TrainSettings, tmp_path: Path) -> None:
    Trainer(settings, photos, tmp_path).save()
    other = settings.model_copy(update={"learning_rate": 5e-4})
    with pytest.raises(RunError, match="other settings"):
        Trainer(other, photos, tmp_path).resume()


def test_what_is_received_is_nested() -> None:
    received, in_payload = draw_availability(64, 4, 8, torch.Generator().manual_seed(3))
    assert received.shape == in_payload.shape == (64, 4, 8, 8)
    assert torch.all(received[:, 1:] <= received[:, :-1])
    assert in_payload.mean() < 1 < 64 * in_payload.mean()


def test_weights_survive_as_a_warm_start(photos: PhotoSet, settings: TrainSettings, tmp_path: Path) -> None:
    trainer = Trainer(settings, photos, tmp_path)
    save_warm_start(tmp_path / "weights", trainer.networks.state_dict())
    other = Trainer(settings.model_copy(update={"seed": 2}), photos, tmp_path)
    other.warm_start(load_warm_start(tmp_path / "weights"))
    for key, value in trainer.networks.state_dict().items():
        assert torch.allclose(value, other.networks.state_dict()[key], atol=2e-3), key


def test_a_folder_without_a_run_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="train first"):
        load_networks(tmp_path)
    with pytest.raises(RunError, match="earlier training"):
        load_warm_start(tmp_path)


def test_settings_name_an_unknown_key(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("stepps = 3\n")
    with pytest.raises(RunError, match="stepps"):
        TrainSettings.from_toml(path)

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from pantel_export.data import PhotoSet
from pantel_export.errors import RunError
from pantel_export.networks import SceneNetworks
from pantel_export.settings import TrainSettings
from pantel_export.train import Trainer, draw_availability, draw_qualities, load_networks
from pantel_export.training_run import load_run
from pantel_export.warm_start import load_warm_start, save_warm_start


def test_a_resumed_run_ends_where_an_uninterrupted_one_does(
    photos: PhotoSet, settings: TrainSettings, scene_run: Path, tmp_path: Path
) -> None:
    resumed = Trainer(settings, photos, tmp_path)
    for _ in range(3):
        if resumed.step == 2:
            resumed.save()
        resumed._train_step()
        resumed.step += 1
    assert resumed.resume()
    assert resumed.step == 2
    resumed.run()

    whole, _ = load_run(scene_run)
    for key, value in whole["networks"].items():
        assert torch.equal(value, resumed.networks.state_dict()[key]), key
        assert torch.equal(whole["average"][key], resumed.average[key]), key


def test_a_run_records_its_photographs(photos: PhotoSet, settings: TrainSettings, scene_run: Path) -> None:
    networks, found, record = load_networks(scene_run)
    assert not networks.training
    assert found == settings
    assert record["pictures"] == len(photos)
    assert record["pictures_sha256"] == photos.fingerprint
    trained, _, _ = load_networks(scene_run, averaged=False)
    for (name, value), other in zip(networks.state_dict().items(), trained.state_dict().values(), strict=True):
        assert value.shape == other.shape, name
    assert any(not torch.equal(a, b) for a, b in zip(networks.parameters(), trained.parameters(), strict=True))


def test_what_is_received_is_nested() -> None:
    received, in_payload = draw_availability(64, 4, 8, torch.Generator().manual_seed(3))
    assert received.shape == in_payload.shape == (64, 4, 8, 8)
    assert torch.all(received[:, 1:] <= received[:, :-1])
    assert in_payload.mean() < 1 < 64 * in_payload.mean()


def test_weights_survive_as_a_warm_start(scene_run: Path, tmp_path: Path) -> None:
    networks, settings, _ = load_networks(scene_run)
    save_warm_start(tmp_path / "weights", networks.state_dict())
    other = SceneNetworks(settings.network)
    other.load_state_dict(load_warm_start(tmp_path / "weights"))
    for key, value in networks.state_dict().items():
        assert torch.allclose(value, other.state_dict()[key], rtol=1e-3, atol=2e-3), key


def test_the_weights_of_a_run_stand_for_it(scene_run: Path, tmp_path: Path) -> None:
    networks, settings, record = load_networks(scene_run)
    save_warm_start(tmp_path, networks.state_dict(), record)
    again, same_settings, same_record = load_networks(tmp_path)
    assert same_settings == settings
    assert (same_record["step"], same_record["pictures_sha256"]) == (record["step"], record["pictures_sha256"])
    for key, value in networks.state_dict().items():
        assert torch.allclose(value, again.state_dict()[key], rtol=1e-3, atol=2e-3), key
    save_warm_start(tmp_path, networks.state_dict())  # weights of no run
    with pytest.raises(RunError, match="train first"):
        load_networks(tmp_path)


def test_weights_of_other_networks_are_refused(
    photos: PhotoSet, settings: TrainSettings, scene_run: Path, tmp_path: Path
) -> None:
    weights = dict(load_networks(scene_run)[0].state_dict())
    trainer = Trainer(settings, photos, tmp_path)
    with pytest.raises(RunError, match="there is no elsewhere here"):
        trainer.warm_start({**weights, "elsewhere": torch.zeros(1)})
    with pytest.raises(RunError, match="do not fit these networks"):
        trainer.warm_start({**weights, "generator.luma.bias": torch.zeros(3)})
    before = trainer.networks.enlarger.state_dict()["body.0.weight"].clone()
    trainer.warm_start({key: value for key, value in weights.items() if not key.startswith("enlarger.")})
    assert torch.equal(before, trainer.networks.enlarger.state_dict()["body.0.weight"])


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


def test_what_is_no_part_of_the_payload_may_have_another_quality() -> None:
    noise = torch.Generator().manual_seed(5)
    _, in_payload = draw_availability(64, 4, 8, noise)
    quality, elsewhere, in_payload = draw_qualities(in_payload, noise)
    planes = quality[:, None, None, None] + elsewhere
    assert planes.shape == (64, 1, 8, 8)
    assert planes.min() >= 0
    assert planes.max() <= 1
    other = elsewhere != 0
    assert 0.2 < other.flatten(1).any(1).float().mean() < 0.6
    assert not (other & (in_payload.sum(1, keepdim=True) > 0)).any()
    assert (in_payload.sum((1, 2, 3)) > 0).all()

"""Context networks, trained alone, join an artefact whose other networks stay."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from pantel_codec import EntropyModel
from pantel_export.__main__ import main
from pantel_export.artefact_record import scene_run_of
from pantel_export.context_networks import add_context
from pantel_export.data import PhotoSet
from pantel_export.errors import ExportError
from pantel_export.losses import logistic_bits
from pantel_export.model_card import with_context
from pantel_export.settings import TrainSettings
from pantel_export.train import Trainer, load_networks
from pantel_export.warm_start import load_warm_start
from pantel_models import find_artefact


@pytest.fixture(scope="module")
def run(
    toy_artefacts: Path, settings: TrainSettings, photos: PhotoSet, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return the folder of a run on the artefact's weights."""
    folder = tmp_path_factory.mktemp("decoder") / "run"
    trainer = Trainer(_alone(settings), photos, folder)
    trainer.warm_start(load_warm_start(toy_artefacts / "weights"))
    trainer.run()
    return folder


def _alone(settings: TrainSettings) -> TrainSettings:
    return settings.model_copy(update={"only": "context", "steps": 2})


def test_nothing_but_the_context_learns(run: Path, toy_artefacts: Path) -> None:
    before, after = load_warm_start(toy_artefacts / "weights"), load_networks(run, averaged=False)[0].state_dict()
    changed = {key.split(".")[0] for key, value in after.items() if not torch.equal(value, before[key])}
    assert changed == {"context"}


def test_scales_learn_from_whole_numbers_and_means_from_noise(
    settings: TrainSettings, photos: PhotoSet, tmp_path: Path
) -> None:
    networks = Trainer(_alone(settings), photos, tmp_path).networks
    targets = 3 * torch.randn(2, 5, 3, 4, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for net in networks.context.nets:
            net.head.weight.normal_(0, 0.3)
    coded = networks.context(targets, torch.ones(2, 2, 3, 4), torch.tensor([0.2, 0.8]))
    noisy = logistic_bits(targets + 0.3, coded.mean, coded.log_scale)
    bits = coded.bits(noisy)
    residual = (coded.values - coded.mean).round()
    scale = coded.log_scale.clamp(-3, 4).exp()
    mass = torch.sigmoid((residual + 0.5) / scale) - torch.sigmoid((residual - 0.5) / scale)
    assert torch.allclose(bits, -torch.log2(mass.clamp(min=1e-7)), atol=0.02)
    of_bits, of_noise = (torch.autograd.grad(each.sum(), coded.mean, retain_graph=True)[0] for each in (bits, noisy))
    assert torch.allclose(of_bits, of_noise)


@pytest.mark.slow
def test_the_artefact_has_other_contexts_and_the_rest_of_it_stays(
    toy_artefacts: Path, run: Path, photo_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = Path(shutil.copytree(toy_artefacts, tmp_path / "ours"))
    arguments = ["--run", run, "--name", "toy", "--photos", photo_folder, "--artefacts", ours]
    assert main(["context", *map(str, arguments), "--weights", str(ours / "weights")]) == 1
    assert "192 px" in capsys.readouterr().err  # photographs of the training are larger
    add_context(run, "toy", PhotoSet([photo_folder], minimum_px=96), ours, ours / "weights")
    artefact = find_artefact(name="toy", manifest=ours / "manifest.json")
    artefact.check()
    old, new = ({path.name: path.read_bytes() for path in (each / "toy").iterdir()} for each in (toy_artefacts, ours))
    assert {name for name in new if old[name] != new[name]} == {"tables.npz", "record.json", "CARD.md"}
    before, after = (dict(np.load(folder / "toy" / "tables.npz")) for folder in (toy_artefacts, ours))
    changed = {name for name in after if not np.array_equal(after[name], before[name])}
    assert changed <= {name for name in after if name.startswith("context")} | {"residual_counts"}
    assert {"residual_counts", "context0_spatial"} <= changed
    assert EntropyModel(after).groups == (2, 3)

    record, trained = (json.loads((folder / "record.json").read_text()) for folder in (ours / "toy", run))
    assert record["context"] == trained
    assert scene_run_of(record) == {key: trained[key] for key in ("step", "settings")}
    card = (toy_artefacts / "toy" / "CARD.md").read_text()
    assert (ours / "toy" / "CARD.md").read_text() == with_context(card, trained)
    assert "Slices" not in card
    networks, settings, weights = load_networks(ours / "weights")
    assert settings.only == "context"
    assert scene_run_of(weights) == scene_run_of(record)
    for key, value in load_networks(run)[0].state_dict().items():
        assert torch.allclose(networks.state_dict()[key], value, atol=2e-3)


@pytest.mark.slow
def test_what_does_not_belong_together_is_refused(
    toy_artefacts: Path, run: Path, scene_run: Path, photos: PhotoSet, tmp_path: Path
) -> None:
    weights = toy_artefacts / "weights"
    with pytest.raises(ExportError, match="there is no artefact nothing in"):
        add_context(run, "nothing", photos, toy_artefacts, weights)
    with pytest.raises(ExportError, match="holds no context networks for toy"):
        add_context(scene_run, "toy", photos, toy_artefacts, weights)  # that trained the encoder, too
    other = Path(shutil.copytree(weights, tmp_path / "weights"))
    shard = next(other.glob("weights-0.npz"))
    arrays = dict(np.load(shard))
    arrays["encoder.linear.bias"] = arrays["encoder.linear.bias"] + 1
    np.savez(shard, **arrays)
    with pytest.raises(ExportError, match="holds no context networks for toy"):
        add_context(run, "toy", photos, toy_artefacts, other)

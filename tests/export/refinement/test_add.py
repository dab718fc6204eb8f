"""The refinement context of a run joins the artefact that it was trained for."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from pantel_codec import VALUE_ONE, Base, EntropyModel, Step
from pantel_codec.entropy import SCALE_LEVELS
from pantel_export.__main__ import main
from pantel_export.data import PhotoSet
from pantel_export.errors import ExportError
from pantel_export.integer_context import context_arrays
from pantel_export.model_card import with_refinement
from pantel_export.networks import SceneNetworks
from pantel_export.refinement import networks
from pantel_export.refinement.add import add_refinement
from pantel_export.refinement.settings import RefinementSettings
from pantel_export.refinement.train import RefinementTrainer
from pantel_export.settings import TrainSettings
from pantel_export.tables import logistic_counts
from pantel_models import find_artefact

QUALITIES = 32


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def test_the_integer_context_predicts_what_the_trained_one_does(settings: TrainSettings) -> None:
    model = networks.RefinementContext(settings.network, 8)
    generator = torch.Generator().manual_seed(1)
    for parameter in model.parameters():  # the fresh head is zero and would hide differences
        parameter.data = torch.randn(parameter.shape, generator=generator) * 0.2
    rng = np.random.default_rng(2)
    steps = rng.uniform(0.3, 3, (QUALITIES, 5)).astype(np.float32)
    arrays = {
        "groups": np.array(settings.network.groups, np.int32),
        "residual_counts": logistic_counts(),
        "refinement_counts": logistic_counts(),
        "steps": steps,
        **context_arrays(SceneNetworks(settings.network).context, QUALITIES),
        **context_arrays(model, QUALITIES),
    }
    quality, base_quality = 11, 4
    held = np.rint(rng.normal(0, 3, (5, 3, 6)) * VALUE_ONE).astype(np.int64)
    level = np.full((3, 6), 2, np.uint8)
    level[1, 2] = 1
    held[2:, 1, 2] = 0
    ratio = (steps[base_quality] / steps[quality])[:, None, None]
    planes = torch.from_numpy(level > np.arange(2)[:, None, None]).float()[None]
    base = networks.Base(
        torch.from_numpy(np.rint(held * ratio) / VALUE_ONE).float()[None],
        planes,
        torch.tensor([base_quality / (QUALITIES - 1)]),
    )
    targets = torch.from_numpy(rng.normal(0, 3, (1, 5, 3, 6))).float()
    with torch.no_grad():
        coded = model(targets, base, torch.ones(1, 2, 3, 6), torch.tensor([quality / (QUALITIES - 1)]))
    mean, log_scale, values = (x[0].flatten(1).numpy() for x in (coded.mean, coded.log_scale, coded.values))
    seen = []

    def compare(step: Step) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
        expected_mean, expected_scale, expected = (x[step.channels, step.cells] for x in (mean, log_scale, values))
        assert np.all(np.abs(step.mean / VALUE_ONE - expected_mean) < 0.03)
        table = step.table - SCALE_LEVELS
        inside = (table > 0) & (table < SCALE_LEVELS - 1)
        assert np.all(np.abs(-3 + (table + 0.5) / 8 - expected_scale)[inside] < 1 / 16 + 0.03)
        seen.append(step.group)
        return np.asarray(np.rint(expected - expected_mean), np.int64)

    EntropyModel(arrays).walk(3, 6, quality, 2, compare, base=Base(held, level, base_quality))
    assert seen == [0, 0, 1, 1]


@pytest.fixture(scope="module")
def run(scene_run: Path, photos: PhotoSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished run with a long history."""
    folder = tmp_path_factory.mktemp("refinement") / "run"
    trainer = RefinementTrainer(RefinementSettings(steps=2, batch=1, crop_px=96, width=4), scene_run, photos, folder)
    trainer.run()
    trainer.history = [{"step": step, "loss": 1.0} for step in range(9)]
    trainer.save()
    return folder


@pytest.mark.slow
def test_the_artefact_refines_and_the_rest_of_it_stays(
    toy_artefacts: Path, run: Path, photo_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = Path(shutil.copytree(toy_artefacts, tmp_path / "ours"))
    arguments = ["--run", run, "--name", "toy", "--photos", photo_folder, "--artefacts", ours]
    assert main(["refinement", *map(str, arguments)]) == 1  # photographs of the training are larger
    assert "192 px" in capsys.readouterr().err
    add_refinement(run, "toy", PhotoSet([photo_folder], minimum_px=96), ours)
    find_artefact(name="toy", manifest=ours / "manifest.json").check()
    before, after = (dict(np.load(folder / "toy" / "tables.npz")) for folder in (toy_artefacts, ours))
    assert not EntropyModel(before).refines
    assert EntropyModel(after).refines
    for name, array in before.items():
        np.testing.assert_array_equal(array, after[name])
    assert after["refinement_counts"].shape == (48, 33)
    assert not np.array_equal(after["refinement_counts"], logistic_counts())  # something was counted
    record = read(ours / "toy" / "record.json")
    trained = read(run / "record.json")
    del trained["scene_run"]  # that is the rest of the record
    assert record["refinement"] == trained | {"history": trained["history"][-5:]}
    card = (toy_artefacts / "toy" / "CARD.md").read_text()
    assert (ours / "toy" / "CARD.md").read_text() == with_refinement(card, record["refinement"])


@pytest.mark.slow
def test_what_does_not_belong_together_is_refused(
    toy_artefacts: Path, run: Path, scene_run: Path, photos: PhotoSet, tmp_path: Path
) -> None:
    with pytest.raises(ExportError, match="there is no artefact nothing in"):
        add_refinement(run, "nothing", photos, toy_artefacts)
    with pytest.raises(ExportError, match="is no run of the refinement context"):
        add_refinement(scene_run, "toy", photos, toy_artefacts)
    other = Path(shutil.copytree(toy_artefacts, tmp_path / "other"))
    record = read(other / "toy" / "record.json")
    record["settings"]["network"]["generator_width"][0] += 4
    (other / "toy" / "record.json").write_text(json.dumps(record))
    with pytest.raises(ExportError, match="was trained for another artefact than toy"):
        add_refinement(run, "toy", photos, other)

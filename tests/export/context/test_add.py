"""The context networks of a run join the artefact for which they were trained."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from pantel_codec import EntropyModel
from pantel_export.__main__ import main
from pantel_export.context.add import add_context
from pantel_export.data import PhotoSet
from pantel_export.errors import ExportError
from pantel_export.model_card import with_context
from pantel_export.train import load_networks
from pantel_models import find_artefact

TOY = "steps = 2\nbatch = 1\ncrop_px = 96\nslices = [1, 1, 3]\nwidth = [4, 5, 6]\nreach = [2, 1, 1]\n"


@pytest.fixture(scope="module")
def run(toy_artefacts: Path, photo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run that the command trained on the artefact's weights."""
    folder = tmp_path_factory.mktemp("context")
    (folder / "toy.toml").write_text(TOY)
    arguments = ["--config", folder / "toy.toml", "--scene-run", toy_artefacts / "weights", "--name", "toy"]
    arguments += ["--artefacts", toy_artefacts, "--photos", photo_folder, "--out", folder / "run"]
    assert main(["train-context", *map(str, arguments)]) == 0
    return folder / "run"


@pytest.mark.slow
def test_the_artefact_has_other_contexts_and_the_rest_of_it_stays(
    toy_artefacts: Path, run: Path, photo_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = Path(shutil.copytree(toy_artefacts, tmp_path / "ours"))
    arguments = ["--run", run, "--name", "toy", "--photos", photo_folder, "--artefacts", ours]
    assert main(["context", *map(str, arguments), "--weights", str(ours / "weights")]) == 1
    assert "192 px" in capsys.readouterr().err  # photographs of the training are larger
    add_context(run, "toy", PhotoSet([photo_folder], minimum_px=96), ours, ours / "weights")
    find_artefact(name="toy", manifest=ours / "manifest.json").check()
    before, after = (dict(np.load(folder / "toy" / "tables.npz")) for folder in (toy_artefacts, ours))
    changed = {name for name in after if not np.array_equal(after[name], before[name])}
    assert changed == {name for name in after if name.startswith("context")} | {"residual_counts"}
    assert after.keys() == before.keys()
    assert EntropyModel(after).groups == (2, 3)
    assert [after[f"context{index}_hidden_bias"].size for index in range(3)] == [4, 5, 6]

    record, trained = (json.loads((folder / "record.json").read_text()) for folder in (ours / "toy", run))
    del trained["scene_run"]  # that is the rest of the record
    assert record["context"] == trained
    assert record["settings"]["network"]["context_width"] == [4, 5, 6]
    card = (toy_artefacts / "toy" / "CARD.md").read_text()
    assert (ours / "toy" / "CARD.md").read_text() == with_context(card, record["context"])

    (old, _, _), (new, settings, weights) = (load_networks(folder / "weights") for folder in (toy_artefacts, ours))
    assert settings.model_dump(mode="json") == record["settings"] == weights["settings"]
    states = old.state_dict(), new.state_dict()
    assert states[0].keys() == states[1].keys()
    differing = {key.split(".")[0] for key, value in states[0].items() if not torch.equal(value, states[1][key])}
    assert differing == {"context"}


@pytest.mark.slow
def test_what_does_not_belong_together_is_refused(
    toy_artefacts: Path, run: Path, scene_run: Path, photos: PhotoSet, tmp_path: Path
) -> None:
    weights = toy_artefacts / "weights"
    with pytest.raises(ExportError, match="there is no artefact nothing in"):
        add_context(run, "nothing", photos, toy_artefacts, weights)
    with pytest.raises(ExportError, match="is no run of the context networks"):
        add_context(scene_run, "toy", photos, toy_artefacts, weights)
    other = Path(shutil.copytree(toy_artefacts, tmp_path / "other"))
    record = json.loads((other / "toy" / "record.json").read_text())
    (other / "toy" / "record.json").write_text(json.dumps({**record, "step": 77}))
    with pytest.raises(ExportError, match="was trained for another artefact than toy"):
        add_context(run, "toy", photos, other, other / "weights")

"""The context networks of a run join the weights on which they were trained."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from pantel_export.__main__ import main
from pantel_export.context.merge import merge_context
from pantel_export.context.train import load_context
from pantel_export.errors import ExportError
from pantel_export.warm_start import load_warm_start

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
def test_the_weights_have_other_contexts_and_the_rest_of_them_stays(
    toy_artefacts: Path, run: Path, tmp_path: Path
) -> None:
    weights = toy_artefacts / "weights"
    arguments = ["--run", run, "--weights", weights, "--out", tmp_path / "merged"]
    assert main(["context", *map(str, arguments)]) == 0
    before, after = load_warm_start(weights), load_warm_start(tmp_path / "merged")
    others = {key for key in before if not key.startswith("context.")}
    assert others == {key for key in after if not key.startswith("context.")}
    assert all(torch.equal(before[key], after[key]) for key in others)
    for key, value in load_context(run)[0].state_dict().items():
        assert torch.allclose(after[f"context.{key}"], value, atol=1e-3)
    assert after["context.nets.0.hidden.bias"].numel() == 4


@pytest.mark.slow
def test_what_does_not_belong_together_is_refused(
    toy_artefacts: Path, run: Path, scene_run: Path, tmp_path: Path
) -> None:
    with pytest.raises(ExportError, match="is no run of the context networks"):
        merge_context(scene_run, toy_artefacts / "weights", tmp_path / "merged")
    with pytest.raises(ExportError, match="no checkpoint"):
        merge_context(run, tmp_path, tmp_path / "merged")

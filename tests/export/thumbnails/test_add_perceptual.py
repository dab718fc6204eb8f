"""The perceptual generator of thumbnails joins the artefact that has those thumbnails, and leaves with them."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import shutil
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from torch import Tensor

from pantel_codec import Part
from pantel_export.__main__ import main
from pantel_export.errors import ExportError
from pantel_export.model_card import with_perceptual_thumbnails
from pantel_export.thumbnails.add import add_perceptual_thumbnails
from pantel_export.thumbnails.crops import ObjectCrop
from pantel_export.thumbnails.perceptual import Onlookers, PerceptualThumbnailTrainer, load_perceptual_thumbnails
from pantel_export.thumbnails.settings import PerceptualThumbnailSettings
from pantel_export.thumbnails.shipped import PERCEPTUAL_ROLE, ShippedThumbnails
from pantel_models import SceneCodec, View, find_artefact, load_scene_codec
from pantel_models.thumbnails import Kind, Look, condition

NAME = find_artefact().name
FILE = f"{PERCEPTUAL_ROLE}.onnx"
HEADING = "## Perceptual generator of thumbnails\n"
PERSON, TALL = 1, 0


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def entry(artefacts: Path) -> Any:
    """Return what the manifest says of our artefact."""
    return next(each for each in read(artefacts / "manifest.json")["artefacts"] if each["name"] == NAME)


def codec(artefacts: Path, view: View) -> SceneCodec:
    return load_scene_codec(find_artefact(name=NAME, manifest=artefacts / "manifest.json"), view=view)


def looks(product: SceneCodec) -> list[Look]:
    """Return how three people look, of the second of whom only the core is known."""
    thumbnails = product.thumbnails
    pairs = []
    for row, latents in enumerate(np.random.default_rng(1).normal(0, 4, (3, 8)).astype(np.float32)):
        core, detail = (thumbnails.quantize(latents, TALL, part, 5, version=0)[0] for part in (Part.CORE, Part.DETAIL))
        pairs.append((core, detail if row != 1 else None))
    return [*thumbnails.decode_all(pairs[:2], TALL, PERSON), thumbnails.decode(*pairs[2], TALL, PERSON)]


def told(product: SceneCodec) -> list[Tensor]:
    """Return what the generator is given for `looks`."""
    thumbnails = product.thumbnails
    dequantized = np.zeros((3, 8), np.float32)
    for row, latents in enumerate(np.random.default_rng(1).normal(0, 4, (3, 8)).astype(np.float32)):
        for part in (Part.CORE, Part.DETAIL) if row != 1 else (Part.CORE,):
            members = thumbnails.model.members[TALL][part]
            symbols = thumbnails.quantize(latents, TALL, part, 5, version=0)[0].symbols
            dequantized[row, members] = thumbnails._steps[5, members] * symbols
    conditions = np.tile(condition(TALL, Kind.PERSON), (3, 1))
    side = np.array([[5 / 7, 1], [5 / 7, 0], [5 / 7, 1]], np.float32)
    return [torch.from_numpy(each) for each in (dequantized, conditions, side)]


def assert_same_looks(found: list[Look], expected: list[Look]) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.colour, other.colour)
        np.testing.assert_array_equal(one.alpha, other.alpha)


@pytest.fixture(scope="module")
def run(
    shipped: ShippedThumbnails,
    onlookers: Onlookers,
    crops: list[ObjectCrop],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Return the folder of a finished run with a long history, whose generator is far from the one it began as."""
    folder = tmp_path_factory.mktemp("perceptual") / "run"
    settings = PerceptualThumbnailSettings(steps=2, batch=3, warmup_steps=1, seed=6, generator_width=(8, 8, 6, 4))
    trainer = PerceptualThumbnailTrainer(settings, shipped, onlookers, crops, folder)
    trainer.run()
    for value in trainer.average.values():
        value.mul_(1.2)
    trainer.history = [{"step": step, "fidelity": 1.0} for step in range(9)]
    trainer.save()
    return folder


@pytest.fixture(scope="module")
def artefacts(bare: Path, run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the same with the perceptual generator, which the command line puts there."""
    folder = Path(shutil.copytree(bare, tmp_path_factory.mktemp("added") / "artefacts"))
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()) as said:
        warnings.simplefilter("ignore")  # the exporter of PyTorch warns about itself
        assert main(["perceptual-thumbnails", "--run", str(run), "--name", NAME, "--artefacts", str(folder)]) == 0
    assert said.getvalue().splitlines()[-1] == f"added the perceptual thumbnails of {run} to {NAME}"
    return folder


def test_the_product_paints_what_the_trained_generator_does(
    artefacts: Path, run: Path, rounded_to_half: Callable[[Any], Any]
) -> None:
    generator = rounded_to_half(load_perceptual_thumbnails(run)[0])
    product = codec(artefacts, View.PERCEPTUAL)
    with torch.no_grad():
        colour, alpha = generator(*told(product))
    for look, expected, mask in zip(looks(product), colour.clamp(0, 1).numpy(), alpha.numpy()[:, 0], strict=True):
        np.testing.assert_allclose(look.colour, 255 * expected.transpose(1, 2, 0), atol=0.05)
        np.testing.assert_allclose(look.alpha[8:56, 8:56], mask[8:56, 8:56], atol=1e-3)
        assert expected.std() > 0.05


def test_the_faithful_view_still_paints_with_the_faithful_generator(artefacts: Path, bare: Path) -> None:
    faithful = looks(codec(artefacts, View.FAITHFUL))
    assert_same_looks(faithful, looks(codec(bare, View.FAITHFUL)))
    for one, other in zip(faithful, looks(codec(artefacts, View.PERCEPTUAL)), strict=True):
        assert abs(one.colour - other.colour).mean() > 5


def test_without_a_perceptual_generator_of_thumbnails_the_faithful_one_paints_them(bare: Path) -> None:
    instead = codec(bare, View.PERCEPTUAL)
    assert instead.view is View.PERCEPTUAL
    assert_same_looks(looks(instead), looks(codec(bare, View.FAITHFUL)))


def test_an_artefact_without_the_perceptual_view_paints_thumbnails_faithfully(artefacts: Path) -> None:
    """Such as one whose scene codec was made anew, until it has the perceptual generator of that."""
    faithful = codec(artefacts, View.FAITHFUL)
    files = {role: name for role, name in faithful.artefact.files.items() if role != "perceptual"}
    instead = load_scene_codec(replace(faithful.artefact, files=files), view=View.PERCEPTUAL)
    assert instead.view is View.FAITHFUL
    assert_same_looks(looks(instead), looks(faithful))


def test_the_other_files_stay(artefacts: Path, bare: Path) -> None:
    before, after = (read(folder / "manifest.json")["artefacts"] for folder in (bare, artefacts))
    assert after[0] == before[0]
    assert after[0]["name"] == "other"
    data = (artefacts / NAME / FILE).read_bytes()
    file = {"name": FILE, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    assert entry(artefacts) == entry(bare) | {"files": entry(bare)["files"] | {PERCEPTUAL_ROLE: file}}
    for each in entry(bare)["files"].values():
        assert (artefacts / NAME / each["name"]).read_bytes() == (bare / NAME / each["name"]).read_bytes()
    ours, theirs = (find_artefact(name=NAME, manifest=folder / "manifest.json") for folder in (artefacts, bare))
    ours.check()
    assert ours.hash == theirs.hash
    assert {path.name for path in ours.folder.iterdir()} == {path.name for path in theirs.folder.iterdir()} | {FILE}


def test_record_and_card_say_how_it_was_made(artefacts: Path, bare: Path, run: Path) -> None:
    record = read(artefacts / NAME / "record.json")
    ours = record.pop("perceptual_thumbnails")
    assert record == read(bare / NAME / "record.json")
    trained = read(run / "record.json")
    assert len(trained["history"]) == 9
    del trained["thumbnails"]  # that is the rest of the record
    assert ours == trained | {"history": trained["history"][-5:]}
    card, before = ((folder / NAME / "CARD.md").read_text() for folder in (artefacts, bare))
    assert card == with_perceptual_thumbnails(before, ours) != before
    assert card.startswith(before.rstrip())
    assert card.count(HEADING) == 1
    assert "2 steps of 3, seed 6" in card


def test_what_does_not_belong_together_is_refused(bare: Path, run: Path, thumbnail_run: Path, tmp_path: Path) -> None:
    manifest = (bare / "manifest.json").read_bytes()
    with pytest.raises(ExportError, match="there is no artefact nothing in"):
        add_perceptual_thumbnails(run, "nothing", bare)
    with pytest.raises(ExportError, match="train first"):
        add_perceptual_thumbnails(tmp_path, NAME, bare)
    with pytest.raises(ExportError, match="is no run of the perceptual generator of thumbnails"):
        add_perceptual_thumbnails(thumbnail_run, NAME, bare)
    assert (bare / "manifest.json").read_bytes() == manifest
    assert not (bare / NAME / FILE).exists()


def test_a_generator_for_other_thumbnails_is_refused(bare: Path, run: Path, tmp_path: Path) -> None:
    """Even if those had the same settings: of another training come other latents."""
    folder = Path(shutil.copytree(bare, tmp_path / "artefacts"))
    generator = onnx.load(str(folder / NAME / "thumbnail_generator.onnx"))
    generator.producer_version = "another training"
    (folder / NAME / "thumbnail_generator.onnx").write_bytes(generator.SerializeToString())
    with pytest.raises(ExportError, match=f"was trained for other thumbnails than those of {NAME}"):
        add_perceptual_thumbnails(run, NAME, folder)
    record = read(folder / NAME / "record.json")
    del record["thumbnails"]
    (folder / NAME / "record.json").write_text(json.dumps(record))
    with pytest.raises(ExportError, match=f"{NAME} has no thumbnails"):
        add_perceptual_thumbnails(run, NAME, folder)
    assert entry(folder) == entry(bare)
    assert not (folder / NAME / FILE).exists()


def test_it_leaves_with_the_thumbnails_that_it_belonged_to(
    artefacts: Path, bare: Path, add_again: Callable[[Path], None], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(artefacts, tmp_path / "artefacts"))
    add_again(folder)
    assert not (folder / NAME / FILE).exists()
    assert entry(folder)["files"].keys() == entry(bare)["files"].keys()
    assert read(folder / NAME / "record.json") == read(bare / NAME / "record.json")
    assert (folder / NAME / "CARD.md").read_text() == (bare / NAME / "CARD.md").read_text()
    instead = codec(folder, View.PERCEPTUAL)
    instead.artefact.check()
    assert_same_looks(looks(instead), looks(codec(folder, View.FAITHFUL)))

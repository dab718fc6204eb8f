"""From a training run to an artefact that the product can use, with a network of toy size."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from pantel_codec import VALUE_ONE, EntropyModel, Step
from pantel_export import build
from pantel_export.data import PhotoSet
from pantel_export.integer_context import context_arrays
from pantel_export.networks import SceneNetworks
from pantel_export.settings import TrainSettings
from pantel_export.tables import fit_counts, logistic_counts
from pantel_export.thumbnails.add import thumbnails_of
from pantel_export.thumbnails.settings import PerceptualThumbnailSettings, ThumbnailSettings
from pantel_export.thumbnails.shipped import PERCEPTUAL_ROLE, THUMBNAIL_ROLES
from pantel_models import find_artefact, load_scene_codec, macs_per_pixel
from pantel_models.still import StillCodec

QUALITIES = 32
PAINTED = b"perceptual thumbnails"


def test_the_integer_context_predicts_what_the_trained_one_does(settings: TrainSettings) -> None:
    model = SceneNetworks(settings.network).context
    generator = torch.Generator().manual_seed(1)
    for parameter in model.parameters():  # the fresh head is zero and would hide differences
        parameter.data = torch.randn(parameter.shape, generator=generator) * 0.2
    arrays = {
        "groups": np.array(settings.network.groups, np.int32),
        "residual_counts": logistic_counts(),
        **context_arrays(model, QUALITIES),
    }
    targets = torch.from_numpy(np.random.default_rng(2).normal(0, 3, (1, 5, 3, 6))).float()
    quality = 11
    with torch.no_grad():
        coded = model(targets, torch.ones(1, 2, 3, 6), torch.tensor([quality / (QUALITIES - 1)]))
    mean, log_scale, values = (x[0].flatten(1).numpy() for x in (coded.mean, coded.log_scale, coded.values))
    seen = []

    def compare(step: Step) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
        expected_mean, expected_scale, expected = (x[step.channels, step.cells] for x in (mean, log_scale, values))
        assert np.all(np.abs(step.mean / VALUE_ONE - expected_mean) < 0.02)
        inside = (step.table > 0) & (step.table < 47)
        assert np.all(np.abs(-3 + (step.table + 0.5) / 8 - expected_scale)[inside] < 1 / 16 + 0.02)
        seen.append(step.group)
        residual = expected - expected_mean
        assert np.all(np.abs(residual - np.rint(residual)) < 1e-4)
        return np.asarray(np.rint(residual), np.int64)

    EntropyModel(arrays).walk(3, 6, quality, 2, compare)
    assert seen == [0] * 10 + [1, 1]  # the first group has two slices, in five stages


def test_fitted_tables_follow_what_was_observed() -> None:
    observed = np.zeros((48, 33), np.int64)
    observed[20, 18] = 100_000
    counts = fit_counts(observed)
    assert counts.min() >= 1
    assert counts[20, 18] == counts[20, 14] == counts[20].max()
    assert (
        np.array_equal(counts[5], logistic_counts()[5]) or abs(int(counts[5, 16]) - int(logistic_counts()[5, 16])) < 9
    )


@pytest.fixture
def replaced(tmp_path: Path) -> Path:
    """Return the folder of an artefact that has thumbnails, those that are shipped."""
    folder = tmp_path / "artefacts" / "toy"
    folder.mkdir(parents=True)
    shipped = find_artefact()
    np.savez(folder / "tables.npz", **dict(thumbnails_of(shipped.folder / "tables.npz")))  # type: ignore[arg-type]
    for role in THUMBNAIL_ROLES:
        (folder / f"{role}.onnx").write_bytes(shipped.read(role))
    (folder / f"{PERCEPTUAL_ROLE}.onnx").write_bytes(PAINTED)
    thumbnails = {
        "objects": 7,
        "objects_sha256": "5e55",
        "sources": [{"folder": "street", "objects": 7}],
        "settings": ThumbnailSettings().model_dump(mode="json"),
    }
    settings = PerceptualThumbnailSettings().model_dump(mode="json")
    perceptual = {
        "objects": 42,
        "objects_sha256": "0b1ec75",
        "step": 765,
        "pictures": 89,
        "detectors": ["one.onnx"],
        "settings": settings,
    }
    record = {"step": 1, "thumbnails": thumbnails, "perceptual_thumbnails": perceptual}
    (folder / "record.json").write_text(json.dumps(record))
    return folder


@pytest.mark.slow
def test_an_exported_artefact_encodes_and_decodes(
    photos: PhotoSet, scene_run: Path, replaced: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It keeps the thumbnails of the artefact that it replaces, and their perceptual generator."""
    before = json.loads((replaced / "record.json").read_text())
    monkeypatch.setattr(build, "_FIT_PICTURES", 50)
    monkeypatch.setattr(build, "_FIT_CROP_PX", 96)
    monkeypatch.setattr(build, "_CALIBRATION_PICTURES", 4)
    with pytest.warns():  # the exporter of PyTorch warns about itself
        folder = build.build_artefact(scene_run, "toy", photos, replaced.parent, tmp_path / "weights")
    assert folder == replaced
    kept = (*THUMBNAIL_ROLES, PERCEPTUAL_ROLE)
    files = {"encoder.onnx", "faithful.onnx", "tables.npz", *(f"{role}.onnx" for role in kept)}
    assert {p.name for p in folder.iterdir()} == files | {"CARD.md", "record.json"}
    card, record = (folder / "CARD.md").read_text(), json.loads((folder / "record.json").read_text())
    assert "7 people, vehicles and animals (SHA-256 of all: `5e55`)" in card
    assert "before 89 photographs;\n765 steps of 16, seed 1" in card
    assert record["step"] == 4
    for key in ("thumbnails", "perceptual_thumbnails"):
        assert record[key] == before[key]
    artefact = find_artefact(name="toy", manifest=replaced.parent / "manifest.json")
    artefact.check()
    assert set(artefact.files.values()) == files
    for role in THUMBNAIL_ROLES:
        assert artefact.read(role) == find_artefact().read(role)
    assert artefact.read(PERCEPTUAL_ROLE) == PAINTED
    scene = load_scene_codec(artefact)
    assert scene.thumbnails.model.coefficients == load_scene_codec(find_artefact()).thumbnails.model.coefficients
    codec = StillCodec(scene)
    picture = photos.batch(size=1, crop_px=96, seed=9, step=9).pixels[0]
    data = codec.encode(picture, 100)
    decoded = codec.decode(data)
    assert len(data) <= 100
    assert decoded.complete
    assert decoded.pixels.shape == picture.shape
    assert 0 < macs_per_pixel(folder / "faithful.onnx") < 2000

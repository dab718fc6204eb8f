"""From a training run to an artefact that the product can use, with a network of toy size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from pantel_codec import EntropyModel, Step
from pantel_export import build
from pantel_export.add_thumbnails import thumbnails_of
from pantel_export.data import PhotoSet
from pantel_export.integer_context import context_arrays
from pantel_export.settings import TrainSettings
from pantel_export.tables import fit_counts, logistic_counts
from pantel_export.train import Trainer
from pantel_models import find_artefact, load_scene_codec, macs_per_pixel
from pantel_models.still import StillCodec

QUALITIES = 32


def test_the_integer_context_predicts_what_the_trained_one_does(photos: PhotoSet, settings: TrainSettings) -> None:
    trainer = Trainer(settings, photos, Path())
    model = trainer.networks.context
    generator = torch.Generator().manual_seed(1)
    for parameter in model.parameters():  # the fresh head is zero and would hide differences
        parameter.data = torch.randn(parameter.shape, generator=generator) * 0.2
    arrays = {
        "groups": np.array(settings.network.groups, np.int32),
        "residual_counts": logistic_counts(),
        **context_arrays(model, QUALITIES),
    }
    symbols = np.random.default_rng(2).integers(-4, 5, (5, 3, 6))
    quality = 11
    with torch.no_grad():
        mean, log_scale = model(
            torch.from_numpy(symbols).float()[None], torch.ones(1, 2, 3, 6), torch.tensor([quality / (QUALITIES - 1)])
        )
    seen = []

    def compare(step: Step) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
        expected_mean = mean[0].flatten(1).numpy()[step.channels][:, step.cells]
        expected_scale = log_scale[0].flatten(1).numpy()[step.channels][:, step.cells]
        level, offset = np.divmod(step.table, 8)
        assert np.all(np.abs(step.center + (offset + 0.5) / 8 - 0.5 - expected_mean) < 1 / 16 + 0.02)
        inside = (level > 0) & (level < 47)
        assert np.all(np.abs(-3 + (level + 0.5) / 8 - expected_scale)[inside] < 1 / 16 + 0.02)
        seen.append(step.group)
        return symbols.reshape(5, -1)[step.channels][:, step.cells]

    EntropyModel(arrays).walk(3, 6, quality, range(2), compare)
    assert seen == [0, 0, 0, 0, 0, 1, 1]


def test_fitted_tables_follow_what_was_observed() -> None:
    observed = np.zeros((384, 33), np.int64)
    observed[100, 17] = 100_000
    counts = fit_counts(observed)
    assert counts.min() >= 1
    assert counts[100].argmax() == 17
    mirror = 100 // 8 * 8 + 7 - 100 % 8
    assert counts[mirror].argmax() == 15
    assert (
        np.array_equal(counts[5], logistic_counts()[5]) or abs(int(counts[5, 16]) - int(logistic_counts()[5, 16])) < 9
    )


@pytest.mark.slow
def test_an_exported_artefact_encodes_and_decodes(
    photos: PhotoSet, settings: TrainSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It keeps the thumbnails of the artefact that it replaces."""
    monkeypatch.setattr(build, "_FIT_PICTURES", 50)
    monkeypatch.setattr(build, "_FIT_CROP_PX", 96)
    monkeypatch.setattr(build, "_CALIBRATION_PICTURES", 4)
    older = tmp_path / "artefacts" / "toy"
    older.mkdir(parents=True)
    np.savez(older / "tables.npz", **dict(thumbnails_of(find_artefact().folder / "tables.npz")))  # type: ignore[arg-type]
    (older / "record.json").write_text('{"thumbnails": [{"photos": "a", "boxes": "b", "objects": 7}]}')
    Trainer(settings, photos, tmp_path / "run").run()
    with pytest.warns():  # the exporter of PyTorch warns about itself
        folder = build.build_artefact(tmp_path / "run", "toy", photos, tmp_path / "artefacts", tmp_path / "weights")
    assert {p.name for p in folder.iterdir()} == {
        "CARD.md",
        "encoder.onnx",
        "faithful.onnx",
        "record.json",
        "tables.npz",
    }
    assert "* `a` with the boxes of `b`: 7" in (folder / "CARD.md").read_text()
    artefact = find_artefact(name="toy", manifest=tmp_path / "artefacts" / "manifest.json")
    codec = StillCodec(load_scene_codec(artefact))
    picture = photos.batch(size=1, crop_px=96, seed=9, step=9).pixels[0]
    data = codec.encode(picture, 100)
    decoded = codec.decode(data)
    assert len(data) <= 100
    assert decoded.complete
    assert decoded.pixels.shape == picture.shape
    assert 0 < macs_per_pixel(folder / "faithful.onnx") < 2000

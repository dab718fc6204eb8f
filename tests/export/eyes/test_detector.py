"""From pictures to a file that the sender reads: training, export in int8, and the same boxes on both sides."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from tests.export.eyes.conftest import photo_folder

from pantel_device.observer.detectors import OnnxDetector
from pantel_export.__main__ import main
from pantel_export.errors import RunError
from pantel_export.eyes.add import export_detector
from pantel_export.eyes.material import DetectionMaterial
from pantel_export.eyes.network import Detector, cell_centres
from pantel_export.eyes.objective import to_boxes
from pantel_export.eyes.settings import DetectorSettings, DetectorShape
from pantel_export.eyes.train import DetectorTrainer, load_detector, load_weights
from pantel_models import find_detector

_SMALL = DetectorShape(widths=(4, 8, 8, 8, 8), depths=(1, 1, 1, 1), neck=8, head=8)
_SETTINGS = DetectorSettings(
    steps=4, batch=2, side_px=96, warmup_steps=1, plain_steps=1, network=_SMALL, learning_rate=1e-3
)


def test_a_run_goes_on_where_it_stopped(squares: DetectionMaterial, tmp_path: Path) -> None:
    whole = DetectorTrainer(_SETTINGS, squares, tmp_path / "whole")
    whole.run()
    half = DetectorTrainer(_SETTINGS.model_copy(update={"steps": 2, "schedule_steps": 4}), squares, tmp_path / "half")
    assert half.schedule_steps == 4
    with pytest.raises(RunError, match="no checkpoint"):
        load_detector(tmp_path / "half")
    network, settings, record = load_detector(tmp_path / "whole")
    assert settings == _SETTINGS
    assert record["material"]["photos"]["pictures"] == 12
    for name, weight in network.state_dict().items():
        np.testing.assert_allclose(weight.numpy(), whole.average[name].numpy(), atol=1e-6)
    again = DetectorTrainer(_SETTINGS, squares, tmp_path / "whole")
    assert again.resume()
    assert again.step == 4


def test_training_lowers_the_loss(squares: DetectionMaterial, tmp_path: Path) -> None:
    settings = _SETTINGS.model_copy(update={"steps": 80, "batch": 4, "warmup_steps": 5, "learning_rate": 3e-3})
    trainer = DetectorTrainer(settings, squares, tmp_path)
    losses = []
    for _ in range(80):
        losses.append(trainer._train_step()["loss"])
        trainer.step += 1
    assert np.mean(losses[-20:]) < 0.8 * np.mean(losses[:20])


@pytest.fixture(scope="module")
def network() -> Detector:
    torch.manual_seed(0)
    network: Detector = Detector(_SMALL)
    network.train()
    with torch.no_grad():
        for _ in range(20):
            network(torch.rand(2, 3, 96, 96))
    network.eval()
    return network


def test_normalization_is_folded_into_the_convolutions(network: Detector) -> None:
    x = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        for ours, theirs in zip(network(x), network.fused()(x), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_the_exported_graph_tells_what_the_network_tells(network: Detector, tmp_path: Path) -> None:
    calibration = [np.random.default_rng(index).random((1, 3, 96, 96), np.float32) for index in range(8)]
    int8, plain = export_detector(network, calibration)
    import onnxruntime

    for size in ((96, 96), (64, 128)):
        x = np.random.default_rng(5).random((1, 3, *size), np.float32)
        with torch.no_grad():
            logits, distances = network(torch.from_numpy(x))
        centres, strides = cell_centres(*size)
        boxes = to_boxes(distances, centres, strides)[0].numpy()
        (told,) = onnxruntime.InferenceSession(plain).run(None, {"images": x})
        np.testing.assert_allclose(told[0, 4:].T, logits[0].sigmoid(), atol=1e-4)
        centre, extent = told[0, :2].T, told[0, 2:4].T
        np.testing.assert_allclose(np.hstack([centre - extent / 2, centre + extent / 2]), boxes, atol=0.01)
        (coarse,) = onnxruntime.InferenceSession(int8).run(None, {"images": x})
        assert np.abs(coarse[0, 4:] - told[0, 4:]).mean() < 0.02
    path = tmp_path / "detector.onnx"
    path.write_bytes(int8)
    detector = OnnxDetector(path)
    assert detector.labels == ("person", "bicycle", "car", "vehicle", "animal")
    assert detector.layout.name.startswith("YOLOv8")
    assert detector.graph.size_for((320, 240)) == (320, 256)


def test_a_run_becomes_a_shipped_detector(squares: DetectionMaterial, tmp_path: Path) -> None:
    settings = _SETTINGS.model_copy(update={"steps": 30, "learning_rate": 3e-3, "ema_decay": 0.5})
    DetectorTrainer(settings, squares, tmp_path / "run").run()
    photos, artefacts = tmp_path / "photos", tmp_path / "artefacts"
    photos.mkdir()
    artefacts.mkdir()
    (artefacts / "manifest.json").write_text('{"artefacts": []}')
    command = ["detector", "--run", str(tmp_path / "run"), "--name", "eyes-test", "--artefacts", str(artefacts)]
    command += ["--weights", str(tmp_path / "weights")]
    assert main([*command, "--photos", str(photo_folder(squares, photos))]) == 0
    found = find_detector(manifest=artefacts / "manifest.json")
    assert found.name == "eyes-test"
    assert OnnxDetector(found.path("detector")).detect(squares.pictures[0].pixels) is not None
    assert json.loads((artefacts / "eyes-test" / "record.json").read_text())["step"] == 30
    again = DetectorTrainer(_SETTINGS, squares, tmp_path / "again")
    again.warm_start(load_weights(tmp_path / "weights"))
    for name, weight in load_weights(tmp_path / "run").items():
        np.testing.assert_allclose(again.average[name].numpy(), weight.numpy(), rtol=0.01, atol=1e-4)
    assert "| `photos` | 12 |" in (artefacts / "eyes-test" / "CARD.md").read_text()

"""Detectors as PyTorch networks, against ONNX Runtime on graphs of their layouts with weights that mean nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from pantel_export.detector_network import DetectorNetwork, Verdict, verdict_loss
from pantel_export.errors import DataError

LAYOUTS = ("yolox", "fastest_det")
SHARED = Path(__file__).parents[3] / "shared" / "data" / "weights"


def picture(side_px: int) -> NDArray[np.float32]:
    return np.random.default_rng(1).random((1, 3, side_px, side_px), np.float32)


def expected(path: Path, rgb: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what ONNX Runtime makes of a picture: scores and boxes."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    fastest = len(session.get_outputs()[0].shape) == 4
    bgr = np.ascontiguousarray(rgb[:, ::-1]) * np.float32(1 if fastest else 255)
    output = session.run(None, {session.get_inputs()[0].name: bgr})[0]
    if not fastest:
        return output[0, :, 4:5] * output[0, :, 5:], output[0, :, :4]
    cells = output.reshape(85, -1).T
    return cells[:, :1] ** 0.6 * cells[:, 5:] ** 0.4, cells[:, 1:5]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_it_sees_what_the_detector_sees(detector_files: dict[str, Path], layout: str) -> None:
    network = DetectorNetwork(detector_files[layout])
    x = picture(network.side_px)
    with torch.no_grad():
        verdict = network(torch.from_numpy(x))
    scores, boxes = expected(detector_files[layout], x)
    assert scores.std() > 0.01
    np.testing.assert_allclose(verdict.scores.numpy(), scores, rtol=1e-3, atol=4e-3)  # roots of nothing end at 0.004
    np.testing.assert_allclose(verdict.boxes.numpy(), boxes, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["yolox_nano.onnx", "FastestDet.onnx"])
def test_real_detectors_see_the_same(name: str) -> None:
    if not (SHARED / name).exists():
        pytest.skip(f"{name} is not there; the graphs above are made of the same parts")
    network = DetectorNetwork(SHARED / name)
    with torch.no_grad():
        verdict = network(torch.from_numpy(picture(network.side_px)))
    scores, boxes = expected(SHARED / name, picture(network.side_px))
    np.testing.assert_allclose(verdict.scores.numpy(), scores, atol=4e-3)
    np.testing.assert_allclose(verdict.boxes.numpy(), boxes, atol=1e-3)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_gradients_reach_the_picture(detector_files: dict[str, Path], layout: str) -> None:
    network = DetectorNetwork(detector_files[layout])
    assert not list(network.parameters())
    x = torch.from_numpy(picture(network.side_px)).double().requires_grad_()
    network.double()
    slope = torch.autograd.grad(network(x).scores.sum(), x)[0]
    step = 1e-3 * slope / slope.norm()
    with torch.no_grad():
        change = network(x + step).scores.sum() - network(x - step).scores.sum()
    assert float(change) == pytest.approx(2e-3 * float(slope.norm()), rel=0.02)


def write_single(path: Path, kind: str) -> None:
    """Write a graph of one operation."""
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, 32, 32]) for name in ("images", "output")]
    graph = helper.make_graph([helper.make_node(kind, ["images"], ["output"])], "single", values[:1], values[1:])
    onnx.save(helper.make_model(graph), path)


def test_what_is_no_known_detector_is_refused(tmp_path: Path) -> None:
    noise = tmp_path / "noise.onnx"
    noise.write_bytes(b"\xff no graph")
    with pytest.raises(DataError, match=r"noise\.onnx cannot be read"):
        DetectorNetwork(noise)
    with pytest.raises(DataError, match=r"nowhere\.onnx cannot be read"):
        DetectorNetwork(tmp_path / "nowhere.onnx")
    write_single(tmp_path / "strange.onnx", "Erf")
    with pytest.raises(DataError, match="operations that are not known: Erf"):
        DetectorNetwork(tmp_path / "strange.onnx")
    write_single(tmp_path / "other.onnx", "Relu")
    with pytest.raises(DataError, match="no YOLOX or FastestDet export"):
        DetectorNetwork(tmp_path / "other.onnx")


def verdict(*found: tuple[int, int, float], boxes: float = 0.0) -> Verdict:
    """Return what a detector says that finds classes with scores in some of ten cells, and all boxes alike."""
    scores = torch.full((10, 80), 1e-3)
    for cell, class_id, score in found:
        scores[cell, class_id] = score
    return Verdict(scores, torch.full((10, 4), boxes))


def test_the_loss_is_what_is_no_longer_recognized() -> None:
    person = verdict((3, 0, 0.8))
    assert float(verdict_loss(person, person)) == pytest.approx(0, abs=1e-5)
    lost, weaker = (float(verdict_loss(person, verdict((3, 0, score)))) for score in (0.01, 0.5))
    assert lost > 4 * weaker > 0.1
    elsewhere = float(verdict_loss(person, verdict((4, 0, 0.8))))
    assert elsewhere > lost
    bus, truck, cat = (verdict((3, class_id, 0.8)) for class_id in (5, 7, 15))
    assert float(verdict_loss(bus, truck)) == pytest.approx(0, abs=1e-5)  # within a kind no class is wrong
    assert float(verdict_loss(bus, cat)) > lost


def test_the_loss_knows_of_boxes_and_of_what_was_not_there() -> None:
    person, nothing = verdict((3, 0, 0.8)), verdict()
    shifts = [float(verdict_loss(person, verdict((3, 0, 0.8), boxes=shift))) for shift in (0.1, 0.5, 2.0)]
    assert 0 < shifts[0] < shifts[1] < shifts[2]
    assert float(verdict_loss(nothing, verdict(boxes=2.0))) < 0.02  # where nothing is, no box matters
    invented = float(verdict_loss(nothing, verdict((5, 0, 0.9))))
    assert 0 < invented < 0.3 * float(verdict_loss(person, nothing))

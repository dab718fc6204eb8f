"""YOLOX exports: decoding against a graph whose output is known, and the layouts that are refused."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from pantel_device.errors import DetectorError
from pantel_device.observer import open_detector
from pantel_device.observer.coco import COCO_CLASSES, LIVING_AND_VEHICLES
from pantel_device.observer.yolox import YoloxDetector

WEIGHTS = Path(__file__).parents[3] / "shared" / "data" / "weights" / "yolox_nano.onnx"
CLIPS = Path(__file__).parents[3] / "shared" / "data" / "clips"
CELLS_64 = 8 * 8 + 4 * 4 + 2 * 2


def _write_model(
    path: Path, answer: NDArray[np.float32], *, input_shape: tuple[int | str, ...] = (1, 3, 64, 64)
) -> Path:
    """Write a graph that answers every picture alike: the sum of the input, times 0, plus the answer."""
    axes = numpy_helper.from_array(np.array([1, 2, 3], np.int64), "axes")
    constants = [
        axes,
        numpy_helper.from_array(np.zeros((), np.float32), "zero"),
        numpy_helper.from_array(answer, "answer"),
    ]
    nodes = [
        helper.make_node("ReduceSum", ["images", "axes"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["sum", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "answer"], ["output"]),
    ]
    graph = helper.make_graph(
        nodes,
        "constant",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, input_shape)],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, answer.shape)],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.save(model, path)
    return path


def _answer(classes: int = 80) -> NDArray[np.float32]:
    return np.zeros((1, CELLS_64, 5 + classes), np.float32)


def test_boxes_are_decoded_and_scaled_to_the_picture(tmp_path: Path) -> None:
    answer = _answer()
    # Stride 16, row 1, column 2: centre (2.5, 1.25) cells, 2 x 1 cells; objectness 0.8, a dog with 0.9.
    answer[0, 64 + 4 * 1 + 2, :5] = 0.5, 0.25, np.log(2), 0, 0.8
    answer[0, 64 + 4 * 1 + 2, 5 + COCO_CLASSES.index("dog")] = 0.9
    detector = YoloxDetector(_write_model(tmp_path / "model.onnx", answer))
    (box,) = detector.detect(np.zeros((96, 128, 3), np.uint8))  # the input is half as large
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((48, 24, 112, 56), abs=1e-4)
    assert (box.label, box.source) == ("dog", "detector")
    assert box.score == pytest.approx(0.72)


def test_boxes_are_clipped_to_the_picture(tmp_path: Path) -> None:
    answer = _answer()
    answer[0, 0, :5] = 0, 0, 5, 5, 1
    answer[0, 0, 5] = 1
    (box,) = YoloxDetector(_write_model(tmp_path / "model.onnx", answer)).detect(np.zeros((30, 64, 3), np.uint8))
    assert (box.x0, box.y0, box.x1, box.y1) == (0, 0, 64, 30)


def test_weaker_of_two_boxes_is_dropped_within_a_class_only(tmp_path: Path) -> None:
    answer = _answer()
    for cell, label, score in ((0, "person", 0.9), (1, "person", 0.8), (2, "car", 0.7)):
        answer[0, cell, :5] = 4 - cell, 4, np.log(4), np.log(4), 1  # all around (4, 4) cells
        answer[0, cell, 5 + COCO_CLASSES.index(label)] = score
    boxes = YoloxDetector(_write_model(tmp_path / "model.onnx", answer)).detect(np.zeros((64, 64, 3), np.uint8))
    assert sorted((box.label, round(box.score, 3)) for box in boxes) == [("car", 0.7), ("person", 0.9)]


def test_furniture_is_ignored_and_other_class_lists_are_not(tmp_path: Path) -> None:
    answer = _answer()
    answer[0, 0, 4], answer[0, 0, 5 + COCO_CLASSES.index("couch")] = 1, 1
    assert YoloxDetector(_write_model(tmp_path / "coco.onnx", answer)).detect(np.zeros((64, 64, 3), np.uint8)) == ()
    answer = _answer(classes=3)
    answer[0, 0, 4], answer[0, 0, 5 + 2] = 1, 1
    (box,) = YoloxDetector(_write_model(tmp_path / "own.onnx", answer)).detect(np.zeros((64, 64, 3), np.uint8))
    assert box.label == "class 2"
    assert {"person", "boat", "bird", "giraffe"} <= LIVING_AND_VEHICLES
    assert not {"traffic light", "bench", "backpack"} & LIVING_AND_VEHICLES


def test_letterbox_is_bgr_at_the_upper_left(tmp_path: Path) -> None:
    detector = YoloxDetector(_write_model(tmp_path / "model.onnx", _answer()))
    pixels = np.zeros((32, 128, 3), np.uint8)
    pixels[:] = 10, 20, 30
    x = detector._letterbox(pixels, 0.5)
    assert x.shape == (1, 3, 64, 64)
    assert x.dtype == np.float32
    assert x[0, :, 15, 63].tolist() == [30, 20, 10]
    assert x[0, :, 16, 0].tolist() == [114, 114, 114]


def test_no_name_is_no_detector() -> None:
    assert open_detector("") is None


def test_missing_detector_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DetectorError, match=r"cannot be read \(No such file .*; correct its path or leave it empty"):
        open_detector(str(tmp_path / "missing.onnx"))


def test_noise_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "noise.onnx").write_bytes(np.random.default_rng(0).bytes(1000))
    with pytest.raises(DetectorError, match=r"cannot be loaded by onnxruntime.*; name a YOLOX export") as caught:
        open_detector(str(tmp_path / "noise.onnx"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("input_shape", "output_shape"),
    [
        ((1, 3, 64, 64), (1, CELLS_64, 5)),
        ((1, 3, 64, 64), (1, CELLS_64 - 1, 85)),
        ((1, 3, 64, 64), (1, 85, CELLS_64)),
        ((1, 3, 64, 64), (1, 85, 22, 22)),
        ((1, 1, 64, 64), (1, CELLS_64, 85)),
        ((1, 3, 60, 64), (1, CELLS_64, 85)),
        ((1, 3, "height", "width"), (1, CELLS_64, 85)),
    ],
)
def test_other_layouts_are_refused(
    tmp_path: Path, input_shape: tuple[int | str, ...], output_shape: tuple[int, ...]
) -> None:
    path = _write_model(tmp_path / "model.onnx", np.zeros(output_shape, np.float32), input_shape=input_shape)
    with pytest.raises(DetectorError, match=r"is no YOLOX export: .* export it with YOLOX's export_onnx") as caught:
        open_detector(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not WEIGHTS.exists(), reason="the third-party weights are not part of the repository")
def test_yolox_nano_finds_the_walker() -> None:
    capture = cv2.VideoCapture(str(CLIPS / "intel_onebyone_768x432.mp4"))
    capture.set(cv2.CAP_PROP_POS_FRAMES, 150)
    _, picture = capture.read()
    detector = open_detector(str(WEIGHTS))
    assert detector is not None
    boxes = detector.detect(np.ascontiguousarray(picture[..., ::-1]))
    assert [box.label for box in boxes] == ["person"]
    assert boxes[0].x0 == pytest.approx(383, abs=15)
    assert boxes[0].y1 == pytest.approx(402, abs=15)

"""What a detector hands on: which boxes, of which pictures, and that nothing a graph returns can upset it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from onnx import TensorProto
from tests.device.observer.graphs import (
    CELLS,
    SIDE_PX,
    Array,
    write_bright_finder,
    write_constant,
    yolov8_answer,
    yolox_answer,
)

from pantel_device.errors import DetectorError
from pantel_device.observer import open_detector
from pantel_device.observer.coco import COCO_CLASSES
from pantel_device.observer.detectors import OnnxDetector

OWN_NAMES = {"names": "{0: 'person', 1: 'bicycle', 2: 'car', 3: 'vehicle', 4: 'animal'}"}
BLACK = np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8)


def _detector(path: Path, answer: Array, *, min_score: float = 0.35) -> OnnxDetector:
    return OnnxDetector(write_constant(path / "model.onnx", answer), min_score=min_score)


def test_no_name_is_no_detector() -> None:
    assert open_detector("") is None


def test_boxes_are_decoded_and_scaled_to_the_picture(tmp_path: Path) -> None:
    answer = yolox_answer()
    # Stride 16, row 1, column 2: centre (2.5, 1.25) cells, 2 x 1 cells; objectness 0.8, a dog with 0.9.
    answer[0, 144 + 6 * 1 + 2, :5] = 0.5, 0.25, np.log(2), 0, 0.8
    answer[0, 144 + 6 * 1 + 2, 5 + COCO_CLASSES.index("dog")] = 0.9
    (box,) = _detector(tmp_path, answer).detect(np.zeros((144, 192, 3), np.uint8))  # the input is half as large
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((48, 24, 112, 56), abs=1e-4)
    assert (box.label, box.source) == ("dog", "detector")
    assert box.score == pytest.approx(0.72)


def test_boxes_are_clipped_to_the_picture_and_dropped_beyond_it(tmp_path: Path) -> None:
    answer = yolov8_answer(([0, 0, 500, 500], 0, 0.9), ([48, 20, 90, 8], 2, 0.9), ([-9, 9, 8, 8], 7, 0.9))
    boxes = _detector(tmp_path, answer).detect(np.zeros((48, SIDE_PX, 3), np.uint8))
    # The picture lies in the middle of the input, from 24 to 72, so the second box is in the padding.
    assert [(box.label, box.x0, box.y0, box.x1, box.y1) for box in boxes] == [("person", 0, 0, SIDE_PX, 48)]


def test_weaker_of_two_boxes_is_dropped_within_a_class_only(tmp_path: Path) -> None:
    answer = yolov8_answer(
        ([40, 40, 30, 30], 0, 0.9), ([42, 40, 30, 30], 0, 0.8), ([41, 40, 30, 30], 2, 0.7), ([70, 40, 30, 30], 0, 0.6)
    )
    boxes = _detector(tmp_path, answer).detect(BLACK)
    assert [(box.label, round(box.score, 3)) for box in boxes] == [("person", 0.9), ("car", 0.7), ("person", 0.6)]


def test_furniture_is_ignored_and_does_not_hide_a_person(tmp_path: Path) -> None:
    answer = yolov8_answer(([40, 40, 30, 30], COCO_CLASSES.index("couch"), 0.9))
    assert _detector(tmp_path, answer).detect(BLACK) == ()
    answer[0, 4, 0] = 0.5  # a person, less surely
    (box,) = _detector(tmp_path, answer).detect(BLACK)
    assert (box.label, box.score) == ("person", 0.5)


def test_weak_boxes_are_handed_on_to_who_asks_for_them(tmp_path: Path) -> None:
    path = write_constant(tmp_path / "model.onnx", yolov8_answer(([40, 40, 30, 30], 0, 0.2)))
    strict, open_to_all = open_detector(str(path)), open_detector(str(path), min_score=0.1)
    assert strict is not None
    assert strict.detect(BLACK) == ()
    assert open_to_all is not None
    assert [box.score for box in open_to_all.detect(BLACK)] == pytest.approx([0.2])


def test_own_classes_are_named_by_the_metadata(tmp_path: Path) -> None:
    answer = yolov8_answer(([40, 40, 30, 30], 4, 0.9), classes=5)
    detector = OnnxDetector(write_constant(tmp_path / "model.onnx", answer, metadata=OWN_NAMES))
    assert [box.label for box in detector.detect(BLACK)] == ["animal"]


@pytest.mark.parametrize(
    ("input_type", "output_type"),
    [
        (TensorProto.FLOAT16, TensorProto.FLOAT16),
        (TensorProto.FLOAT, TensorProto.FLOAT16),
        (TensorProto.UINT8, TensorProto.FLOAT),
        (TensorProto.FLOAT, TensorProto.DOUBLE),
    ],
)
def test_other_types_of_numbers(input_type: int, output_type: int, tmp_path: Path) -> None:
    answer = yolov8_answer(([40, 40, 30, 30], 0, 0.75))
    path = write_constant(tmp_path / "model.onnx", answer, input_type=input_type, output_type=output_type)
    (box,) = OnnxDetector(path).detect(np.full((SIDE_PX, SIDE_PX, 3), 200, np.uint8))
    assert (box.x0, box.y0, box.x1, box.y1, box.score) == (25, 25, 55, 55, 0.75)


@pytest.mark.parametrize("imgsz", ["[320, 320]", "320", "(320, 320)"])
def test_graph_of_any_size_is_run_without_needless_padding(imgsz: str, tmp_path: Path) -> None:
    metadata = {**OWN_NAMES, "imgsz": imgsz, "stride": "32"}
    path = write_bright_finder(tmp_path / "model.onnx", (100, 108, 50, 40), 5, metadata)
    detector = OnnxDetector(path)
    assert detector.graph.size_for((320, 240)) == (320, 256)
    bright = np.zeros((240, 320, 3), np.uint8)
    bright[56:88, 64:96] = 255  # a cell, for the picture begins at row 8 of the input
    (box,) = detector.detect(bright)
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((75, 80, 125, 120))
    assert box.label == "person"
    assert box.score == pytest.approx(1)
    (box,) = detector.detect(np.repeat(np.repeat(bright, 2, axis=0), 2, axis=1))
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((150, 160, 250, 240))
    assert detector.detect(np.zeros((31, 7, 3), np.uint8)) == ()


def test_quantized_graphs_run_like_any_other(tmp_path: Path) -> None:
    path = write_bright_finder(tmp_path / "model.onnx", (48, 48, 20, 20), 5, {"imgsz": "128"}, quantized=True)
    (box,) = OnnxDetector(path).detect(np.full((128, 128, 3), 128, np.uint8))
    assert (box.x0, box.y1) == (38, 58)
    assert box.score == pytest.approx(128 / 255, abs=1 / 255)


@pytest.mark.parametrize(
    "metadata", [{}, {"imgsz": "[0, 1e9]"}, {"imgsz": "[9999999]"}, {"imgsz": "x", "stride": "-1"}]
)
def test_graph_of_any_size_that_names_none_is_run_at_640(metadata: dict[str, str], tmp_path: Path) -> None:
    detector = OnnxDetector(write_bright_finder(tmp_path / "model.onnx", (10, 10, 5, 5), 5, metadata))
    assert detector.graph.size_for((320, 240)) == (640, 480)


@pytest.mark.parametrize("shape", [(1, 8, CELLS), (1, 10, CELLS), (1, 4, CELLS), (1, 3, CELLS), (1,), ()])
@pytest.mark.parametrize("classes", [1, 5])
def test_a_graph_whose_number_of_classes_changes_is_refused(
    shape: tuple[int, ...], classes: int, tmp_path: Path
) -> None:
    metadata = {"names": str([f"class {number}" for number in range(classes)])}
    answer = yolov8_answer(classes=classes)
    detector = OnnxDetector(write_constant(tmp_path / "model.onnx", answer, metadata=metadata))
    other = np.ones(shape, np.float32)
    detector.graph.run = lambda x: (other,)  # type: ignore[method-assign]  # noqa: ARG005
    with pytest.raises(DetectorError, match="answers an input of 96x96 otherwise than YOLOv8"):
        detector.detect(BLACK)


ANSWERS: dict[str, tuple[int, ...]] = {
    "yolox": (1, CELLS, 9),
    "yolov5": (1, 3 * CELLS, 9),
    "yolov8": (1, 8, CELLS),
    "end to end": (1, 40, 6),
    "fastestdet": (1, 9, 6, 6),
    "nanodet": (1, CELLS, 112),
    "nanodet-plus": (1, CELLS + 4, 112),
}
ANY_VALUES = arrays(np.float32, 101, elements=st.floats(width=32, allow_nan=True, allow_infinity=True))


@settings(max_examples=60, deadline=None)
@given(
    values=ANY_VALUES,
    layout=st.sampled_from(sorted(ANSWERS)),
    min_score=st.sampled_from([0.0, 0.35]),
)
def test_whatever_a_graph_returns_boxes_lie_in_the_picture(
    values: NDArray[np.float32], layout: str, min_score: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shape = ANSWERS[layout]
    # What it says of its first picture is harmless, or another layout might be recognized.
    path = write_constant(tmp_path_factory.mktemp("graph") / "model.onnx", np.zeros(shape, np.float32))
    detector = OnnxDetector(path, min_score=min_score)
    answer = np.resize(values, shape).astype(np.float32)
    detector.graph.run = lambda x: (answer,)  # type: ignore[method-assign]  # noqa: ARG005
    for box in detector.detect(np.zeros((31, 40, 3), np.uint8)):
        assert 0 <= box.x0 < box.x1 <= 40
        assert 0 <= box.y0 < box.y1 <= 31
        assert min_score <= box.score <= 1
        assert box.label in detector.wanted


@settings(max_examples=30, deadline=None)
@given(values=ANY_VALUES, shape=st.sampled_from([*ANSWERS.values(), (1, 17, 5)]))
def test_whatever_a_graph_returns_first_it_is_recognized_or_refused(
    values: NDArray[np.float32], shape: tuple[int, ...], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("graph") / "model.onnx"
    write_constant(path, np.resize(values, shape).astype(np.float32))
    with suppress(DetectorError):
        OnnxDetector(path).detect(np.zeros((31, 40, 3), np.uint8))

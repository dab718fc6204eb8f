"""Which layout a graph is taken for, and what is said of those that have none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
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
from pantel_device.observer.detectors import OnnxDetector

LOGITS = np.linspace(-4, 4, 32, dtype=np.float32)


def _nanodet_answer(classes: int) -> Array:
    answer = np.zeros((1, CELLS, classes + 32), np.float32)
    answer[..., classes:] = LOGITS
    return answer


def _layout(path: Path, *answers: Array, **options: object) -> tuple[str, int]:
    layout = OnnxDetector(write_constant(path / "model.onnx", *answers, **options)).layout  # type: ignore[arg-type]
    return layout.name, layout.classes


@pytest.mark.parametrize(
    ("shape", "name", "classes"),
    [
        ((1, CELLS, 85), "YOLOX", 80),
        ((1, CELLS, 6), "YOLOX", 1),
        ((1, 3 * CELLS, 85), "YOLOv5", 80),
        ((1, 3 * CELLS, 6), "YOLOv5", 1),
        ((1, 3 * (CELLS + 4), 9), "YOLOv5", 4),  # with a fourth grid
        ((1, 84, CELLS), "YOLOv8 or YOLO11", 80),
        ((1, 5, CELLS), "YOLOv8 or YOLO11", 1),
        ((1, 9, CELLS + 24 * 24), "YOLOv8 or YOLO11", 5),  # with a finer grid
        ((1, 9, 36), "YOLOv8 or YOLO11", 5),  # with one grid
        ((1, 300, 6), "end-to-end YOLO", 80),
        ((1, 85, 6, 6), "FastestDet", 80),
        ((1, CELLS + 4, 112), "NanoDet-Plus", 80),
        ((1, CELLS, 112), "NanoDet", 80),  # nothing but COCO's number of classes tells that it is not YOLOX
        ((1, CELLS, 124), "NanoDet", 80),
    ],
)
def test_shapes_tell_the_layout(shape: tuple[int, ...], name: str, classes: int, tmp_path: Path) -> None:
    assert _layout(tmp_path, np.zeros(shape, np.float32)) == (name, classes)


def test_what_the_graph_returns_tells_yolox_from_nanodet(tmp_path: Path) -> None:
    assert _layout(tmp_path, _nanodet_answer(classes=53)) == ("NanoDet", 53)
    answer = yolox_answer(107)
    answer[..., :4] = -1  # sizes are logarithms, so no class scores
    answer[..., -1] = 0.9
    assert _layout(tmp_path, answer) == ("YOLOX", 107)


def test_a_class_list_tells_them_apart_too(tmp_path: Path) -> None:
    (tmp_path / "model.names").write_text("person\n" * 5)
    assert _layout(tmp_path, np.zeros((1, CELLS, 37), np.float32)) == ("NanoDet", 5)
    (tmp_path / "model.names").write_text("person\n" * 32)
    assert _layout(tmp_path, np.zeros((1, CELLS, 37), np.float32)) == ("YOLOX", 32)


def test_what_cannot_be_told_apart_is_said(tmp_path: Path) -> None:
    with pytest.raises(DetectorError, match=r"may be YOLOX with 32 classes or NanoDet with 5 classes.*model\.names"):
        _layout(tmp_path, np.zeros((1, CELLS, 37), np.float32))


def test_decoded_yolox_is_recognized_by_places_in_pixels(tmp_path: Path) -> None:
    answer = yolox_answer()
    answer[0, :, 0] = np.linspace(0, SIDE_PX, CELLS)
    assert _layout(tmp_path, answer) == ("YOLOX, decoded", 80)


@pytest.mark.parametrize("key", ["author", "description"])
def test_ultralytics_export_without_anchors_is_no_yolox(key: str, tmp_path: Path) -> None:
    metadata = {key: "Ultralytics YOLO", "stride": "32", "task": "detect"}
    assert _layout(tmp_path, yolox_answer(), metadata=metadata) == ("YOLOv5", 80)


def test_sides_without_fixed_sizes_are_known_once_the_graph_has_run(tmp_path: Path) -> None:
    shapes = [("batch", 84, "anchors")]
    input_shape = ("batch", 3, SIDE_PX, SIDE_PX)
    answer = yolov8_answer()
    assert _layout(tmp_path, answer, input_shape=input_shape, output_shapes=shapes) == ("YOLOv8 or YOLO11", 80)
    detector = OnnxDetector(write_bright_finder(tmp_path / "any.onnx", (10, 10, 5, 5), 5))
    assert (detector.layout.name, detector.layout.classes) == ("YOLOv8 or YOLO11", 5)


@pytest.mark.parametrize(
    "shape",
    [
        (1, CELLS, 5),
        (1, CELLS - 1, 85),
        (1, 84, CELLS - 1),
        (1, 4, CELLS),
        (1, 300, 84),  # RT-DETR
        (1, 85, 6, 7),
        (1, 5, 6, 6),
        (1, CELLS * 85),
        (1, 1000),
        (2, CELLS, 85),
    ],
)
def test_other_shapes_are_refused(shape: tuple[int, ...], tmp_path: Path) -> None:
    said = _refusal(write_constant(tmp_path / "model.onnx", np.zeros(shape, np.float32)))
    assert f"maps [1, 3, {SIDE_PX}, {SIDE_PX}] to {list(shape)}, which is no known layout; known are YOLOX" in said
    assert "export one of these" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"input_shape": (1, 1, SIDE_PX, SIDE_PX)}, "export one that takes a single picture"),
        ({"input_shape": (4, 3, SIDE_PX, SIDE_PX)}, "export one that takes a single picture"),
        ({"input_shape": (1, SIDE_PX, SIDE_PX, 3)}, "export one that takes a single picture"),
        ({"input_type": TensorProto.INT64}, "input int64; export one that takes a single picture"),
        ({"metadata": {"task": "segment"}}, "was made for the task 'segment'"),
        (
            {"metadata": {"names": "['person', 'car']"}},
            "80 (YOLOX) or 53 (NanoDet) classes, but its metadata names 2",
        ),
    ],
)
def test_other_inputs_and_tasks_are_refused(options: dict[str, object], said: str, tmp_path: Path) -> None:
    path = write_constant(tmp_path / "model.onnx", yolox_answer(), **options)  # type: ignore[arg-type]
    assert said in _refusal(path)


def test_segmentation_and_other_answers_of_several_arrays_are_refused(tmp_path: Path) -> None:
    masks = np.zeros((1, 116, CELLS), np.float32), np.zeros((1, 32, 24, 24), np.float32)
    assert "is no known layout" in _refusal(write_constant(tmp_path / "masks.onnx", *masks))
    heads = [np.zeros((1, cells, values), np.float32) for values in (80, 30) for cells in (144, 36, 9)]
    assert "is no known layout" in _refusal(write_constant(tmp_path / "heads.onnx", *heads))


def test_a_graph_that_cannot_run_or_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = write_bright_finder(tmp_path / "any.onnx", (10, 10, 5, 5), 5, {"imgsz": "128"}, cells=16)
    detector = OnnxDetector(path)
    with pytest.raises(DetectorError, match=r"any\.onnx cannot be run: .*; export it anew") as caught:
        detector.detect(np.zeros((64, 128, 3), np.uint8))  # half as many cells as the first input had
    assert "\n" not in str(caught.value)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert "cannot be loaded by onnxruntime" in _refusal(path)


def test_a_graph_that_is_not_of_any_size_after_all_is_refused(tmp_path: Path) -> None:
    shape = ("batch", 3, "height", "width")
    path = write_constant(tmp_path / "model.onnx", yolox_answer(), input_shape=shape, metadata={"imgsz": "96"})
    detector = OnnxDetector(path)
    assert detector.detect(np.zeros((96, 96, 3), np.uint8)) == ()
    with pytest.raises(DetectorError, match=r"answers an input of 96x64 otherwise .*; export it for a fixed size"):
        detector.detect(np.zeros((64, 96, 3), np.uint8))


def test_a_graph_that_does_not_run_at_the_size_of_the_pictures_is_refused(tmp_path: Path) -> None:
    path = write_bright_finder(tmp_path / "any.onnx", (10, 10, 5, 5), 5, {"imgsz": "128"}, cells=16)
    assert open_detector(str(path), picture_px=(100, 100)) is not None
    with pytest.raises(DetectorError, match=r"any\.onnx cannot be run: .*; export it anew"):
        open_detector(str(path), picture_px=(128, 64))


def test_missing_file_and_noise_are_one_line(tmp_path: Path) -> None:
    assert "cannot be read (No such file" in _refusal(tmp_path / "missing.onnx")
    assert "cannot be read (Is a directory" in _refusal(tmp_path)
    (tmp_path / "noise.onnx").write_bytes(np.random.default_rng(0).bytes(1000))
    assert "cannot be loaded by onnxruntime" in _refusal(tmp_path / "noise.onnx")


def _refusal(path: Path) -> str:
    """Return what is said of a detector that cannot be used."""
    with pytest.raises(DetectorError) as caught:
        open_detector(str(path))
    said = str(caught.value)
    assert "\n" not in said
    assert str(path) in said
    return said

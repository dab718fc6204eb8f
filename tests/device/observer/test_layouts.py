"""Every layout against the decoding of its own project, on graphs whose answer is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.device.observer import references
from tests.device.observer.graphs import CELLS, SIDE_PX, Array, write_constant
from tests.device.observer.references import Found, Size

from pantel_device.frame import Box
from pantel_device.observer.detectors import OnnxDetector

CLASSES = 3
PLUS_CELLS = CELLS + 2 * 2  # 96 pixels are one and a half cells of 64
SIZE = (SIDE_PX, SIDE_PX)
PICTURES = [(SIDE_PX, SIDE_PX), (320, 240), (123, 217), (40, 31)]


@dataclass(frozen=True)
class Case:
    """A layout.

    Attributes:
        name: As it is told to the user.
        answers: What the graph returns.
        boxes: The boxes that it means in a picture of this width and height.
        metadata: Of the graph.
    """

    name: str
    answers: tuple[Array, ...]
    boxes: Callable[[Size], list[Found]]
    metadata: dict[str, str]


def _scores(rng: np.random.Generator, boxes: int, classes: int = CLASSES) -> NDArray[np.float64]:
    """Return scores of which some are high."""
    return rng.random((boxes, classes)) ** 6


def _place(rng: np.random.Generator, boxes: int) -> NDArray[np.float64]:
    """Return centres and sizes [px], (boxes, 4), some of which reach beyond the input."""
    return np.hstack([rng.uniform(0, SIDE_PX, (boxes, 2)), np.exp(rng.uniform(1, 4.5, (boxes, 2)))])


def _yolox(rng: np.random.Generator) -> Case:
    place = np.hstack([rng.uniform(-0.5, 1.5, (CELLS, 2)), rng.normal(0.5, 0.7, (CELLS, 2))])
    answer = np.hstack([place, rng.random((CELLS, 1)), _scores(rng, CELLS)]).astype(np.float32)
    return Case("YOLOX", (answer[None],), lambda size: references.yolox(answer, SIZE, size), {})


def _decoded(
    name: str, rng: np.random.Generator, boxes: int, *, centred: bool, metadata: dict[str, str] | None = None
) -> Case:
    answer = np.hstack([_place(rng, boxes), rng.random((boxes, 1)), _scores(rng, boxes)]).astype(np.float32)

    def expected(size: Size) -> list[Found]:
        return references.decoded(answer, SIZE, size, centred=centred, objectness=True)

    return Case(name, (answer[None],), expected, metadata or {})


def _yolov5_with_grids(rng: np.random.Generator) -> Case:
    case = _decoded("YOLOv5", rng, 3 * CELLS, centred=True)
    grids = tuple(np.zeros((1, 3, n, n, 5 + CLASSES), np.float32) for n in (12, 6, 3))
    return Case(case.name, case.answers + grids, case.boxes, {})


def _yolov8(rng: np.random.Generator) -> Case:
    answer = np.hstack([_place(rng, CELLS), _scores(rng, CELLS)]).astype(np.float32)

    def expected(size: Size) -> list[Found]:
        return references.decoded(answer, SIZE, size, centred=True, objectness=False)

    return Case("YOLOv8 or YOLO11", (np.ascontiguousarray(answer.T)[None],), expected, {})


def _end_to_end(rng: np.random.Generator) -> Case:
    corners = np.sort(rng.uniform(-5, SIDE_PX + 5, (300, 2, 2)), axis=1).reshape(300, 4)
    answer = np.hstack([corners, rng.random((300, 1)) ** 3, rng.integers(0, CLASSES, (300, 1))]).astype(np.float32)
    names = {"names": "{0: 'person', 1: 'car', 2: 'dog'}"}
    return Case("end-to-end YOLO", (answer[None],), lambda size: references.end_to_end(answer, SIZE, size), names)


def _fastest_det(rng: np.random.Generator) -> Case:
    answer = np.empty((5 + CLASSES, 6, 6), np.float32)
    answer[0] = rng.random((6, 6))
    answer[1:5] = rng.normal(0, 1, (4, 6, 6))
    answer[5:] = rng.dirichlet([0.3] * CLASSES, 36).T.reshape(CLASSES, 6, 6)
    return Case("FastestDet", (answer[None],), lambda size: references.fastest_det(answer, SIZE, size), {})


def _nanodet(rng: np.random.Generator, *, plus: bool, bins: int = 8) -> Case:
    cells = PLUS_CELLS if plus else CELLS
    scores, distributions = _scores(rng, cells).astype(np.float32), _distributions(rng, cells, bins)
    answer = np.hstack([scores, distributions])[None]
    # Other than the usual 8 bins can only be told from the number of classes.
    names = {} if bins == 8 else {"names": "['person', 'car', 'dog']"}

    def expected(size: Size) -> list[Found]:
        return references.nanodet(scores, distributions, SIZE, size, plus=plus, bins=bins)

    return Case("NanoDet-Plus" if plus else "NanoDet", (answer,), expected, names)


def _nanodet_heads(rng: np.random.Generator, *, interleaved: bool) -> Case:
    scores, distributions = _scores(rng, CELLS).astype(np.float32), _distributions(rng, CELLS, 8)
    ends = [144, 180]
    both = [np.split(scores[None], ends, axis=1), np.split(distributions[None], ends, axis=1)]
    pairs = zip(*both, strict=True) if interleaved else both

    def expected(size: Size) -> list[Found]:
        return references.nanodet(scores, distributions, SIZE, size, plus=False)

    return Case("NanoDet, an array for each grid", tuple(array for pair in pairs for array in pair), expected, {})


def _distributions(rng: np.random.Generator, cells: int, bins: int) -> Array:
    return rng.normal(0, 2, (cells, 4 * bins)).astype(np.float32)


CASES: dict[str, Callable[[np.random.Generator], Case]] = {
    "yolox": _yolox,
    "yolox decoded": lambda rng: _decoded("YOLOX, decoded", rng, CELLS, centred=False),
    "yolov5": lambda rng: _decoded("YOLOv5", rng, 3 * CELLS, centred=True),
    "yolov5 with grids": _yolov5_with_grids,
    "yolov5 without anchors": lambda rng: _decoded(
        "YOLOv5", rng, CELLS, centred=True, metadata={"author": "Ultralytics"}
    ),
    "yolov8": _yolov8,
    "end to end": _end_to_end,
    "fastestdet": _fastest_det,
    "nanodet": lambda rng: _nanodet(rng, plus=False),
    "nanodet with 11 bins": lambda rng: _nanodet(rng, plus=False, bins=11),
    "nanodet heads": lambda rng: _nanodet_heads(rng, interleaved=False),
    "nanodet heads in turn": lambda rng: _nanodet_heads(rng, interleaved=True),
    "nanodet-plus": lambda rng: _nanodet(rng, plus=True),
}


def agree(boxes: tuple[Box, ...], expected: list[Found], labels: tuple[str, ...]) -> float:
    """Return by how many pixels boxes differ at most from those expected, which must be as many, in the same order."""
    assert [box.label for box in boxes] == [labels[best] for *_, best in expected]
    assert [box.score for box in boxes] == pytest.approx([score for *_, score, _ in expected], abs=1e-5)
    corners = np.array([(box.x0, box.y0, box.x1, box.y1) for box in boxes])
    return float(np.abs(corners - np.array([corner for *corner, _, _ in expected])).max(initial=0))


@pytest.mark.parametrize("picture", PICTURES, ids=str)
@pytest.mark.parametrize("case", CASES)
def test_boxes_are_those_of_the_project_itself(case: str, picture: Size, tmp_path: Path) -> None:
    wanted = CASES[case](np.random.default_rng(sum(picture)))
    detector = OnnxDetector(write_constant(tmp_path / "model.onnx", *wanted.answers, metadata=wanted.metadata))
    assert detector.layout.name == wanted.name
    assert len(detector.labels) == CLASSES
    expected = references.finished(wanted.boxes(picture), picture)
    assert len(expected) >= 3
    boxes = detector.detect(np.zeros((picture[1], picture[0], 3), np.uint8))
    assert agree(boxes, expected, detector.labels) < 1

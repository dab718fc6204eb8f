"""Which layout a detector has, by the shapes of what it returns, its metadata and its class list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pantel_device.errors import DetectorError
from pantel_device.observer.coco import COCO_CLASSES
from pantel_device.observer.detectors.class_list import ClassList
from pantel_device.observer.detectors.graph import DetectorGraph
from pantel_device.observer.detectors.grid import cell_count
from pantel_device.observer.detectors.layouts import (
    DecodedYolox,
    EndToEndYolo,
    FastestDet,
    Layout,
    NanoDet,
    NanoDetHeads,
    NanoDetPlus,
    Yolov5,
    Yolov8,
    Yolox,
)

__all__ = ["recognize"]

_KNOWN = (
    "YOLOX [1, cells, 5+classes], YOLOv5 [1, 3 x cells, 5+classes], YOLOv8 and YOLO11 [1, 4+classes, cells], "
    "end-to-end YOLO [1, n, 6], FastestDet [1, 5+classes, H/16, W/16] and NanoDet [1, cells, classes+32]"
)
_ADVICE = (
    "export one of these with its project's own tool (YOLOX, NanoDet: tools/export_onnx.py, Ultralytics: yolo export "
    "format=onnx, FastestDet: test.py --onnx)"
)

_OTHER_TASKS = frozenset({"classify", "obb", "pose", "segment"})  # as Ultralytics calls them
_STRIDES = (4, 8, 16, 32, 64)
_RUNS = tuple(_STRIDES[i:j] for i in range(5) for j in range(i + 1, 6))  # grids that a YOLOv8 of any kind may have
_ANCHOR_GRIDS = ((8, 16, 32), (8, 16, 32, 64), (16, 32))
_ANCHORS = 3
_COCO_BINS = (8, 11)  # of NanoDet's published trainings
_IN_CELLS = 32.0  # a centre farther from its cell is no offset in cells but a place in pixels
_TOLERANCE = 0.1  # of what should lie in 0..1, for coarsely quantized graphs

_Outputs = Sequence[NDArray[np.float32]]


def recognize(
    graph: DetectorGraph, outputs: _Outputs, input_px: tuple[int, int], class_list: ClassList | None
) -> Layout:
    """Return the layout of a detector.

    Shapes decide first. Where several layouts have the same shape ([1, 2100, 112] may be NanoDet with 80 classes or
    YOLOX with 107), that one is taken whose number of classes the class list has; else the one whose scores lie in 0..1
    in what the graph returned; else the one with COCO's 80 classes. NanoDet-Plus with three grids instead of four
    cannot be told from NanoDet, and is taken for it.

    Args:
        graph: The detector.
        outputs: What it returned for an input, so that all sizes are known.
        input_px: Width and height of that input.
        class_list: If its classes are named anywhere.

    Raises:
        DetectorError: The layout is unknown, or not certain; one line that names what the graph maps and what to do.
    """
    subject = f"the detector {graph.path} maps {graph.maps}"
    task = graph.metadata.get("task")
    if task in _OTHER_TASKS:
        raise DetectorError(f"{subject} and was made for the task {task!r}; export a model for the task 'detect'")
    named = None if class_list is None else len(class_list.names)
    possible = list(_candidates(outputs, input_px, graph, named))
    if not possible:
        raise DetectorError(f"{subject}, which is no known layout; known are {_KNOWN}; {_ADVICE}")
    if class_list is not None:
        fitting = [layout for layout in possible if layout.classes == named]
        if not fitting:
            counts = " or ".join(f"{layout.classes} ({layout.name})" for layout in possible)
            raise DetectorError(
                f"{subject}, so it has {counts} classes, but {class_list.source} names {named}; correct that class list"
            )
        possible = fitting
    if len(possible) > 1:
        possible = [layout for layout in possible if _in_range(layout.probabilities(outputs))] or possible
    if len(possible) > 1:
        possible = [layout for layout in possible if layout.classes == len(COCO_CLASSES)] or possible
    if len(possible) > 1:
        choices = " or ".join(f"{layout.name} with {layout.classes} classes" for layout in possible)
        raise DetectorError(
            f"{subject}, which may be {choices}; write the names of its classes, one a line, "
            f"into {graph.path.with_suffix('.names')}"
        )
    return possible[0]


def _candidates(
    outputs: _Outputs, input_px: tuple[int, int], graph: DetectorGraph, named: int | None
) -> Iterator[Layout]:
    """Yield the layouts that return arrays of these shapes."""
    width, height = input_px
    shapes = [output.shape for output in outputs]
    # Old exports of YOLOv5 return the raw answers of their grids, too, as arrays of five axes.
    if len(shapes) > 1 and any(len(shape) != 5 for shape in shapes[1:]):
        yield from _candidates_of_heads(shapes, input_px)
        return
    match shapes[0]:
        case (1, values, rows, columns) if values > 5 and (columns, rows) == (
            -(-width // FastestDet.stride),
            -(-height // FastestDet.stride),
        ):
            yield FastestDet(values - 5)
        case (1, first, last):
            found = [
                *_yolos(first, last, outputs[0], input_px, graph),
                *(
                    layout
                    for kind in (NanoDet, NanoDetPlus)
                    if first == cell_count(input_px, kind.strides)
                    for layout in _with_bins(kind, last, named)
                ),
            ]
            yield from found
            if last == 6 and not found:
                yield EndToEndYolo(named or len(COCO_CLASSES))


def _yolos(
    first: int, last: int, answer: NDArray[np.float32], input_px: tuple[int, int], graph: DetectorGraph
) -> Iterator[Layout]:
    """Yield those that have one array with a box for each cell or anchor."""
    if 4 < first < last and any(last == cell_count(input_px, run) for run in _RUNS):
        yield Yolov8(first - 4)
    if last > 5 and any(first == _ANCHORS * cell_count(input_px, grids) for grids in _ANCHOR_GRIDS):
        yield Yolov5(last - 5)
    if last > 5 and first == cell_count(input_px, Yolox.strides):
        if any("Ultralytics" in graph.metadata.get(key, "") for key in ("author", "description")):
            yield Yolov5(last - 5)
        else:
            yield (DecodedYolox if _in_pixels(answer) else Yolox)(last - 5)


def _candidates_of_heads(shapes: Sequence[tuple[int, ...]], input_px: tuple[int, int]) -> Iterator[Layout]:
    """Yield NanoDet if there are two arrays for each of its grids, whose order differs from version to version."""
    heads = []
    for stride in NanoDet.strides:
        count = cell_count(input_px, (stride,))
        match [index for index, shape in enumerate(shapes) if shape[:-1] == (1, count)]:
            case [scores, distributions]:
                heads.append((scores, distributions))
            case _:
                return
    kinds = {(shapes[scores][-1], shapes[distributions][-1]) for scores, distributions in heads}
    if len(kinds) == 1 and len(shapes) == 2 * len(heads):
        ((classes, values),) = kinds
        if values % 4 == 0 and values >= 8:
            yield NanoDetHeads(classes, values // 4, tuple(heads))


def _with_bins(kind: type[NanoDet], values: int, named: int | None) -> Iterator[NanoDet]:
    """Yield NanoDet with as many bins as the classes leave room for; with the usual 8 if nothing is known of them."""
    classes = values - 4 * 8
    if named is None and values in [len(COCO_CLASSES) + 4 * bins for bins in _COCO_BINS]:
        classes = len(COCO_CLASSES)
    elif named is not None and values - named >= 8 and (values - named) % 4 == 0:
        classes = named
    if classes > 0:
        yield kind(classes, (values - classes) // 4)


def _in_pixels(answer: NDArray[np.float32]) -> bool:
    """Whether the centres (1, N, ...) are places in the picture already, instead of offsets from the cells."""
    centres = answer[0, :, :2]
    return bool(np.max(centres, where=np.isfinite(centres), initial=0) > _IN_CELLS)


def _in_range(values: NDArray[np.float32]) -> bool:
    """Whether all values may be probabilities."""
    return bool(((values >= -_TOLERANCE) & (values <= 1 + _TOLERANCE)).all())

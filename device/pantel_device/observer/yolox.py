"""YOLOX detectors (Ge et al., "YOLOX: Exceeding YOLO Series in 2021", arXiv:2107.08430) as ONNX files."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_device.errors import DetectorError
from pantel_device.frame import Box
from pantel_device.observer.coco import COCO_CLASSES, LIVING_AND_VEHICLES
from pantel_models.errors import ModelError
from pantel_models.sessions import open_session

__all__ = ["YoloxDetector"]

_STRIDES = (8, 16, 32)
_PADDING = 114  # grey of the letterbox in YOLOX's training


class YoloxDetector:
    """Runs any YOLOX export whose boxes are left undecoded, as its `export_onnx` tool writes by default.

    The graph takes one picture, [1, 3, H, W] float32, BGR 0..255, and returns [1, N, 5 + C]: for each cell of
    the strides 8, 16 and 32 in turn the offset of the box's centre in cells, the logarithm of its size in
    cells, the objectness and C class scores, both after the sigmoid. Size and number of classes are read
    from the graph; 80 classes are COCO's, others are named by their number.
    """

    def __init__(
        self,
        path: Path,
        *,
        wanted: Container[str] = LIVING_AND_VEHICLES,
        min_score: float = 0.35,
        max_iou: float = 0.45,
    ) -> None:
        """Load a detector.

        Args:
            path: The ONNX file.
            wanted: The classes of COCO to look for; of a detector with other classes all count.
            min_score: Objectness times class score below which a box is dropped.
            max_iou: Overlap above which the weaker of two boxes of one class is dropped.

        Raises:
            DetectorError: The file is missing or no such model.
        """
        self._min_score = min_score
        self._max_iou = max_iou
        try:
            model = path.read_bytes()
        except OSError as error:
            raise DetectorError(
                f"the detector {path} cannot be read ({error.strerror}); correct its path or leave it empty"
            ) from error
        try:
            self._session = open_session(model, f"the detector {path}")
        except ModelError as error:
            raise DetectorError(f"{error}; name a YOLOX export") from error
        self._height, self._width, classes = _layout(self._session, path)
        if classes == len(COCO_CLASSES):
            self._labels: tuple[str, ...] = COCO_CLASSES
            self._wanted = np.array([label in wanted for label in COCO_CLASSES])
        else:
            self._labels = tuple(f"class {i}" for i in range(classes))
            self._wanted = np.ones(classes, np.bool_)
        self._input = self._session.get_inputs()[0].name
        self._cells = _cells(self._height, self._width)

    def detect(self, pixels: NDArray[np.uint8]) -> tuple[Box, ...]:
        """Return the objects in a picture, surest first; see `Detector.detect`."""
        height, width = pixels.shape[:2]
        scale = min(self._height / height, self._width / width)
        output = self._session.run(None, {self._input: self._letterbox(pixels, scale)})[0][0]
        scores = output[:, 4:5] * output[:, 5:] * self._wanted
        best = scores.argmax(axis=1)
        score = scores[np.arange(best.size), best]
        likely = score >= self._min_score
        best, score = best[likely], score[likely]
        cells, raw = self._cells[likely], output[likely]
        size = np.exp(raw[:, 2:4]) * cells[:, 2:]
        corner = (raw[:, :2] + cells[:, :2]) * cells[:, 2:] - size / 2
        low = np.clip(corner / scale, 0, (width, height))
        high = np.clip((corner + size) / scale, 0, (width, height))
        kept = cv2.dnn.NMSBoxesBatched(
            np.hstack([low, high - low]).tolist(),
            score.tolist(),
            best.tolist(),
            self._min_score,
            self._max_iou,
        )
        boxes = []
        for i in kept:
            (x0, y0), (x1, y1) = low[i].tolist(), high[i].tolist()
            boxes.append(Box(x0, y0, x1, y1, self._labels[best[i]], float(score[i]), "detector"))
        return tuple(boxes)

    def _letterbox(self, pixels: NDArray[np.uint8], scale: float) -> NDArray[np.float32]:
        """Scale a picture into the upper left corner of the graph's input."""
        size_px = max(int(pixels.shape[1] * scale), 1), max(int(pixels.shape[0] * scale), 1)
        x = np.full((1, 3, self._height, self._width), _PADDING, np.float32)
        scaled = cv2.resize(pixels, size_px, interpolation=cv2.INTER_LINEAR)
        x[0, :, : size_px[1], : size_px[0]] = scaled[..., ::-1].transpose(2, 0, 1)
        return x


def _layout(session: Any, path: Path) -> tuple[int, int, int]:
    """Return the input's height and width [px] and the number of classes, read from the graph."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    given, returned = inputs[0].shape, outputs[0].shape
    match given, returned:
        case [_, 3, int(height), int(width)], [_, int(boxes), int(values)] if (
            len(inputs) == len(outputs) == 1
            and inputs[0].type == "tensor(float)"
            and height % 32 == width % 32 == 0
            and boxes == sum((height // stride) * (width // stride) for stride in _STRIDES)
            and values > 5
        ):
            return height, width, values - 5
    raise DetectorError(
        f"the detector {path} is no YOLOX export: it maps {given} to {returned} instead of [1, 3, H, W] to "
        f"[1, boxes, 5 + classes]; export it with YOLOX's export_onnx"
    )


def _cells(height: int, width: int) -> NDArray[np.float32]:
    """Return the column, row and, twice, stride of each cell, (N, 4) float32."""
    grids = []
    for stride in _STRIDES:
        row, column = np.mgrid[: height // stride, : width // stride]
        strides = np.full_like(row, stride)
        grids.append(np.stack([column, row, strides, strides], axis=-1).reshape(-1, 4))
    return np.concatenate(grids).astype(np.float32)

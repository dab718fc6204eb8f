"""Any detector of a known layout, run by onnxruntime."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_device.errors import DetectorError
from pantel_device.frame import Box
from pantel_device.observer.coco import COCO_CLASSES, LIVING_AND_VEHICLES
from pantel_device.observer.detectors.class_list import labels_for, read_class_list
from pantel_device.observer.detectors.graph import DetectorGraph
from pantel_device.observer.detectors.placement import place
from pantel_device.observer.detectors.recognition import recognize

__all__ = ["OnnxDetector"]

_FAR_PX = 1e5  # beyond any picture
_MOST_CANDIDATES = 1000  # that are compared with each other; a graph that is sure of more sees ghosts


class OnnxDetector:
    """Runs a detector that the user brings as an ONNX file, whatever its layout.

    Attributes:
        graph: The file, opened.
        layout: What its answers mean.
        labels: Names of its classes.
        wanted: Those of them that are looked for.
    """

    def __init__(
        self,
        path: Path,
        *,
        wanted: Container[str] = LIVING_AND_VEHICLES,
        min_score: float = 0.35,
        max_iou: float = 0.45,
        picture_px: tuple[int, int] | None = None,
    ) -> None:
        """Load a detector and run it once, so that one that does not work is refused here.

        Args:
            path: The ONNX file.
            wanted: The classes of COCO to look for; of a detector with other classes all count.
            min_score: Score below which a box is dropped.
            max_iou: Overlap above which the weaker of two boxes of one class is dropped.
            picture_px: Width and height of the pictures to come: a graph of any size may fail with theirs alone. None
                if they are not known.

        Raises:
            DetectorError: The file is missing, damaged, has no known layout, or cannot be run with such pictures.
        """
        self._min_score = min_score
        self._max_iou = max_iou
        self.graph = DetectorGraph(path)
        class_list = read_class_list(path, self.graph.metadata)
        width, height = input_px = self.graph.size_for(picture_px or (1, 1))
        outputs = self.graph.run(np.zeros((1, 3, height, width), self.graph.dtype))
        self.layout = recognize(self.graph, outputs, input_px, class_list)
        self.labels = labels_for(class_list, self.layout.classes)
        counts = [self.labels != COCO_CLASSES or label in wanted for label in self.labels]
        self.wanted = tuple(label for label, counted in zip(self.labels, counts, strict=True) if counted)
        self._counts = np.array(counts)

    def detect(self, pixels: NDArray[np.uint8]) -> tuple[Box, ...]:
        """Return the objects in a picture, surest first; see `Detector.detect`.

        Raises:
            DetectorError: The graph cannot be run at the size that the picture needs, or answers otherwise than before.
        """
        height, width = pixels.shape[:2]
        input_px = self.graph.size_for((width, height))
        placement = place((width, height), input_px, self.layout.input_format.fit)
        outputs = self.graph.run(placement.to_input(pixels, self.layout.input_format, self.graph.dtype))
        with np.errstate(all="ignore"):  # a graph may return anything
            try:
                corners, scores = self.layout.decode(outputs, input_px)
                _check_shapes(corners, scores, len(self.labels))
            except (ValueError, IndexError) as error:  # shapes that do not belong to this size
                raise DetectorError(
                    f"the detector {self.graph.path} answers an input of {input_px[0]}x{input_px[1]} otherwise than "
                    f"{self.layout.name} does; export it for a fixed size"
                ) from error
            corners = placement.to_picture(corners)
            scores = np.where(self._counts, scores, 0)
        size = np.array([width, height, width, height], np.float32)
        best = scores.argmax(axis=1)
        score = scores[np.arange(best.size), best].clip(max=1)
        shown = corners.clip(0, size)
        # Comparisons with what is no number are false, so such boxes are left out, too.
        order = np.flatnonzero((score >= self._min_score) & (shown[:, :2] < shown[:, 2:]).all(axis=1))
        order = order[np.argsort(-score[order], kind="stable")][:_MOST_CANDIDATES]
        # Doubles are found among whole boxes, as by the detectors' own tools; the bound keeps numbers finite.
        whole = corners[order].clip(-_FAR_PX, _FAR_PX)
        kept = cv2.dnn.NMSBoxesBatched(
            np.hstack([whole[:, :2], whole[:, 2:] - whole[:, :2]]).tolist(),
            score[order].tolist(),
            best[order].tolist(),
            0.0,
            self._max_iou,
        )
        boxes = []
        for i in order[np.asarray(kept, np.intp)]:
            x0, y0, x1, y1 = shown[i].tolist()
            boxes.append(Box(x0, y0, x1, y1, self.labels[best[i]], float(score[i]), "detector"))
        return tuple(boxes)


def _check_shapes(corners: NDArray[np.float32], scores: NDArray[np.float32], classes: int) -> None:
    """Refuse what is not a box and a score of each class for every candidate: NumPy might stretch it until it is.

    Raises:
        ValueError: It is not.
    """
    if corners.shape != (len(scores), 4) or scores.shape != (len(scores), classes):
        raise ValueError(f"boxes of shape {corners.shape}, scores of shape {scores.shape}")

"""The layouts of detectors' outputs: one class each, which turns raw arrays into boxes and scores.

```
Layout
 +-- Yolox             [1, cells, 5 + C]         cells decoded here
 |    +-- DecodedYolox [1, cells, 5 + C]         cells decoded by the graph
 +-- Yolov5            [1, 3 cells, 5 + C]
 +-- Yolov8            [1, 4 + C, cells]
 +-- EndToEndYolo      [1, n, 6]
 +-- FastestDet        [1, 5 + C, H/16, W/16]
 +-- NanoDet           [1, cells, C + 4 bins]
      +-- NanoDetPlus  [1, cells, C + 4 bins]    with a fourth grid
      +-- NanoDetHeads [1, cells, C] and [1, cells, 4 bins] for each grid
```
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pantel_device.observer.detectors.grid import cells
from pantel_device.observer.detectors.placement import Fit, InputFormat

__all__ = [
    "DecodedYolox",
    "EndToEndYolo",
    "FastestDet",
    "Layout",
    "NanoDet",
    "NanoDetHeads",
    "NanoDetPlus",
    "Yolov5",
    "Yolov8",
    "Yolox",
]

Array = NDArray[np.float32]

_ULTRALYTICS = InputFormat(Fit.CENTRED, bgr=False, deviation=(255.0, 255.0, 255.0))
_IMAGENET_BGR = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)


@dataclass(frozen=True, slots=True)
class Layout(ABC):
    """What the arrays that a graph returns mean, and what it wants to be shown.

    Arrays may hold anything: what is not finite in a box or a score stays so, and whoever asked leaves it out.

    Attributes:
        name: For the user.
        input_format: What the graph looks at.
        classes: How many classes it tells apart.
    """

    name: ClassVar[str]
    input_format: ClassVar[InputFormat]
    classes: int

    @abstractmethod
    def decode(self, outputs: Sequence[Array], input_px: tuple[int, int]) -> tuple[Array, Array]:
        """Return boxes (N, 4): x0, y0, x1, y1 [px of the input], and scores (N, classes), 0..1.

        Args:
            outputs: The graph's arrays, float32, for one picture.
            input_px: Width and height of the input.
        """

    @abstractmethod
    def probabilities(self, outputs: Sequence[Array]) -> Array:
        """Return what lies in 0..1 if the graph has this layout, so that others of the same shape can be told apart."""


@dataclass(frozen=True, slots=True)
class Yolox(Layout):
    """YOLOX (Ge et al., "YOLOX: Exceeding YOLO Series in 2021", arXiv:2107.08430) as its `export_onnx` writes it.

    [1, N, 5 + C]: for each cell of the strides 8, 16 and 32 the offset of the box's centre in cells, the logarithm
    of its size in cells, the objectness and C class scores, both after the sigmoid.
    """

    name = "YOLOX"
    input_format = InputFormat(Fit.TOP_LEFT, bgr=True)
    strides: ClassVar[tuple[int, ...]] = (8, 16, 32)

    def decode(self, outputs: Sequence[Array], input_px: tuple[int, int]) -> tuple[Array, Array]:
        """Return boxes and scores; see `Layout.decode`."""
        answer = outputs[0][0]
        place, stride = cells(input_px, self.strides)
        boxes = _around((answer[:, :2] + place) * stride, np.exp(answer[:, 2:4]) * stride)
        return boxes, answer[:, 4:5] * answer[:, 5:]

    def probabilities(self, outputs: Sequence[Array]) -> Array:
        """Return objectness and class scores; see `Layout.probabilities`."""
        return outputs[0][0, :, 4:]


@dataclass(frozen=True, slots=True)
class DecodedYolox(Yolox):
    """YOLOX as `export_onnx --decode_in_inference` writes it: centre and size are pixels already."""

    name = "YOLOX, decoded"

    def decode(self, outputs: Sequence[Array], input_px: tuple[int, int]) -> tuple[Array, Array]:
        """Return boxes and scores; see `Layout.decode`."""
        del input_px  # the graph knows it
        answer = outputs[0][0]
        return _around(answer[:, :2], answer[:, 2:4]), answer[:, 4:5] * answer[:, 5:]


@dataclass(frozen=True, slots=True)
class Yolov5(Layout):
    """YOLOv5 (Jocher, Ultralytics, 2020) and what exports alike, such as YOLOv7.

    [1, N, 5 + C] for three anchors in each cell: centre and size in pixels, objectness, C class scores.
    """

    name = "YOLOv5"
    input_format = _ULTRALYTICS

    def decode(self, outputs: Sequence[Array], input_px: tuple[int, int]) -> tuple[Array, Array]:
        """Return boxes and scores; see `Layout.decode`."""
        del input_px
        answer = outputs[0][0]
        return _around(answer[:, :2], answer[:, 2:4]), answer[:, 4:5] * answer[:, 5:]

    def probabilities(self, outputs: Sequence[Array]) -> Array:
        """Return objectness and class scores; see `Layout.probabilities`."""
        return outputs[0][0, :, 4:]


@dataclass(frozen=True, slots=True)
class Yolov8(Layout):
    """YOLOv8, YOLO11 (Jocher et al., Ultralytics, 2023 and 2024) and what exports alike, such as YOLOv9.

    [1, 4 + C, N]: centre and size in pixels, C class scores; there is no objectness.
    """

    name = "YOLOv8 or YOLO11"
    input_format = _ULTRALYTICS

    def decode(self, outputs: Sequence[Array], input_px: tuple[int, int]) -> tuple[Array, Array]:
        """Return boxes and scores; see `Layout.decode`."""
        del input_px
        answer = outputs[0][0].T
        return _around(answer[:, :2], answer[:, 2:4]), answer[:, 4:]

    def probabilities(self, outputs: Sequence[Array]) -> Array:
        """Return the class scores; see `Layout.probabilities`."""
        return outputs[0][0, 4:]


@dataclass(frozen=True, slots=True)
class EndToEndYolo(Layout):
    """YOLOv10 (Wang et al., arXiv:2405.14458), and later ones exported with their suppression of doubles (`nms=True`).

    [1, N, 6]: the boxes that remain, with their corners in pixels, score and class.
    """

    name = "end-to-end YOLO"
    input_format = _ULTRALYTICS

    def decode(self, outputs: Sequence[Array], input_px: tuple[int, int]) -> tuple[Array, Array]:
        """Return boxes and scores; see `Layout.decode`."""
        del input_px
        answer = outputs[0][0]
        scores = answer[:, 4:5] * (answer[:, 5:] == np.arange(self.classes, dtype=np.float32))
        return answer[:, :4], scores

    def probabilities(self, outputs: Sequence[Array]) -> Array:
        """Return the scores; see `Layout.probabilities`."""
        return outputs[0][0, :, 4]


@dataclass(frozen=True, slots=True)
class FastestDet(Layout):
    """FastestDet (Ma Xuehui, github.com/dog-qiuqiu/FastestDet, 2022).

    [1, 5 + C, rows, columns]: objectness after the sigmoid, offset of the centre before the hyperbolic tangent and
    size before the sigmoid, as shares of the picture, C class scores after the softmax.
    """

    name = "FastestDet"
    input_format = InputFormat(Fit.STRETCHED, bgr=True, deviation=(255.0, 255.0, 255.0))
    stride: ClassVar[int] = 16

    def decode(self, outputs: Sequence[Array], input_px: tuple[int, int]) -> tuple[Array, Array]:
        """Return boxes and scores; see `Layout.decode`."""
        answer = outputs[0][0].reshape(5 + self.classes, -1).T
        place, stride = cells(input_px, (self.stride,))
        size = np.array(input_px, np.float32) / (1 + np.exp(-answer[:, 3:5]))
        boxes = _around((place + np.tanh(answer[:, 1:3])) * stride, size)
        scores = np.power(answer[:, :1].clip(0, 1), 0.6) * np.power(answer[:, 5:].clip(0, 1), 0.4)
        return boxes, scores.astype(np.float32)

    def probabilities(self, outputs: Sequence[Array]) -> Array:
        """Return objectness and class scores; see `Layout.probabilities`."""
        answer = outputs[0][0]
        return np.concatenate([answer[:1], answer[5:]])


@dataclass(frozen=True, slots=True)
class NanoDet(Layout):
    """NanoDet (Lyu, github.com/RangiLyu/nanodet, 2020), with the head of Li et al., "Generalized Focal Loss", 2020.

    [1, N, C + 4 bins]: for each cell of the strides 8, 16 and 32 C class scores after the sigmoid, and for the
    distances from the cell's centre to the left, upper, right and lower side a distribution over 0, 1, 2 … strides,
    before the softmax.

    Attributes:
        bins: Of each distribution; the training's `reg_max` + 1.
    """

    name = "NanoDet"
    input_format = InputFormat(Fit.CENTRED, True, *_IMAGENET_BGR, padding=0)
    strides: ClassVar[tuple[int, ...]] = (8, 16, 32)
    reference: ClassVar[float] = 0.5  # of a cell's point, from its upper left corner, in cells
    bins: int = 8

    def decode(self, outputs: Sequence[Array], input_px: tuple[int, int]) -> tuple[Array, Array]:
        """Return boxes and scores; see `Layout.decode`."""
        scores, distributions = self._split(outputs)
        place, stride = cells(input_px, self.strides)
        point = (place + np.float32(self.reference)) * stride
        chances = distributions.reshape(-1, 4, self.bins)
        chances = np.exp(chances - chances.max(axis=2, keepdims=True))
        chances /= chances.sum(axis=2, keepdims=True)
        reach = (chances @ np.arange(self.bins, dtype=np.float32)) * stride
        return np.hstack([point - reach[:, :2], point + reach[:, 2:]]), scores

    def probabilities(self, outputs: Sequence[Array]) -> Array:
        """Return the class scores; see `Layout.probabilities`."""
        return self._split(outputs)[0]

    def _split(self, outputs: Sequence[Array]) -> tuple[Array, Array]:
        """Return class scores (N, classes) and distributions (N, 4 bins)."""
        answer = outputs[0][0]
        return answer[:, : self.classes], answer[:, self.classes :]


@dataclass(frozen=True, slots=True)
class NanoDetPlus(NanoDet):
    """NanoDet-Plus (Lyu, 2021): a grid of stride 64 on top, and distances from a cell's upper left corner."""

    name = "NanoDet-Plus"
    input_format = InputFormat(Fit.STRETCHED, True, *_IMAGENET_BGR)
    strides: ClassVar[tuple[int, ...]] = (8, 16, 32, 64)
    reference: ClassVar[float] = 0.0


@dataclass(frozen=True, slots=True)
class NanoDetHeads(NanoDet):
    """NanoDet as its first versions were exported: two arrays for each grid.

    Attributes:
        heads: Which array holds the class scores and which the distributions of each grid, finest grid first.
    """

    name = "NanoDet, an array for each grid"
    heads: tuple[tuple[int, int], ...] = ()

    def _split(self, outputs: Sequence[Array]) -> tuple[Array, Array]:
        """Return class scores (N, classes) and distributions (N, 4 bins)."""
        scores = np.concatenate([outputs[index][0] for index, _ in self.heads])
        return scores, np.concatenate([outputs[index][0] for _, index in self.heads])


def _around(centre: Array, size: Array) -> Array:
    """Return the corners (N, 4) of boxes with centres (N, 2) and sizes (N, 2)."""
    return np.hstack([centre - size / 2, centre + size / 2])

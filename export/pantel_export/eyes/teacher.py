"""A larger detector by others, whose answers and features a small one learns to give on the same picture."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pantel_export.errors import DataError
from pantel_export.eyes.classes import CLASSES, class_of_coco
from pantel_export.eyes.network import STRIDES
from pantel_export.eyes.objective import complete_iou
from pantel_models import open_session

__all__ = ["Lesson", "Teacher", "answer_loss", "feature_loss"]

_COCO_CLASSES = 80
_BOX = 4
_PROBE_PX = 64  # side of the picture that shows its shapes
_LEAST_SCORE = 0.05  # of a cell whose box is worth learning


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What a teacher says of some pictures.

    Attributes:
        scores: (B, cells, classes) float32, 0..1.
        boxes: (B, cells, 4) float32 x0, y0, x1, y1 [px].
        features: (B, C, h, w) float32 of each grid, the finest first: what its heads look at.
    """

    scores: Tensor
    boxes: Tensor
    features: tuple[Tensor, ...]


class Teacher:
    """A YOLOX export with COCO's classes, cut before its grids are joined, so that it looks at pictures of any size.

    Its strides are those of the detector that learns: cell by cell, both answer for the same place.

    Attributes:
        name: Of the file, without its ending.
        sha256: Of the file.
        channels: What its heads look at.
    """

    def __init__(self, path: Path) -> None:
        """Read the model.

        Args:
            path: ONNX file.

        Raises:
            DataError: It cannot be read or is no YOLOX export.
            ManifestError: It is no model that onnxruntime can run.
        """
        try:
            model = onnx.load(str(path))
        except Exception as error:
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise DataError(f"the teacher {path} cannot be read: {reason}") from error
        try:
            self._outputs = _cut(model)
        except (IndexError, KeyError) as error:
            raise DataError(f"the teacher {path} is no YOLOX export; name one with --teacher") from error
        self._session = open_session(model.SerializeToString(), f"the teacher {path}")
        self._input = model.graph.input[0].name
        self.name = path.stem
        self.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        self.channels = self._looked_through()

    def _looked_through(self) -> int:
        """Return how many channels its heads look at, once its answers have the shapes that they should."""
        picture = np.zeros((1, 3, _PROBE_PX, _PROBE_PX), np.float32)
        answers = self._session.run(self._outputs, {self._input: picture})
        shapes = [answer.shape for answer in answers]
        sides = [_PROBE_PX // stride for stride in STRIDES]
        grids = [(1, _BOX + 1 + _COCO_CLASSES, side, side) for side in sides]
        channels = shapes[-1][1]
        if shapes != grids + [(1, channels, side, side) for side in sides]:
            raise DataError(
                f"the teacher {self.name} has other grids or classes than YOLOX exports for COCO have: {shapes}"
            )
        return int(channels)

    def lesson(self, pixels: NDArray[np.uint8], device: torch.device) -> Lesson:
        """Look at pictures (B, H, W, 3) uint8, RGB, sides multiples of 32; the lesson lies on a device."""
        x = np.ascontiguousarray(pixels[..., ::-1].transpose(0, 3, 1, 2), np.float32)
        values = [torch.from_numpy(value) for value in self._session.run(self._outputs, {self._input: x})]
        grids, features = values[: len(values) // 2], values[len(values) // 2 :]
        scores, boxes = zip(*(_decoded(grid, pixels.shape[1] // grid.shape[2]) for grid in grids), strict=True)
        return Lesson(
            torch.cat(scores, 1).to(device), torch.cat(boxes, 1).to(device), tuple(each.to(device) for each in features)
        )


def answer_loss(logits: Tensor, found: Tensor, lesson: Lesson, heard: Tensor) -> tuple[Tensor, Tensor]:
    """Return how far scores and boxes are from the teacher's.

    Args:
        logits: (B, cells, classes).
        found: (B, cells, 4) [px].
        lesson: Of the same pictures.
        heard: (B, cells) bool, cells to which the teacher's word counts.
    """
    total = lesson.scores.sum().clamp(min=1)  # of all cells: where few are heard, the teacher counts for less
    entropy = functional.binary_cross_entropy_with_logits(logits.float(), lesson.scores, reduction="none")
    scores = (entropy * heard[..., None]).sum() / total
    weight = lesson.scores.amax(2)
    sure = (weight > _LEAST_SCORE) & heard
    boxes = ((1 - complete_iou(found[sure], lesson.boxes[sure])) * weight[sure]).sum() / weight[sure].sum().clamp(min=1)
    return scores, boxes


def feature_loss(features: list[Tensor], lesson: Lesson) -> Tensor:
    """Return one less the mean correlation of all channels with the teacher's.

    Cao et al., "PKD: general distillation framework for object detectors via Pearson correlation coefficient"
    (NeurIPS 2022): magnitudes, which differ between networks, do not count.

    Args:
        features: (B, C, h, w) of each grid, as many channels as the teacher has.
        lesson: Of the same pictures.
    """
    differences = [
        (_standardized(ours) - _standardized(theirs)).square().mean() / 2
        for ours, theirs in zip(features, lesson.features, strict=True)
    ]
    return torch.stack(differences).mean()


def _standardized(x: Tensor) -> Tensor:
    x = x.float()
    mean, deviation = x.mean((0, 2, 3), keepdim=True), x.std((0, 2, 3), keepdim=True)
    return (x - mean) / (deviation + 1e-5)


def _decoded(grid: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    """Return (B, h*w, classes) scores and (B, h*w, 4) boxes [px] of a grid (B, 4 + 1 + 80, h, w)."""
    rows, columns = grid.shape[2:]
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    centres = (grid[:, :2] + torch.stack([x, y])) * stride
    half = grid[:, 2:_BOX].clamp(max=6.0).exp() * stride / 2
    boxes = torch.cat([centres - half, centres + half], 1)
    scores = torch.zeros(len(grid), len(CLASSES), rows, columns)
    for number in range(_COCO_CLASSES):
        index = class_of_coco(number)
        if index is not None:
            torch.maximum(scores[:, index], grid[:, _BOX + 1 + number], out=scores[:, index])
    return (scores * grid[:, _BOX : _BOX + 1]).flatten(2).transpose(1, 2), boxes.flatten(2).transpose(1, 2)


def _cut(model: onnx.ModelProto) -> list[str]:
    """Make outputs of what the last reshapes read and of what the heads read; return the names, grids first."""
    graph = model.graph
    producers = {output: node for node in graph.node for output in node.output}
    convolutions: dict[str, int] = {}
    for node in graph.node:
        if node.op_type == "Conv":
            convolutions[node.input[0]] = convolutions.get(node.input[0], 0) + 1
    joined = producers[producers[graph.output[0].name].input[0]]
    grids = [producers[name].input[0] for name in joined.input]
    features = [_read_by_both(name, producers, convolutions) for name in grids]
    names = [*grids, *features]
    for index, size in enumerate(graph.input[0].type.tensor_type.shape.dim):
        if index != 1:
            size.dim_param = f"side{index}"
    del graph.output[:]
    del graph.value_info[:]
    graph.output.extend(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names)
    return names


def _read_by_both(name: str, producers: dict[str, onnx.NodeProto], convolutions: dict[str, int]) -> str:
    """Return what both heads of a grid look at: the second value, from behind, that several convolutions read.

    The first is what box and objectness share.
    """
    shared: list[str] = []
    while len(shared) < 2:
        name = producers[name].input[0]
        if convolutions.get(name, 0) > 1:
            shared.append(name)
    return shared[1]

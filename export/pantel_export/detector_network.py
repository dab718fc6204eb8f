"""An object detector as a PyTorch network, read from its ONNX file, so that gradients reach the picture it looks at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import torch
from google.protobuf.message import DecodeError
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from pantel_export.errors import DataError
from pantel_models.thumbnails import Kind, kind_of

__all__ = ["DetectorNetwork", "Verdict", "verdict_loss"]

_CLASSES = 80  # those of COCO
_VALUES = 5 + _CLASSES  # of a cell: box, objectness, classes
_KINDS = ((Kind.PERSON,), (Kind.TWO_WHEELER, Kind.VEHICLE), (Kind.ANIMAL,))  # within which no class is wrong

_NOTHING = 0.05  # score below which a detector sees nothing
_NOTHING_WEIGHT = 0.05
_BOX_WEIGHT = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What a detector makes of a picture, cell by cell.

    Attributes:
        scores: (cells, 80), 0..1: how sure it is of an object of each class of COCO.
        boxes: (cells, 4): centre and size as the detector codes them, before they become pixels.
    """

    scores: Tensor
    boxes: Tensor


class DetectorNetwork(nn.Module):
    """A detector with fixed weights.

    Two layouts are known, by their output: that of YOLOX exports, (1, cells, 85) with box, objectness and classes,
    which takes 0..255; and that of FastestDet, (1, 85, rows, columns) with objectness, box and classes, which takes
    0..1.

    Attributes:
        side_px: Width and height of the pictures that it looks at.
    """

    def __init__(self, path: Path) -> None:
        """Read a detector.

        Raises:
            DataError: The file cannot be read, or is no such detector.
        """
        super().__init__()
        try:
            graph = onnx.load(str(path)).graph
        except (OSError, DecodeError) as error:
            raise DataError(f"the detector {path} cannot be read: {error}") from error
        unknown = {node.op_type for node in graph.node} - set(_OPERATIONS)
        if unknown:
            raise DataError(f"the detector {path} has operations that are not known: {', '.join(sorted(unknown))}")
        self._steps = [_Step.of(node) for node in graph.node]
        self._input, self._output = graph.input[0].name, graph.output[0].name
        shape = [dimension.dim_value for dimension in graph.input[0].type.tensor_type.shape.dim]
        output = [dimension.dim_value for dimension in graph.output[0].type.tensor_type.shape.dim]
        if len(shape) != 4 or shape[2] != shape[3] or not shape[3] or _VALUES not in output:
            raise DataError(f"the detector {path} is no YOLOX or FastestDet export with the classes of COCO")
        self.side_px = shape[3]
        self._cells_last = len(output) == 4
        self._constants: dict[str, str] = {}
        for tensor in graph.initializer:
            self._constants[tensor.name] = name = f"constant_{len(self._constants)}"
            self.register_buffer(name, torch.from_numpy(numpy_helper.to_array(tensor).copy()))

    def forward(self, x: Tensor) -> Verdict:
        """Judge a picture.

        Args:
            x: (1, 3, side_px, side_px), RGB in 0..1.
        """
        values = {self._input: x.flip(1) * (1 if self._cells_last else 255)}
        values |= {name: self.get_buffer(buffer) for name, buffer in self._constants.items()}
        for step in self._steps:
            values[step.output] = step.operation([values[name] for name in step.inputs if name], step.attributes)
        output = values[self._output].float()
        if self._cells_last:
            cells = output.flatten(2)[0].T  # (cells, 85)
            scores = cells[:, :1].clamp(min=1e-6) ** 0.6 * cells[:, 5:].clamp(min=1e-6) ** 0.4
            return Verdict(scores, cells[:, 1:5])
        return Verdict(output[0, :, 4:5] * output[0, :, 5:], output[0, :, :4])


def verdict_loss(truth: Verdict, shown: Verdict) -> Tensor:
    """Return how much of what a detector recognizes in one picture it no longer does in another.

    Kullback-Leibler divergence of the scores of people, vehicles and animals, and the distance of the boxes, in the
    mean over what is recognized. That nothing may be seen where nothing was counts less, or it would outweigh all else.
    """
    wanted, found = _kinds(truth.scores), _kinds(shown.scores)
    entropy = _cross_entropy(wanted, found) - _cross_entropy(wanted, wanted)
    nothing = wanted.amax(1) < _NOTHING
    sure = wanted.amax(1) * ~nothing
    matters = (wanted + _NOTHING_WEIGHT * nothing[:, None]) * entropy
    distance = functional.smooth_l1_loss(shown.boxes, truth.boxes, reduction="none", beta=0.1).sum(1)
    return (matters.sum() + _BOX_WEIGHT * (sure * distance).sum()) / (sure.sum() + 1)


def _cross_entropy(wanted: Tensor, found: Tensor) -> Tensor:
    return functional.binary_cross_entropy(found.clamp(1e-4, 1 - 1e-4), wanted, reduction="none")


def _kinds(scores: Tensor) -> Tensor:
    """Return (cells, 3): the highest score of people, vehicles and animals."""
    classes = ([index for index in range(_CLASSES) if kind_of(index + 1) in kinds] for kinds in _KINDS)
    return torch.stack([scores[:, each].amax(1) for each in classes], 1)


_Attributes = Mapping[str, Any]
_Operation = Callable[[Sequence[Tensor], _Attributes], Tensor]


@dataclass(frozen=True, slots=True)
class _Step:
    """One node of a graph."""

    operation: _Operation
    inputs: tuple[str, ...]
    output: str
    attributes: dict[str, Any]

    @classmethod
    def of(cls, node: onnx.NodeProto) -> _Step:
        attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
        return cls(_OPERATIONS[node.op_type], tuple(node.input), node.output[0], attributes)


def _convolved(x: Sequence[Tensor], a: _Attributes) -> Tensor:
    return functional.conv2d(*x, stride=a["strides"], padding=a["pads"][:2], groups=a["group"])


def _sliced(x: Sequence[Tensor], _: _Attributes) -> Tensor:
    data, starts, ends, axes, steps = x
    for start, end, axis, step in zip(*(each.tolist() for each in (starts, ends, axes, steps)), strict=True):
        data = data[(slice(None),) * axis + (slice(start, end, step),)]
    return data


def _padded(x: Sequence[Tensor], _: _Attributes) -> Tensor:
    before, after = x[1].view(2, -1).tolist()
    pads = [side for pair in zip(reversed(before), reversed(after), strict=True) for side in pair]
    return functional.pad(x[0], pads)


# As much of each operator as the detectors above use of it.
_OPERATIONS: dict[str, _Operation] = {
    "Add": lambda x, _: x[0] + x[1],
    "AveragePool": lambda x, a: functional.avg_pool2d(x[0], a["kernel_shape"], a["strides"]),
    "Concat": lambda x, a: torch.cat(list(x), a["axis"]),
    "Conv": _convolved,
    "Gather": lambda x, a: x[0].select(a["axis"], int(x[1])),
    "MaxPool": lambda x, a: functional.max_pool2d(x[0], a["kernel_shape"], a["strides"], a["pads"][:2]),
    "Mul": lambda x, _: x[0] * x[1],
    "Pad": _padded,
    "Relu": lambda x, _: functional.relu(x[0]),
    "Reshape": lambda x, _: x[0].reshape(x[1].tolist()),
    "Resize": lambda x, _: functional.interpolate(x[0], scale_factor=x[-1].tolist()[2:], mode="nearest"),
    "Sigmoid": lambda x, _: torch.sigmoid(x[0]),
    "Slice": _sliced,
    "Softmax": lambda x, a: torch.softmax(x[0], a["axis"]),
    "Transpose": lambda x, a: x[0].permute(a["perm"]),
}

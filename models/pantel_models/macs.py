"""Counts the multiply-accumulates of a shipped ONNX graph, node by node."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pantel_models.errors import ManifestError
from pantel_models.thumbnails import RASTER_PX

__all__ = ["detector_macs", "macs_per_pixel"]

_SIDE_PX = 256
_INPUT_PX = {"x": _SIDE_PX, "x_half": _SIDE_PX // 2}  # of pictures; latents of cells are 16 times smaller
_CELL_PX = 16
_PRODUCTS = frozenset({"Conv", "ConvInteger", "QLinearConv", "ConvTranspose", "MatMul", "MatMulInteger", "Gemm"})
_ARITHMETIC = frozenset(
    {"Add", "AveragePool", "Div", "LeakyRelu", "Mul", "PRelu", "Pow", "ReduceSum", "Resize", "Sigmoid", "Softmax"}
    | {"Sqrt", "Sub", "Sum", "Tanh"}
)
_FREE = frozenset(
    {"Cast", "Clip", "Concat", "Constant", "DepthToSpace", "DequantizeLinear", "Flatten", "Gather", "Identity", "Max"}
    | {"Pad", "QuantizeLinear", "Relu", "Reshape", "Shape", "Slice", "SpaceToDepth", "Split", "Squeeze", "Transpose"}
    | {"Unsqueeze"}
)


def macs_per_pixel(path: Path) -> float:
    """Return the multiply-accumulates of an encoder, generator or enlarger for each pixel of a 256x256 picture.

    A network of thumbnails is counted for one thumbnail, for each sample of its raster.

    Convolutions and matrix products count all their products; elementwise arithmetic counts one for each output
    element. Comparing, moving and converting data counts nothing. A node of any other kind is an error, so that none
    is overlooked.

    Raises:
        ManifestError: The file is no ONNX model, or one that cannot be counted.
    """
    graph, shapes, pixels = _read(path, _set_sizes)
    try:
        return sum(_node_macs(node, shapes) for node in graph.node) / pixels
    except KeyError as error:
        raise ManifestError(f"{path} has a node that cannot be counted: {error}") from error


def detector_macs(path: Path, input_px: tuple[int, int]) -> int:
    """Return the multiply-accumulates of the convolutions and matrix products of a detector for one picture.

    Those are nearly all of them, and what detectors are compared by; other nodes count nothing, because the user's
    files may have any kind.

    Args:
        path: An ONNX file with one input, a picture.
        input_px: Width and height of that input.

    Raises:
        ManifestError: The file is no ONNX model, or one that cannot be counted.
    """

    def set_size(graph: Any) -> int:
        weights = {tensor.name for tensor in graph.initializer}
        for value in graph.input:
            if value.name not in weights:
                for dimension, side in zip(value.type.tensor_type.shape.dim, (1, 3, *reversed(input_px)), strict=True):
                    dimension.dim_value = side
        _forget_output_sizes(graph)
        return math.prod(input_px)

    graph, shapes, _ = _read(path, set_size)
    try:
        counts = [_node_macs(node, shapes) for node in graph.node if node.op_type in _PRODUCTS]
    except KeyError as error:
        raise ManifestError(f"{path} has a node that cannot be counted: {error}") from error
    if 0 in counts:
        raise ManifestError(f"{path} has a node whose size is not known before it runs")
    return sum(counts)


def _read(path: Path, set_sizes: Callable[[Any], int]) -> tuple[Any, dict[str, list[int]], int]:
    """Return the graph of a file, the shapes of all its tensors, and what `set_sizes` has returned."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(str(path))
        pixels = set_sizes(model.graph)
        del model.graph.value_info[:]
        graph = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    except (OSError, DecodeError, onnx.shape_inference.InferenceError) as error:
        raise ManifestError(f"{path} is no ONNX model that can be counted") from error
    if not graph.node:
        raise ManifestError(f"{path} is no ONNX model that can be counted: it is empty")
    shapes = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        shapes[value.name] = [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]
    return graph, shapes, pixels


def _set_sizes(graph: Any) -> int:
    """Set the sizes of a graph's inputs, forget those of its outputs, and return the number of pixels."""
    of_thumbnails = any(value.name == "condition" for value in graph.input)
    for value in graph.input:
        dimensions = value.type.tensor_type.shape.dim
        if of_thumbnails:
            dimensions[0].dim_value = 1
            continue
        side = _INPUT_PX.get(value.name, _SIDE_PX // _CELL_PX)
        for dimension in dimensions[-2:]:
            dimension.dim_value = side
    _forget_output_sizes(graph)
    return RASTER_PX**2 if of_thumbnails else _SIDE_PX**2


def _forget_output_sizes(graph: Any) -> None:
    for output in graph.output:
        for dimension in output.type.tensor_type.shape.dim:
            dimension.Clear()


def _node_macs(node: Any, shapes: dict[str, list[int]]) -> int:
    """Return the multiply-accumulates of a node; raises KeyError when its kind or a shape is not known."""
    output = math.prod(shapes[node.output[0]])
    match node.op_type:
        case "Conv" | "ConvInteger":
            return output * math.prod(shapes[node.input[1]][1:])
        case "QLinearConv":
            return output * math.prod(shapes[node.input[3]][1:])
        case "ConvTranspose":
            return math.prod(shapes[node.input[0]]) * math.prod(shapes[node.input[1]][1:])
        case "MatMul" | "MatMulInteger" | "Gemm":
            return output * shapes[node.input[0]][-1]
        case kind if kind in _ARITHMETIC:
            return math.prod(shapes[node.input[0]]) if kind == "ReduceSum" else output
        case kind if kind in _FREE:
            return 0
    raise KeyError(node.op_type)

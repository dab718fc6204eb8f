"""Counts the multiply-accumulates of a shipped ONNX graph, node by node."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from pantel_models.errors import ManifestError

__all__ = ["macs_per_pixel"]

_ELEMENTWISE = {"Add", "Sub", "Mul", "Div", "Pow", "Sum", "Sqrt", "Sigmoid", "Tanh", "Softmax", "Resize", "AveragePool"}
_SIDE_PX = 256


def macs_per_pixel(path: Path) -> float:
    """Return the multiply-accumulates of an encoder or generator for each pixel of a 256x256 picture.

    Convolutions and matrix products count all their products; elementwise arithmetic counts one for each output
    element. Moving and converting data (shuffles, concatenation, (de)quantization) counts nothing.

    Raises:
        ManifestError: The file is no ONNX model whose shapes can be worked out.
    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(str(path))
        for value in model.graph.input:
            latents = value.name != "x"
            sides = value.type.tensor_type.shape.dim[-2:]
            for side in sides:
                side.dim_value = _SIDE_PX // 16 if latents else _SIDE_PX
        del model.graph.value_info[:]
        for output in model.graph.output:
            for side in output.type.tensor_type.shape.dim[-2:]:
                side.Clear()
        graph = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    except (OSError, DecodeError, onnx.shape_inference.InferenceError) as error:
        raise ManifestError(f"{path} is no ONNX model that can be counted") from error
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in (*graph.value_info, *graph.output, *graph.input)}
    shapes.update({t.name: list(t.dims) for t in graph.initializer})
    return sum(_node_macs(node, shapes) for node in graph.node) / _SIDE_PX**2


def _node_macs(node: Any, shapes: dict[str, list[int]]) -> int:
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
        case kind:
            return output if kind in _ELEMENTWISE else 0

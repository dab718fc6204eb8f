"""Small ONNX graphs that answer as detectors do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[np.float32]
Shape = tuple[int | str, ...]

SIDE_PX = 96  # of the inputs: 12, 6 and 3 cells wide
CELLS = 12 * 12 + 6 * 6 + 3 * 3


def write_constant(
    path: Path,
    *answers: Array,
    input_shape: Shape = (1, 3, SIDE_PX, SIDE_PX),
    input_type: int = TensorProto.FLOAT,
    output_shapes: Sequence[Shape] = (),
    output_type: int = TensorProto.FLOAT,
    metadata: Mapping[str, str] = {},
) -> Path:
    """Write a graph that answers every picture alike: the sum of the input, times 0, plus the answers.

    Args:
        path: Where to.
        answers: One for each output.
        input_shape: As it is declared.
        input_type: Of the input.
        output_shapes: As they are declared, where they are not those of the answers.
        output_type: Of all outputs.
        metadata: What an exporter might have written.
    """
    nodes = [
        helper.make_node("Cast", ["images"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["x", "axes"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["sum", "zero"], ["nothing"]),
    ]
    constants: dict[str, NDArray[Any]] = {"axes": np.array([0, 1, 2, 3], np.int64), "zero": np.zeros((), np.float32)}
    for index, answer in enumerate(answers):
        constants[f"answer_{index}"] = answer
        nodes.append(helper.make_node("Add", ["nothing", f"answer_{index}"], [f"sum_{index}"]))
        nodes.append(helper.make_node("Cast", [f"sum_{index}"], [f"output_{index}"], to=output_type))
    shapes = output_shapes or [answer.shape for answer in answers]
    outputs = [
        helper.make_tensor_value_info(f"output_{index}", output_type, shape) for index, shape in enumerate(shapes)
    ]
    given = helper.make_tensor_value_info("images", input_type, input_shape)
    return _save(path, helper.make_graph(nodes, "detector", [given], outputs, _tensors(constants)), metadata)


def write_bright_finder(
    path: Path,
    box: Sequence[float],
    classes: int,
    metadata: Mapping[str, str] = {},
    *,
    cells: int = -1,
    quantized: bool = False,
) -> Path:
    """Write a graph of any size in YOLOv8's layout, with one cell for each 32x32 pixels.

    It sees one box (centre, size [px]) of class 0 wherever a cell is bright, and is the surer the brighter it is.
    With a number of cells it fails with inputs that have another one; quantized, it computes with 8 bits (QDQ).
    """
    weights = np.zeros((4 + classes, 3, 1, 1), np.float32)
    weights[4] = 1 / 3
    bias = np.array([*box, *[0] * classes], np.float32)
    nodes = [
        helper.make_node("AveragePool", ["images"], ["cells"], kernel_shape=[32, 32], strides=[32, 32]),
        helper.make_node("QuantizeLinear", ["cells", "scale", "zero"], ["cells_8"]),
        helper.make_node("DequantizeLinear", ["cells_8", "scale", "zero"], ["cells_q"]),
        helper.make_node("Conv", ["cells_q" if quantized else "cells", "weights", "bias"], ["answers"]),
        helper.make_node("Reshape", ["answers", "flat"], ["output0"]),
    ]
    constants: dict[str, NDArray[Any]] = {
        "weights": weights,
        "bias": bias,
        "flat": np.array([0, 4 + classes, cells], np.int64),
    }
    if quantized:
        constants |= {"scale": np.array(1 / 255, np.float32), "zero": np.zeros((), np.uint8)}
    else:
        nodes = [node for node in nodes if not node.op_type.endswith("Linear")]
    output = helper.make_tensor_value_info("output0", TensorProto.FLOAT, ("batch", 4 + classes, "anchors"))
    given = helper.make_tensor_value_info("images", TensorProto.FLOAT, ("batch", 3, "height", "width"))
    return _save(path, helper.make_graph(nodes, "detector", [given], [output], _tensors(constants)), metadata)


def _tensors(constants: Mapping[str, NDArray[Any]]) -> list[onnx.TensorProto]:
    return [numpy_helper.from_array(array, name) for name, array in constants.items()]


def _save(path: Path, graph: onnx.GraphProto, metadata: Mapping[str, str]) -> Path:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    helper.set_model_props(model, dict(metadata))
    onnx.save(model, path)
    return path


def yolox_answer(classes: int = 80) -> Array:
    """Return YOLOX's answer that there is nothing, (1, cells, 5 + classes)."""
    return np.zeros((1, CELLS, 5 + classes), np.float32)


def yolov8_answer(*boxes: tuple[Sequence[float], int, float], classes: int = 80, cells: int = CELLS) -> Array:
    """Return YOLOv8's answer (1, 4 + classes, cells), given centre and size [px], class and score of each box."""
    answer = np.zeros((1, 4 + classes, cells), np.float32)
    for cell, (box, number, score) in enumerate(boxes):
        answer[0, :4, cell] = box
        answer[0, 4 + number, cell] = score
    return answer

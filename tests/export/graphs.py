"""ONNX graphs of detectors whose weights mean nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

DETECTOR_PX = 128


class Graph:
    """A graph that grows node by node."""

    def __init__(self, name: str) -> None:
        self.input = name
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._rng = np.random.default_rng(3)

    def constant(self, values: Any, dtype: type = np.int64) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(values, dtype), name))
        return name

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def convolved(self, x: str, inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1, group: int = 1) -> str:
        shape = outputs, inputs // group, kernel, kernel
        weight = self._rng.normal(0, 2 / np.sqrt(np.prod(shape[1:])), shape)
        constants = self.constant(weight, np.float32), self.constant(self._rng.normal(0, 0.1, outputs), np.float32)
        pads, sides = [kernel // 2] * 4, {"kernel_shape": [kernel] * 2, "dilations": [1, 1]}
        return self.add("Conv", x, *constants, strides=[stride] * 2, pads=pads, group=group, **sides)

    def save(self, path: Path, output: str, shape: list[int]) -> Path:
        graph = helper.make_graph(
            self.nodes,
            "detector",
            [helper.make_tensor_value_info(self.input, TensorProto.FLOAT, [1, 3, DETECTOR_PX, DETECTOR_PX])],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)],
            self.constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        model.ir_version = 8
        onnx.save(model, path)
        return path

"""Exports the trained transforms to ONNX: the encoder as int8 (QDQ), the generator as float."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from pantel_export.enlarger import Enlarger
from pantel_export.networks import CELL_PX, Encoder, Generator

__all__ = [
    "HALF_SUFFIX",
    "export_encoder",
    "export_enlarger",
    "export_generator",
    "export_module",
    "has_weights",
    "quantized",
    "with_half_weights",
]

HALF_SUFFIX = "_half"
"""By which the name of a weight that is kept in 16 bits is longer than its own."""

_OPSET = 18
_MANY_WEIGHTS = 64  # of a tensor that is worth halving


def export_generator(network: Generator, channels: int, sides: int) -> bytes:
    """Return the generator as a float ONNX model with inputs `y_hat` and `side` of any size."""
    height, width = torch.export.Dim("h", min=1, max=256), torch.export.Dim("w", min=1, max=256)
    return export_module(
        network,
        (torch.zeros(1, channels, 6, 8), torch.zeros(1, sides, 6, 8)),
        names=(["y_hat", "side"], ["x_hat"]),
        dynamic={"y_hat": {2: height, 3: width}, "side": {2: height, 3: width}},
    )


def export_enlarger(network: Enlarger) -> bytes:
    """Return what an enlarger adds to interpolation as an ONNX model with an input `x_half` of any size, in 16 bits.

    onnxruntime takes longer for bicubic interpolation than for all the rest; whoever uses the model interpolates.
    """
    free: dict[int, object] = {axis: torch.export.Dim(name, min=1, max=512) for axis, name in ((2, "h"), (3, "w"))}
    plain = export_module(
        network.body, (torch.zeros(1, 3, 24, 32),), names=(["x_half"], ["correction"]), dynamic={"x_half": free}
    )
    return with_half_weights(plain)


def export_encoder(network: Encoder, calibration: Sequence[NDArray[np.float32]]) -> tuple[bytes, bytes]:
    """Return the encoder as (int8, float) ONNX models with input `x` of any multiple of 16.

    Weights are int8 per channel, activations uint8, both in QDQ form with `reduce_range`, so that AVX2 machines do
    not saturate. The two projections to latents stay in float: the latents are quantized finely enough
    by the codec itself, and a second, coarser grid below it would cost decibels.

    Args:
        network: The trained encoder.
        calibration: Inputs (1, 4, H, W) float32 whose activations set the ranges.
    """
    rows, columns = torch.export.Dim("h", min=1, max=64), torch.export.Dim("w", min=1, max=64)
    dynamic = {"x": {2: CELL_PX * rows, 3: CELL_PX * columns}}
    plain = export_module(network, (torch.zeros(1, 4, 96, 128),), names=(["x"], ["y"]), dynamic=dynamic)
    return quantized(plain, calibration, "x", _projections), plain


def _projections(graph: onnx.GraphProto) -> list[str]:
    return [n.name for n in graph.node if n.op_type == "Conv" and _reaches_output(n.output[0], graph)]


def quantized(
    model: bytes,
    calibration: Sequence[NDArray[np.float32]],
    input_name: str,
    stays_float: Callable[[onnx.GraphProto], list[str]],
) -> bytes:
    """Return a float model with int8 weights per channel and uint8 activations, in QDQ form with `reduce_range`.

    Args:
        model: The float model.
        calibration: Inputs whose activations set the ranges.
        input_name: Of the model.
        stays_float: Tells the names of the nodes that are left as they are.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, prepared, target = (Path(folder) / n for n in ("float.onnx", "prepared.onnx", "int8.onnx"))
        source.write_bytes(model)
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            target,
            _Inputs(calibration, input_name),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            nodes_to_exclude=stays_float(onnx.load(str(prepared)).graph),
            calibrate_method=CalibrationMethod.Percentile,
            extra_options={"CalibPercentile": 99.995},
        )
        return target.read_bytes()


def export_module(
    network: torch.nn.Module,
    arguments: tuple[torch.Tensor, ...],
    *,
    names: tuple[list[str], list[str]],
    dynamic: dict[str, dict[int, object]],
) -> bytes:
    """Return a network as a float ONNX model.

    Args:
        network: In evaluation mode from here on.
        arguments: What it takes, of some size.
        names: Of its inputs and of its outputs.
        dynamic: Of each input the dimensions that are free; those of an input that is left out are fixed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # the exporter uses what PyTorch itself gives up
        program = torch.onnx.export(
            network.float().eval(),
            arguments,
            input_names=names[0],
            output_names=names[1],
            opset_version=_OPSET,
            dynamo=True,
            dynamic_shapes=tuple(dynamic.get(name) for name in names[0]) if dynamic else None,
            verbose=False,
        )
    model = program.model_proto
    # Names of source files and modules are of no use to a reader of the shipped graph.
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    del model.metadata_props[:]
    return bytes(model.SerializeToString(deterministic=True))


def has_weights(model: bytes, network: torch.nn.Module, tolerance: float) -> bool:
    """Tell whether a network has the weights of an ONNX model that was exported from one like it."""
    ours = {name: weight.detach().numpy() for name, weight in network.named_parameters()}
    theirs = {
        tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in onnx.load_from_string(model).graph.initializer
    }
    shared = ours.keys() & theirs.keys()
    return bool(shared) and all(
        ours[name].shape == theirs[name].shape and np.allclose(ours[name], theirs[name], rtol=tolerance, atol=tolerance)
        for name in shared
    )


def with_half_weights(model: bytes) -> bytes:
    """Return a float ONNX model whose weights are kept as 16-bit floats, and become 32-bit ones when it is loaded.

    So the file is half as large, and what it computes is as precise as 11 bits of each weight are.
    """
    proto = onnx.load_from_string(model)
    graph = proto.graph
    casts = []
    for index, tensor in enumerate(graph.initializer):
        if tensor.data_type == onnx.TensorProto.FLOAT and np.prod(tensor.dims) >= _MANY_WEIGHTS:
            stored = f"{tensor.name}{HALF_SUFFIX}"
            half = onnx.numpy_helper.to_array(tensor).astype(np.float16)
            casts.append(onnx.helper.make_node("Cast", [stored], [tensor.name], to=onnx.TensorProto.FLOAT))
            graph.initializer[index].CopyFrom(onnx.numpy_helper.from_array(half, stored))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return bytes(proto.SerializeToString(deterministic=True))


class _Inputs(CalibrationDataReader):
    def __init__(self, inputs: Sequence[NDArray[np.float32]], name: str) -> None:
        self._iterator: Iterator[NDArray[np.float32]] = iter(inputs)
        self._name = name

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """Return the next calibration input; None at the end."""
        x = next(self._iterator, None)
        return None if x is None else {self._name: x}


def _reaches_output(name: str, graph: onnx.GraphProto) -> bool:
    """Tell whether a tensor reaches the graph's output through additions only."""
    if any(output.name == name for output in graph.output):
        return True
    followers = [n for n in graph.node if name in n.input]
    return bool(followers) and all(n.op_type == "Add" and _reaches_output(n.output[0], graph) for n in followers)

"""Puts a trained detector among the shipped models, in int8."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pantel_export.artefact_record import shortened
from pantel_export.errors import DataError
from pantel_export.eyes.card import detector_card
from pantel_export.eyes.classes import CLASSES
from pantel_export.eyes.network import STRIDES, Detector
from pantel_export.eyes.train import load_detector
from pantel_export.manifest import enter_artefact
from pantel_export.onnx_export import export_module, quantized

__all__ = ["add_detector", "export_detector"]

_INPUT = "images"
_CALIBRATED = 100  # pictures
_LONG_SIDE_PX = 320
_GREY = 114


def add_detector(run: Path, name: str, photos: Sequence[Path], artefacts: Path) -> None:
    """Export the detector of a training run and enter it as the default one.

    Args:
        run: Folder of the run.
        name: Of the detector.
        photos: Folders of photographs whose activations set the ranges of the integers.
        artefacts: Folder that holds `manifest.json`.

    Raises:
        ExportError: There is no such run, or there are no photographs.
    """
    network, _, record = load_detector(run)
    model, _ = export_detector(network, _calibration(photos))
    enter_artefact(artefacts, name, {"detector": ("detector.onnx", model)}, kind="detectors")
    record = shortened(record)
    (artefacts / name / "record.json").write_text(json.dumps(record, indent=1) + "\n")
    (artefacts / name / "CARD.md").write_text(detector_card(name, record))


def export_detector(network: Detector, calibration: Sequence[NDArray[np.float32]]) -> tuple[bytes, bytes]:
    """Return a detector as (int8, float) ONNX models of YOLOv8's layout, [1, 3, H, W] to [1, 4 + classes, cells].

    Sides are multiples of 32. What stands behind the last convolutions, and these, stay in float.

    Args:
        network: The trained detector.
        calibration: Inputs (1, 3, H, W) float32.
    """
    rows, columns = torch.export.Dim("h", min=2, max=40), torch.export.Dim("w", min=2, max=40)
    plain = export_module(
        _Exported(network.fused()),
        (torch.zeros(1, 3, 256, 320),),
        names=([_INPUT], ["boxes"]),
        dynamic={_INPUT: {2: STRIDES[-1] * rows, 3: STRIDES[-1] * columns}},
    )
    return tuple(_named(model) for model in (quantized(plain, calibration, _INPUT, _tail), plain))  # type: ignore[return-value]


class _Exported(nn.Module):
    """A detector that tells boxes in pixels and scores."""

    def __init__(self, network: Detector) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        found = []
        for (scores, distances), stride in zip(self.network.grids(self.network.features(x)), STRIDES, strict=True):
            left, above, right, below = distances.clamp(max=4.0).exp().unbind(1)
            height, width = scores.shape[2:]
            x_centre = torch.arange(width, dtype=torch.float32) + 0.5
            y_centre = torch.arange(height, dtype=torch.float32)[:, None] + 0.5
            boxes = torch.stack(
                [x_centre + (right - left) / 2, y_centre + (below - above) / 2, left + right, above + below], 1
            )
            found.append(torch.cat([boxes * stride, scores.sigmoid()], 1).flatten(2))
        return torch.cat(found, 2)


def _tail(graph: onnx.GraphProto) -> list[str]:
    """Return the names of the last convolutions and of all nodes behind them."""
    producers = {output: node for node in graph.node for output in node.output}
    names: list[str] = []
    waiting = [value.name for value in graph.output]
    while waiting:
        node = producers.get(waiting.pop())
        if node is not None and node.name not in names:
            names.append(node.name)
            if node.op_type != "Conv":
                waiting += node.input
    return names


def _named(model: bytes) -> bytes:
    """Return a model that says what its classes are and how large pictures should be."""
    proto = onnx.load_from_string(model)
    for key, value in (
        ("names", str(dict(enumerate(CLASSES)))),
        ("task", "detect"),
        ("stride", str(STRIDES[-1])),
        ("imgsz", str([_LONG_SIDE_PX, _LONG_SIDE_PX])),
        ("description", "Pantel's detector of people, vehicles and animals"),
        ("license", "Apache-2.0"),
    ):
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, value
    return bytes(proto.SerializeToString(deterministic=True))


def _calibration(photos: Sequence[Path]) -> list[NDArray[np.float32]]:
    """Return pictures as the sender gives them to the detector, evenly taken from all folders."""
    paths = [path for folder in photos for path in sorted(folder.iterdir())]
    inputs = []
    for path in paths[:: max(len(paths) // _CALIBRATED, 1)]:
        picture = cv2.imread(str(path))
        if picture is None:
            continue
        scale = _LONG_SIDE_PX / max(picture.shape[:2])
        reduced = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[..., ::-1]
        canvas = np.full((_LONG_SIDE_PX, _LONG_SIDE_PX, 3), _GREY, np.float32)
        canvas[: reduced.shape[0], : reduced.shape[1]] = reduced[:_LONG_SIDE_PX, :_LONG_SIDE_PX]
        inputs.append(np.ascontiguousarray(canvas.transpose(2, 0, 1)[None] / np.float32(255)))
    if not inputs:
        raise DataError("there are no photographs to set the ranges by; name folders with --photos")
    return inputs

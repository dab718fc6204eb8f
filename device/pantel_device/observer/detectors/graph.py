"""An ONNX file that looks at one picture."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pantel_device.errors import DetectorError
from pantel_device.observer.detectors.placement import size_for
from pantel_models.errors import ModelError
from pantel_models.sessions import open_session

__all__ = ["DetectorGraph"]

_DTYPES: dict[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
}
_LONG_SIDE_PX = 640  # of graphs of any size that name none: what most of them are trained with
_LONG_SIDES_PX = range(32, 2049)
_STRIDE_PX = 32
_STRIDES_PX = range(1, 129)


class DetectorGraph:
    """A graph with one picture as its input, opened.

    Attributes:
        path: Of the file.
        metadata: What the exporter has written into it.
        maps: From which shape to which the graph maps, in words.
        dtype: Of the input: float32, float16 or uint8.
        size_px: Width and height of the input; None if it takes any multiple of `stride_px`.
        stride_px: What sides must be multiples of where they can be chosen.
    """

    def __init__(self, path: Path) -> None:
        """Open a file.

        Raises:
            DetectorError: It cannot be read, is no model, or does not map one picture.
        """
        self.path = path
        self._session = _open(path)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        self.metadata: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        self.maps = f"{_shapes(inputs)} to {_shapes(outputs)}"
        self.size_px = self._picture_size(inputs)
        self.dtype = _DTYPES[inputs[0].type]
        self.stride_px = _number(self.metadata.get("stride"), _STRIDES_PX) or _STRIDE_PX
        self._long_side_px = _number(self.metadata.get("imgsz"), _LONG_SIDES_PX) or _LONG_SIDE_PX
        self._input = inputs[0].name

    def size_for(self, picture_px: tuple[int, int]) -> tuple[int, int]:
        """Return width and height of the input for pictures of a width and height."""
        return self.size_px or size_for(picture_px, self._long_side_px, self.stride_px)

    def run(self, x: NDArray[np.generic]) -> tuple[NDArray[np.float32], ...]:
        """Return the arrays that the graph makes of an input (1, 3, height, width), as float32.

        Raises:
            DetectorError: The graph cannot be run with such an input.
        """
        try:
            outputs = self._session.run(None, {self._input: x})
            return tuple(np.asarray(output, np.float32) for output in outputs)
        except Exception as error:  # onnxruntime raises a dozen types without a common base
            reason = str(error).partition("\n")[0]
            raise DetectorError(f"the detector {self.path} cannot be run: {reason}; export it anew") from error

    def _picture_size(self, inputs: Sequence[Any]) -> tuple[int, int] | None:
        """Return width and height of the input, None if it takes any.

        Raises:
            DetectorError: There is not one input, or it is no picture.
        """
        if len(inputs) == 1 and inputs[0].type in _DTYPES and len(inputs[0].shape) == 4:
            batch, channels, height, width = inputs[0].shape
            if (channels == 3 or not isinstance(channels, int)) and (batch == 1 or not isinstance(batch, int)):
                return (width, height) if isinstance(width, int) and isinstance(height, int) else None
        kinds = ", ".join(each.type.removeprefix("tensor(").removesuffix(")") for each in inputs)
        raise DetectorError(
            f"the detector {self.path} maps {self.maps}, input {kinds}; export one that takes a single picture "
            f"[1, 3, H, W] as float32, float16 or uint8"
        )


def _open(path: Path) -> Any:
    try:
        model = path.read_bytes()
    except OSError as error:
        raise DetectorError(
            f"the detector {path} cannot be read ({error.strerror}); correct its path, or name "
            "default (the bundled one) or none (motion alone)"
        ) from error
    try:
        return open_session(model, f"the detector {path}")
    except ModelError as error:
        raise DetectorError(f"{error}; name a whole ONNX file") from error


def _shapes(values: Sequence[Any]) -> str:
    """Return shapes as one reads them: sides that are not fixed by their names."""
    texts = (", ".join("?" if side is None else str(side) for side in value.shape) for value in values)
    return " and ".join(f"[{text}]" for text in texts)


def _number(text: str | None, allowed: range) -> int | None:
    """Return the largest whole number of a text such as "32" or "[640, 640]"; None if it has none that is allowed."""
    try:
        value = ast.literal_eval(text or "")
        numbers = [int(number) for number in (value if isinstance(value, list | tuple) else [value])]
    except (ValueError, TypeError, SyntaxError, OverflowError, MemoryError, RecursionError):
        return None
    return max(numbers) if numbers and max(numbers) in allowed else None

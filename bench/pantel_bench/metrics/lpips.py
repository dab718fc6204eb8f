"""Learned perceptual image patch similarity, computed with numpy alone.

R. Zhang, P. Isola, A. A. Efros, E. Shechtman, O. Wang: "The unreasonable effectiveness of deep features as a
perceptual metric", CVPR 2018; version 0.1 with SqueezeNet 1.1 as its backbone (LPIPS values of other
backbones are another scale)::

    RGB -> conv1, relu -> pool -> fire3, 4 -> pool -> fire6, 7 -> pool -> fire9 -> fire10 -> fire11 -> fire12
               |                         |                   |               |         |         |         |
             lin0                      lin1                lin2            lin3      lin4      lin5      lin6

The weights are not shipped: the caller names an ``.npz`` with ``backbone.*`` (the convolutions of
torchvision's SqueezeNet 1.1 under their names there) and ``lin0`` to ``lin6`` (the weights of the channels).
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pantel_bench.errors import WeightsError
from pantel_bench.metrics.shapes import require_same_rgb

__all__ = ["Lpips"]

Features = tuple[NDArray[np.float32], ...]

_SHIFT = np.array([-0.030, -0.088, -0.188], np.float32)
_SCALE = np.array([0.458, 0.448, 0.450], np.float32)
_EPSILON = 1e-10
_MIDDLE_TAP = 2
# The backbone after its first convolution, by torchvision's layer numbers: pool, or fire with or without tap.
_POOL, _FIRE, _FIRE_AND_TAP = range(3)
_LAYERS = {
    2: _POOL, 3: _FIRE, 4: _FIRE_AND_TAP,
    5: _POOL, 6: _FIRE, 7: _FIRE_AND_TAP,
    8: _POOL, 9: _FIRE_AND_TAP, 10: _FIRE_AND_TAP, 11: _FIRE_AND_TAP, 12: _FIRE_AND_TAP,
}  # fmt: skip


class Lpips:
    """The metric with its weights; remembers the features of the last source, which is compared often."""

    def __init__(self, weights: dict[str, NDArray[np.float32]]) -> None:
        """Take the arrays of the weights file by name, and try them on an empty picture.

        Raises:
            WeightsError: An array is missing or has another shape.
        """
        self._weights = weights
        try:
            for tap, features in enumerate(self._features(np.zeros((32, 32, 3), np.uint8))):
                _weighted_distance(features, features, self._weights[f"lin{tap}"])
        except (KeyError, ValueError) as error:
            raise WeightsError(f"these are not the weights of LPIPS v0.1 with SqueezeNet: {error}") from error
        self._source: NDArray[np.uint8] | None = None
        self._source_features: Features = ()

    @classmethod
    def from_file(cls, path: Path) -> Lpips:
        """Read the weights from an ``.npz`` file.

        Raises:
            WeightsError: The file cannot be read or holds something else.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return cls({name: np.asarray(arrays[name], np.float32) for name in arrays.files})
        except (EOFError, OSError, TypeError, ValueError, zipfile.BadZipFile) as error:
            raise WeightsError(f"cannot read the LPIPS weights {path}: {error}") from error

    def distance(self, source: NDArray[np.uint8], decoded: NDArray[np.uint8]) -> float:
        """Return the perceptual distance of two pictures.

        Args:
            source: (H, W, 3) uint8, RGB, at least 32x32.
            decoded: (H, W, 3) uint8, RGB.

        Returns:
            0 for equal pictures, about 1 for unlike ones.

        Raises:
            MetricError: The pictures differ in size or are not RGB.
        """
        require_same_rgb(source, decoded)
        if self._source is None or not np.array_equal(self._source, source):
            self._source, self._source_features = source.copy(), self._features(source)
        distance = 0.0
        for tap, (ours, theirs) in enumerate(zip(self._source_features, self._features(decoded), strict=True)):
            distance += _weighted_distance(ours, theirs, self._weights[f"lin{tap}"])
        return distance

    def features(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return (256, H/8, W/8) float32: what the backbone's seventh layer says of a picture, of unit length."""
        return self._features(picture)[_MIDDLE_TAP]

    def _features(self, picture: NDArray[np.uint8]) -> Features:
        """Return the seven taps, each (C, h, w) float32 of unit length along the channels."""
        x = (picture.astype(np.float32) / 127.5 - 1.0 - _SHIFT) / _SCALE
        x = _relu(_conv(x.transpose(2, 0, 1), *self._convolution("0"), stride=2))
        taps = [x]
        for number, kind in _LAYERS.items():
            x = _max_pool(x) if kind == _POOL else self._fire(x, number)
            if kind == _FIRE_AND_TAP:
                taps.append(x)
        return tuple(tap / (np.sqrt((tap * tap).sum(axis=0)) + _EPSILON) for tap in taps)

    def _fire(self, x: NDArray[np.float32], number: int) -> NDArray[np.float32]:
        """Apply a fire module: squeeze to few channels, expand by 1x1 and 3x3 kernels side by side."""
        squeezed = _relu(_conv(x, *self._convolution(f"{number}.squeeze")))
        narrow = _conv(squeezed, *self._convolution(f"{number}.expand1x1"))
        padded = np.pad(squeezed, ((0, 0), (1, 1), (1, 1)))
        wide = _conv(padded, *self._convolution(f"{number}.expand3x3"))
        return _relu(np.concatenate([narrow, wide]))

    def _convolution(self, name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return self._weights[f"backbone.{name}.weight"], self._weights[f"backbone.{name}.bias"]


def _weighted_distance(ours: NDArray[np.float32], theirs: NDArray[np.float32], weights: NDArray[np.float32]) -> float:
    """Return the mean over (C, h, w) of the squared difference, its channels weighted."""
    return float(((ours - theirs) ** 2).mean(axis=(1, 2), dtype=np.float64) @ weights)


def _conv(
    x: NDArray[np.float32], weight: NDArray[np.float32], bias: NDArray[np.float32], stride: int = 1
) -> NDArray[np.float32]:
    """Convolve (Cin, H, W) without padding by (Cout, Cin, k, k): one matrix product over unfolded windows."""
    outputs, inputs, kernel, _ = weight.shape
    height = (x.shape[1] - kernel) // stride + 1
    width = (x.shape[2] - kernel) // stride + 1
    windows = np.empty((inputs, kernel, kernel, height, width), np.float32)
    for row in range(kernel):
        for column in range(kernel):
            windows[:, row, column] = x[
                :,
                row : row + stride * (height - 1) + 1 : stride,
                column : column + stride * (width - 1) + 1 : stride,
            ]
    product = weight.reshape(outputs, -1) @ windows.reshape(inputs * kernel * kernel, height * width)
    product += bias[:, None]
    return product.reshape(outputs, height, width)


def _relu(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Clip at zero in place."""
    return np.maximum(x, 0.0, out=x)


def _max_pool(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Pool (C, H, W) by 3x3 windows at stride 2; a window that hangs over the far edge counts (ceil mode)."""
    height, width = x.shape[1] // 2, x.shape[2] // 2  # = ceil((side - 3) / 2) + 1
    padded = np.pad(x, ((0, 0), (0, 2 * height + 1 - x.shape[1]), (0, 2 * width + 1 - x.shape[2])), mode="edge")
    rows = np.maximum(np.maximum(padded[:, :-2:2], padded[:, 1:-1:2]), padded[:, 2::2])
    return np.maximum(np.maximum(rows[:, :, :-2:2], rows[:, :, 1:-1:2]), rows[:, :, 2::2])

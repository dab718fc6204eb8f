"""Perceptual similarity by Haar wavelets: a measure that no model here was trained on.

R. Reisenhofer, S. Bosse, G. Kutyniok, T. Wiegand: "A Haar wavelet-based perceptual similarity index for image quality
assessment", Signal Processing: Image Communication 61, 2018; the version for colour, with its constants.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pantel_bench.metrics.planes import Plane, convolved, mean_2x2
from pantel_bench.metrics.shapes import require_same_rgb

__all__ = ["haarpsi"]

_C, _ALPHA = 30.0, 4.2
_SCALES = 3  # the first two are compared, the third says where it matters
_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])


def haarpsi(source: NDArray[np.uint8], decoded: NDArray[np.uint8]) -> float:
    """Return the similarity of two pictures, 0 to 1.

    Args:
        source: (H, W, 3) uint8, RGB.
        decoded: (H, W, 3) uint8, RGB.

    Raises:
        MetricError: The pictures differ in size or are not RGB.
    """
    require_same_rgb(source, decoded)
    ours, theirs = _halved_yiq(source), _halved_yiq(decoded)
    similarities, weights = [], []
    for turned in (False, True):
        one, other = (_details(planes[0], turned=turned) for planes in (ours, theirs))
        similarities.append(np.mean([_similarity(a, b) for a, b in zip(one[:2], other[:2], strict=True)], axis=0))
        weights.append(np.maximum(one[2], other[2]))
    chroma = [_similarity(mean_2x2(a), mean_2x2(b)) for a, b in zip(ours[1:], theirs[1:], strict=True)]
    similarities.append(np.mean(chroma, axis=0))
    weights.append(np.mean(weights, axis=0))
    total = float(np.sum(weights))
    if total == 0.0:  # both flat: only their colours can differ
        return float(_unsquashed(np.mean(_squashed(np.stack(similarities)))) ** 2)
    pooled = float((_squashed(np.stack(similarities)) * np.stack(weights)).sum()) / total
    return float(_unsquashed(pooled) ** 2)


def _halved_yiq(picture: NDArray[np.uint8]) -> list[Plane]:
    """Return Y, I and Q, averaged over 2x2 pixels and halved, as the eye sees them from some distance."""
    yiq = picture.astype(np.float64) @ _YIQ.T
    return [mean_2x2(plane)[::2, ::2] for plane in np.moveaxis(yiq, 2, 0)]


def _details(plane: Plane, *, turned: bool) -> list[Plane]:
    """Return magnitudes of the Haar coefficients of one direction at each scale, fine first."""
    found = []
    for scale in range(1, _SCALES + 1):
        side = 1 << scale
        kernel = np.full((side, side), 1.0 / side)
        kernel[: side // 2] *= -1
        found.append(np.abs(convolved(plane, kernel.T if turned else kernel)))
    return found


def _similarity(one: Plane, other: Plane) -> Plane:
    one, other = np.abs(one), np.abs(other)
    return (2 * one * other + _C) / (one**2 + other**2 + _C)


def _squashed(value: Plane) -> Plane:
    return 1 / (1 + np.exp(-_ALPHA * value))


def _unsquashed(value: float | np.floating) -> float:
    return float(np.log(value / (1 - value)) / _ALPHA)

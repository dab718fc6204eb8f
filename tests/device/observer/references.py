"""What the detectors' own tools do with a picture and an answer, written down step by step, to compare with.

YOLOX: `demo/ONNXRuntime` and `yolox/utils/demo_utils.py`. Ultralytics: `LetterBox`, `non_max_suppression` and
`scale_boxes`. FastestDet: `utils/tool.py`. NanoDet: `demo/demo_multi_backend_python.py` of the versions 0.x,
`nanodet_plus_head.py` of 1.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, exp, tanh

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Found = tuple[float, float, float, float, float, int]  # x0, y0, x1, y1 in the picture, score, class
Size = tuple[int, int]  # width, height


def yolox_input(pixels: NDArray[np.uint8], size: Size) -> Array:
    """Return what YOLOX is shown."""
    height, width = pixels.shape[:2]
    ratio = min(size[1] / height, size[0] / width)
    canvas = np.ones((size[1], size[0], 3), np.uint8) * 114
    small = cv2.resize(pixels[..., ::-1], (int(width * ratio), int(height * ratio)), interpolation=cv2.INTER_LINEAR)
    canvas[: int(height * ratio), : int(width * ratio)] = small
    return np.ascontiguousarray(canvas.transpose(2, 0, 1)[None], np.float32)


def yolox(answer: Array, size: Size, picture: Size) -> list[Found]:
    """Return the boxes of one answer (cells, 5 + classes), all of them."""
    ratio = min(size[1] / picture[1], size[0] / picture[0])
    found, index = [], 0
    for stride in (8, 16, 32):
        for row in range(size[1] // stride):
            for column in range(size[0] // stride):
                x, y, w, h, objectness, *scores = answer[index].tolist()
                index += 1
                x, y = (x + column) * stride, (y + row) * stride
                w, h = exp(w) * stride, exp(h) * stride
                best = int(np.argmax(scores))
                x0, x1 = (x - w / 2) / ratio, (x + w / 2) / ratio
                y0, y1 = (y - h / 2) / ratio, (y + h / 2) / ratio
                found.append((x0, y0, x1, y1, objectness * scores[best], best))
    return found


def decoded(answer: Array, size: Size, picture: Size, *, centred: bool, objectness: bool) -> list[Found]:
    """Return the boxes of an answer whose centres and sizes are pixels of a letterboxed input."""
    gain = min(size[1] / picture[1], size[0] / picture[0])
    left = top = 0
    if centred:
        left = round((size[0] - round(picture[0] * gain)) / 2 - 0.1)
        top = round((size[1] - round(picture[1] * gain)) / 2 - 0.1)
    found = []
    for x, y, w, h, *rest in answer.tolist():
        scores = [rest[0] * score for score in rest[1:]] if objectness else rest
        best = int(np.argmax(scores))
        x0, x1 = ((side - left) / gain for side in (x - w / 2, x + w / 2))
        y0, y1 = ((side - top) / gain for side in (y - h / 2, y + h / 2))
        found.append((x0, y0, x1, y1, scores[best], best))
    return found


def end_to_end(answer: Array, size: Size, picture: Size) -> list[Found]:
    """Return the boxes of one answer (n, 6)."""
    gain = min(size[1] / picture[1], size[0] / picture[0])
    left = round((size[0] - round(picture[0] * gain)) / 2 - 0.1)
    top = round((size[1] - round(picture[1] * gain)) / 2 - 0.1)
    return [
        ((x0 - left) / gain, (y0 - top) / gain, (x1 - left) / gain, (y1 - top) / gain, score, int(number))
        for x0, y0, x1, y1, score, number in answer.tolist()
    ]


def fastest_det_input(pixels: NDArray[np.uint8], size: Size) -> Array:
    """Return what FastestDet is shown."""
    small = cv2.resize(pixels[..., ::-1], size, interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(small.transpose(2, 0, 1)[None], np.float32) / np.float32(255)


def fastest_det(answer: Array, size: Size, picture: Size) -> list[Found]:
    """Return the boxes of one answer (5 + classes, rows, columns)."""
    del size
    _, rows, columns = answer.shape
    found = []
    for row in range(rows):
        for column in range(columns):
            objectness, x, y, w, h, *scores = answer[:, row, column].tolist()
            best = int(np.argmax(scores))
            x, y = (tanh(x) + column) / columns, (tanh(y) + row) / rows
            w, h = 1 / (1 + exp(-w)), 1 / (1 + exp(-h))
            x0, x1 = (x - 0.5 * w) * picture[0], (x + 0.5 * w) * picture[0]
            y0, y1 = (y - 0.5 * h) * picture[1], (y + 0.5 * h) * picture[1]
            found.append((x0, y0, x1, y1, objectness**0.6 * scores[best] ** 0.4, best))
    return found


def nanodet(
    scores: Array, distributions: Array, size: Size, picture: Size, *, plus: bool, bins: int = 8
) -> list[Found]:
    """Return the boxes of one answer: (cells, classes) and (cells, 4 bins)."""
    gain = min(size[0] / picture[0], size[1] / picture[1])
    found, index = [], 0
    for stride in (8, 16, 32, 64) if plus else (8, 16, 32):
        for row in range(ceil(size[1] / stride)):
            for column in range(ceil(size[0] / stride)):
                x, y = ((place if plus else place + 0.5) * stride for place in (column, row))
                reach = []
                for side in range(4):
                    powers = [exp(value) for value in distributions[index, side * bins : (side + 1) * bins].tolist()]
                    reach.append(stride * sum(i * power for i, power in enumerate(powers)) / sum(powers))
                corners = [x - reach[0], y - reach[1], x + reach[2], y + reach[3]]
                for i, corner in enumerate(corners):
                    if plus:  # the picture was stretched
                        corners[i] = corner * picture[i % 2] / size[i % 2]
                    else:  # the picture lies in the middle of a black ground
                        corners[i] = (corner - size[i % 2] / 2) / gain + picture[i % 2] / 2
                best = int(np.argmax(scores[index]))
                x0, y0, x1, y1 = corners
                found.append((x0, y0, x1, y1, float(scores[index, best]), best))
                index += 1
    return found


def finished(found: Sequence[Found], picture: Size, *, min_score: float = 0.35, max_iou: float = 0.45) -> list[Found]:
    """Return the boxes that are sure enough and stronger than all that they overlap, clipped, surest first.

    What lies beyond the picture, in the padding, is left out.
    """
    kept: list[Found] = []
    for box in sorted(found, key=lambda box: -box[4]):
        x0, y0, x1, y1 = _clipped(box, picture)
        there = box[4] >= min_score and x0 < x1 and y0 < y1
        if there and all(box[5] != other[5] or _iou(box, other) <= max_iou for other in kept):
            kept.append(box)
    return [(*_clipped(box, picture), box[4], box[5]) for box in kept]


def _clipped(box: Found, picture: Size) -> tuple[float, float, float, float]:
    x0, x1 = (min(max(x, 0), picture[0]) for x in (box[0], box[2]))
    y0, y1 = (min(max(y, 0), picture[1]) for y in (box[1], box[3]))
    return x0, y0, x1, y1


def _iou(a: Found, b: Found) -> float:
    both = max(min(a[2], b[2]) - max(a[0], b[0]), 0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0)
    either = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both
    return both / either

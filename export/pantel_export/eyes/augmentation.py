"""What a camera might see: pictures moved, scaled, put together, with people pasted in, in other light."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_export.eyes.material import CutOut, DetectionMaterial, LabelledPicture

__all__ = ["draw_picture"]

_GREY = 114
_LEAST_SEEN = 0.3  # share of a box that must be left of it
_LEAST_SIDE_PX = 4.0
_COVERED = 0.7


def draw_picture(
    material: DetectionMaterial, side_px: int, rng: np.random.Generator, *, mosaic: float, pasted_people: float
) -> LabelledPicture:
    """Return a square picture.

    Mosaics of four are those of Bochkovskiy et al., "YOLOv4" (2020); pasting is that of Ghiasi et al., "Simple
    copy-paste is a strong data augmentation method for instance segmentation" (CVPR 2021).

    Args:
        material: Pictures are drawn by their weights.
        side_px: Width and height.
        rng: Decides everything.
        mosaic: Share of pictures that are put together from four.
        pasted_people: How many people are pasted in on average.
    """
    canvas = np.full((side_px, side_px, 3), _GREY, np.uint8)
    if rng.random() < mosaic:
        cross = rng.uniform(0.3, 0.7, 2) * side_px
        x, y = (int(value) for value in cross)
        windows = [(0, 0, x, y), (x, 0, side_px, y), (0, y, x, side_px), (x, y, side_px, side_px)]
        parts = [_laid(canvas, window, _drawn(material, rng), rng, in_mosaic=True) for window in windows]
    else:
        parts = [_laid(canvas, (0, 0, side_px, side_px), _drawn(material, rng), rng, in_mosaic=False)]
    boxes, classes, sure = (np.concatenate(values) for values in zip(*parts, strict=True))
    for _ in range(rng.poisson(pasted_people) if material.cut_outs else 0):
        cut_out = material.cut_outs[rng.integers(len(material.cut_outs))]
        box = _paste(canvas, cut_out, rng)
        if box is not None:
            kept = _share_covered(boxes, box) < _COVERED
            boxes = np.concatenate([boxes[kept], box[None]])
            classes, sure = np.append(classes[kept], 0), np.append(sure[kept], True)
    return LabelledPicture(_in_other_light(canvas, rng), boxes.astype(np.float32), classes, sure)


def _drawn(material: DetectionMaterial, rng: np.random.Generator) -> LabelledPicture:
    return material.pictures[rng.choice(len(material.pictures), p=material.weights)]


_Labels = tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.bool_]]


def _laid(
    canvas: NDArray[np.uint8],
    window: tuple[int, int, int, int],
    picture: LabelledPicture,
    rng: np.random.Generator,
    *,
    in_mosaic: bool,
) -> _Labels:
    """Lay a picture into a window of the canvas, scaled and moved; return the labels of what is seen there."""
    x0, y0, x1, y1 = window
    height, width = picture.pixels.shape[:2]
    # Whole in the window, larger, or smaller: far away is where a camera on a mast sees people.
    fit = min((x1 - x0) / width, (y1 - y0) / height)
    whole = canvas.shape[0] / max(height, width)
    low, high = (0.5 * whole, 1.3 * whole) if in_mosaic else (0.6 * fit, 2.0 * fit)
    scale = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    if not in_mosaic and rng.random() < 0.35:
        scale = fit
    stretch = float(np.exp(rng.normal(0, 0.1)))
    scale_x, scale_y = scale * stretch, scale / stretch
    mirrored = rng.random() < 0.5
    room_x, room_y = (x1 - x0) - scale_x * width, (y1 - y0) - scale_y * height
    left, top = x0 + rng.uniform(0, 1) * room_x, y0 + rng.uniform(0, 1) * room_y
    source, matrix = picture.pixels, np.array([[scale_x, 0, left - x0], [0, scale_y, top - y0]])
    boxes = picture.boxes.copy()
    if mirrored:
        source = np.ascontiguousarray(source[:, ::-1])
        boxes[:, [0, 2]] = width - boxes[:, [2, 0]]
    shrink = max(scale_x, scale_y)
    if shrink < 0.75:  # averaged before it is sampled
        size = max(round(width * shrink), 1), max(round(height * shrink), 1)
        source = np.asarray(cv2.resize(source, size, interpolation=cv2.INTER_AREA), np.uint8)
        matrix[:, 0] *= width / size[0]
        matrix[:, 1] *= height / size[1]
    matrix[:, 2] += 0.5 * (matrix[[0, 1], [0, 1]] - 1)  # pixel centres lie at halves
    target = np.ascontiguousarray(canvas[y0:y1, x0:x1])
    cv2.warpAffine(
        source, matrix, (x1 - x0, y1 - y0), dst=target, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT
    )
    canvas[y0:y1, x0:x1] = target
    moved = boxes * np.array([scale_x, scale_y] * 2, np.float32) + np.array([left, top] * 2, np.float32)
    seen = moved.clip(np.array([x0, y0] * 2), np.array([x1, y1] * 2)).astype(np.float32)
    shares = _areas(seen) / np.maximum(_areas(moved), 1e-6)
    large = (seen[:, 2:] - seen[:, :2]).max(axis=1, initial=0) >= _LEAST_SIDE_PX
    sure = picture.sure & (shares >= _LEAST_SEEN) & large
    there = shares > 0
    return seen[there], picture.classes[there], sure[there]


def _paste(canvas: NDArray[np.uint8], cut_out: CutOut, rng: np.random.Generator) -> NDArray[np.float32] | None:
    """Paste a person somewhere; return the box, None if the person does not fit."""
    side_px = canvas.shape[0]
    height = float(np.exp(rng.uniform(np.log(14), np.log(0.7 * side_px))))
    rows = round(height)
    columns = max(round(cut_out.mask.shape[1] * height / cut_out.mask.shape[0] * np.exp(rng.normal(0, 0.1))), 3)
    if rows >= side_px or columns >= side_px:
        return None
    method = cv2.INTER_AREA if rows < cut_out.mask.shape[0] else cv2.INTER_LINEAR
    pixels = cv2.resize(cut_out.pixels, (columns, rows), interpolation=method).astype(np.float32)
    mask = cv2.resize(cut_out.mask, (columns, rows), interpolation=method)
    if rng.random() < 0.5:
        pixels, mask = pixels[:, ::-1], mask[:, ::-1]
    x, y = int(rng.integers(0, side_px - columns)), int(rng.integers(0, side_px - rows))
    window = canvas[y : y + rows, x : x + columns]
    pixels = pixels * float(np.exp(rng.normal(0, 0.25))) + float(rng.normal(0, 10))
    alpha = mask[..., None]
    window[:] = np.clip(pixels * alpha + window * (1 - alpha), 0, 255).astype(np.uint8)
    return np.array([x, y, x + columns, y + rows], np.float32)


def _in_other_light(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a picture with another exposure and other colours, at times grey, dark and noisy, or blurred."""
    gain = float(np.exp(rng.normal(0, 0.25))) * np.exp(rng.normal(0, 0.06, 3))
    offset = float(rng.normal(0, 12))
    noise = 0.0
    if rng.random() < 0.12:  # dusk
        gain = gain * rng.uniform(0.25, 0.6)
        noise = rng.uniform(2, 8)
    values = np.arange(256, dtype=np.float32)[:, None]
    table = np.clip(values * gain.astype(np.float32) + offset, 0, 255).astype(np.uint8)
    pixels = np.asarray(cv2.LUT(pixels, table[:, None]), np.uint8)
    draw = rng.random()
    if draw < 0.12:
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        pixels = np.repeat(grey[..., None], 3, axis=2)
    elif draw < 0.16:
        pixels = np.ascontiguousarray(pixels[..., rng.permutation(3)])
    if rng.random() < 0.15:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.4, 1.2)), np.uint8)
    if noise:
        grain = rng.integers(-127, 128, pixels.shape, dtype=np.int8).astype(np.float32) * np.float32(noise / 73)
        pixels = np.clip(pixels + grain, 0, 255).astype(np.uint8)
    return pixels


def _areas(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).clip(0).prod(axis=1), np.float32)


def _share_covered(boxes: NDArray[np.float32], cover: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how much of each box another one covers."""
    both = np.concatenate([np.maximum(boxes[:, :2], cover[:2]), np.minimum(boxes[:, 2:], cover[2:])], axis=1)
    return np.asarray(_areas(both) / np.maximum(_areas(boxes), 1e-6), np.float32)

"""Objects cut out of photographs with boxes, for the statistics of thumbnails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_export.errors import DataError

__all__ = ["ObjectCrop", "object_crops"]

_CLASSES = frozenset((*range(9), *range(14, 24)))  # of COCO: people, vehicles, animals
_MIN_SIDE_PX = 12
_WORKING_SIDE_PX = 96
_CONTEXT = 0.3  # of the box's sides, for the colours of what is not the object
_MARGIN = 0.08  # of the box's sides, that a sprite's raster is wider on each side
_ROUNDS = 4
_LEAST_SHARE, _MOST_SHARE = 0.3, 0.95  # of the box that an object fills; else the cut has failed


@dataclass(frozen=True, slots=True, eq=False)
class ObjectCrop:
    """One object.

    Attributes:
        pixels: (H, W, 3) uint8, RGB: its box and a margin.
        mask: (H, W) float32, 1 on the object.
    """

    pixels: NDArray[np.uint8]
    mask: NDArray[np.float32]


def object_crops(photos: Path, boxes: Path) -> Iterator[ObjectCrop]:
    """Yield the objects of a folder of photographs, separated from what is behind them.

    The boxes say where an object is; GrabCut (Rother et al., SIGGRAPH 2004) says which pixels are its own.

    Args:
        photos: Folder of photographs.
        boxes: Folder of YOLO text files of the same names: class, centre, size, as shares of the picture.

    Raises:
        DataError: A file of boxes holds something else.
    """
    cv2.setRNGSeed(0)
    pictures = {path.stem: path for path in sorted(photos.iterdir())}
    for labels in sorted(boxes.glob("*.txt")):
        path = pictures.get(labels.stem)
        picture = None if path is None else cv2.imread(str(path))
        if picture is None:
            continue
        for class_id, box in _read_boxes(labels):
            crop = _cut(np.asarray(picture, np.uint8), box) if class_id in _CLASSES else None
            if crop is not None:
                yield crop


def _read_boxes(labels: Path) -> list[tuple[int, list[float]]]:
    """Return class and box of each line; what else stands on a line, such as a confidence, does not matter."""
    boxes = []
    for line in filter(str.strip, labels.read_text().splitlines()):
        try:
            class_id, *box = int(line.split()[0]), *map(float, line.split()[1:5])
        except ValueError as error:
            raise DataError(f"{labels}: '{line}' is not a class, a centre and a size") from error
        if len(box) != 4 or not all(0 <= value <= 1 for value in box):
            raise DataError(f"{labels}: '{line}' is not a class, a centre and a size, as shares of the picture")
        boxes.append((class_id, box))
    return boxes


def _cut(picture: NDArray[np.uint8], box: list[float]) -> ObjectCrop | None:
    """Cut one object out of a picture (H, W, 3) BGR; None if that fails."""
    height, width = picture.shape[:2]
    centre_x, centre_y, box_width, box_height = np.array(box) * [width, height, width, height]
    if min(box_width, box_height) < _MIN_SIDE_PX:
        return None
    around = np.array([box_width, box_height]) * (0.5 + _CONTEXT)
    x0, y0 = np.maximum(np.array([centre_x, centre_y]) - around, 0).astype(int)
    x1, y1 = np.minimum(np.array([centre_x, centre_y]) + around, [width, height]).astype(int)
    scale = _WORKING_SIDE_PX / max(x1 - x0, y1 - y0)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    context = cv2.resize(picture[y0:y1, x0:x1], None, fx=scale, fy=scale, interpolation=method)
    left, top = (int((centre_x - box_width / 2 - x0) * scale), int((centre_y - box_height / 2 - y0) * scale))
    left, top = max(left, 0), max(top, 0)
    columns = min(int(box_width * scale), context.shape[1] - left)
    rows = min(int(box_height * scale), context.shape[0] - top)
    labels = np.zeros(context.shape[:2], np.uint8)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    try:
        cv2.grabCut(context, labels, (left, top, columns, rows), *models, _ROUNDS, cv2.GC_INIT_WITH_RECT)
    except cv2.error:  # the box leaves nothing outside it
        return None
    inside = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    share = inside[top : top + rows, left : left + columns].mean()
    above, beside = round(_MARGIN * rows), round(_MARGIN * columns)
    window = (
        slice(max(top - above, 0), top + rows + above),
        slice(max(left - beside, 0), left + columns + beside),
    )
    mask = inside[window]
    if not _LEAST_SHARE <= share <= _MOST_SHARE:
        return None
    return ObjectCrop(np.ascontiguousarray(context[window][..., ::-1]), mask)

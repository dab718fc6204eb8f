"""Objects cut out of photographs, by boxes or by masks, for the training of thumbnails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_export.errors import DataError
from pantel_export.yolo_boxes import YoloBox, read_yolo_boxes
from pantel_models.thumbnails import Kind, kind_of

__all__ = ["ObjectCrop", "boxed_objects", "gather", "masked_objects"]

_MIN_SIDE_PX = 12
_LONGEST_SIDE_PX = 96
_CONTEXT = 0.3  # of the box's sides, for the colours of what is not the object
_ROUNDS = 4
_LEAST_SHARE, _MOST_SHARE = 0.2, 0.95  # of the box that an object fills; else the cut has failed

# Half the width of a person at some heights of the box, -1 at the head and 1 at the feet, as shares of its own.
_PERSON_HEIGHTS = (-1.0, -0.75, -0.55, 0.1, 1.0)
_PERSON_WIDTHS = (0.28, 0.38, 0.75, 0.8, 0.65)


@dataclass(frozen=True, slots=True, eq=False)
class ObjectCrop:
    """One object.

    Attributes:
        pixels: (H, W, 3) uint8, RGB: the object and something around it.
        mask: (H, W) float32, 1 on the object.
        kind: What it is.
    """

    pixels: NDArray[np.uint8]
    mask: NDArray[np.float32]
    kind: Kind


def gather(
    boxed: Sequence[tuple[Path, Path]], masked: Sequence[tuple[Path, Path]]
) -> tuple[list[ObjectCrop], list[dict[str, Any]]]:
    """Return the objects of several folders of photographs, and how many each gave.

    Args:
        boxed: Folders of photographs, each with the folder of its boxes.
        masked: Folders of photographs, each with the folder of its masks.

    Raises:
        DataError: A file of boxes holds something else, or no object could be cut out at all.
    """
    crops: list[ObjectCrop] = []
    sources = []
    for cut, folders in ((boxed_objects, boxed), (masked_objects, masked)):
        for photos, labels in folders:
            found = list(cut(photos, labels))
            crops += found
            sources.append({"folder": photos.name, "objects": len(found)})
    if not crops:
        raise DataError("no object could be cut out; name folders of photographs and of their boxes or masks")
    return crops, sources


def boxed_objects(photos: Path, boxes: Path) -> Iterator[ObjectCrop]:
    """Yield the people, vehicles and animals of a folder of photographs, separated from what is behind them.

    The boxes say where an object is; GrabCut (Rother et al., SIGGRAPH 2004), which begins with the outline that such
    objects usually have, says which pixels are its own.

    Args:
        photos: Folder of photographs.
        boxes: Folder of YOLO text files of the same names: class of COCO, centre, size, as shares of the picture.

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
        for box in read_yolo_boxes(labels):
            kind = kind_of(box.class_id + 1)
            crop = None if kind is Kind.UNKNOWN else _cut(np.asarray(picture, np.uint8), box, kind)
            if crop is not None:
                yield crop


def masked_objects(photos: Path, masks: Path) -> Iterator[ObjectCrop]:
    """Yield the people of a folder of photographs.

    Args:
        photos: Folder of photographs.
        masks: Folder of pictures of the same names, not black where people are.
    """
    pictures = {path.stem: path for path in sorted(photos.iterdir())}
    for path in sorted(masks.iterdir()):
        mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        picture = cv2.imread(str(pictures[path.stem])) if path.stem in pictures else None
        if mask is None or picture is None:
            continue
        height, width = picture.shape[:2]
        inside = cv2.resize((mask > 0).astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
        count, labels, statistics, _ = cv2.connectedComponentsWithStats(inside)
        for index in range(1, count):
            x, y, columns, rows = statistics[index, :4].tolist()
            if min(columns, rows) >= _MIN_SIDE_PX:
                window = slice(max(y - 1, 0), y + rows + 1), slice(max(x - 1, 0), x + columns + 1)
                yield _crop(np.asarray(picture[window], np.uint8), labels[window] == index, Kind.PERSON)


def _cut(picture: NDArray[np.uint8], box: YoloBox, kind: Kind) -> ObjectCrop | None:
    """Cut one object out of a picture (H, W, 3) BGR; None if that fails."""
    height, width = picture.shape[:2]
    centre, size = np.array(box.centre) * [width, height], np.array(box.size) * [width, height]
    if size.min() < max(_MIN_SIDE_PX, size.max() / _LONGEST_SIDE_PX):
        return None
    x0, y0 = np.maximum(centre - (0.5 + _CONTEXT) * size, 0).astype(int)
    x1, y1 = np.minimum(centre + (0.5 + _CONTEXT) * size, [width, height]).astype(int)
    scale = min(_LONGEST_SIDE_PX / max(x1 - x0, y1 - y0), 1.0)
    context = np.asarray(cv2.resize(picture[y0:y1, x0:x1], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    # Places in units of half the box, from its centre.
    rows, columns = context.shape[:2]
    across = (x0 + (np.arange(columns) + 0.5) / scale - centre[0])[None] / (size[0] / 2)
    down = (y0 + (np.arange(rows) + 0.5) / scale - centre[1])[:, None] / (size[1] / 2)
    labels = _usual_outline(across, down, kind)
    if not (labels == cv2.GC_BGD).any():
        return None
    try:
        cv2.grabCut(context, labels, (0, 0, 1, 1), np.zeros((1, 65)), np.zeros((1, 65)), _ROUNDS, cv2.GC_INIT_WITH_MASK)
    except cv2.error:  # too few pixels of one sort to tell the sorts apart
        return None
    inside = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    opened = cv2.morphologyEx(inside, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, components, statistics, _ = cv2.connectedComponentsWithStats(np.asarray(opened))
    if count < 2:
        return None
    mask = components == 1 + statistics[1:, cv2.CC_STAT_AREA].argmax()
    share = mask[(abs(down) <= 1) & (abs(across) <= 1)].mean()
    return _crop(np.asarray(context, np.uint8), mask, kind) if _LEAST_SHARE <= share <= _MOST_SHARE else None


def _usual_outline(across: NDArray[np.float64], down: NDArray[np.float64], kind: Kind) -> NDArray[np.uint8]:
    """Return (H, W) uint8: what GrabCut may take for granted of places (1, W) and (H, 1) around an object."""
    inside = (abs(across) <= 1) & (abs(down) <= 1)
    if kind is Kind.PERSON:
        half_width = np.interp(down, _PERSON_HEIGHTS, _PERSON_WIDTHS)
        surely = (abs(across) < 0.5 * half_width) & (abs(down) < 0.85)
        probably = (abs(across) < half_width) & inside
    else:
        surely = (abs(across) < 0.55) & (abs(down) < 0.55)
        probably = abs(across) ** 3 + abs(down) ** 3 < 0.95
    labels = np.where(inside, cv2.GC_PR_BGD, cv2.GC_BGD)
    labels[probably] = cv2.GC_PR_FGD
    labels[surely] = cv2.GC_FGD
    return labels.astype(np.uint8)


def _crop(picture: NDArray[np.uint8], mask: NDArray[np.bool_], kind: Kind) -> ObjectCrop:
    """Return a crop of a picture (H, W, 3) BGR no larger than training needs it."""
    scale = min(_LONGEST_SIDE_PX / max(mask.shape), 1.0)
    pixels, inside = (
        cv2.resize(values, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        for values in (picture, mask.astype(np.float32))
    )
    return ObjectCrop(np.ascontiguousarray(pixels[..., ::-1], np.uint8), np.asarray(inside, np.float32), kind)

"""Photographs, and which of their pixels belong to the objects in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_export.errors import DataError
from pantel_export.thumbnails.crops import outlined
from pantel_export.yolo_boxes import read_yolo_boxes
from pantel_models.thumbnails import Kind, kind_of

__all__ = ["Photograph", "find_photographs", "read_photograph"]

_SUFFIXES = {".jpg", ".jpeg", ".png"}
_LONGEST_SIDE_PX = 512
_LEAST_PX = 12  # width and height of an object that is worth a sprite
_PERSON = 1  # class of a sprite


@dataclass(frozen=True, slots=True)
class Photograph:
    """A file, and what is known of the objects in it.

    Attributes:
        path: Of the picture.
        boxes: A YOLO text file; None without.
        mask: A picture of the same size that is not black where people are; None without.
    """

    path: Path
    boxes: Path | None = None
    mask: Path | None = None


def find_photographs(
    plain: Sequence[Path], boxed: Sequence[tuple[Path, Path]], masked: Sequence[tuple[Path, Path]]
) -> tuple[list[Photograph], list[Photograph]]:
    """Return the photographs of which no object is known, and the others.

    Args:
        plain: Folders of photographs.
        boxed: Folders of photographs, each with the folder of its boxes.
        masked: Folders of photographs, each with the folder of its masks.

    Raises:
        DataError: There is none.
    """
    bare = [Photograph(path) for folder in plain for path in sorted(folder.rglob("*")) if _is_picture(path)]
    populated = []
    for photos, labels in boxed:
        pictures = {path.stem: path for path in sorted(photos.iterdir()) if _is_picture(path)}
        found = (path for path in sorted(labels.glob("*.txt")) if path.stem in pictures)
        populated += [Photograph(pictures[path.stem], boxes=path) for path in found]
    for photos, masks in masked:
        pictures = {path.stem: path for path in sorted(photos.iterdir()) if _is_picture(path)}
        found = (path for path in sorted(masks.iterdir()) if path.stem in pictures)
        populated += [Photograph(pictures[path.stem], mask=path) for path in found]
    if not bare or not populated:
        raise DataError("photographs with and without known objects are needed; name folders of both")
    return bare, populated


def read_photograph(photograph: Photograph) -> tuple[NDArray[np.uint8], list[tuple[NDArray[np.bool_], int]]]:
    """Return a photograph (H, W, 3) uint8 RGB, and its objects: the pixels of each (H, W) and its class.

    The picture is reduced to sides of at most 512 px. Objects without a clear outline are left out; of classes see
    `pantel_codec.Sprite`.

    Raises:
        DataError: A file holds something else.
    """
    picture = cv2.imread(str(photograph.path))
    if picture is None:
        raise DataError(f"{photograph.path} cannot be read as a picture; remove it or repair it")
    scale = _LONGEST_SIDE_PX / max(picture.shape[:2])
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    pixels = np.asarray(picture, np.uint8)
    objects = []
    if photograph.boxes is not None:
        objects = _boxed(pixels, photograph.boxes)
    elif photograph.mask is not None:
        objects = _masked(pixels, photograph.mask)
    return np.ascontiguousarray(pixels[..., ::-1]), objects


def _boxed(picture: NDArray[np.uint8], labels: Path) -> list[tuple[NDArray[np.bool_], int]]:
    cv2.setRNGSeed(0)
    objects = []
    for box in read_yolo_boxes(labels):
        kind = kind_of(box.class_id + 1)
        found = None if kind is Kind.UNKNOWN else outlined(picture, box, kind)
        if found is None:
            continue
        window, _, mask = found
        size = window[1].stop - window[1].start, window[0].stop - window[0].start
        whole = np.zeros(picture.shape[:2], np.bool_)
        whole[window] = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_LINEAR) > 0.5
        objects.append((whole, box.class_id + 1))
    return objects


def _masked(picture: NDArray[np.uint8], path: Path) -> list[tuple[NDArray[np.bool_], int]]:
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise DataError(f"{path} cannot be read as a picture; remove it or repair it")
    height, width = picture.shape[:2]
    inside = cv2.resize((mask > 0).astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(np.asarray(inside, np.uint8))
    return [
        (labels == index, _PERSON)
        for index in range(1, count)
        if statistics[index, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].min() >= _LEAST_PX
    ]


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in _SUFFIXES

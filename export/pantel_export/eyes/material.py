"""Pictures with boxes, read once into memory."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_export.errors import DataError
from pantel_export.eyes.classes import class_of_coco
from pantel_export.yolo_boxes import read_yolo_boxes

__all__ = ["CutOut", "DetectionMaterial", "LabelledPicture", "Sources", "number_of"]

_LONGEST_SIDE_PX = 448
_SAME_IOU = 0.4  # of a pseudo-label with a box that is known
_CUT_OUT_PX = 200  # height of the largest cut-out


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPicture:
    """A picture and what is in it.

    Attributes:
        pixels: (H, W, 3) uint8, RGB.
        boxes: (N, 4) float32: x0, y0, x1, y1 [px].
        classes: (N,) int64, indices of `CLASSES`.
        sure: (N,) bool; what is not sure is neither to be found nor to be missed.
    """

    pixels: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    classes: NDArray[np.int64]
    sure: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class CutOut:
    """A person without what is behind.

    Attributes:
        pixels: (H, W, 3) uint8, RGB.
        mask: (H, W) float32, 1 on the person.
    """

    pixels: NDArray[np.uint8]
    mask: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where material comes from; folders of photographs each with one of labels.

    Attributes:
        labelled: Boxes by people, YOLO text with COCO's classes; what they name in one picture they name in all.
        pseudo: Boxes by a detector, with scores; they complete those by people where both are given.
        masked: People with masks, to be pasted elsewhere.
        held_out: Name of a folder and the number from which on its pictures are for testing: those are not read.
    """

    labelled: Sequence[tuple[Path, Path]]
    pseudo: Sequence[tuple[Path, Path]]
    masked: Sequence[tuple[Path, Path]]
    held_out: Sequence[tuple[str, int]] = ()


class DetectionMaterial:
    """All pictures of a training.

    Attributes:
        pictures: With boxes, some with none.
        weights: (N,) how likely each is drawn; they sum to 1.
        cut_outs: People to paste.
        record: What was read, for the run's record.
    """

    def __init__(self, sources: Sources, sure_score: float) -> None:
        """Read everything.

        Args:
            sources: Folders.
            sure_score: Of a pseudo-label that counts as sure.

        Raises:
            DataError: A file cannot be read, or there is nothing.
        """
        self.pictures: list[LabelledPicture] = []
        self.record: dict[str, object] = {"held_out": dict(sources.held_out)}
        digest = hashlib.sha256()
        chances: list[float] = []
        by_folder = _joined(sources)
        for photos, (labels, pseudo) in by_folder.items():
            first = len(self.pictures)
            named = _named_classes(labels)
            for path in sorted(photos.iterdir()):
                if _is_held_out(path, sources.held_out):
                    continue
                has_labels = labels is not None and (labels / f"{path.stem}.txt").exists()
                if not has_labels and pseudo is None:
                    continue
                picture = _read(path, labels if has_labels else None, pseudo, named, sure_score)
                if picture is not None:
                    self.pictures.append(picture)
                    digest.update(f"{photos.name}/{path.name} {path.stat().st_size}\n".encode())
            found = self.pictures[first:]
            chances += [_chance(picture) for picture in found]
            self.record[photos.name] = {"pictures": len(found), "boxes": int(sum(p.sure.sum() for p in found))}
        if not self.pictures:
            raise DataError("there are no pictures with boxes; name folders with --labelled and --pseudo")
        self.weights = np.array(chances) / sum(chances)
        self.cut_outs = [cut for photos, masks in sources.masked for cut in _cut_outs(photos, masks)]
        self.record |= {"cut_outs": len(self.cut_outs), "pictures_sha256": digest.hexdigest()}


def number_of(path: Path) -> int:
    """Return the number at the end of a file's name, 0 without one."""
    digits = path.stem[len(path.stem.rstrip("0123456789")) :]
    return int(digits) if digits else 0


def _joined(sources: Sources) -> dict[Path, tuple[Path | None, Path | None]]:
    """Return labels and pseudo-labels of each folder of photographs."""
    by_folder: dict[Path, tuple[Path | None, Path | None]] = {}
    for photos, labels in sources.labelled:
        by_folder[photos] = labels, None
    for photos, pseudo in sources.pseudo:
        by_folder[photos] = by_folder.get(photos, (None, None))[0], pseudo
    return by_folder


def _is_held_out(path: Path, held_out: Sequence[tuple[str, int]]) -> bool:
    return any(path.name.startswith(prefix) and number_of(path) >= first for prefix, first in held_out)


def _chance(picture: LabelledPicture) -> float:
    """Return how often a picture is drawn: those that show something much more often than those that do not."""
    return 0.25 + 0.75 * min(int(picture.sure.sum()), 2) / 2


def _named_classes(labels: Path | None) -> frozenset[int]:
    """Return the classes that a folder of labels names."""
    if labels is None:
        return frozenset()
    numbers = {box.class_id for path in labels.glob("*.txt") for box in read_yolo_boxes(path)}
    return frozenset(found for number in numbers if (found := class_of_coco(number)) is not None)


def _read(
    path: Path, labels: Path | None, pseudo: Path | None, named: frozenset[int], sure_score: float
) -> LabelledPicture | None:
    picture = cv2.imread(str(path))
    if picture is None:
        return None
    scale = min(_LONGEST_SIDE_PX / max(picture.shape[:2]), 1.0)
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    known = _boxes(labels / f"{path.stem}.txt" if labels else None)
    found = _boxes(pseudo / f"{path.stem}.txt" if pseudo else None)
    rows = [(*row[:5], 1.0) for row in known]
    for row in found:
        if any(row[0] == other[0] and _iou(row[1:5], other[1:5]) > _SAME_IOU for other in known):
            continue
        certain = row[5] >= sure_score and not (labels and row[0] in named)
        rows.append((*row[:5], float(certain)))
    values = np.array(rows, np.float32).reshape(-1, 6)
    height, width = picture.shape[:2]
    return LabelledPicture(
        pixels=np.ascontiguousarray(picture[..., ::-1]).astype(np.uint8),
        boxes=values[:, 1:5] * np.array([width, height, width, height], np.float32),
        classes=values[:, 0].astype(np.int64),
        sure=values[:, 5] > 0.5,
    )


_Row = tuple[float, ...]


def _boxes(path: Path | None) -> list[_Row]:
    """Return class, x0, y0, x1, y1 as shares, and score of each box that counts; none if there is no file."""
    rows: list[_Row] = []
    for box in read_yolo_boxes(path) if path is not None and path.exists() else ():
        found = class_of_coco(box.class_id)
        if found is not None:
            (x, y), (width, height) = box.centre, box.size
            rows.append((found, x - width / 2, y - height / 2, x + width / 2, y + height / 2, box.score))
    return rows


def _iou(a: _Row, b: _Row) -> float:
    both = max(min(a[2], b[2]) - max(a[0], b[0]), 0.0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0.0)
    either = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both
    return both / either if either > 0 else 0.0


def _cut_outs(photos: Path, masks: Path) -> list[CutOut]:
    pictures = {path.stem: path for path in sorted(photos.iterdir())}
    found = []
    for path in sorted(masks.iterdir()):
        mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        picture = cv2.imread(str(pictures[path.stem])) if path.stem in pictures else None
        if mask is None or picture is None:
            continue
        height, width = picture.shape[:2]
        mask = (cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA) > 0).astype(np.uint8)
        count, parts, statistics, _ = cv2.connectedComponentsWithStats(mask)
        for index in range(1, count):
            x, y, columns, rows, area = statistics[index].tolist()
            # Upright and whole, as far as one can tell: most masks are of people.
            if rows < 48 or columns < 12 or area < 0.2 * rows * columns:
                continue
            scale = min(_CUT_OUT_PX / rows, 1.0)
            window = slice(y, y + rows), slice(x, x + columns)
            size = max(round(columns * scale), 1), max(round(rows * scale), 1)
            pixels = cv2.resize(picture[window], size, interpolation=cv2.INTER_AREA)
            inside = cv2.resize((parts[window] == index).astype(np.float32), size, interpolation=cv2.INTER_AREA)
            found.append(CutOut(np.ascontiguousarray(pixels[..., ::-1]).astype(np.uint8), inside.astype(np.float32)))
    return found

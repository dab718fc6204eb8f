"""Boxes as YOLO has them: text files of a class, a centre and a size as shares of the picture, and maybe a score."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pantel_export.errors import DataError

__all__ = ["YoloBox", "read_yolo_boxes"]


@dataclass(frozen=True, slots=True)
class YoloBox:
    """One line.

    Attributes:
        class_id: Number of the class, from 0.
        centre: x and y, 0 to 1.
        size: Width and height, 0 to 1.
        score: How sure a detector was; 1 where people drew the box.
    """

    class_id: int
    centre: tuple[float, float]
    size: tuple[float, float]
    score: float


def read_yolo_boxes(path: Path) -> list[YoloBox]:
    """Return the boxes of a file.

    Raises:
        DataError: A line holds something else.
    """
    boxes = []
    for line in filter(str.strip, path.read_text().splitlines()):
        try:
            number, *shares = line.split()[:6]
            class_id, values = int(number), [float(share) for share in shares]
        except ValueError as error:
            raise DataError(f"{path}: '{line}' is not a class, a centre and a size") from error
        if len(values) < 4 or not all(0 <= value <= 1 for value in values):
            raise DataError(f"{path}: '{line}' is not a class, a centre and a size, as shares of the picture")
        x, y, width, height, *score = values
        boxes.append(YoloBox(class_id, (x, y), (width, height), score[0] if score else 1.0))
    return boxes

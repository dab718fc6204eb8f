"""How well a detector's boxes agree with those that people drew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pantel_device.frame import Box

__all__ = ["Judged", "average_precision"]

_LEVELS = np.linspace(0, 1, 101)  # of recall, as COCO takes them


@dataclass(frozen=True, slots=True)
class Judged:
    """One picture, with the boxes of one class.

    Attributes:
        found: What the detector found.
        truth: What is there.
        ignored: What is neither right nor wrong to find.
    """

    found: Sequence[Box]
    truth: Sequence[Box]
    ignored: Sequence[Box] = ()


def average_precision(pictures: Sequence[Judged], min_iou: float = 0.5) -> float | None:
    """Return the area under the curve of precision over recall, 0 to 1; None if there is nothing to find.

    As COCO has it (Lin et al., "Microsoft COCO: common objects in context", ECCV 2014): the surest box takes the true
    one that it overlaps most and that no surer one has taken; precision is made to fall with recall and read at 101
    levels.

    Args:
        pictures: All of a set.
        min_iou: Overlap from which on a box is right.
    """
    wanted = sum(len(picture.truth) for picture in pictures)
    if not wanted:
        return None
    scores: list[float] = []
    right: list[bool] = []
    for picture in pictures:
        taken: set[int] = set()
        for box in sorted(picture.found, key=lambda box: -box.score):
            overlaps = [(box.iou(other), index) for index, other in enumerate(picture.truth) if index not in taken]
            iou, best = max(overlaps, default=(0.0, -1))
            if iou >= min_iou:
                taken.add(best)
            elif any(box.iou(other) >= min_iou for other in picture.ignored):
                continue
            scores.append(box.score)
            right.append(iou >= min_iou)
    order = np.argsort(-np.array(scores), kind="stable")
    hits = np.cumsum(np.array(right)[order])
    recall, precision = hits / wanted, hits / (np.arange(len(hits)) + 1)
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(recall, _LEVELS)
    return float(np.append(falling, 0.0)[np.minimum(at, len(falling))].mean())

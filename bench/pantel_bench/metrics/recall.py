"""What of the objects in a source is found again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pantel_device.frame import Box
from pantel_device.observer.coco import COCO_CLASSES

__all__ = ["SAME_IOU", "Recall", "kind_of", "recall_of", "sum_of_recalls"]

SAME_IOU = 0.5
"""Boxes that overlap by so much are of the same object."""

_PERSON, _VEHICLES, _ANIMALS = COCO_CLASSES[0], COCO_CLASSES[1:9], COCO_CLASSES[14:24]


@dataclass(frozen=True, slots=True)
class Recall:
    """How many of the boxes that were looked for were found.

    Attributes:
        found: So many.
        wanted: Out of so many.
    """

    found: int
    wanted: int

    @property
    def share(self) -> float | None:
        """Share found, 0 to 1; None if nothing was looked for."""
        return self.found / self.wanted if self.wanted else None


def kind_of(label: str) -> str:
    """Return person, vehicle or animal for a class of COCO, "" for any other.

    Detectors take cars for trucks in the best of pictures, so within a kind no class is wrong.
    """
    if label == _PERSON:
        return "person"
    if label in _VEHICLES:
        return "vehicle"
    return "animal" if label in _ANIMALS else ""


def recall_of(boxes: Sequence[Box], found: Sequence[Box]) -> Recall:
    """Return how many boxes are among those found: same kind, IoU at least `SAME_IOU`."""
    again = (any(kind_of(it.label) == kind_of(box.label) and it.iou(box) >= SAME_IOU for it in found) for box in boxes)
    return Recall(sum(again), len(boxes))


def sum_of_recalls(recalls: Iterable[Recall]) -> Recall:
    """Return the recall of all boxes together."""
    recalls = list(recalls)
    return Recall(sum(each.found for each in recalls), sum(each.wanted for each in recalls))

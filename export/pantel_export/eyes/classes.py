"""The classes that the detector tells apart, and which of COCO's they are made of."""

from __future__ import annotations

__all__ = ["CLASSES", "class_of_coco"]

CLASSES = ("person", "bicycle", "car", "vehicle", "animal")

_VEHICLES = (3, 4, 5, 6, 7, 8)  # motorcycle, aeroplane, bus, train, lorry, boat
_OF_COCO = {0: 0, 1: 1, 2: 2} | dict.fromkeys(_VEHICLES, 3) | dict.fromkeys(range(14, 24), 4)


def class_of_coco(number: int) -> int | None:
    """Return the index in `CLASSES` of one of COCO's classes, from 0; None for what the detector does not look for."""
    return _OF_COCO.get(number)

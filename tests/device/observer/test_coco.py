"""The classes of COCO and the numbers by which sprites tell them."""

from __future__ import annotations

import pytest

from pantel_device.observer.coco import COCO_CLASSES, LIVING_AND_VEHICLES, class_id_of


@pytest.mark.parametrize(
    ("label", "class_id"),
    [
        *(("person", 1), ("bicycle", 2), ("car", 3), ("dog", 17), ("toothbrush", 80)),
        *(("vehicle", 8), ("animal", 17), ("", 0), ("unicorn", 0)),
    ],
)
def test_classes_are_numbered_from_one(label: str, class_id: int) -> None:
    assert class_id_of(label) == class_id


def test_every_class_has_a_number_of_its_own() -> None:
    assert len(COCO_CLASSES) == 80
    assert [class_id_of(label) for label in COCO_CLASSES] == list(range(1, 81))


def test_what_a_camera_is_put_up_for() -> None:
    assert {"person", "car", "boat", "horse", "giraffe"} <= LIVING_AND_VEHICLES <= set(COCO_CLASSES)
    assert not {"traffic light", "bench", "chair"} & LIVING_AND_VEHICLES

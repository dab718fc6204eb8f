"""Pictures with boxes: labels by people and by detectors joined, test pictures left out, people cut out."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from pantel_export.errors import DataError
from pantel_export.eyes.classes import CLASSES, class_of_coco
from pantel_export.eyes.material import DetectionMaterial, Sources


def _picture(folder: Path, name: str, size: tuple[int, int] = (200, 100)) -> None:
    folder.mkdir(exist_ok=True)
    assert cv2.imwrite(str(folder / f"{name}.png"), np.full((size[1], size[0], 3), 90, np.uint8))


def _labels(folder: Path, name: str, *lines: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.txt").write_text("\n".join(lines))


def test_classes_of_coco() -> None:
    assert [CLASSES[found] for number in (0, 1, 2, 7, 16) if (found := class_of_coco(number)) is not None] == [
        "person",
        "bicycle",
        "car",
        "vehicle",
        "animal",
    ]
    assert class_of_coco(56) is None


def test_labels_by_people_and_by_a_detector_are_joined(tmp_path: Path) -> None:
    photos, boxes, pseudo = tmp_path / "photos", tmp_path / "boxes", tmp_path / "pseudo"
    _picture(photos, "street_1")
    _labels(boxes, "street_1", "0 0.25 0.5 0.1 0.4")
    _labels(
        pseudo,
        "street_1",
        "0 0.26 0.5 0.1 0.4 0.9",  # the same person again
        "0 0.75 0.5 0.1 0.4 0.9",  # somebody whom people have not named, though they named others
        "2 0.5 0.5 0.2 0.2 0.8",
        "2 0.5 0.8 0.2 0.2 0.2",
        "56 0.5 0.8 0.2 0.2 0.9",  # a chair
    )
    (picture,) = DetectionMaterial(Sources([(photos, boxes)], [(photos, pseudo)], []), 0.4).pictures
    assert picture.classes.tolist() == [0, 0, 2, 2]
    assert picture.sure.tolist() == [True, False, True, False]
    np.testing.assert_allclose(picture.boxes[0], [40, 30, 60, 70], atol=1e-3)


def test_test_pictures_are_not_read(tmp_path: Path) -> None:
    photos, boxes = tmp_path / "photos", tmp_path / "boxes"
    for name in ("street_000007", "street_000012", "mask_12"):
        _picture(photos, name)
        _labels(boxes, name, "0 0.25 0.5 0.1 0.4")
    material = DetectionMaterial(Sources([(photos, boxes)], [], [], [("street_", 10)]), 0.4)
    assert material.record["photos"] == {"pictures": 2, "boxes": 2}
    assert material.record["held_out"] == {"street_": 10}


def test_pictures_with_something_in_them_are_drawn_more_often(tmp_path: Path) -> None:
    photos, pseudo = tmp_path / "photos", tmp_path / "pseudo"
    for name in ("a", "b"):
        _picture(photos, name)
    _labels(pseudo, "a", "0 0.25 0.5 0.1 0.4 0.9", "0 0.75 0.5 0.1 0.4 0.9")
    material = DetectionMaterial(Sources([], [(photos, pseudo)], []), 0.4)
    np.testing.assert_allclose(material.weights, [0.8, 0.2])


def test_large_pictures_are_reduced(tmp_path: Path) -> None:
    photos, boxes = tmp_path / "photos", tmp_path / "boxes"
    _picture(photos, "a", (896, 448))
    _labels(boxes, "a", "0 0.5 0.5 0.5 0.5")
    (picture,) = DetectionMaterial(Sources([(photos, boxes)], [], []), 0.4).pictures
    assert picture.pixels.shape == (224, 448, 3)
    np.testing.assert_allclose(picture.boxes[0], [112, 56, 336, 168], atol=1e-3)


def test_people_are_cut_out_by_their_masks(tmp_path: Path) -> None:
    photos, boxes, masks = tmp_path / "photos", tmp_path / "boxes", tmp_path / "masks"
    _picture(photos, "mask_1", (300, 400))
    _labels(boxes, "mask_1", "0 0.5 0.5 0.2 0.5")
    masks.mkdir()
    mask = np.zeros((400, 300), np.uint8)
    mask[100:340, 120:180] = 255
    mask[10:20, 10:20] = 255  # a speck
    assert cv2.imwrite(str(masks / "mask_1.png"), mask)
    material = DetectionMaterial(Sources([(photos, boxes)], [], [(photos, masks)]), 0.4)
    (cut,) = material.cut_outs
    assert cut.pixels.shape == (200, 50, 3)
    assert cut.mask.min() > 0.9


@pytest.mark.parametrize("line", ["0 0.5", "person 0.5 0.5 0.1 0.1"])
def test_damaged_labels(tmp_path: Path, line: str) -> None:
    photos, pseudo = tmp_path / "photos", tmp_path / "pseudo"
    _picture(photos, "a")
    _labels(pseudo, "a", line)
    with pytest.raises(DataError, match=r"a\.txt"):
        DetectionMaterial(Sources([], [(photos, pseudo)], []), 0.4)


def test_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(DataError, match="no pictures"):
        DetectionMaterial(Sources([(tmp_path / "photos", tmp_path / "photos")], [], []), 0.4)

"""What a camera might see: boxes stay on what they are around, and the same seed draws the same pictures."""

from __future__ import annotations

import numpy as np
import pytest

from pantel_export.eyes.augmentation import draw_picture
from pantel_export.eyes.material import CutOut, DetectionMaterial, LabelledPicture


@pytest.mark.parametrize("mosaic", [0.0, 1.0])
def test_boxes_stay_around_their_objects(squares: DetectionMaterial, mosaic: float) -> None:
    inside, checked = [], 0
    for seed in range(60):
        picture = draw_picture(squares, 128, np.random.default_rng(seed), mosaic=mosaic, pasted_people=0)
        for box, sure in zip(picture.boxes, picture.sure, strict=True):
            x0, y0, x1, y1 = np.rint(box).astype(int)
            part = picture.pixels[y0 + 1 : y1 - 1, x0 + 1 : x1 - 1].astype(float)
            if sure and part.size > 100:
                checked += 1
                inside.append(np.median(part) - np.median(picture.pixels.astype(float)))
    assert checked > 30
    assert np.mean(np.array(inside) > 5) > 0.9  # the squares are brighter than all else, in any light


def test_the_same_seed_draws_the_same_picture(squares: DetectionMaterial) -> None:
    first, second = (
        draw_picture(squares, 96, np.random.default_rng(7), mosaic=0.5, pasted_people=1.0) for _ in range(2)
    )
    assert np.array_equal(first.pixels, second.pixels)
    assert np.array_equal(first.boxes, second.boxes)


def test_what_is_cut_off_is_not_to_be_found(squares: DetectionMaterial) -> None:
    for seed in range(40):
        picture = draw_picture(squares, 96, np.random.default_rng(seed), mosaic=1.0, pasted_people=0)
        assert picture.boxes.min(initial=0) >= 0
        assert picture.boxes.max(initial=0) <= 96
        assert (picture.boxes[:, 2:] > picture.boxes[:, :2]).all()


def test_people_are_pasted_with_their_boxes_and_hide_what_is_behind() -> None:
    pixels = np.full((120, 40, 3), 255, np.uint8)
    plain = LabelledPicture(
        np.full((128, 128, 3), 40, np.uint8),
        np.array([[60, 60, 62, 62]], np.float32),
        np.array([2], np.int64),
        np.array([True]),
    )
    material = DetectionMaterial.__new__(DetectionMaterial)
    material.pictures, material.weights = [plain], np.ones(1)
    material.cut_outs = [CutOut(pixels, np.ones((120, 40), np.float32))]
    people = 0
    for seed in range(30):
        picture = draw_picture(material, 128, np.random.default_rng(seed), mosaic=0.0, pasted_people=2.0)
        for box in picture.boxes[picture.classes == 0]:
            people += 1
            aspect = (box[3] - box[1]) / (box[2] - box[0])
            assert 1.5 < aspect < 7
    assert people > 20

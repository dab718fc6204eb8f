"""Cutting objects out of photographs by boxes and masks: photographs are painted here, so that the truth is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from pantel_export.errors import DataError
from pantel_export.thumbnails.crops import ObjectCrop, boxed_objects, gather, masked_objects
from pantel_models.thumbnails import Kind

PERSON, BICYCLE, CAR, DOG, CHAIR, SKIS = 0, 1, 2, 16, 56, 30
WIDTH_PX, HEIGHT_PX = 240, 160
LONGEST_SIDE_PX = 96
Box = tuple[float, float, float, float]
Paint = Callable[..., None]


def line(class_id: int, box: Box) -> str:
    """Return a box as YOLO writes it."""
    centre_x, centre_y, width, height = box
    return f"{class_id} {centre_x / WIDTH_PX} {centre_y / HEIGHT_PX} {width / WIDTH_PX} {height / HEIGHT_PX}"


def boxed(folder: Path) -> list[ObjectCrop]:
    return list(boxed_objects(folder / "photos", folder / "boxes"))


def masked(folder: Path) -> list[ObjectCrop]:
    return list(masked_objects(folder / "photos", folder / "masks"))


def redness(crop: ObjectCrop) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return (H, W): large on the objects, negative before hills, if the order of channels is RGB."""
    return crop.pixels[..., 0].astype(np.int64) - crop.pixels[..., 1]


@pytest.mark.parametrize("class_id", [PERSON, CAR])
@pytest.mark.parametrize("box", [(120, 80, 40, 100), (70, 60, 60, 60), (150, 90, 120, 50), (90, 70, 20, 40)])
def test_an_object_is_cut_out_of_what_is_behind_it(tmp_path: Path, paint: Paint, class_id: int, box: Box) -> None:
    paint(tmp_path, "one", [line(class_id, box)], box)
    (crop,) = boxed(tmp_path)
    height, width = crop.mask.shape
    assert crop.pixels.shape == (height, width, 3)
    assert crop.pixels.dtype == np.uint8
    assert crop.mask.dtype == np.float32
    y, x = (np.mgrid[:height, :width] + 0.5) / np.array([height, width]).reshape(2, 1, 1) - 0.5
    true = np.hypot(x, y) <= 0.5 / 1.6  # 30 % of the box are around it on each side
    assert (true & (crop.mask > 0.5)).sum() / (true | (crop.mask > 0.5)).sum() > 0.85
    assert np.median(redness(crop)[crop.mask > 0.5]) > 100
    assert np.median(redness(crop)[crop.mask < 0.5]) < 0


def test_crops_are_no_larger_than_training_needs_and_never_enlarged(tmp_path: Path, paint: Paint) -> None:
    large, small = (110, 80, 150, 120), (220, 80, 20, 30)
    paint(tmp_path, "one", [line(CAR, large), line(CAR, small)], large, small)
    shapes = [crop.mask.shape for crop in boxed(tmp_path)]
    assert max(shapes[0]) == LONGEST_SIDE_PX
    assert shapes[1] == (48, 32)
    assert [max(crop.mask.shape) for crop in masked(tmp_path)] == [LONGEST_SIDE_PX, 33]


def test_an_object_at_the_edge_of_the_picture_is_cut_as_far_as_it_goes(tmp_path: Path, paint: Paint) -> None:
    box = (20, 80, 40, 80)
    paint(tmp_path, "one", [line(PERSON, box)], box)
    (crop,) = boxed(tmp_path)
    height, width = crop.mask.shape
    assert width / height == pytest.approx(52 / 128, rel=0.03)  # nothing is left of the box
    rows, columns = (np.flatnonzero((crop.mask > 0.5).any(axis=axis)) for axis in (1, 0))
    assert columns[0] <= 2
    assert columns[-1] == pytest.approx(width * 40 / 52, abs=2)
    assert (rows[0] / height, rows[-1] / height) == pytest.approx((0.19, 0.81), abs=0.02)


def test_only_what_moves_by_itself_counts(tmp_path: Path, paint: Paint) -> None:
    one, other = (60, 80, 40, 80), (180, 80, 60, 50)
    lines = [line(CHAIR, one), "", line(CAR, other), line(SKIS, one), line(PERSON, one), line(BICYCLE, other)]
    paint(tmp_path, "one", [*lines, line(DOG, other)], one, other)
    assert [crop.kind for crop in boxed(tmp_path)] == [Kind.VEHICLE, Kind.PERSON, Kind.TWO_WHEELER, Kind.ANIMAL]


@pytest.mark.parametrize(
    ("box", "ellipses"),
    [
        pytest.param((60, 80, 10, 40), [(60, 80, 10, 40)], id="too small"),
        pytest.param((120, 80, 240, 160), [(120, 80, 200, 140)], id="nothing is outside"),
    ],
)
def test_a_box_without_an_object_to_cut_is_left_out(
    tmp_path: Path, paint: Paint, box: Box, ellipses: list[Box]
) -> None:
    paint(tmp_path, "one", [line(CAR, box)], *ellipses)
    assert boxed(tmp_path) == []


def test_an_object_that_fills_its_box_was_not_cut_out(tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path, "one", [line(CAR, (120, 80, 60, 60))], (120, 80, 58, 58))
    assert len(boxed(tmp_path)) == 1
    photo = cv2.imread(str(tmp_path / "photos" / "one.png"))
    assert photo is not None
    photo[50:110, 90:150] = 40, 30, 210
    assert cv2.imwrite(str(tmp_path / "photos" / "one.png"), photo)
    assert boxed(tmp_path) == []


def test_boxes_without_a_photograph_are_left_out(tmp_path: Path, paint: Paint) -> None:
    box = (60, 80, 40, 80)
    paint(tmp_path, "b", [line(PERSON, box)], box)
    paint(tmp_path, "c", [line(PERSON, box), line(CAR, box)], box)
    (tmp_path / "boxes" / "a.txt").write_text(line(PERSON, box))
    (tmp_path / "photos" / "b.png").write_bytes(b"no picture")
    (tmp_path / "photos" / "d.png").write_bytes((tmp_path / "photos" / "c.png").read_bytes())
    assert len(boxed(tmp_path)) == 2


def test_the_same_photographs_give_the_same_objects(tmp_path: Path, paint: Paint) -> None:
    boxes: list[Box] = [(60, 80, 40, 80), (180, 80, 60, 50)]
    paint(tmp_path, "one", [line(PERSON, box) for box in boxes], *boxes)
    for first, second in zip(boxed(tmp_path), boxed(tmp_path), strict=True):
        np.testing.assert_array_equal(first.pixels, second.pixels)
        np.testing.assert_array_equal(first.mask, second.mask)


@pytest.mark.parametrize("text", ["0 0.5 0.5 0.2", "person 0.5 0.5 0.2 0.2", "0 0.5 0.5 0.2 wide", "0 1.5 0.5 0.2 0.2"])
def test_a_line_that_is_no_box_is_named(tmp_path: Path, paint: Paint, text: str) -> None:
    paint(tmp_path, "one", [text])
    with pytest.raises(DataError, match=rf"one\.txt: '{text}' is not a class, a centre and a size"):
        boxed(tmp_path)


def test_what_follows_a_box_does_not_matter(tmp_path: Path, paint: Paint) -> None:
    box = (120, 80, 40, 100)
    paint(tmp_path, "one", [f"{line(PERSON, box)} 0.83"], box)
    assert len(boxed(tmp_path)) == 1


def test_each_person_in_a_mask_is_an_object(tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path, "one", [], (60, 80, 20, 60), (120, 80, 40, 80), (200, 30, 10, 30))
    crops = masked(tmp_path)
    assert len(crops) == 2  # the third is too small
    assert sorted(crop.mask.shape for crop in crops) == [(63, 23), (83, 43)]
    for crop in crops:
        assert crop.kind is Kind.PERSON
        np.testing.assert_array_equal(crop.mask == 1, redness(crop) > 100)
        assert crop.mask[0].max() == crop.mask[:, -1].max() == 0  # something is around it


def test_a_person_whose_window_holds_another_keeps_a_mask_of_its_own(tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path, "one", [])
    mask = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
    mask[20:80, 40:100] = 255
    mask[20:70, 50:90] = 0
    mask[30:50, 60:80] = 255
    assert cv2.imwrite(str(tmp_path / "masks" / "one.png"), mask)
    around, within = masked(tmp_path)
    assert (around.mask.shape, within.mask.shape) == ((62, 62), (22, 22))
    assert (around.mask.sum(), within.mask.sum()) == (60 * 60 - 50 * 40, 20 * 20)


def test_a_mask_of_another_size_is_brought_to_its_photograph(tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path, "one", [], (120, 80, 40, 80))
    mask = cv2.imread(str(tmp_path / "masks" / "one.png"), cv2.IMREAD_GRAYSCALE)
    assert mask is not None
    assert cv2.imwrite(str(tmp_path / "masks" / "one.png"), mask[::2, ::2] // 255)  # any value but 0 counts
    (crop,) = masked(tmp_path)
    assert ((crop.mask > 0.5) == (redness(crop) > 100)).mean() > 0.95


def test_masks_without_a_photograph_are_left_out(tmp_path: Path, paint: Paint) -> None:
    for name in "abc":
        paint(tmp_path, name, [], (120, 80, 40, 80))
    (tmp_path / "photos" / "a.png").unlink()
    (tmp_path / "photos" / "b.png").write_bytes(b"no picture")
    (tmp_path / "masks" / "readme.txt").write_text("no mask")
    assert len(masked(tmp_path)) == 1


def test_objects_of_all_folders_are_gathered_and_counted(tmp_path: Path, paint: Paint) -> None:
    one, other = (60, 80, 40, 80), (180, 80, 60, 50)
    for place in ("street", "farm"):
        (tmp_path / place).mkdir()
    paint(tmp_path / "street", "one", [line(CAR, one), line(CHAIR, other)], one, other)
    paint(tmp_path / "farm", "one", [line(DOG, one), line(DOG, other)], one, other)
    street, farm = ([tmp_path / place / kind for kind in ("photos", "boxes", "masks")] for place in ("street", "farm"))
    crops, sources = gather([(street[0], street[1]), (farm[0], farm[1])], [(street[0], street[2])])
    assert [crop.kind for crop in crops] == [Kind.VEHICLE, *[Kind.ANIMAL] * 2, *[Kind.PERSON] * 2]
    assert sources == [{"folder": "photos", "objects": count} for count in (1, 2, 2)]


def test_folders_without_any_object_are_a_data_error(tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path, "one", [line(CHAIR, (60, 80, 40, 80))])
    with pytest.raises(DataError, match="no object could be cut out"):
        gather([(tmp_path / "photos", tmp_path / "boxes")], [(tmp_path / "photos", tmp_path / "masks")])

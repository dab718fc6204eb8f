"""Cutting objects out of photographs with boxes: photographs are painted here, so that the truth is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pantel_export.errors import DataError
from pantel_export.object_crops import ObjectCrop, object_crops

PERSON, CAR, CHAIR, SKIS = 0, 2, 56, 30
WIDTH_PX, HEIGHT_PX = 240, 160
Box = tuple[float, float, float, float]
Paint = Callable[..., None]


def line(class_id: int, box: Box) -> str:
    """Return a box as YOLO writes it."""
    centre_x, centre_y, width, height = box
    return f"{class_id} {centre_x / WIDTH_PX} {centre_y / HEIGHT_PX} {width / WIDTH_PX} {height / HEIGHT_PX}"


def crops(folder: Path) -> list[ObjectCrop]:
    return list(object_crops(folder / "photos", folder / "boxes"))


@pytest.mark.parametrize("box", [(120, 80, 40, 100), (70, 60, 60, 60), (150, 90, 120, 50), (90, 70, 20, 40)])
def test_an_object_is_cut_out_of_what_is_behind_it(tmp_path: Path, paint: Paint, box: Box) -> None:
    paint("one", [line(PERSON, box)], box)
    (crop,) = crops(tmp_path)
    height, width = crop.mask.shape
    assert crop.pixels.shape == (height, width, 3)
    assert height / width == pytest.approx(box[3] / box[2], rel=0.15)
    y, x = (np.mgrid[:height, :width] + 0.5) / np.array([height, width]).reshape(2, 1, 1) - 0.5
    true = np.hypot(x, y) <= 0.5 / 1.16  # the box has a margin of 8 % on each side
    assert (true & (crop.mask > 0.5)).sum() / (true | (crop.mask > 0.5)).sum() > 0.85
    red, green = crop.pixels[..., 0].astype(int), crop.pixels[..., 1].astype(int)
    assert np.median((red - green)[crop.mask > 0.5]) > 100  # the order of channels is RGB
    assert np.median((red - green)[crop.mask < 0.5]) < 0


def test_an_object_at_the_edge_of_the_picture_is_cut_as_far_as_it_goes(tmp_path: Path, paint: Paint) -> None:
    box = (20, 80, 40, 80)
    paint("one", [line(PERSON, box)], box)
    (crop,) = crops(tmp_path)
    assert 0.5 < crop.mask.mean() < 0.8


def test_only_what_moves_by_itself_counts(tmp_path: Path, paint: Paint) -> None:
    one, other = (60, 80, 40, 80), (180, 80, 60, 50)
    paint("one", [line(CHAIR, one), "", line(CAR, other), line(SKIS, one)], one, other)
    assert len(crops(tmp_path)) == 1


@pytest.mark.parametrize(
    "box",
    [
        pytest.param((60, 80, 10, 40), id="too small"),
        pytest.param((120, 80, 240, 160), id="nothing is outside"),
        pytest.param((60, 80, 50, 50), id="nothing is inside"),
        pytest.param((120, 12.5, 230, 12.5), id="thin"),
    ],
)
def test_a_box_without_an_object_to_cut_is_left_out(tmp_path: Path, paint: Paint, box: Box) -> None:
    paint("one", [line(PERSON, box)])
    assert crops(tmp_path) == []


def test_boxes_without_a_photograph_are_left_out(tmp_path: Path, paint: Paint) -> None:
    box = (60, 80, 40, 80)
    paint("b", [line(PERSON, box)], box)
    paint("c", [line(PERSON, box), line(CAR, box)], box)
    (tmp_path / "boxes" / "a.txt").write_text(line(PERSON, box))
    (tmp_path / "photos" / "b.png").write_bytes(b"no picture")
    (tmp_path / "photos" / "d.png").write_bytes((tmp_path / "photos" / "c.png").read_bytes())
    assert len(crops(tmp_path)) == 2


def test_the_same_photographs_give_the_same_objects(tmp_path: Path, paint: Paint) -> None:
    boxes: list[Box] = [(60, 80, 40, 80), (180, 80, 60, 50)]
    paint("one", [line(PERSON, box) for box in boxes], *boxes)
    for first, second in zip(crops(tmp_path), crops(tmp_path), strict=True):
        np.testing.assert_array_equal(first.pixels, second.pixels)
        np.testing.assert_array_equal(first.mask, second.mask)


@pytest.mark.parametrize("text", ["0 0.5 0.5 0.2", "person 0.5 0.5 0.2 0.2", "0 0.5 0.5 0.2 wide", "0 1.5 0.5 0.2 0.2"])
def test_a_line_that_is_no_box_is_named(tmp_path: Path, paint: Paint, text: str) -> None:
    paint("one", [text])
    with pytest.raises(DataError, match=rf"one\.txt: '{text}' is not a class, a centre and a size"):
        crops(tmp_path)


def test_what_follows_a_box_does_not_matter(tmp_path: Path, paint: Paint) -> None:
    box = (120, 80, 40, 100)
    paint("one", [f"{line(PERSON, box)} 0.83"], box)
    assert len(crops(tmp_path)) == 1

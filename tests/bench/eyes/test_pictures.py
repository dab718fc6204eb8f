"""A detector on labelled pictures: which pictures, which classes, and what is counted."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_bench.errors import LabelsError
from pantel_bench.eyes.pictures import labelled_pictures, score_detector
from pantel_device.frame import Box


class _Sees:
    """A detector that gives the same answer for every picture."""

    def __init__(self, *boxes: Box) -> None:
        self.boxes = boxes
        self.sizes: list[tuple[int, ...]] = []

    def detect(self, pixels: NDArray[np.uint8]) -> tuple[Box, ...]:
        self.sizes.append(pixels.shape)
        return self.boxes


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Return pictures of 200x100 and labels: street_000007 has a person and a bus, street_000012 a train."""
    images, labels = tmp_path / "images", tmp_path / "labels"
    images.mkdir()
    labels.mkdir()
    for name in ("street_000007", "street_000012", "street_000099"):
        assert cv2.imwrite(str(images / f"{name}.png"), np.full((100, 200, 3), 90, np.uint8))
    (labels / "street_000007.txt").write_text("0 0.25 0.5 0.1 0.4\n5 0.75 0.5 0.2 0.2\n")
    (labels / "street_000012.txt").write_text("6 0.75 0.5 0.2 0.2\n")
    return images, labels


def test_pictures_without_labels_do_not_count(folders: tuple[Path, Path]) -> None:
    assert [picture.path.stem for picture in labelled_pictures(*folders)] == ["street_000007", "street_000012"]


def test_a_split_by_number(folders: tuple[Path, Path]) -> None:
    assert [picture.path.stem for picture in labelled_pictures(*folders, from_number=8)] == ["street_000012"]


def test_classes_are_people_and_road_vehicles(folders: tuple[Path, Path]) -> None:
    detector = _Sees(
        Box(40, 30, 60, 70, "person", 0.9), Box(130, 40, 170, 60, "vehicle", 0.8), Box(0, 0, 9, 9, "dog", 0.9)
    )
    done: list[None] = []
    scores = score_detector(detector, labelled_pictures(*folders), lambda: 7, lambda: done.append(None))
    assert detector.sizes == [(100, 200, 3)] * 2
    assert len(done) == scores.pictures == 2
    assert (scores.people, scores.vehicles) == (1, 1)  # trains count neither way
    assert scores.ap50_vehicle == pytest.approx(1.0)
    assert scores.ap50_person == pytest.approx(1.0)  # the second one is as sure and comes after
    assert scores.mac_per_frame == 7
    assert scores.ms_per_frame >= 0


@pytest.mark.parametrize(
    "line",
    [
        "person 0.5 0.5 0.1 0.1",
        "0 0.5 0.5",
        "80 0.5 0.5 0.1 0.1",
        "-1 0.5 0.5 0.1 0.1",
        "0.5 0.5 0.5 0.1 0.1",
        "inf 0.5 0.5 0.1 0.1",
        "nan 0.5 0.5 0.1 0.1",
        "0 nan 0.5 0.1 0.1",
        "0 5 5 0.1 0.1",
        "0 -0.1 0.5 0.1 0.1",
        "0 0.5 0.5 inf 0.1",
        "0 0.5 0.5 0 0.1",
    ],
)
def test_damaged_labels(folders: tuple[Path, Path], line: str) -> None:
    (folders[1] / "street_000012.txt").write_text(f"0 0.5 0.5 1.0001 1\n\n{line}\n")
    with pytest.raises(
        LabelsError, match=r"street_000012\.txt, line 3: '.*' is no class of COCO \(0 to 79\)"
    ) as caught:
        labelled_pictures(*folders)
    assert line in str(caught.value)


def test_labels_that_are_no_text(folders: tuple[Path, Path]) -> None:
    (folders[1] / "street_000012.txt").write_bytes(b"0 0.5 0.5 0.1 0.1 \xff\n")
    with pytest.raises(LabelsError, match=r"street_000012\.txt is no text; name a folder of YOLO text files"):
        labelled_pictures(*folders)


def test_folders_that_do_not_fit(folders: tuple[Path, Path]) -> None:
    with pytest.raises(LabelsError, match="no folder"):
        labelled_pictures(folders[0], folders[1] / "nowhere")
    with pytest.raises(LabelsError, match="no picture"):
        labelled_pictures(*folders, from_number=1000)

"""A detector on pictures with boxes that people drew."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from pantel_bench.errors import LabelsError
from pantel_bench.metrics.average_precision import Judged, average_precision
from pantel_device.frame import Box
from pantel_device.observer import Detector
from pantel_device.observer.coco import COCO_CLASSES
from pantel_device.pictures import read_picture

__all__ = ["DetectionScores", "LabelledPicture", "labelled_pictures", "score_detector"]

_SUFFIXES = {".jpg", ".jpeg", ".png"}
_PERSON = frozenset({"person"})
_VEHICLES = frozenset({"car", "motorcycle", "bus", "truck"})  # 2, 3, 5 and 7 of COCO
_OTHER_VEHICLES = frozenset({"airplane", "train", "boat"})
_ROUNDING = 1e-3  # of the shares in labels that other programs have written
_MOST_SHOWN = 60
_VEHICLE_LABELS = _VEHICLES | {"vehicle"}  # which some detectors do not tell from each other


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """A picture file and its boxes, in shares of width and height."""

    path: Path
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class DetectionScores:
    """What a detector is worth.

    Attributes:
        pictures: So many were looked at.
        people: Boxes of people in them.
        vehicles: Boxes of cars, motorcycles, buses and lorries.
        ap50_person: Average precision at an IoU of 0.5; None without people.
        ap50_vehicle: The same, all vehicles taken as one class; aeroplanes, trains and boats count neither way.
        ms_per_frame: Median time for a picture, scaling and non-maximum suppression included [ms].
        mac_per_frame: Multiply-accumulates for a picture; None where onnx is not installed or they cannot be counted.
    """

    pictures: int
    people: int
    vehicles: int
    ap50_person: float | None
    ap50_vehicle: float | None
    ms_per_frame: float
    mac_per_frame: int | None


def labelled_pictures(images: Path, labels: Path, *, from_number: int = 0) -> list[LabelledPicture]:
    """Return the pictures of a folder that have labels, in the order of their names.

    Args:
        images: Folder of pictures.
        labels: Folder of YOLO text files of the same names: class of COCO, centre and size as shares.
        from_number: Pictures whose name ends in a smaller number are left out.

    Raises:
        LabelsError: A folder is missing, a file is damaged, or nothing is left.
    """
    for folder in (images, labels):
        if not folder.is_dir():
            raise LabelsError(f"{folder} is no folder; name folders with --images and --labels")
    found = []
    for path in sorted(images.iterdir()):
        file = labels / f"{path.stem}.txt"
        if path.suffix.lower() in _SUFFIXES and file.is_file() and _number_of(path) >= from_number:
            found.append(LabelledPicture(path, tuple(_boxes(file))))
    if not found:
        raise LabelsError(f"no picture of {images} has labels in {labels} and a number from {from_number} on")
    return found


def score_detector(
    detector: Detector,
    pictures: Sequence[LabelledPicture],
    count_macs: Callable[[], int | None],
    done: Callable[[], None],
) -> DetectionScores:
    """Let a detector look at pictures and compare.

    Args:
        detector: One that tells boxes of low scores, too.
        pictures: See `labelled_pictures`.
        count_macs: Tells its multiply-accumulates for a picture.
        done: Called after each picture.

    Raises:
        PictureError: A picture cannot be read.
    """
    people, vehicles, times_ms = [], [], []
    for picture in pictures:
        pixels = read_picture(picture.path)
        began_s = time.perf_counter()
        found = detector.detect(pixels)
        times_ms.append(1e3 * (time.perf_counter() - began_s))
        height, width = pixels.shape[:2]
        truth = [_scaled(box, width, height) for box in picture.boxes]
        people.append(Judged(_of(found, _PERSON), _of(truth, _PERSON)))
        vehicles.append(Judged(_of(found, _VEHICLE_LABELS), _of(truth, _VEHICLES), _of(truth, _OTHER_VEHICLES)))
        done()
    return DetectionScores(
        pictures=len(pictures),
        people=sum(len(each.truth) for each in people),
        vehicles=sum(len(each.truth) for each in vehicles),
        ap50_person=average_precision(people),
        ap50_vehicle=average_precision(vehicles),
        ms_per_frame=median(times_ms),
        mac_per_frame=count_macs(),
    )


def _number_of(path: Path) -> int:
    digits = path.stem[len(path.stem.rstrip("0123456789")) :]
    return int(digits) if digits else 0


def _boxes(file: Path) -> Iterator[Box]:
    """Yield the boxes of a label file as shares of the picture."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise LabelsError(f"cannot read the labels {file}: {error.strerror}; check its rights") from error
    except UnicodeDecodeError as error:
        raise LabelsError(f"{file} is no text; name a folder of YOLO text files with --labels") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        box = _box(line)
        if box is None:
            raise LabelsError(
                f"{file}, line {number}: '{line[:_MOST_SHOWN]}' is no class of COCO (0 to {len(COCO_CLASSES) - 1}), "
                f"centre and size in shares of the picture (0 to 1); correct it"
            )
        yield box


def _box(line: str) -> Box | None:
    """Return what a line of a label file says, None if that is nothing possible."""
    try:
        number, x, y, width, height = (float(value) for value in line.split()[:5])
    except ValueError:
        return None
    # Comparisons with what is no number are false.
    within = all(0 <= value <= 1 + _ROUNDING for value in (x, y, width, height)) and width > 0 and height > 0
    if not within or number not in range(len(COCO_CLASSES)):
        return None
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2, COCO_CLASSES[int(number)])


def _scaled(box: Box, width: int, height: int) -> Box:
    return Box(box.x0 * width, box.y0 * height, box.x1 * width, box.y1 * height, box.label)


def _of(boxes: Sequence[Box], labels: frozenset[str]) -> list[Box]:
    return [box for box in boxes if box.label in labels]

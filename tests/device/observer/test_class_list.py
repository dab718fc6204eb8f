"""Names of classes: where they come from, and which of them count."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.device.observer.graphs import write_constant, yolox_answer

from pantel_device.errors import DetectorError
from pantel_device.observer.coco import COCO_CLASSES, LIVING_AND_VEHICLES
from pantel_device.observer.detectors import OnnxDetector
from pantel_device.observer.detectors.class_list import ClassList, labels_for, read_class_list

OWN = ("person", "bicycle", "car", "vehicle", "animal")


@pytest.mark.parametrize(
    "text",
    [
        "{0: 'person', 1: 'bicycle', 2: 'car', 3: 'vehicle', 4: 'animal'}",
        "{1: 'bicycle', 0: 'person', 2: 'car', 4: 'animal', 3: 'vehicle'}",
        '{"0": "person", "1": "bicycle", "2": "car", "3": "vehicle", "4": "animal"}',
        "['person', 'bicycle', 'car', 'vehicle', 'animal']",
        "('person', ' bicycle\\n', 'car', 'vehicle', 'animal')",
    ],
)
def test_metadata_name_the_classes(text: str, tmp_path: Path) -> None:
    found = read_class_list(tmp_path / "model.onnx", {"names": text})
    assert found == ClassList(OWN, "its metadata")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "person",
        "{0: 'person', 2: 'car'}",
        "{'a': 'person'}",
        "7",
        "{0: ",
        "__import__('os').system('true')",
        "[" * 10_000,
        "{1e999: 'person'}",
        "\0",
    ],
)
def test_metadata_that_name_none_are_ignored(text: str, tmp_path: Path) -> None:
    assert read_class_list(tmp_path / "model.onnx", {"names": text}) is None
    (tmp_path / "model.txt").write_text("person\ncar\n")
    found = read_class_list(tmp_path / "model.onnx", {"names": text})
    assert found is not None
    assert found.names == ("person", "car")


def test_file_beside_the_model_names_the_classes(tmp_path: Path) -> None:
    (tmp_path / "model.txt").write_text("a\nb\n")
    (tmp_path / "model.names").write_text("  person \n\n traffic  light\r\nFußgänger", "utf-8")
    found = read_class_list(tmp_path / "model.onnx", {})
    assert found == ClassList(("person", "traffic light", "Fußgänger"), str(tmp_path / "model.names"))


@pytest.mark.parametrize(("data", "said"), [(b"\xff\xfe\xff", "is no UTF-8 text"), (b"x\n" * 600_000, "is too long")])
def test_file_that_is_no_list_is_one_line(data: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "model.names").write_bytes(data)
    with pytest.raises(DetectorError, match=said):
        read_class_list(tmp_path / "model.onnx", {})


def test_classes_without_a_list_have_numbers_or_are_those_of_coco() -> None:
    assert labels_for(None, 3) == ("class 0", "class 1", "class 2")
    assert labels_for(None, 80) == COCO_CLASSES


def test_coco_is_known_in_other_spellings() -> None:
    darknet = ("person", "bicycle", "car", "motorbike", "aeroplane", *COCO_CLASSES[5:])
    assert labels_for(ClassList(darknet, "here"), 80) == COCO_CLASSES
    others = tuple(f"sign {number}" for number in range(80))
    assert labels_for(ClassList(others, "here"), 80) == others


def test_of_coco_people_vehicles_and_animals_count_and_of_other_lists_all(tmp_path: Path) -> None:
    coco = OnnxDetector(write_constant(tmp_path / "coco.onnx", yolox_answer()))
    assert coco.labels == COCO_CLASSES
    assert set(coco.wanted) == LIVING_AND_VEHICLES
    assert {"person", "boat", "bird", "giraffe"} <= LIVING_AND_VEHICLES
    assert not {"traffic light", "bench", "backpack"} & LIVING_AND_VEHICLES
    own = OnnxDetector(write_constant(tmp_path / "own.onnx", yolox_answer(5), metadata={"names": str(list(OWN))}))
    assert own.labels == own.wanted == OWN

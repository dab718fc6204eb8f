"""Boxes for photographs that have none: of a graph that answers every picture alike, if the picture comes as agreed."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from pantel_export.__main__ import main
from pantel_export.errors import DataError
from pantel_export.pseudo_labels import write_pseudo_labels
from pantel_export.thumbnails.crops import boxed_objects

SIDE_PX = 64
CELLS = 8 * 8 + 4 * 4 + 2 * 2
STRIDE_16, STRIDE_32 = 8 * 8, 8 * 8 + 4 * 4  # the first of each
GREY = 114
PERSON, CAR, DOG = 0, 2, 16


def answer(*boxes: tuple[int, tuple[float, ...], int, float]) -> NDArray[np.float32]:
    """Return the graph's output, given cell, place and size as the graph tells them, class and score."""
    values = np.zeros((1, CELLS, 85), np.float32)
    for cell, place, class_id, score in boxes:
        values[0, cell, :4] = place
        values[0, cell, 4] = 1
        values[0, cell, 5 + class_id] = score
    return values


def write_detector(path: Path, values: NDArray[np.float32]) -> Path:
    """Write a graph that is sure of its boxes where the picture's first pixel is blue and its last is grey.

    Objectness is what `values` say, times the first pixel's channel 0 divided by 255, times the last pixel's by 114.
    """
    first, last = np.zeros((2, 1, 3, SIDE_PX, SIDE_PX), np.float32)
    first[0, 0, 0, 0], last[0, 2, -1, -1] = 1 / 255, 1 / GREY
    objectness = np.zeros((85,), np.float32)
    objectness[4] = 1
    constants = {"first": first, "last": last, "objectness": objectness, "others": 1 - objectness, "values": values}
    axes = np.array([1, 2, 3], np.int64)
    nodes = [
        helper.make_node("Mul", ["images", "first"], ["blue"]),
        helper.make_node("ReduceSum", ["blue", "axes"], ["blueness"], keepdims=0),
        helper.make_node("Mul", ["images", "last"], ["grey"]),
        helper.make_node("ReduceSum", ["grey", "axes"], ["greyness"], keepdims=0),
        helper.make_node("Mul", ["blueness", "greyness"], ["rightness"]),
        helper.make_node("Mul", ["rightness", "objectness"], ["sure"]),
        helper.make_node("Add", ["sure", "others"], ["factors"]),
        helper.make_node("Mul", ["factors", "values"], ["output"]),
    ]
    graph = helper.make_graph(
        nodes,
        "constant",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, (1, 3, SIDE_PX, SIDE_PX))],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, values.shape)],
        [numpy_helper.from_array(array, name) for name, array in ({"axes": axes} | constants).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.save(model, path)
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder with a blue photograph of 128x96 pixels, half of which is as high as the input is wide."""
    folder = tmp_path / "street"
    folder.mkdir()
    assert cv2.imwrite(str(folder / "blue.png"), np.full((96, 128, 3), (255, 0, 0), np.uint8))
    return folder


# Row 1, column 2: centre (2.5, 1.25) cells of 16 px, 2 x 1 cells; in a photograph of twice the size 64 x 32 px.
WALKER = (STRIDE_16 + 4 * 1 + 2, (0.5, 0.25, np.log(2), 0), PERSON, 0.9)
WALKER_LINE = f"0 {80 / 128:.5f} {40 / 96:.5f} {64 / 128:.5f} {32 / 96:.5f} 0.90"


def test_boxes_are_written_as_shares_of_the_photograph(tmp_path: Path, photos: Path) -> None:
    detector = write_detector(tmp_path / "model.onnx", answer(WALKER))
    assert write_pseudo_labels(detector, photos, tmp_path / "boxes") == 1
    assert (tmp_path / "boxes" / "blue.txt").read_text() == WALKER_LINE + "\n"


def test_cells_of_all_strides_have_their_places(tmp_path: Path, photos: Path) -> None:
    boxes = [
        (8 * 5 + 7, (0.5, 0, 0, 0), CAR, 0.8),  # stride 8
        (STRIDE_16, (1, 1, np.log(0.5), np.log(0.5)), DOG, 0.7),
        (STRIDE_32 + 1, (0.25, 0.5, 0, 0), PERSON, 0.6),
    ]
    detector = write_detector(tmp_path / "model.onnx", answer(*boxes))
    assert write_pseudo_labels(detector, photos, tmp_path / "boxes") == 3
    lines = [
        f"2 {120 / 128:.5f} {80 / 96:.5f} {16 / 128:.5f} {16 / 96:.5f} 0.80",
        f"16 {32 / 128:.5f} {32 / 96:.5f} {16 / 128:.5f} {16 / 96:.5f} 0.70",
        f"0 {80 / 128:.5f} {32 / 96:.5f} {64 / 128:.5f} {64 / 96:.5f} 0.60",
    ]
    assert sorted((tmp_path / "boxes" / "blue.txt").read_text().splitlines()) == sorted(lines)


def test_a_photograph_larger_or_smaller_than_the_input_gives_the_same_shares(tmp_path: Path, photos: Path) -> None:
    picture = cv2.imread(str(photos / "blue.png"))
    assert picture is not None
    for name, factor in (("large", 5), ("small", 0.25)):
        assert cv2.imwrite(str(photos / f"{name}.png"), cv2.resize(picture, None, fx=factor, fy=factor))
    detector = write_detector(tmp_path / "model.onnx", answer(WALKER))
    assert write_pseudo_labels(detector, photos, tmp_path / "boxes") == 3
    assert {path.read_text() for path in (tmp_path / "boxes").iterdir()} == {WALKER_LINE + "\n"}


def test_what_reaches_beyond_the_photograph_ends_at_its_edge(tmp_path: Path, photos: Path) -> None:
    detector = write_detector(tmp_path / "model.onnx", answer((STRIDE_32 + 3, (0.5, 0.5, 3, 3), CAR, 0.9)))
    write_pseudo_labels(detector, photos, tmp_path / "boxes")
    values = [float(text) for text in (tmp_path / "boxes" / "blue.txt").read_text().split()]
    assert values == [2, 0.5, 0.5, 1, 1, 0.9]


def test_weak_boxes_and_those_of_the_same_object_are_left_out(tmp_path: Path, photos: Path) -> None:
    again = (WALKER[0] - 1, (1.55, 0.25, np.log(2), 0), PERSON, 0.8)
    weak = (0, (0.5, 0.5, 1, 1), CAR, 0.49)
    detector = write_detector(tmp_path / "model.onnx", answer(again, WALKER, weak))
    assert write_pseudo_labels(detector, photos, tmp_path / "boxes") == 1
    assert (tmp_path / "boxes" / "blue.txt").read_text() == WALKER_LINE + "\n"


def test_photographs_without_objects_and_other_files_have_no_boxes(tmp_path: Path, photos: Path) -> None:
    for name, colour in (("black", (0, 0, 0)), ("red", (0, 0, 255))):  # the graph wants blue, first in BGR
        assert cv2.imwrite(str(photos / f"{name}.png"), np.full((96, 128, 3), colour, np.uint8))
    (photos / "readme.txt").write_text("no picture")
    detector = write_detector(tmp_path / "model.onnx", answer(WALKER))
    assert write_pseudo_labels(detector, photos, tmp_path / "boxes") == 1
    assert [path.name for path in (tmp_path / "boxes").iterdir()] == ["blue.txt"]


def test_objects_can_be_cut_out_by_such_boxes(tmp_path: Path, photos: Path) -> None:
    """What this command writes is what the next one reads."""
    picture = np.full((96, 128, 3), (255, 0, 0), np.uint8)
    picture[26:54, 50:110] = 20, 200, 220
    assert cv2.imwrite(str(photos / "blue.png"), picture)
    detector = write_detector(tmp_path / "model.onnx", answer(WALKER))
    write_pseudo_labels(detector, photos, tmp_path / "boxes")
    (crop,) = boxed_objects(photos, tmp_path / "boxes")
    np.testing.assert_allclose(crop.pixels[crop.mask > 0.9].mean(axis=0), (220, 200, 20), atol=25)


def test_the_workshop_finds_boxes_for_folders(tmp_path: Path, photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    detector = write_detector(tmp_path / "model.onnx", answer(WALKER))
    command = ["boxes", "--detector", str(detector), "--photos", str(photos), "--out", str(tmp_path / "out")]
    assert main(command) == 0
    assert capsys.readouterr().out == f"wrote boxes=1 to {tmp_path / 'out' / 'street'}\n"
    assert (tmp_path / "out" / "street" / "blue.txt").exists()


def test_mistakes_end_in_one_line(tmp_path: Path, photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = write_detector(tmp_path / "model.onnx", answer(WALKER))
    (tmp_path / "noise.onnx").write_bytes(b"noise")
    other = write_detector(tmp_path / "other.onnx", answer(WALKER)[:, :-1])
    for detector, folder, message in (
        (tmp_path / "nowhere.onnx", photos, "cannot be read"),
        (tmp_path / "noise.onnx", photos, "cannot be loaded by onnxruntime"),
        (other, photos, "is no YOLOX export"),
        (good, tmp_path / "nowhere", "is no folder"),
    ):
        command = ["boxes", "--detector", str(detector), "--photos", str(folder), "--out", str(tmp_path / "out")]
        assert main(command) == 1
        error = capsys.readouterr().err
        assert error.startswith("error: ")
        assert message in error
        assert error.count("\n") == 1
    with pytest.raises(DataError, match="is no YOLOX export"):
        write_pseudo_labels(other, photos, tmp_path / "out")

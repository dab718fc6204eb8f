"""`pantel models`: the list, and the check against the manifest."""

from __future__ import annotations

import builtins
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.device.observer.graphs import SIDE_PX, write_bright_finder, write_constant, yolov8_answer

from pantel_device.cameras.synthetic import SyntheticCamera
from pantel_device.cli import main
from pantel_device.commands import detector_check, models
from pantel_models import MANIFEST, list_artefacts, list_detectors


def _people() -> list[tuple[list[float], int, float]]:
    """Return centre and size, class and score of the people of the test picture, letterboxed in the middle."""
    camera = SyntheticCamera((640, 480), 10.0)
    camera.capture(0)
    scale, top = SIDE_PX / 640, (SIDE_PX - 480 * SIDE_PX / 640) / 2
    return [
        (
            [
                scale * (box.x0 + box.x1) / 2,
                scale * (box.y0 + box.y1) / 2 + top,
                scale * (box.x1 - box.x0),
                scale * (box.y1 - box.y0),
            ],
            0,
            score,
        )
        for box, score in zip(camera.truth(0), (0.9, 0.8), strict=True)
    ]


def test_list_names_every_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["name", "hash", "tag", "file", "bytes", "MAC/pixel"]
    artefacts = (*list_artefacts(), *list_detectors())
    assert len(rows) == sum(len(artefact.files) for artefact in artefacts)
    assert rows[0].split()[:3] == [artefacts[0].name, artefacts[0].hash[:8], f"{artefacts[0].tag:#04x}"]
    counts = [row.split()[-1].replace(",", "") for row in rows if ".onnx" in row]
    assert all(count.isdecimal() for count in counts)


def test_list_works_without_onnx(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import_anything = builtins.__import__

    def import_without_onnx(name: str, *rest: object) -> object:
        if name == "onnx":
            raise ImportError("No module named 'onnx'")
        return import_anything(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", import_without_onnx)
    assert main(["models", "list"]) == 0
    assert capsys.readouterr().out.splitlines()[2].endswith("needs onnx")


def test_list_names_a_damaged_network_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    folder = tmp_path / "artefacts"
    shutil.copytree(MANIFEST.parent, folder)
    (folder / list_artefacts()[0].name / "faithful.onnx").write_bytes(b"noise")
    monkeypatch.setattr(models, "list_artefacts", lambda: list_artefacts(folder / MANIFEST.name))
    assert main(["models", "list"]) == 0
    lines = {line.split()[-3]: line.split()[-1] for line in capsys.readouterr().out.splitlines()[1:]}
    assert lines["faithful.onnx"] == "damaged"
    assert lines["encoder.onnx"] != "damaged"


def test_check_accepts_what_is_shipped(capsys: pytest.CaptureFixture[str]) -> None:
    artefact = list_artefacts()[0]
    for argv in (["models", "check"], ["models", "check", artefact.name]):
        assert main(argv) == 0
        said = f"{artefact.name}: {len(artefact.files)} files as in the manifest"
        assert said in capsys.readouterr().out


def test_check_recognizes_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    artefact = list_artefacts()[0]
    copy = tmp_path / "copy.onnx"
    copy.write_bytes(artefact.read("encoder"))
    assert main(["models", "check", str(copy)]) == 0
    assert f"encoder of {artefact.name}" in capsys.readouterr().out


def _damage_tables(folder: Path) -> None:
    path = folder / list_artefacts()[0].name / "tables.npz"
    path.write_bytes(path.read_bytes() + b"\0")


def _remove_tables(folder: Path) -> None:
    (folder / list_artefacts()[0].name / "tables.npz").unlink()


@pytest.mark.parametrize(
    ("harm", "said"), [(_damage_tables, "differs from the manifest"), (_remove_tables, "cannot be read (No such file")]
)
def test_check_finds_a_damaged_model(
    harm: Callable[[Path], None],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "artefacts"
    shutil.copytree(MANIFEST.parent, folder)
    harm(folder)
    monkeypatch.setattr(models, "list_artefacts", lambda: list_artefacts(folder / MANIFEST.name))
    assert main(["models", "check"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("pantel: error: ")
    assert error.count("\n") == 1
    assert said in error


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (["models", "check", "scene-v0"], 2, "there is no model and no file scene-v0; installed models: "),
        (["models", "check", "/"], 1, "cannot read /: Is a directory"),
        (["models", "check", ""], 2, "the name of the model or file is empty; name one"),
        (["models", "check", __file__], 1, "cannot be loaded by onnxruntime"),
        (["models", "check", "--out", "x.png"], 2, "--picture and --out are for a detector; name it"),
        (["models", "sell"], 2, "invalid choice: 'sell'"),
    ],
)
def test_mistakes_are_one_line(argv: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == code
    error = capsys.readouterr().err
    assert error.startswith("pantel: error: ")
    assert error.count("\n") == 1
    assert said in error


def test_check_tries_a_detector(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write_constant(tmp_path / "mine.onnx", yolov8_answer(*_people()))
    assert main(["models", "check", str(path)]) == 0
    said = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.replace("test picture", "test").splitlines())
    assert said[f"{path}:"] == "a detector"
    assert said["layout"] == f"YOLOv8 or YOLO11, [1, 3, {SIDE_PX}, {SIDE_PX}] to [1, 84, 189]"
    assert said["input"] == f"{SIDE_PX}x{SIDE_PX}, float32, letterbox, picture in the middle"
    assert said["classes"] == "the 80 of COCO, of which 19 count"
    assert said["operations"].startswith("0 million")
    assert said["time"].endswith("ms per picture, median of 5 on one thread")
    assert said["test"] == "2 of 2 people found; 2 boxes: person 0.90, person 0.80"
    assert said["drawn"] == "to      mine-check.png"
    drawn = cv2.imread("mine-check.png")
    assert drawn is not None
    assert drawn.shape == (480, 640, 3)


def test_check_looks_at_a_picture_of_the_user(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    metadata = {"names": "['lorry', 'crane', 'digger', 'mixer']", "imgsz": "320"}
    path = write_bright_finder(tmp_path / "own.onnx", (160, 128, 60, 80), 4, metadata)
    picture, out = tmp_path / "bright.png", tmp_path / "drawn.jpg"
    cv2.imwrite(str(picture), np.full((240, 320, 3), 255, np.uint8))
    argv = ["models", "check", str(path), "--picture", str(picture), "--out", str(out)]
    assert main(argv) == 0
    said = capsys.readouterr().out
    assert "input         320x256, of any multiple of 32, float32" in said
    assert "classes       4: lorry, crane, digger, mixer\n" in said
    assert "test picture  0 of 2 people found" in said
    assert "your picture  1 box: lorry 1.00\n" in said
    drawn = cv2.imread(str(out))
    assert drawn is not None
    assert drawn.shape == (480, 640, 3)  # twice as large, so that the text is legible
    assert drawn[240, 320].tolist() == [255, 255, 255]
    assert drawn[170:310, 259:262].mean(axis=(0, 1)).max() < 240  # the left side of the box


@pytest.mark.parametrize("by_name", [True, False])
def test_check_tries_the_bundled_detector_like_any_other(
    by_name: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundled, out = list_detectors()[0], tmp_path / "drawn.png"
    picture = tmp_path / "black.png"
    cv2.imwrite(str(picture), np.zeros((240, 320, 3), np.uint8))
    name = bundled.name if by_name else str(bundled.path("detector"))
    assert main(["models", "check", name, "--picture", str(picture), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "as in the manifest\n" in said
    assert "your picture  no boxes\n" in said
    assert out.exists()


def test_check_tries_the_file_of_the_bundled_detector_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    bundled = list_detectors()[0]
    assert main(["models", "check", str(bundled.path("detector"))]) == 0
    said = capsys.readouterr().out
    assert f"detector of {bundled.name}, as in the manifest\n" in said
    assert "test picture  2 of 2 people found" in said


def test_other_files_of_models_look_at_no_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    artefact = list_artefacts()[0]
    assert main(["models", "check", str(artefact.path("encoder")), "--out", str(tmp_path / "out.png")]) == 2
    error = capsys.readouterr().err
    assert error.endswith(f"is the encoder of {artefact.name}\n")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("boxes", "said"),
    [
        ([], "nothing was found in the test picture: this may not be the layout YOLOv8 or YOLO11"),
        ([([20, 30, 30, 30], 0, 0.9)], "none of the people was found in the test picture"),
    ],
)
def test_check_doubts_a_detector_that_finds_nothing_where_something_is(
    boxes: list[tuple[list[float], int, float]],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write_constant(tmp_path / "mine.onnx", yolov8_answer(*boxes))
    assert main(["models", "check", str(path)]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert (tmp_path / "mine-check.png").exists()


def test_check_works_without_onnx(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_constant(tmp_path / "mine.onnx", yolov8_answer(*_people()))
    monkeypatch.setattr(detector_check, "detector_macs", _raise_import_error)
    assert main(["models", "check", str(path), "--out", str(tmp_path / "out.png")]) == 0
    assert "operations    not counted: needs onnx" in capsys.readouterr().out


def _raise_import_error(*_: object) -> int:
    raise ImportError("No module named 'onnx'")


def test_mistakes_with_a_detector_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = write_constant(tmp_path / "good.onnx", yolov8_answer(*_people()))
    strange = write_constant(tmp_path / "strange.onnx", np.zeros((1, 1000), np.float32))
    for argv, code, said in (
        ([str(strange)], 1, "is no file of an installed model (SHA-256"),
        ([str(strange)], 1, "which is no known layout; known are YOLOX"),
        ([str(good), "--out", str(tmp_path / "out.doc")], 2, "cannot tell the picture format"),
        ([str(good), "--out", str(tmp_path / "nowhere" / "out.png")], 2, "cannot write"),
        ([list_detectors()[0].name, "--out", str(tmp_path / "out.xyz")], 2, "cannot tell the picture format"),
        ([list_detectors()[0].name, "--out", str(tmp_path / "nowhere" / "out.png")], 2, "there is no folder"),
        ([str(good), "--out", ""], 2, "argument --out: the name is empty; name a file"),
        ([str(good), "--picture", ""], 2, "argument --picture: the name is empty; name a file"),
        ([str(good), "--picture", str(strange)], 1, "is not a picture that can be read"),
    ):
        assert main(["models", "check", *argv]) == code
        out, error = capsys.readouterr()
        assert code == 1 or not out  # what is used wrongly is refused before the work
        assert error.startswith("pantel: error: ")
        assert error.count("\n") == 1
        assert said in error

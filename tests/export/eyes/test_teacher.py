"""A teacher: cut from a YOLOX export, it says of pictures of any size what the whole one says of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make setup-export")

from tests.export.graphs import DETECTOR_PX, Graph

from pantel_export.errors import DataError, RunError
from pantel_export.eyes.classes import CLASSES
from pantel_export.eyes.material import DetectionMaterial
from pantel_export.eyes.settings import DetectorSettings, DetectorShape
from pantel_export.eyes.teacher import Lesson, Teacher, answer_loss, feature_loss
from pantel_export.eyes.train import DetectorTrainer, load_detector

_CHANNELS = 8
_CELLS = sum((DETECTOR_PX // stride) ** 2 for stride in (8, 16, 32))
_CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A YOLOX export of three grids."""
    graph = Graph("images")
    small = graph.add("Mul", graph.input, graph.constant(1 / 255, np.float32))
    grids = []
    for stride in (8, 16, 32):
        x = graph.add("AveragePool", small, kernel_shape=[stride] * 2, strides=[stride] * 2)
        x = graph.add("Relu", graph.convolved(x, 3, _CHANNELS))
        of_class = graph.add("Relu", graph.convolved(x, _CHANNELS, _CHANNELS))
        of_box = graph.add("Relu", graph.convolved(x, _CHANNELS, _CHANNELS))
        classes = graph.add("Sigmoid", graph.convolved(of_class, _CHANNELS, 80, kernel=1))
        box = graph.convolved(of_box, _CHANNELS, 4, kernel=1)
        sure = graph.add("Sigmoid", graph.convolved(of_box, _CHANNELS, 1, kernel=1))
        x = graph.add("Concat", box, sure, classes, axis=1)
        grids.append(graph.add("Reshape", x, graph.constant([1, 85, -1])))
    joined = graph.add("Concat", *grids, axis=2)
    file = tmp_path_factory.mktemp("teacher") / "three_grids.onnx"
    return graph.save(file, graph.add("Transpose", joined, perm=[0, 2, 1]), [1, _CELLS, 85])


def _pictures(count: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def test_a_lesson_is_what_the_whole_detector_says(path: Path) -> None:
    pictures = _pictures(2, DETECTOR_PX, DETECTOR_PX)
    lesson = Teacher(path).lesson(pictures, _CPU)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for index, picture in enumerate(pictures):
        bgr = picture[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32)
        (whole,) = session.run(None, {"images": bgr})
        people = whole[0, :, 4] * whole[0, :, 5]
        animals = whole[0, :, 4] * whole[0, :, 5 + 14 : 5 + 24].max(axis=1)
        np.testing.assert_allclose(lesson.scores[index, :, 0], people, atol=1e-5)
        np.testing.assert_allclose(lesson.scores[index, :, 4], animals, atol=1e-5)
        last = whole[0, -1]  # of the coarsest grid, lower right
        centre = (last[:2] + DETECTOR_PX // 32 - 1) * 32
        half = np.exp(last[2:4]) * 16
        np.testing.assert_allclose(lesson.boxes[index, -1], [*centre - half, *centre + half], rtol=1e-4)


def test_pictures_may_have_any_size(path: Path) -> None:
    lesson = Teacher(path).lesson(_pictures(3, 64, 96), _CPU)
    cells = 8 * 12 + 4 * 6 + 2 * 3
    assert lesson.scores.shape == (3, cells, len(CLASSES))
    assert lesson.boxes.shape == (3, cells, 4)
    assert [tuple(each.shape) for each in lesson.features] == [
        (3, _CHANNELS, 8, 12),
        (3, _CHANNELS, 4, 6),
        (3, _CHANNELS, 2, 3),
    ]


def test_nothing_is_wrong_with_who_says_the_same(path: Path) -> None:
    lesson = Teacher(path).lesson(_pictures(1, 64, 64), _CPU)
    same = torch.logit(lesson.scores.clamp(1e-6, 1 - 1e-6))
    heard = torch.ones(1, lesson.scores.shape[1], dtype=torch.bool)
    scores, boxes = answer_loss(same, lesson.boxes, lesson, heard)
    worse, apart = answer_loss(same + 0.5, lesson.boxes + 3.0, lesson, heard)
    assert [float(each) for each in answer_loss(same + 0.5, lesson.boxes + 3.0, lesson, ~heard)] == [0.0, 0.0]
    assert float(boxes) == pytest.approx(0.0, abs=1e-4)
    assert apart > boxes
    assert worse > scores
    scaled = [3.0 * each + 1.0 for each in lesson.features]
    assert float(feature_loss(scaled, lesson)) == pytest.approx(0.0, abs=1e-3)
    turned = [-each for each in lesson.features]
    assert float(feature_loss(turned, lesson)) > 1.0


def test_an_empty_picture_teaches_no_boxes() -> None:
    lesson = Lesson(torch.zeros(1, 5, len(CLASSES)), torch.zeros(1, 5, 4), ())
    heard = torch.ones(1, 5, dtype=torch.bool)
    scores, boxes = answer_loss(torch.full((1, 5, len(CLASSES)), -5.0), torch.ones(1, 5, 4), lesson, heard)
    assert float(boxes) == 0.0
    assert float(scores) > 0.0


def test_a_run_learns_from_a_teacher(path: Path, squares: DetectionMaterial, tmp_path: Path) -> None:
    shape = DetectorShape(widths=(4, 8, 8, 8, 8), depths=(1, 1, 1, 1), neck=_CHANNELS, head=8)
    settings = DetectorSettings(
        steps=60, batch=2, side_px=96, warmup_steps=5, plain_steps=0, network=shape, learning_rate=3e-3
    )
    trainer = DetectorTrainer(settings, squares, tmp_path, Teacher(path))
    likeness = []
    for _ in range(settings.steps):
        likeness.append(trainer._train_step()["features"])
        trainer.step += 1
    trainer.save()
    assert np.mean(likeness[-10:]) < 0.9 * np.mean(likeness[:10])
    assert load_detector(tmp_path)[2]["teacher"] == "three_grids"
    assert DetectorTrainer(settings, squares, tmp_path, Teacher(path)).resume()
    with pytest.raises(RunError, match="another teacher"):
        DetectorTrainer(settings, squares, tmp_path).resume()


def test_a_teacher_of_another_width_is_refused(path: Path, squares: DetectionMaterial, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="looks at 8 channels and the detector at 64"):
        DetectorTrainer(DetectorSettings(side_px=96), squares, tmp_path, Teacher(path))


def test_other_files_are_refused(tmp_path: Path, detector_files: dict[str, Path]) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        Teacher(tmp_path / "missing.onnx")
    with pytest.raises(DataError, match="no YOLOX export"):
        Teacher(detector_files["fastest_det"])

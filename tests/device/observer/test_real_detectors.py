"""Published detectors, where their files are at hand: boxes of the projects' own decoding, within a pixel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from tests.device.observer import references
from tests.device.observer.references import Array, Found, Size
from tests.device.observer.test_layouts import agree

from pantel_device.observer import open_detector
from pantel_device.observer.coco import COCO_CLASSES, LIVING_AND_VEHICLES
from pantel_device.observer.detectors import OnnxDetector

DATA = Path(__file__).parents[4] / "shared" / "data"
WEIGHTS, CLIPS, PHOTOS = DATA / "weights", DATA / "clips", DATA / "photos" / "coco"
PHOTOS_SEEN = 12

pytestmark = pytest.mark.skipif(not WEIGHTS.exists(), reason="the third-party weights are not part of the repository")

_OTHERS = np.array([label not in LIVING_AND_VEHICLES for label in COCO_CLASSES])


def _yolox(session: onnxruntime.InferenceSession, pixels: NDArray[np.uint8], picture: Size) -> list[Found]:
    answer: Array = session.run(None, {"images": references.yolox_input(pixels, (416, 416))})[0][0]
    answer[:, 5:][:, _OTHERS] = 0
    return references.yolox(answer, (416, 416), picture)


def _fastest_det(session: onnxruntime.InferenceSession, pixels: NDArray[np.uint8], picture: Size) -> list[Found]:
    answer: Array = session.run(None, {"input.1": references.fastest_det_input(pixels, (352, 352))})[0][0]
    answer[5:][_OTHERS] = 0
    return references.fastest_det(answer, (352, 352), picture)


@pytest.mark.parametrize(("name", "decode"), [("yolox_nano", _yolox), ("FastestDet", _fastest_det)])
def test_boxes_are_those_of_the_project_itself(
    name: str, decode: Callable[[onnxruntime.InferenceSession, NDArray[np.uint8], Size], list[Found]]
) -> None:
    path = WEIGHTS / f"{name}.onnx"
    detector, session = OnnxDetector(path), onnxruntime.InferenceSession(path)
    seen = 0
    for photo in sorted(PHOTOS.iterdir())[:PHOTOS_SEEN]:
        bgr = cv2.imread(str(photo))
        assert bgr is not None
        pixels = np.ascontiguousarray(bgr[..., ::-1]).astype(np.uint8)
        picture = pixels.shape[1], pixels.shape[0]
        expected = references.finished(decode(session, pixels, picture), picture)
        assert agree(detector.detect(pixels), expected, detector.labels) < 1
        seen += len(expected)
    assert seen >= PHOTOS_SEEN


@pytest.mark.parametrize(("name", "reach_px"), [("yolox_nano", 15), ("FastestDet", 25)])
def test_they_find_the_walker(name: str, reach_px: float) -> None:
    capture = cv2.VideoCapture(str(CLIPS / "intel_onebyone_768x432.mp4"))
    capture.set(cv2.CAP_PROP_POS_FRAMES, 150)
    _, picture = capture.read()
    detector = open_detector(str(WEIGHTS / f"{name}.onnx"))
    assert detector is not None
    boxes = detector.detect(np.ascontiguousarray(picture[..., ::-1]).astype(np.uint8))
    assert boxes[0].label == "person"
    assert boxes[0].x0 == pytest.approx(383, abs=reach_px)
    assert boxes[0].y1 == pytest.approx(402, abs=reach_px)

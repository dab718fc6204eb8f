"""Detectors that plug-ins bring."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pantel_device.errors import DetectorError
from pantel_device.frame import Frame
from pantel_device.observer import MotionDetector, Observer, open_detector
from pantel_link import PluginError

BLACK = np.zeros((32, 40, 3), np.uint8)


def test_it_finds_what_is_in_the_picture_and_sure_enough() -> None:
    detector = open_detector("everywhere:some:thing", min_score=0.3, picture_px=(40, 32))
    assert detector is not None
    assert detector.wanted == ("person", "gnome")
    (box,) = detector.detect(BLACK)
    assert (box.x0, box.y0, box.x1, box.y1, box.label) == (0, 0, 10, 10, "person")


def test_a_file_of_the_same_name_is_meant_by_its_path() -> None:
    Path("everywhere").write_text("no ONNX")
    with pytest.raises(DetectorError, match="the detector everywhere "):
        open_detector("./everywhere")
    assert open_detector("everywhere") is not None


@pytest.mark.parametrize(
    ("name", "kind", "line"),
    [
        ("everywhere:blind", DetectorError, "^it is blind; give it eyes$"),
        ("everywhere:odd", PluginError, r"the detector 'everywhere' of garden 1\.0 failed \(IndexError: odd\)"),
        ("everywhere:exit", PluginError, r"the detector 'everywhere' of garden 1\.0 failed \(SystemExit: bye\)"),
    ],
)
def test_one_that_cannot_be_opened(name: str, kind: type[Exception], line: str) -> None:
    with pytest.raises(kind, match=line):
        open_detector(name)


def test_one_that_fails_is_left_alone_for_a_while(caplog: pytest.LogCaptureFixture) -> None:
    observer = Observer(MotionDetector(), open_detector("everywhere:tired"), detect_every=1)
    for index in range(5):
        observer.observe(Frame(index, index * 100_000_000, BLACK.copy()))
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert line.endswith(
        "the detector 'everywhere' of garden 1.0 failed (ZeroDivisionError: tired); report it to its makers"
    )

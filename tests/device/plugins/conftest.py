"""A distribution with a camera, a detector and sinks, sound ones and others."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.plugin_distributions import install_plugin

SOURCE = """
import json
import sys
from pathlib import Path

import numpy as np

from pantel_device.cameras import SampledCamera
from pantel_device.errors import CameraError, CameraNameError, DetectorError, SinkError
from pantel_device.frame import Box, Frame

class Grey(SampledCamera):
    @classmethod
    def from_argument(cls, argument, size_px, fps, geometry, *, patient):
        if argument == "purple":
            raise CameraNameError("purple is not grey; write grey:LEVEL")
        camera = cls(size_px, fps)
        camera.level, camera.geometry = int(argument or 128), geometry
        return camera

    def _picture(self, index):
        if self.level == 1:
            raise LookupError("lost the picture")
        if self.level == 2:
            raise CameraError("unplugged; plug it in")
        if self.level == 3:
            return np.zeros((7, 7), np.uint8)
        if self.level == 4:
            sys.exit(2)
        return np.full((self.size_px[1], self.size_px[0], 3), self.level, np.uint8)

    def capture(self, now_ns):
        return self._picture(0) if self.level == 5 else super().capture(now_ns)

    @property
    def finished(self):
        if self.level == 6 and self._start_ns is not None:
            raise OSError("torn off")
        return super().finished

    def close(self):
        raise OSError("stuck")

class Half:
    @classmethod
    def from_argument(cls, argument, size_px, fps, geometry, *, patient):
        return cls()

    def capture(self, now_ns):
        return None

class Everywhere:
    wanted = ["person", "gnome"]

    def __init__(self, argument, *, min_score, picture_px):
        if argument == "blind":
            raise DetectorError("it is blind; give it eyes")
        if argument == "exit":
            sys.exit("bye")
        if argument == "odd":
            raise IndexError("odd")
        self.argument, self.seen = argument, 0

    def detect(self, pixels):
        self.seen += 1
        if self.argument == "tired" and self.seen > 1:
            raise ZeroDivisionError("tired")
        return [
            Box(-5, -5, 10, 10, "person", 0.9, "detector"),
            Box(0, 0, 5, 5, "gnome", 0.1, "detector"),
            Box(float("nan"), 0, 5, 5, "person", 0.9, "detector"),
            Box(90, 90, 99, 99, "person", 0.9, "detector"),
        ]

class Notes:
    def __init__(self, argument):
        if not argument:
            raise SinkError("the sink notes needs a file: write notes:FILE")
        if argument == "odd":
            raise IndexError("odd")
        if argument == "exit":
            sys.exit("bye")
        self.path, self.lines = Path(argument), []

    def on_picture(self, picture):
        self.lines.append(["picture", *picture.pixels.shape, str(picture.view)])

    def on_event(self, event):
        self.lines.append(["event", event.kind])

    def close(self):
        self.path.write_text(json.dumps(self.lines))

class Picky(Notes):
    def views(self, sender, *, heard_last, silence_s):
        return ["faithful"] if str(sender) == "N0CALL-0" else []

class Grumpy:
    def __init__(self, argument):
        self.argument = argument

    def on_picture(self, picture):
        raise RuntimeError("no pictures, please")

    def on_event(self, event):
        pass

    def close(self):
        raise RuntimeError("not even this")
"""
POINTS = {
    "cameras grey": "Grey",
    "cameras test": "Grey",
    "cameras half": "Half",
    "detectors everywhere": "Everywhere",
    "sinks notes": "Notes",
    "sinks picky": "Picky",
    "sinks grumpy": "Grumpy",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of `sys.path` in which they are installed."""
    folder = tmp_path / "site"
    folder.mkdir()
    install_plugin(folder, "garden", POINTS, SOURCE)
    install_plugin(folder, "no-import", {"cameras noimport": "Camera", "sinks noimport": "Sink"}, "import not_there")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "garden", raising=False)
    monkeypatch.chdir(tmp_path)
    return folder

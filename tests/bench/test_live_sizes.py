"""`pantel bench live --size`: pictures of other sizes than the usual one."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from pantel_device.cli import main


def test_a_run_has_the_size_that_was_asked_for(tmp_path: Path) -> None:
    picture, report = tmp_path / "still.png", tmp_path / "live.json"
    rows, columns = np.mgrid[0:240, 0:320]
    cv2.imwrite(str(picture), np.stack([rows, columns // 2, 255 - rows], axis=2).astype(np.uint8))
    assert (
        main(["bench", "live", "--clip", str(picture), "--seconds", "3", "--size", "160x96", "--json", str(report)])
        == 0
    )
    found = json.loads(report.read_text())
    assert found["size_px"] == [160, 96]
    assert found["psnr_db"] > 15
    assert found["replay_same_pictures"]


@pytest.mark.parametrize("size", ["640", "640x", "x480", "640x-480", "640x480x3", "16x240", "800x600", "²x240"])
def test_a_size_has_two_sides_that_can_be_coded(size: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "live", "--clip", "clip.mp4", "--size", size]) == 2
    assert "is no size with sides of 32 to 640; write for example 640x480" in capsys.readouterr().err


def test_the_competition_is_that_of_the_usual_size(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "live", "--clip", "clip.mp4", "--size", "160x120", "--peers"]) == 2
    assert "--peers choose among settings for 320x240: leave out --size" in capsys.readouterr().err

"""`pantel bench still` by several processes: the rows of one, in their order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_bench.errors import WeightsError
from pantel_bench.pictures import SourcePicture
from pantel_bench.still_jobs import StillTask, measure_tasks
from pantel_device.cli import main
from pantel_device.cluster import InProcess, open_workers
from pantel_models import MANIFEST

_TIMES = ("encode_ms", "decode_ms")


def test_the_rows_are_those_of_one_process(tmp_path: Path, scene: NDArray[np.uint8]) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for name, side in (("a", 64), ("b", 48)):
        cv2.imwrite(str(images / f"{name}.png"), np.ascontiguousarray(scene[:side, :side, ::-1]))
    reports: list[dict[str, Any]] = []
    for jobs in ("1", "2"):
        file = tmp_path / f"{jobs}.json"
        options = ["--images", str(images), "--bpp", "0.4", "--peers", "--jobs", jobs, "--json", str(file)]
        assert main(["bench", "still", *options]) == 0
        reports.append(json.loads(file.read_text()))
    for report in reports:
        for row in report["rows"]:
            for key in _TIMES:
                row.pop(key)
    assert reports[0]["rows"] == reports[1]["rows"]
    assert len({(row["image"], row["codec"]) for row in reports[0]["rows"]}) >= 2 * 3


def test_a_mistake_is_the_same_error_wherever_it_is_found(tmp_path: Path, scene: NDArray[np.uint8]) -> None:
    weights = tmp_path / "weights.npz"
    weights.write_bytes(b"none")
    picture = SourcePicture("a", np.ascontiguousarray(scene[:64, :64]))
    task = StillTask(0, picture, "pantel-faithful", (0.4,), weights, MANIFEST.parent)
    with open_workers(2, None) as processes:
        for workers in (InProcess(), processes):
            with pytest.raises(WeightsError):
                list(measure_tasks([task], workers, lambda _: None))

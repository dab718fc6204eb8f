"""`pantel bench structure`: contours in pictures of an object that was painted here, and sketches over the line."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.bench.walking_figure import moving_object, write_clip
from tests.device.observer.fake_ximgproc import StructuredEdgeDetection, make_ximgproc, write_forest

from pantel_bench.live.source import ClipSource
from pantel_bench.metrics import contour_f1
from pantel_bench.rig.settings import RigSettings
from pantel_bench.structure.ablation import AblationRow, Instruments, measure_ablation
from pantel_bench.structure.sketch import SketchResult, measure_sketch
from pantel_bench.structure.specimens import Specimen, specimens
from pantel_bench.structure.ways import WAYS, Candidates
from pantel_device.cli import main
from pantel_device.frame import Box
from pantel_models import SceneCodec, View, find_artefact, load_scene_codec

LIMITS = (60.0, 300.0)


@pytest.fixture(scope="module")
def codec() -> SceneCodec:
    return load_scene_codec(find_artefact(), view=View.PERCEPTUAL)


@pytest.fixture(scope="module")
def objects() -> list[Specimen]:
    return list(specimens(moving_object(), None))


@pytest.fixture(scope="module")
def rows(objects: list[Specimen], codec: SceneCodec) -> list[AblationRow]:
    return measure_ablation(objects, codec, LIMITS, Instruments(judge=_Judge()))


class _Judge:
    """Finds a person where something is red."""

    def detect(self, pixels: NDArray[np.uint8]) -> tuple[Box, ...]:
        signed = pixels.astype(int)
        found = np.argwhere(signed[..., 0] - signed[..., 2] > 60)
        if not len(found):
            return ()
        (y0, x0), (y1, x1) = found.min(axis=0), found.max(axis=0) + 1
        return (Box(x0, y0, x1, y1 + (y1 - y0), "person"),)  # and blue trousers below


def test_objects_are_taken_with_their_contours(objects: list[Specimen]) -> None:
    assert len(objects) == 2
    for each in objects:
        assert each.contours.sum() > 100
        assert each.moving[each.contours > 0].all()
        x, y = (each.box.x0 + each.box.x1) / 2, (each.box.y0 + each.box.y1) / 2
        assert each.raster.x0 < x < each.raster.x1
        assert abs(y - 140) < 4


def test_all_ways_are_tried_in_as_many_bits(rows: list[AblationRow]) -> None:
    assert [(row.limit_bits, row.way) for row in rows] == [(limit, way) for limit in LIMITS for way in WAYS]
    for row in rows:
        assert (row.size, row.objects, row.judged, row.lpips) == ("small", 2, 2, None)
        assert 0 < row.contour_f1 <= 1
        assert row.object_recall in {0.0, 0.5, 1.0}
        assert row.bits <= row.limit_bits or row.way == "cells"


def test_contours_show_in_the_pictures(objects: list[Specimen], codec: SceneCodec) -> None:
    candidates = Candidates(objects[0], codec)
    alone, sharpened, overlaid = (WAYS[way](candidates, 200.0) for way in ("look", "sharpened 1/2", "overlay 1/2"))
    assert max(sharpened.bits, overlaid.bits, alone.bits) <= 200
    for one, other in ((alone, sharpened), (alone, overlaid), (sharpened, overlaid)):
        changed = (one.pixels != other.pixels).any(axis=2)
        assert changed.sum() > 20
        assert not changed[:90].any()  # the object begins at 110


def test_contours_outside_a_region_do_not_count(objects: list[Specimen]) -> None:
    frame, background = objects[0].frame, objects[0].background
    nowhere = np.zeros(frame.shape[:2], np.bool_)
    assert contour_f1(frame, background, ~nowhere) == contour_f1(frame, background)
    assert contour_f1(frame, background, nowhere) == 1
    assert contour_f1(frame, background, objects[0].moving) < 0.3
    assert contour_f1(frame, frame, objects[0].moving) == 1


def test_contours_may_come_from_elsewhere() -> None:
    (first, *_) = specimens(moving_object(), None, lambda pixels, *_, **__: np.ones(pixels.shape[:2], np.uint8))
    np.testing.assert_array_equal(first.contours > 0, first.moving)


def run(bitrate_bps: int, seconds: float, playout_delay_s: float, *, edge_model: str = "") -> SketchResult:
    settings = RigSettings(
        camera="test",
        seconds=seconds,
        bitrate_bps=bitrate_bps,
        sketch=True,
        edge_model=edge_model,
        playout_delay_ns=round(playout_delay_s * 1e9),
    )
    return measure_sketch(settings, ClipSource("test", seconds), None)


def test_a_sketch_crosses_the_line() -> None:
    result = run(960, 8.0, 1.5)
    assert result.gross_bps_max_10s <= 1000
    assert set(result.bits_per_element) <= {"contours", "outlines", "poses", "farewells"}
    assert result.first_picture_s is not None
    assert result.first_picture_s <= 1.5
    assert result.contour_f1 is not None
    assert result.contour_f1 > 0.5  # 0.66 when this was written


def test_a_sketch_of_a_forest_crosses_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detectors: list[StructuredEdgeDetection] = []
    monkeypatch.setattr(cv2, "ximgproc", make_ximgproc(detectors), raising=False)
    result = run(960, 4.0, 1.5, edge_model=str(write_forest(tmp_path / "forest.yml")))
    assert result.contour_f1 is not None
    assert result.contour_f1 > 0.2
    (detector,) = detectors
    assert (320, 240) in detector.asked_px


@pytest.mark.slow
def test_a_sketch_crosses_a_line_of_300_bit_per_second() -> None:
    result = run(290, 20.0, 2.0)
    assert result.gross_bps <= result.gross_bps_max_10s <= 300
    assert result.contour_f1 is not None
    assert result.contour_f1 > 0.25  # 0.38 when this was written


def test_the_command_prints_tables_and_writes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip, out = tmp_path / "figure.mp4", tmp_path / "structure.json"
    write_clip(clip, moving_object(count=42))
    arguments = ["--clip", str(clip), "--seconds", "4.2", "--bits", "100", "--json", str(out)]
    assert main(["bench", "structure", *arguments]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("figure: ")
    assert lines[1].split() == ["size", "objects", "limit", "bits", "F1", "LPIPS", "recall", "way"]
    report = json.loads(out.read_text())
    assert report["edge_model"] is None
    assert report["benchmark"] == "structure"
    assert [row["way"] for row in report["rows"]] == list(WAYS)
    (sketch,) = report["sketches"]
    assert (sketch["clip"], sketch["bitrate_bps"], sketch["playout_delay_s"]) == (str(clip), 290, 2.0)
    assert sketch["gross_bps_max_10s"] <= 300


def test_an_edge_model_that_cannot_be_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "structure", "--clip", "none.mp4", "--edge-model", "forest.yml"]) == 2
    assert capsys.readouterr().err.startswith("pantel: error: the edge model forest.yml ")


@pytest.mark.parametrize(
    "arguments", [["--bits", "0"], ["--bits", "many"], ["--bitrate", "20000"], ["--playout-delay-s", "0"]]
)
def test_numbers_out_of_range_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "structure", "--clip", "none.mp4", *arguments]) != 0
    assert arguments[0] in capsys.readouterr().err

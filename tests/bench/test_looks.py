"""`pantel bench looks`: two ways of coding the look of an object that was painted here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.bench.walking_figure import FRAMES, moving_object, write_clip

from pantel_bench.looks import LookRow, compare_looks
from pantel_device.cli import main
from pantel_models import find_artefact, load_scene_codec


def still(*, count: int = FRAMES) -> NDArray[np.uint8]:
    """Return frames of a landscape in which nothing moves."""
    return np.repeat(moving_object(count=1), count, axis=0)


@pytest.fixture(scope="module")
def rows() -> list[LookRow]:
    return compare_looks([moving_object(), still()], load_scene_codec(find_artefact()), None)


def of(rows: list[LookRow], codec: str, setting: str) -> list[LookRow]:
    """Return the rows of one codec whose setting has that end, coarse to fine."""
    return [row for row in rows if row.codec == codec and row.setting.endswith(setting)]


def test_both_codecs_are_tried_on_the_same_objects(rows: list[LookRow]) -> None:
    assert {row.codec for row in rows} == {"thumbnail", "cells"}
    assert {row.size for row in rows} == {"small"}  # 24x60 pixels
    assert {row.objects for row in rows} == {2}  # of the clip with the figure, none of the other
    assert len({(row.codec, row.setting) for row in rows}) == len(rows)


@pytest.mark.parametrize(
    ("codec", "setting"),
    [
        ("thumbnail", ", core"),
        ("thumbnail", "core + detail"),
        ("cells", "1:0.5"),
        ("cells", "1:1"),
        ("cells", "1:2"),
    ],
)
def test_a_finer_quality_has_more_bits_and_less_error(rows: list[LookRow], codec: str, setting: str) -> None:
    qualities = of(rows, codec, setting)
    bits = [row.bits for row in qualities]
    assert len(bits) >= 6
    assert bits == sorted(bits)
    assert bits[0] < bits[-1]
    assert 0 < qualities[-1].error_share < qualities[0].error_share < 1


def test_detail_adds_bits_and_takes_error_away(rows: list[LookRow]) -> None:
    core, whole = of(rows, "thumbnail", ", core")[-1], of(rows, "thumbnail", "core + detail")[-1]
    assert whole.bits > core.bits
    assert whole.error_share < core.error_share


def test_without_objects_there_are_no_rows() -> None:
    assert compare_looks([still(count=41)], load_scene_codec(find_artefact()), None) == []


def test_the_command_prints_a_table_and_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip, out = tmp_path / "figure.mp4", tmp_path / "looks.json"
    write_clip(clip, moving_object(count=42))
    assert main(["bench", "looks", "--clip", str(clip), "--seconds", "4.2", "--json", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["size", "objects", "codec", "bits", "error", "setting"]
    report = json.loads(out.read_text())
    assert report["benchmark"] == "looks"
    assert len(report["rows"]) == len(lines) - 1 > 0
    assert set(report["rows"][0]) == {"size", "codec", "setting", "objects", "bits", "error_share"}

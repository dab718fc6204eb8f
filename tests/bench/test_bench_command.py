from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_bench.commands.bench import COMMAND
from pantel_device.cli import main
from pantel_device.command import UsageError


def run(*arguments: str | Path) -> int:
    parser = argparse.ArgumentParser()
    COMMAND.add_arguments(parser)
    return COMMAND.run(parser.parse_args([str(argument) for argument in arguments]))


@pytest.fixture
def images(tmp_path: Path, scene: NDArray[np.uint8]) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for name, side in (("large", 256), ("small", 96)):
        cv2.imwrite(str(folder / f"{name}.png"), np.ascontiguousarray(scene[:side, :side, ::-1]))
    return folder


def test_the_shipped_codec_is_measured(images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    json_file, report = tmp_path / "still.json", tmp_path / "still.html"
    code = run("still", "--images", images, "--bpp", "0.2,0.4", "--json", json_file, "--report", report)
    assert code == 0
    content = json.loads(json_file.read_text())
    assert [(row["image"], row["codec"], row["target_bpp"]) for row in content["rows"]] == [
        (image, codec, rate)
        for image in ("large", "small")
        for codec in ("pantel-faithful", "pantel-perceptual")
        for rate in (0.4, 0.2)
    ]
    assert all(row["bpp"] <= row["target_bpp"] for row in content["rows"])
    faithful, perceptual = (
        [row for row in content["rows"] if row["codec"] == f"pantel-{view}"] for view in ("faithful", "perceptual")
    )
    for one, other in zip(faithful, perceptual, strict=True):
        assert one["bytes"] == other["bytes"]
        assert one["psnr_db"] != other["psnr_db"]
    assert 0 < content["models"]["generator_mac_per_pixel"] <= 2000
    assert 0 < content["models"]["encoder_mac_per_pixel"] <= 10000
    assert report.read_bytes().startswith(b"<!doctype html>")
    out, err = capsys.readouterr()
    assert "pantel-faithful" in out
    assert err.splitlines()[-1] == "bench still: 4/4 small pantel-perceptual"
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    "benchmark",
    [
        ("eyes", "--crossing"),
        ("link",),
        ("live", "--clip", "clip.mp4"),
        ("mos", "--votes", "votes.jsonl"),
        ("still", "--images", "images"),
    ],
)
def test_results_go_into_files_of_their_own(
    benchmark: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for places, says in (
        (("--json", "same", "--report", "./same"), "two results would go into one file, same; name another"),
        (("--json", ""), "argument --json: the name is empty; name a file"),
        (("--report", ""), "argument --report: the name is empty; name a file"),
    ):
        assert main(["bench", *benchmark, *places]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith(f"pantel: error: {says}")
        assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rates", ["", "0", "-1", "nan", "0.1,x", "25", "inf"])
def test_rates_must_be_possible(rates: str, images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run("still", "--images", images, f"--bpp={rates}")
    assert stopped.value.code == 2
    assert "--bpp" in capsys.readouterr().err


def test_a_file_that_is_no_picture_is_named(images: Path) -> None:
    (images / "broken.png").write_bytes(b"noise")
    with pytest.raises(UsageError, match=r"broken\.png"):
        run("still", "--images", images)


@pytest.mark.parametrize("option", ["--json", "--report"])
def test_a_place_that_cannot_be_written_is_found_before_the_work(option: str, images: Path, tmp_path: Path) -> None:
    for place in (tmp_path / "missing" / "file", tmp_path):
        with pytest.raises(UsageError, match="cannot write"):
            run("still", "--images", images, option, place)


@pytest.mark.parametrize("option", ["--lpips", "--anchors"])
def test_a_missing_input_is_named(option: str, images: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.file"):
        run("still", "--images", images, option, "nowhere.file")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="missing"):
        run("still", "--images", tmp_path / "missing")


def test_a_benchmark_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run()
    assert stopped.value.code == 2
    assert "BENCHMARK" in capsys.readouterr().err

"""`pantel bench live` as a user sees it, on a short clip made here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from pantel_bench.live.late_join import join_late
from pantel_bench.live.source import ClipSource
from pantel_device.cli import main
from pantel_link.captures import CapturedCodeword, CaptureEvent, read_capture
from pantel_models import View, find_artefact, load_scene_codec

_REPORTS = Path(__file__).parents[2] / "docs" / "reports.md"
_SECONDS = 4
_INSTANTS = 40


def _write_clip(path: Path) -> Path:
    """Write a clip of 2 s in which a dark square crosses a soft landscape."""
    rows, columns = np.mgrid[0:240, 0:320].astype(np.float32)
    ground = np.stack([90 + rows / 3, 130 + columns / 8, 200 - rows / 3], axis=2)
    ground[(rows > 150 + 12 * np.sin(columns / 30))] = (70, 110, 50)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 320, 240, "yuv420p", 4_000_000
        for k in range(20):
            picture = ground.copy()
            picture[110:170, 20 + 12 * k : 44 + 12 * k] = (30, 30, 60)
            frame = av.VideoFrame.from_ndarray(picture.clip(0, 255).astype(np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _write_clip(tmp_path_factory.mktemp("clips") / "square.mp4")


@pytest.fixture(scope="module")
def folder(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("live")
    arguments = ["--clip", str(clip), "--seconds", str(_SECONDS), "--ber", "1e-4", "--seed", "3", "--join-s", "1"]
    arguments += ["--json", str(folder / "live.json"), "--report", str(folder / "live.html")]
    arguments += ["--video", str(folder / "live.mp4"), "--captures", str(folder / "captures")]
    assert main(["bench", "live", *arguments]) == 0
    return folder


@pytest.fixture(scope="module")
def report(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / "live.json").read_text())
    return report


def test_every_key_is_documented_and_every_documented_key_is_there(report: dict[str, Any]) -> None:
    section = _REPORTS.read_text().split("## `pantel bench live`")[1].split("\n## ")[0].split("`peers[]`")[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    documented = {name for cell in cells for name in cell.split("`")[1::2]}
    assert set(report) == documented


def test_the_promise_the_line_and_the_pictures(report: dict[str, Any]) -> None:
    assert 0 < report["gross_bps_max_10s"] <= 1000
    assert report["playout_delay_s"] == 1.5
    assert report["packets_sent"] >= 9
    assert 0.4 < report["payload_share"] < 0.7
    assert report["shown_fps"] == pytest.approx(10)
    assert report["psnr_db"] > 10
    assert report["moving_psnr_db"] > 5
    assert report["lpips"] is report["lpips_last_third"] is None
    assert report["lpips_view"] == load_scene_codec(find_artefact(), view=View.PERCEPTUAL).view
    assert report["pose_recall"] is report["judged_objects"] is None
    assert report["sender_ms_per_frame"] > 0
    assert report["renderer_ms_per_picture"] > 0
    assert sum(report["bits_per_element"].values()) == pytest.approx(8 * report["payload_octets"] / _SECONDS, rel=0.1)


def test_a_replay_in_a_new_process_draws_the_same_pictures(report: dict[str, Any], folder: Path) -> None:
    assert report["replay_same_pictures"] is True
    assert report["replay_pictures"] > 25
    assert main(["replay", str(folder / "captures" / "square.pcapng"), "--report", str(folder / "again.json")]) == 0
    again = json.loads((folder / "again.json").read_text())
    assert len(again["pictures"]) == report["replay_pictures"]


def test_the_series_agree_with_the_means(report: dict[str, Any]) -> None:
    series = report["series"]
    assert {len(values) for values in series.values()} == {_INSTANTS}
    assert report["psnr_db"] == pytest.approx(np.mean(series["psnr_db"]), abs=1e-3)
    assert series["wire_octets"] == sorted(series["wire_octets"])


def test_the_spans_add_up_to_the_run(report: dict[str, Any]) -> None:
    (span,) = report["spans"]
    assert (span["begin_s"], span["end_s"]) == (0, _SECONDS)
    assert span["bits_per_element"] == pytest.approx(report["bits_per_element"])
    assert 0 < span["objects"] < 4
    assert span["background_psnr_db"] > 10


def test_the_page_and_the_video(folder: Path) -> None:
    page = (folder / "live.html").read_text()
    assert "http:" not in page
    assert page.count("data:image/webp;base64,") == 4  # pairs at 2 s and the end
    assert page.count("<svg") == 5
    assert "0 to 4 s" in page
    assert "src='live.mp4'" in page
    with av.open(str(folder / "live.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == _INSTANTS


def test_a_receiver_that_joins_late(folder: Path, clip: Path, report: dict[str, Any]) -> None:
    assert [(join["join_s"], join["known"]) for join in report["late_joins"]] == [(1, False), (1, True)]
    events = list(read_capture(folder / "captures" / "square.pcapng"))
    source = ClipSource(f"file:{clip}", _SECONDS)
    from_the_start = join_late(events, source, 0.0, 1.5)
    assert from_the_start.wait_s == report["first_picture_s"]
    deaf: list[CaptureEvent] = [each for each in events if not isinstance(each, CapturedCodeword)]
    assert join_late(deaf, source, 0.0, 1.5).wait_s is None


def test_several_clips_and_a_still_picture(clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "still.png"
    cv2.imwrite(str(picture), np.full((240, 320, 3), (90, 120, 150), np.uint8))
    arguments = ["--clip", str(clip), "--clip", str(picture), "--seconds", "1", "--preset", "light"]
    arguments += ["--json", str(tmp_path / "a.json"), "--report", str(tmp_path / "a.html")]
    assert main(["bench", "live", *arguments, "--video", str(tmp_path / "a.mp4")]) == 0
    report = json.loads((tmp_path / "a.json").read_text())
    assert [each["preset"] for each in report["clips"]] == ["light", "light"]
    assert report["clips"][1]["moving_psnr_db"] is None
    out = capsys.readouterr().out
    assert out.startswith("square: at most ")
    assert "\nstill: at most " in out
    assert "All clips" in (tmp_path / "a.html").read_text()
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"a.html", "a.json", "a-square.mp4", "a-still.mp4", "still.png"}


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the present folder, in which nothing is."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 2, "--clip"),
        (["--clip", "missing.mp4"], 2, "missing.mp4 does not exist"),
        (["--clip", "a/x.mp4", "--clip", "b/x.mp4"], 2, "two clips are named x"),
        (["--clip", "missing.mp4", "--seconds", "1000"], 2, "no time between 1 and 300"),
        (["--clip", "missing.mp4", "--bitrate", "20000"], 2, "10000 is the most"),
        (["--clip", "missing.mp4", "--bitrate", "fast"], 2, "no bit rate"),
        (["--clip", "missing.mp4", "--playout-delay-s", "0"], 2, "no time between 1 and 10"),
        (["--clip", "missing.mp4", "--preset", "iron"], 2, "iron"),
        (["--clip", "missing.mp4", "--join-s", "soon"], 2, "are no times"),
        (["--clip", "missing.mp4", "--judge", "eyes.onnx"], 2, "eyes.onnx cannot be read"),
        (["--clip", "missing.mp4", "--lpips", "weights.npz"], 2, "cannot read the LPIPS weights"),
        (["--clip", "missing.mp4", "--json", "nowhere/a.json"], 2, "there is no folder"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(
    arguments: list[str], code: int, says: str, empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "live", *arguments]) == code
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert says in line
    assert not list(empty_folder.iterdir())

"""The demo as a user sees it: three files, one promise, and one line for every mistake."""

from __future__ import annotations

import json
import resource
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_bench.demo.produce import produce
from pantel_bench.rig.settings import RigSettings
from pantel_device.cli import main

_REPORTS = Path(__file__).parents[2] / "docs" / "reports.md"
_SECONDS = 3
_INSTANTS = 30


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "made" / "by the demo"
    assert main(["demo", "--seconds", str(_SECONDS), "--ber", "1e-4", "--seed", "3", "--out", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def report(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return report


def test_three_files_and_nothing_else(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["demo.mp4", "report.html", "report.json"]


def test_every_key_is_documented_and_every_documented_key_is_there(report: dict[str, Any]) -> None:
    section = _REPORTS.read_text().split("## `pantel demo`")[1].split("\n## ")[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    documented = {name for cell in cells for name in cell.split("`")[1::2]}
    assert set(report) == documented


def test_the_promise_and_the_line(report: dict[str, Any]) -> None:
    assert 0 < report["gross_bps_max_10s"] <= 1000
    assert report["wire_octets"] <= _SECONDS * 1000 / 8
    assert report["wire_octets"] > _SECONDS * 960 / 8 - 48
    assert report["packets_sent"] >= 5  # of which the second round of the opening takes one that is long
    assert 1 <= report["packets_received"] <= report["packets_sent"]
    assert 0.4 < report["payload_share"] < 0.7
    assert report["ident_octets"] == 48  # at the start; the next one comes after 3 s
    assert report["channel"] == {"bit_error_rate": 1e-4, "loss": 0.0, "seed": 3}


def test_the_series_agree_with_the_means(report: dict[str, Any]) -> None:
    series = report["series"]
    assert {len(values) for values in series.values()} == {_INSTANTS}
    assert series["t_s"] == pytest.approx([k / 10 for k in range(_INSTANTS)])
    assert report["psnr_db"] == pytest.approx(np.mean(series["psnr_db"]), abs=1e-3)
    assert report["ms_ssim"] == pytest.approx(np.mean(series["ms_ssim"]), abs=1e-3)
    assert report["final_ms_ssim"] == pytest.approx(series["ms_ssim"][-1], abs=1e-3)
    assert series["wire_octets"] == sorted(series["wire_octets"])
    assert report["ms_ssim_at_10s"] is None


def test_a_picture_arrived(report: dict[str, Any]) -> None:
    psnr_db = report["series"]["psnr_db"]
    assert psnr_db[-1] > psnr_db[0] + 1
    assert report["shown_fps"] > 0
    assert report["encoder_ms"] > 0
    assert report["generator_ms"] > 0


def test_the_video_has_a_picture_for_every_instant(folder: Path) -> None:
    with av.open(str(folder / "demo.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert stream.average_rate == 10
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert len(frames) == _INSTANTS
    height, width, _ = frames[0].shape
    assert width > 2 * 2 * 320
    assert height > 2 * 240
    right = frames[0][60:500, width // 2 + 20 : -20]
    assert np.abs(right.astype(int) - 128).max() < 10  # mid-grey before the first picture


def test_the_page_needs_only_the_files_beside_it(folder: Path) -> None:
    page = (folder / "report.html").read_text()
    assert "http:" not in page
    assert "https:" not in page
    assert page.count("data:image/webp;base64,") == 6  # pairs at 1 s, 2 s and the end
    assert page.count("<svg") == 4
    assert "src='demo.mp4'" in page


def test_a_run_that_breaks_off_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("pantel_bench.demo.produce.make_report", fail)
    with pytest.raises(RuntimeError):
        produce(RigSettings(seconds=1), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        assert main(["demo", "--seconds", "1", "--out", str(tmp_path)]) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "pantel: error: cannot write the video: File too large" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_same_seed_gives_the_same_run(tmp_path: Path) -> None:
    settings = RigSettings(seconds=1.5, loss=0.1, seed=5)
    first, second = (produce(settings, tmp_path / name) for name in ("a", "b"))
    assert first.series == second.series
    assert first.packets_received == second.packets_received


def test_a_picture_file_is_a_scene_in_which_nothing_moves(tmp_path: Path, scene: NDArray[np.uint8]) -> None:
    picture = tmp_path / "scene.png"
    cv2.imwrite(str(picture), scene)
    report = produce(RigSettings(camera=f"file:{picture}", seconds=2, masked=False), tmp_path / "out")
    assert report.moving_region == "motion_boxes"
    assert report.moving_psnr_db is None
    assert report.distinct_fps is None


def test_a_camera_that_ends_first_stays_on_show_to_the_end(tmp_path: Path, scene: NDArray[np.uint8]) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(3):
        cv2.imwrite(str(pictures / f"{number}.png"), scene)
    report = produce(RigSettings(camera=f"file:{pictures}?loop=once", seconds=4, masked=False), tmp_path / "out")
    assert len(report.series.t_s) == 40
    assert report.series.psnr_db[-1] > report.series.psnr_db[0] + 1


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--seconds", "0"], 2, "no time between 1 and 3600"),
        (["--seconds", "soon"], 2, "no time between 1 and 3600"),
        (["--ber", "1.5"], 2, "no share"),
        (["--loss", "many"], 2, "no share"),
        (["--seed", "-1"], 2, "no seed"),
        (["--port", "loop://"], 2, "add --real-time"),
        (["--real-time", "--port", "loop://", "--ber", "0.1"], 2, "--ber"),
        (["--camera", "file:missing.mp4"], 2, "does not exist"),
        (["--camera", "telescope"], 2, "no camera"),
        (["--camera", "v4l2:/dev/video0"], 2, "reads its source twice"),
        (["--camera", "picamera2"], 2, "reads its source twice"),
        (["--callsign", "N0 CALL"], 2, "callsign"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(
    arguments: list[str], code: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["demo", "--out", str(out), "--seconds", "1", *arguments]) == code
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert says in line
    assert not list(tmp_path.glob("out/*"))


def test_an_output_that_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file")
    assert main(["demo", "--out", str(taken)]) == 2
    assert "cannot make the folder" in capsys.readouterr().err
    (tmp_path / "out" / "report.json").mkdir(parents=True)
    assert main(["demo", "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.count("\n") == 1

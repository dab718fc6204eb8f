"""The back-channel in the live benchmark: sender and receiver through a null modem that is bad both ways."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pantel_bench.live.back_channel import LineRow, compare_back_channel
from pantel_bench.live.source import ClipSource
from pantel_bench.rig.settings import RigSettings
from pantel_bench.rig.virtual_run import VirtualRun
from pantel_device.cli import main

_REPORTS = Path(__file__).parents[2] / "docs" / "reports.md"


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("still") / "ground.png"
    noise = np.random.default_rng(5).integers(30, 220, (12, 16, 3), dtype=np.uint8)
    cv2.imwrite(str(path), cv2.resize(noise, (320, 240), interpolation=cv2.INTER_CUBIC))
    return path


@pytest.fixture(scope="module")
def report(picture: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    file = tmp_path_factory.mktemp("live") / "live.json"
    arguments = ["--clip", str(picture), "--seconds", "16", "--loss", "0.15", "--ber", "1e-4", "--seed", "2"]
    page = file.with_suffix(".html")
    outputs = ["--json", str(file), "--report", str(page)]
    assert main(["bench", "live", *arguments, "--back-channel", "3", *outputs]) == 0
    report: dict[str, Any] = json.loads(file.read_text()) | {"page": page.read_text()}
    return report


def test_what_goes_back_is_counted(report: dict[str, Any]) -> None:
    back = report["back_channel"]
    without, acknowledged, slower = back["rows"]
    assert [row["acknowledge_s"] for row in back["rows"]] == [0.0, 3.0, 3.0]
    assert [row["bitrate_bps"] for row in back["rows"]] == [960, 960, 720]
    assert without["back_octets"] == 0
    assert back["octets"] == acknowledged["back_octets"]
    assert 4 * 48 <= back["octets"] <= 16 * 48 // 0.75  # every 3 s, and every 0.75 s at most
    assert back["octets"] % 8 == 0  # the run may end within a packet, but not within a chunk of it
    assert back["mean_bps"] == 8 * back["octets"] / 16
    assert slower["wire_octets"] < 0.8 * acknowledged["wire_octets"]
    assert acknowledged["ms_ssim"] == report["ms_ssim"]


def test_the_page_shows_every_run(report: dict[str, Any]) -> None:
    section = report["page"].split("What acknowledgements are worth")[1].split("</table>")[0]
    for row in report["back_channel"]["rows"]:
        assert f"{row['psnr_db_last_third']:.2f}" in section
        assert f"{row['wire_octets']:,}".replace(",", "\u202f") in section


def test_a_replay_needs_no_key(report: dict[str, Any]) -> None:
    assert report["replay_same_pictures"]


def test_savings_lie_within_what_was_measured(report: dict[str, Any]) -> None:
    back = report["back_channel"]
    for key in ("saved_by_ms_ssim", "saved_by_psnr"):
        assert -0.05 <= back[key] <= 0.3
        assert back[f"{key}_both_ways"] < back[key]


def test_every_key_is_documented(report: dict[str, Any]) -> None:
    text = _REPORTS.read_text().split("`back_channel`: ")[1].split("\n\n")[0]
    assert all(f"`{key}`" in text for key in (*report["back_channel"], *report["back_channel"]["rows"][0]))


def test_savings_follow_from_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {0.0: _row(7000, 0, 20.0, 0.80), 5.0: _row(5000, 400, 19.0, 0.80)}
    monkeypatch.setattr("pantel_bench.live.back_channel.measure_row", lambda settings, _: rows[settings.acknowledge_s])
    settings = RigSettings(acknowledge_s=5.0)
    found = compare_back_channel(settings, _no_source(), _row(7000, 500, 21.0, 0.85))
    assert found.saved_by_ms_ssim == pytest.approx(2 / 7)
    assert found.saved_by_ms_ssim_both_ways == pytest.approx(1.6 / 7)
    assert found.saved_by_psnr == pytest.approx(1 - (5 / 7) ** 0.5)  # half-way in the logarithm
    worse = compare_back_channel(settings, _no_source(), _row(7000, 500, 19.5, 0.7))
    assert worse.saved_by_psnr == pytest.approx(0.0)


def _row(wire_octets: int, back_octets: int, psnr_db: float, ms_ssim: float) -> LineRow:
    """Return a run of which the last third counts."""
    return LineRow(960, 5.0, wire_octets, back_octets, 0.0, None, 0.0, psnr_db, ms_ssim)


def _no_source() -> ClipSource:
    return ClipSource.__new__(ClipSource)


def test_a_run_without_acknowledgements_is_what_it_was() -> None:
    runs = []
    for acknowledge_s in (0.0, 300.0):  # the first would come after the run
        run = VirtualRun(replace(RigSettings(seconds=3.0, acknowledge_s=acknowledge_s)))
        runs.append([None if each.pixels is None else each.pixels.tobytes() for each in run.showings()])
        run.close()
    assert runs[0] == runs[1]


@pytest.mark.parametrize("interval", ["0", "x", "-1", "9999"])
def test_impossible_intervals(interval: str, picture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "live", "--clip", str(picture), "--back-channel", interval]) == 2
    assert "is no time between" in capsys.readouterr().err

"""A few masts into one receiver, for some seconds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.bench.test_bench_command import run

from pantel_device.command import UsageError

REPORTS = Path(__file__).parents[2] / "docs" / "reports.md"


@pytest.mark.slow
@pytest.mark.parametrize("lines", [6, 2])
def test_masts_are_all_heard_and_those_that_are_watched_shown(
    lines: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    json_file, page = tmp_path / "masts.json", tmp_path / "masts.html"
    options = ("--masts", "6", "--lines", f"{lines}", "--watched", "2", "--seconds", "12", "--scenes", "1")
    assert run("masts", *options, "--json", json_file, "--report", page) == 0
    told = json.loads(json_file.read_text())
    assert told["masts"] == 6
    assert told["packets_dropped"] == told["packets_lost"] == told["payloads_damaged"] == 0
    assert told["packets_received"] == told["packets_sent"] > 6 * 15
    assert told["octets_read"] == told["octets_sent"]
    assert 0.8 * 960 / 8 * 12 * 5 < told["octets_sent"] < 1.05 * 960 / 8 * 12 * 6
    assert [mast["name"] for mast in told["watched"]] == ["N0CALL-0", "N0CALL-1"]
    assert all(0 < mast["pictures_per_s"] <= 10.01 for mast in told["watched"])
    assert told["pictures"] == sum(mast["pictures"] for mast in told["watched"])
    assert told["cpu_s"] > 0
    said = capsys.readouterr().out
    assert "packets dropped   0" in said
    assert "N0CALL-1: " in said
    assert "N0CALL-1" in page.read_text()
    documented = set(REPORTS.read_text().split("## `pantel bench masts`")[1].split("\n## ")[0].split("`")[1::2])
    keys = set(told) | set(told["settings"]) | set(told["watched"][0])
    assert keys <= documented


@pytest.mark.parametrize("option", ["--lines", "--watched"])
def test_no_more_is_asked_for_than_there_is(option: str) -> None:
    with pytest.raises(UsageError, match="more than there are masts; take at most 2"):
        run("masts", "--masts", "2", option, "3")

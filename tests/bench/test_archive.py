"""`pantel bench archive`, with few captures: the properties that docs/benchmarks.md has of two thousand."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pantel_bench.archive.captures import Kind, Plan, make_capture, plans
from pantel_bench.archive.measure import ArchiveRun, ArchiveSettings, MadeArchive
from pantel_bench.archive.report import ArchiveReport, to_html, to_table
from pantel_device.cli import main

_KEYS = Path(__file__).parents[2] / "docs" / "reports.md"


@pytest.mark.slow
def test_all_ways_write_the_same_tables_and_nothing_is_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, report, page = tmp_path / "kept", tmp_path / "report.json", tmp_path / "report.html"
    arguments = ["--captures", "40", "--seconds", "4", "--keep", str(folder)]
    assert main(["bench", "archive", *arguments, "--json", str(report), "--report", str(page)]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "All tables are the same, octet by octet"
    told = json.loads(report.read_text())
    assert told["identical"]
    one, cores, cluster, killed, resumed = told["runs"]
    assert len({run["sha256"] for run in told["runs"]}) == 1
    assert [run["done_before"] for run in (one, cores, cluster)] == [None] * 3
    assert 20 <= killed["done_before"] < 40
    assert 20 <= resumed["done_before"] < 40
    assert resumed["replayed_again"] == 40 - resumed["done_before"]
    documented = set(_KEYS.read_text().split("## `pantel bench archive`")[1].split("\n## ")[0].split("`")[1::2])
    assert {*told, *told["settings"], *told["archive"], *one} <= documented
    assert "octet by octet" in page.read_text()
    runs = pq.read_table(folder / "results-killed" / "runs.parquet").to_pylist()
    assert len({run["capture"] for run in runs}) == 39  # one is a sender's
    assert max(run["files"] for run in runs) > 1
    assert max(run["run"] for run in runs) == 1
    kinds = {row["kind"] for row in pq.read_table(folder / "results-killed" / "errors.parquet").to_pylist()}
    assert kinds == {"damaged", "only_sent"}


def test_captures_are_the_same_every_time(tmp_path: Path) -> None:
    payloads = tmp_path / "payloads.txt"
    payloads.write_text(f"{bytes(30).hex()}\n{bytes(range(30)).hex()}\n")
    written = []
    for name in ("a", "b"):
        for plan in plans(tmp_path / name, 40, 4.0, payloads):
            if plan.number in {3, 7, 21, 29}:
                assert make_capture(plan) > 500
        written.append([path.read_bytes() for path in sorted((tmp_path / name).rglob("*.pcapng"))])
    assert written[0] == written[1]
    assert len(written[0]) == len(set(written[0])) > 4
    other = Plan(tmp_path / "c.pcapng", 4, Kind.PLAIN, 4.0, payloads)
    make_capture(other)
    assert other.path.read_bytes() not in written[0]


def test_tables_that_differ_are_said_to() -> None:
    runs = [
        ArchiveRun("one process", 1, 60.0, 1.0, None, None, 55.0, "a"),
        ArchiveRun("a cluster", 2, 40.0, 3.0, 10, 4, 57.0, "b"),
        ArchiveRun("killed", 2, 50.0, 3.0, 10, 4, None, "a"),
    ]
    report = ArchiveReport(ArchiveSettings(100, 4.0, Path()), MadeArchive(Path(), 1, 1.0), runs)
    assert (report.identical, report.speed_up(runs[1]), report.overhead_ms(runs[1])) == (False, 1.5, 20.0)
    assert to_table(report).splitlines()[-1] == "THE TABLES DIFFER"
    assert re.search(r"a cluster +2 +40.0 s +1.50 +3.0 s +57.0 s +20.0 ms +10 +4\n", to_table(report))
    assert report.overhead_ms(runs[2]) is None
    assert b"THE TABLES DIFFER" in to_html(report)


def test_mistakes_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, says in (
        (["--captures", "1"], "1 is no whole number from 2 on"),
        (["--keep", str(tmp_path)], "cannot make the folder"),
    ):
        assert main(["bench", "archive", *arguments]) == 2
        err = capsys.readouterr().err
        assert (err.count("\n"), says in err) == (1, True)

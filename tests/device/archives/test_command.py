"""`pantel replay` of folders: what it writes, and what it does again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.device.archives.conftest import Maker
from tests.device.archives.reading import Replay, octets, rows

from pantel_bench.archive.captures import Kind
from pantel_device.archives import job
from pantel_device.archives.job import CaptureRows
from pantel_device.archives.parts import Parts
from pantel_device.archives.run import replay_archive
from pantel_device.archives.tables import COLUMNS, SCHEMA_KEY
from pantel_device.cli import main

_DOCS = Path(__file__).parents[3] / "docs"


def test_a_folder_becomes_tables_and_a_report(make: Maker, replay: Replay, tmp_path: Path) -> None:
    make("north/line.pcapng", Kind.ROTATED)
    make("south/line.pcapng", Kind.RESTARTED, number=10)
    code, out, err = replay("--report", str(tmp_path / "report.json"))
    assert code == 0
    assert out.startswith("2 captures: 2 replayed (")
    assert f"0 done before; 2 days of senders; tables in {tmp_path / 'results'}" in out
    assert "warning" not in err
    runs, senders = rows(tmp_path, "runs"), rows(tmp_path, "senders")
    north, south = "north/line.pcapng", "south/line.pcapng"
    assert [(row["capture"], row["run"], row["files"]) for row in runs] == [(north, 0, 3), (south, 0, 1), (south, 1, 1)]
    assert [(row["capture"], row["callsign"]) for row in senders] == [(north, "N1CALL"), *2 * [(south, "N2CALL")]]
    assert [row["zone"] for row in rows(tmp_path, "alarms")] == ["gate", "gate"]
    assert rows(tmp_path, "errors") == []
    assert not (tmp_path / "results" / "pictures.parquet").exists()
    report = json.loads((tmp_path / "report.json").read_text())
    first, second = report["days"]
    assert (report["captures"], report["errors"]) == (2, {})
    assert (first["callsign"], first["sender"], first["day"]) == ("N1CALL", 1, str(senders[0]["day"]))
    assert (second["captures"], second["alarms"]) == (1, 2)
    for key in ("packets_good", "packets_lost", "seconds", "seconds_fresh", "pictures"):
        assert second[key] == sum(int(str(row[key])) for row in senders[1:]), key
    assert second["availability"] == second["seconds_fresh"] / second["seconds"] > 0.5
    assert second["content_age_p95_max_s"] == max(float(str(row["content_age_p95_s"])) for row in senders[1:])
    assert second["packet_loss"] == second["packets_lost"] / (second["packets_good"] + second["packets_lost"])


def test_the_tables_say_what_they_are(make: Maker, replay: Replay, tmp_path: Path) -> None:
    make("line.pcapng")
    assert replay("--hash-pictures")[0] == 0
    page = (_DOCS / "archives.md").read_text()
    for table in COLUMNS:
        schema = pq.read_schema(tmp_path / "results" / f"{table}.parquet")
        assert schema.metadata[SCHEMA_KEY.encode()] == str(job.SCHEMA).encode()
        section = page.split(f"### `{table}`")[1].split("\n##")[0]
        named = [
            cell
            for line in section.splitlines()
            if line.startswith("| `")
            for cell in line.split("|")[1].split("`")[1::2]
        ]
        assert named == list(schema.names), table
    pictures = rows(tmp_path, "pictures")
    assert len(pictures) == rows(tmp_path, "senders")[0]["pictures"]
    assert len({row["sha256"] for row in pictures}) > 10


def test_the_report_has_the_keys_that_are_documented(make: Maker, replay: Replay, tmp_path: Path) -> None:
    make("line.pcapng")
    assert replay("--report", str(tmp_path / "report.json"))[0] == 0
    report = json.loads((tmp_path / "report.json").read_text())
    documented = set((_DOCS / "archives.md").read_text().split("## The summary")[1].split("\n## ")[0].split("`")[1::2])
    assert {*report, *report["days"][0]} <= documented


def test_a_page_for_people(make: Maker, replay: Replay, tmp_path: Path) -> None:
    make("line.pcapng")
    (tmp_path / "archive" / "<b>.pcapng").write_bytes(b"no capture")
    page = tmp_path / "report.html"
    assert replay("--report", str(page))[0] == 1
    text = page.read_text()
    assert text.startswith("<!doctype html>")
    for part in ("N1CALL-1", "What was received", "no_capture", "availab"):
        assert part in text


def test_what_was_done_is_not_done_again(
    make: Maker, replay: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [make(f"{number}.pcapng", number=number) for number in range(1, 4)]
    assert replay()[1].startswith("3 captures: 3 replayed")
    first = octets(tmp_path)
    assert replay()[1].startswith("3 captures: 0 replayed, 3 done before")
    assert octets(tmp_path) == first
    with paths[1].open("ab") as file:  # a receiver goes on in it
        file.write(paths[0].read_bytes())
    assert "1 replayed" in replay()[1]
    assert len(rows(tmp_path, "runs")) == 4
    assert "3 replayed" in replay("--loss", "0.2")[1]
    assert "3 replayed" in replay("--loss", "0.2", "--fresh-s", "5")[1]
    monkeypatch.setattr(job, "version", lambda _: "0.0.9")
    assert "3 replayed" in replay("--loss", "0.2", "--fresh-s", "5")[1]
    monkeypatch.undo()
    paths[2].unlink()
    assert replay()[1].startswith("2 captures: 2 replayed")
    assert {row["capture"] for row in rows(tmp_path, "runs")} == {"1.pcapng", "2.pcapng"}


def test_a_part_that_is_damaged_is_done_again(make: Maker, replay: Replay, tmp_path: Path) -> None:
    make("line.pcapng")
    assert replay()[0] == 0
    first = octets(tmp_path)
    (part,) = (tmp_path / "results" / "parts").glob("??/*.json")
    leftover = part.with_name(f".{part.name}.1234567.part")
    leftover.write_bytes(b"half")
    whole = json.loads(part.read_bytes())
    (run,), tables = whole["tables"]["runs"], whole["tables"]
    others: list[object] = [
        None,
        [],
        ["errors"],
        {**tables, "more": [run]},
        {**tables, "runs": None},
        {**tables, "runs": [{**run, "seconds": "long"}]},
        {**tables, "senders": [{**tables["senders"][0], "pictures": None}]},
        {name: kept for name, kept in tables.items() if name != "errors"},
        {**tables, "errors": [{"capture": "line.pcapng"}]},
    ]
    shapes = [json.dumps({**whole, "tables": other}).encode() for other in others]
    for damage in (b"", b"[]", b"{}", part.read_bytes()[:100], b"[" * 100_000, *shapes):
        part.write_bytes(damage)
        assert "1 replayed" in replay()[1]
        assert octets(tmp_path) == first
    assert not leftover.exists()


def test_two_runs_do_not_share_results(
    make: Maker, replay: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("a.pcapng")
    make("b.pcapng", number=2)
    said: list[tuple[int, str, str]] = []

    def meanwhile(*arguments: Any) -> Any:
        if not said:
            said.append(replay("--loss", "0.3"))
        return replay_archive(*arguments)

    monkeypatch.setattr("pantel_device.commands.replay_archive.replay_archive", meanwhile)
    assert replay()[0] == 0
    ((code, _, err),) = said
    assert (code, err.count("\n")) == (1, 1)
    assert f"another replay uses {tmp_path / 'results'}: stop it, or give this one a --results of its own" in err
    assert "2 replayed" in replay("--loss", "0.3")[1]  # it has left nothing behind


def test_results_that_cannot_be_locked(make: Maker, replay: Replay, tmp_path: Path) -> None:
    make("line.pcapng")
    (tmp_path / "results" / "parts.lock").mkdir(parents=True)
    code, _, err = replay()
    assert (code, err.count("\n")) == (1, 1)
    assert "parts: Is a directory; set --results to a folder that is yours" in err


def test_a_part_of_somebody_else_is_not_taken_for_ones_own(
    make: Maker, replay: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("line.pcapng")
    assert replay("--loss", "0.3")[0] == 0
    (part,) = (tmp_path / "results" / "parts").glob("??/*.json")
    foreign, before = part.read_bytes(), octets(tmp_path)

    def overwrite(self: Parts, name: str, rows: CaptureRows) -> None:
        write(self, name, rows)
        part.write_bytes(foreign)  # where a lock is none, as on some networks' disks

    write = Parts.write
    monkeypatch.setattr(Parts, "write", overwrite)
    code, _, err = replay()
    assert code == 1
    assert "are no longer this run's; run the same again" in err
    assert octets(tmp_path) == before


def test_an_archive_that_was_moved_is_the_same(make: Maker, replay: Replay, tmp_path: Path) -> None:
    make("a/line.pcapng")
    assert replay()[0] == 0
    moved = tmp_path / "moved"
    shutil.move(tmp_path / "archive", moved)
    assert main(["replay", str(moved), "--results", str(tmp_path / "results"), "--jobs", "1"]) == 0
    shutil.move(moved, tmp_path / "archive")
    assert "1 done before" in replay()[1]

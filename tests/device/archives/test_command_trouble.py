"""`pantel replay` of folders: what it says and keeps when something is wrong, or ends it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.device.archives.conftest import Maker
from tests.device.archives.reading import Replay, octets, rows

from pantel_bench.archive.captures import Kind
from pantel_device.archives import job, summary, tables
from pantel_device.cli import main
from pantel_device.receiving import receiver
from pantel_link import new_master_key, write_key
from pantel_models import Artefact, ManifestError

_DOCS = Path(__file__).parents[3] / "docs"


def test_what_is_wrong_stops_nothing(
    make: Maker, replay: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("cut.pcapng", Kind.CUT)
    make("fine.pcapng")
    make("sent.pcapng", Kind.SENT)
    (tmp_path / "archive" / "diary.pcapng").write_text("Dear diary")
    (tmp_path / "archive" / "gone.pcapng").symlink_to(tmp_path / "nowhere")
    code, out, err = replay()
    assert (code, out.partition(":")[0]) == (1, "4 captures")  # a link to nothing is no file
    assert [(row["capture"], row["kind"]) for row in rows(tmp_path, "errors")] == [
        ("cut.pcapng", "damaged"),
        ("diary.pcapng", "no_capture"),
        ("sent.pcapng", "only_sent"),
    ]
    assert [row["capture"] for row in rows(tmp_path, "senders")] == ["cut.pcapng", "fine.pcapng"]
    assert f"warning: damaged: 1, see {tmp_path / 'results' / 'errors.parquet'}" in err
    assert "warning: diary.pcapng: diary.pcapng is no capture" in err
    assert str(tmp_path) not in str(rows(tmp_path, "errors"))
    assert "warning: sent.pcapng" not in err
    assert "capture ends early" not in err  # thousands of captures, thousands of lines
    assert "4 done before" in replay()[1]

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by\nzero")

    monkeypatch.setattr(job, "replay", broken)
    assert replay("--seed", "1")[0] == 1
    kinds = {row["capture"]: (row["kind"], row["message"]) for row in rows(tmp_path, "errors")}
    assert kinds["fine.pcapng"] == ("failed", "ZeroDivisionError: by zero")
    monkeypatch.undo()
    assert "4 replayed" in replay("--seed", "1")[1]  # what has failed is tried again


def test_of_many_errors_the_first_are_told_and_listed(
    make: Maker, replay: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summary, "MOST_LISTED", 15)
    make("sent.pcapng", Kind.SENT)
    for number in range(20):
        (tmp_path / "archive" / f"{number:02}.pcapng").write_text("Dear <diary>")
    code, _, err = replay("--report", str(tmp_path / "report.json"))
    assert code == 1
    assert "warning: 09.pcapng: 09.pcapng is no capture" in err
    assert "warning: 10.pcapng" not in err
    assert "warning: and 10 more\n" in err
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["errors"] == {"no_capture": 20, "only_sent": 1}
    assert [row["capture"] for row in report["errors_listed"]] == [f"{number:02}.pcapng" for number in range(15)]
    assert report["errors_listed"][0].keys() == {"capture", "kind", "message"}
    assert report["errors_not_listed"] == 5
    assert replay("--report", str(tmp_path / "report.html"))[0] == 1
    page = (tmp_path / "report.html").read_text()
    assert "14.pcapng is no capture" in page
    assert "15.pcapng" not in page
    assert "5 more in errors.parquet" in page


def test_results_of_another_archive_are_not_overwritten(make: Maker, replay: Replay, tmp_path: Path) -> None:
    first = make("a.pcapng")
    assert replay()[1].startswith("1 capture: 1 replayed")
    before = octets(tmp_path)
    make("b.pcapng", number=2)
    first.unlink()
    code, _, err = replay()
    assert (code, f"{tmp_path / 'results'} holds the tables of another archive" in err) == (2, True)
    assert octets(tmp_path) == before
    make("a.pcapng")
    assert "warning" not in replay()[2]
    first.unlink()
    code, out, err = replay()
    assert (code, "1 day of senders" in out) == (0, True)
    assert "also holds results of 1 capture that the archive does not have" in err


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_tells_what_is_kept(make: Maker, tmp_path: Path, jobs: str) -> None:
    for number in range(1, 9):
        make(f"{number}.pcapng", number=number, seconds=30)
    # What runs in the background of a shell ignores Ctrl-C, and so do its children.
    heeded = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)"
    program = [sys.executable, "-c", f"{heeded}; from pantel_device.cli import main; sys.exit(main())"]
    options = ["--results", str(tmp_path / "results"), "--jobs", jobs, "--hash-pictures"]
    with subprocess.Popen([*program, "replay", str(tmp_path / "archive"), *options], stderr=subprocess.PIPE) as running:
        while not list((tmp_path / "results").glob("parts/??/*.json")):
            assert running.poll() is None
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        err = running.communicate(timeout=60)[1].decode()
    assert running.returncode == 130
    assert re.search(r"^ended; [0-7] of 8 done, give the command again to go on$", err, re.MULTILINE), err
    assert "distributed" not in err


def test_the_example_for_pyarrow_works(
    make: Maker, replay: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make("line.pcapng", Kind.RESTARTED)
    assert replay("--report", str(tmp_path / "report.json"), results="tables")[0] == 0
    monkeypatch.chdir(tmp_path)
    exec((_DOCS / "archives.md").read_text().split("```python\n")[1].split("```")[0], {})  # noqa: S102
    (day,) = json.loads((tmp_path / "report.json").read_text())["days"]
    assert f"'availability': {day['availability']}" in capsys.readouterr().out


def test_senders_captures_alone_are_no_failure(make: Maker, replay: Replay) -> None:
    make("sent.pcapng", Kind.SENT)
    code, _, err = replay()
    assert (code, "only_sent: 1" in err) == (0, True)


def test_a_file_that_cannot_be_read_is_tried_again(
    make: Maker, replay: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("line.pcapng")

    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(job, "_sha256", refuse)
    assert replay()[0] == 1
    (row,) = rows(tmp_path, "errors")
    assert (row["kind"], row["message"]) == ("unreadable", "line.pcapng: Permission denied")
    monkeypatch.undo()
    assert "1 replayed" in replay()[1]
    assert rows(tmp_path, "errors") == []


def test_keys_and_models_that_are_missing(
    make: Maker, replay: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("line.pcapng")
    write_key(tmp_path / "master.key", new_master_key())
    assert replay("--key", str(tmp_path / "master.key"))[0] == 1
    (row,) = rows(tmp_path, "errors")
    assert row["kind"] == "key_missing"
    assert "has no key, so it is not believed while one is named" in str(row["message"])

    def none_installed(**_: str) -> Artefact:
        raise ManifestError("no model hash 721c is installed, only other-v1; install the pantel version that made it")

    monkeypatch.setattr(receiver, "find_artefact", none_installed)
    assert replay()[0] == 1
    (row,) = rows(tmp_path, "errors")
    assert (row["kind"], str(row["message"]).partition(" is ")[0]) == ("model_missing", "no model hash 721c")
    (sender,) = rows(tmp_path, "senders")
    assert int(str(sender["packets_good"])) > 5
    assert (sender["pictures"], sender["availability"]) == (0, 0.0)


def test_mistakes_are_one_line(
    make: Maker, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = make("line.pcapng")
    folder, results = str(capture.parent), ["--results", str(tmp_path / "r"), "--jobs", "1"]
    (tmp_path / "empty").mkdir()
    cases = [
        ([folder], 2, "a folder of captures becomes tables; name a folder for them with --results DIR"),
        ([folder, *results, "--merge"], 2, "--merge is not for archives"),
        ([folder, *results, "--frames", "f"], 2, "--frames is not for archives"),
        ([folder, *results, "--video", "v.mp4"], 2, "--video is not for archives"),
        ([folder, *results, "--scheduler", "tcp://h:1"], 2, "--scheduler: not allowed with argument --jobs"),
        ([folder, *results, "--fresh-s", "61"], 2, "write 60 at most"),
        ([folder, "--results", str(capture)], 2, "cannot make the folder"),
        ([folder, *results, "--jobs", "0"], 2, "argument --jobs: 0 is no number of processes"),
        ([folder, *results, "--report", str(tmp_path / "nowhere" / "r.json")], 2, "there is no folder"),
        ([folder, *results, "--key", str(tmp_path / "key")], 1, "cannot read the key"),
        ([str(tmp_path / "empty"), *results], 2, "there is no *.pcapng in"),
        ([str(tmp_path / "missing"), *results], 2, "there is no"),
    ]
    for arguments, code, says in cases:
        assert main(["replay", *arguments]) == code, arguments
        err = capsys.readouterr().err
        assert err.count("\n") == 1, err
        assert says in err
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    assert main(["replay", folder, *results]) == 1
    assert "install it with: pip install '.[archive]' in Pantel's folder" in capsys.readouterr().err
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert main(["replay", folder, *results[:2], "--jobs", "2"]) == 1
    assert (
        "install it with: pip install '.[archive]' in Pantel's folder, or work in one with --jobs 1"
        in capsys.readouterr().err
    )


def test_files_that_are_named_are_an_archive_too(make: Maker, tmp_path: Path) -> None:
    paths = [make(name) for name in ("b.pcapng", "a.pcapng")]
    assert main(["replay", *map(str, paths), "--results", str(tmp_path / "results"), "--jobs", "1"]) == 0
    assert [row["capture"] for row in rows(tmp_path, "runs")] == sorted(map(str, paths))


def test_many_rows_are_written_in_groups(
    make: Maker, replay: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("a.pcapng")
    make("b.pcapng", number=2)
    assert replay("--hash-pictures")[0] == 0
    whole = pq.read_table(tmp_path / "results" / "pictures.parquet")
    monkeypatch.setattr(tables, "_ROWS_AT_ONCE", 40)
    assert "0 replayed" in replay("--hash-pictures")[1]
    grouped = pq.ParquetFile(tmp_path / "results" / "pictures.parquet")
    assert grouped.metadata.num_row_groups == -(-whole.num_rows // 40) > 1
    assert grouped.read().equals(whole)

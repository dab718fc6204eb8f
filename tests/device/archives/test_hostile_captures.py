"""Whatever a disk or a network has made of a capture: it has rows that a table can hold, and takes a bounded time."""

from __future__ import annotations

import errno
import os
import struct
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.golden.scene_capture import CAPTURE

from pantel_device.archives.discovery import find_captures
from pantel_device.archives.job import ArchivedCapture, ReplayOptions, replay_archived
from pantel_device.archives.tables import TABLES, write_tables
from pantel_device.cli import main
from pantel_device.cluster import Failure, InProcess
from pantel_device.command import CommandError, UsageError
from pantel_link.captures import CaptureHeader

_WHOLE = CAPTURE.read_bytes()


def tables_of(path: Path) -> dict[str, list[dict[str, object]]]:
    """Replay a capture as a worker does, and write the tables."""
    task = ArchivedCapture("line", (path,), ReplayOptions())
    ((_, result),) = InProcess().map(replay_archived, [task])
    assert not isinstance(result, Failure), result
    assert result.tables is not None
    write_tables(path.parent, TABLES, [result.tables])
    return {name: pq.read_table(path.parent / f"{name}.parquet").to_pylist() for name in TABLES}


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, len(_WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_damaged_octets(changes: list[tuple[int, int]]) -> None:
    octets = bytearray(_WHOLE)
    for place, value in changes:
        octets[place] = value
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "line.pcapng"
        path.write_bytes(octets)
        assert tables_of(path).keys() == set(TABLES)


@pytest.mark.parametrize("offset_ns", [-(10**30), -1, 10**18, 2**63, 10**22, 10**40])
def test_impossible_clocks(offset_ns: int, tmp_path: Path) -> None:
    path = tmp_path / "line.pcapng"
    changed = CaptureHeader(clock_offset_ns=offset_ns).to_comment().encode()
    # The golden capture under another head: its first block is made anew, the others are copied.
    size = struct.unpack_from("<I", _WHOLE, 4)[0]
    old = _WHOLE[:size]
    begin = old.index(b'{"pantel_capture"')
    length = struct.unpack_from("<H", old, begin - 2)[0]
    rest = old[begin + length + -length % 4 : -4]
    body = old[8 : begin - 2] + struct.pack("<H", len(changed)) + changed + bytes(-len(changed) % 4) + rest
    total = struct.pack("<I", len(body) + 12)
    path.write_bytes(old[:4] + total + body + total + _WHOLE[size:])
    tables = tables_of(path)
    assert tables["runs"] or tables["errors"]


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    for name in (
        b"caf\xe9.pcapng",
        b"caf\xe8.pcapng",
        b"caf\\udce9.pcapng",
    ):  # the last is what the first is written as
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(b"no capture")
    names = ["caf\\\\udce9.pcapng", "caf\\udce8.pcapng", "caf\\udce9.pcapng"]
    assert list(find_captures([folder])) == names
    assert main(["replay", str(folder), "--results", str(tmp_path / "results"), "--jobs", "1"]) == 1
    rows = pq.read_table(tmp_path / "results" / "errors.parquet").to_pylist()
    assert [(row["capture"], row["kind"]) for row in rows] == [(name, "no_capture") for name in names]


@pytest.mark.parametrize("terminal", [False, True])
def test_a_name_that_would_command_the_terminal(
    terminal: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    name = "evil\n\x1b]0;owned\x07\u202e.pcapng"
    (folder / name).write_bytes(_WHOLE)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    assert main(["replay", str(folder), "--results", str(tmp_path / "results"), "--jobs", "1"]) == 0
    assert main(["replay", str(folder / name)]) == 0
    assert main(["replay", str(folder / name), "--key", str(folder / name)]) == 2
    assert main(["capture", "info", str(folder / name)]) == 0
    shown = "".join(capsys.readouterr())
    escaped = r"evil\n\x1b]0;owned\x07\u202e.pcapng"
    assert shown.count(escaped) >= 4
    for raw in ("evil\n", "\x1b]", "\x07", "\u202e"):
        assert raw not in shown
    (row,) = pq.read_table(tmp_path / "results" / "runs.parquet").to_pylist()
    assert row["capture"] == escaped


def test_a_folder_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, scandir = tmp_path / "archive", os.scandir
    (folder / "locked").mkdir(parents=True)
    (folder / "line.pcapng").write_bytes(_WHOLE)

    def refuse(path: str | Path) -> Iterator[os.DirEntry[str]]:
        if Path(path).name == "locked":  # as its mode says; whoever runs the tests may be root
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    assert list(find_captures([folder])) == ["line.pcapng"]
    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(CommandError, match=r"cannot read .*/archive/locked: Permission denied"):
        find_captures([folder])


def test_a_pipe_is_no_capture(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.pcapng"
    os.mkfifo(pipe)
    with pytest.raises(UsageError, match=r"pipe\.pcapng is no file"):
        find_captures([pipe])
    with pytest.raises(UsageError, match="there is no"):
        find_captures([tmp_path])

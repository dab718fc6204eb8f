"""Whatever a disk or a network has made of a capture: it has rows that a table can hold, and takes a bounded time."""

from __future__ import annotations

import os
import struct
import tempfile
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
    for name in (b"caf\xe9.pcapng", b"caf\xe8.pcapng"):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(b"no capture")
    assert list(find_captures([folder])) == ["caf\\udce8.pcapng", "caf\\udce9.pcapng"]
    assert main(["replay", str(folder), "--results", str(tmp_path / "results"), "--jobs", "1"]) == 1
    rows = pq.read_table(tmp_path / "results" / "errors.parquet").to_pylist()
    assert [row["kind"] for row in rows] == ["no_capture"] * 2

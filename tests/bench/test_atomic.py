from __future__ import annotations

from pathlib import Path

import pytest

from pantel_bench.atomic import check_writable, write_atomically
from pantel_bench.errors import OutputError


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    occupied = tmp_path / "folder"
    occupied.mkdir()
    with pytest.raises(OutputError):
        write_atomically(occupied, b"new")
    assert list(tmp_path.iterdir()) == [occupied]


def test_writability_is_checked(tmp_path: Path) -> None:
    check_writable(tmp_path / "new.json")
    for path in (tmp_path, tmp_path / "missing" / "new.json"):
        with pytest.raises(OutputError):
            check_writable(path)

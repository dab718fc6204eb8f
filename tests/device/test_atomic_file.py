"""Files appear whole or not at all, and a missing place is found before the work."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pantel_device.atomic_file import check_outputs, check_writable, remove_leftovers, replacing, write_atomically
from pantel_device.command import UsageError


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_atomically(path, b"old")
    with replacing(path) as beside:
        beside.write_bytes(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_work_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(b"old")

    def write(half: Path) -> None:
        half.write_bytes(b"half")
        raise RuntimeError

    with pytest.raises(RuntimeError), replacing(path) as beside:
        write(beside)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    occupied = tmp_path / "folder"
    occupied.mkdir()
    with pytest.raises(IsADirectoryError) as caught, replacing(occupied) as beside:
        beside.write_bytes(b"new")
    assert caught.value.filename == str(occupied)
    with pytest.raises(FileNotFoundError) as missing:
        write_atomically(tmp_path / "nowhere" / "new", b"")
    assert missing.value.filename == str(tmp_path / "nowhere" / "new")
    assert list(tmp_path.iterdir()) == [occupied]


def test_what_killed_programs_have_left_is_removed(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    alive = os.getppid()
    hour_ago = (tmp_path.stat().st_mtime - 3600,) * 2
    left = [f".boot_epoch.{ended.pid}.part", f".boot_epoch.{os.getpid()}.part", f".a.b.{alive}.part"]
    kept = [f".boot_epoch.{alive}.part", ".boot_epoch.part", "boot_epoch.1.part", "boot_epoch"]
    for name in (*left, *kept):
        (tmp_path / name).touch()
    os.utime(tmp_path / left[2], hour_ago)
    remove_leftovers(tmp_path, tmp_path / "nowhere")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)


def test_a_link_keeps_its_target(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "target")
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"


def test_writability_is_checked(tmp_path: Path) -> None:
    check_writable(tmp_path / "new.json")
    for path in (tmp_path, tmp_path / "missing" / "new.json"):
        with pytest.raises(UsageError, match="cannot write"):
            check_writable(path)


def test_results_have_places_of_their_own(tmp_path: Path) -> None:
    one, link = tmp_path / "one", tmp_path / "link"
    link.symlink_to(one)
    check_outputs((one, None, tmp_path / "two", None))
    check_outputs((Path("/dev/null"), Path("/dev/null")))
    for other in (one, tmp_path / "." / "one", link):
        with pytest.raises(UsageError, match=r"two results would go into one file, .*; name another for one of them"):
            check_outputs((one, other))
    one.touch()
    with pytest.raises(UsageError, match="two results"):
        check_outputs((one, link))
    with pytest.raises(UsageError, match="it is a folder"):
        check_outputs((one, tmp_path))


def test_what_is_read_is_not_overwritten(tmp_path: Path) -> None:
    source, link = tmp_path / "line.pcapng", tmp_path / "link"
    source.write_bytes(b"capture")
    link.symlink_to(source)
    for output in (source, link, tmp_path / "." / "line.pcapng"):
        with pytest.raises(UsageError, match="is what is read, and would be overwritten"):
            check_outputs([None, output], [source])
    check_outputs([tmp_path / "report.json", Path("/dev/null")], [source, Path("/dev/null")])

"""The folder of recordings: the oldest make room, others stay, and a disk is never filled to the last byte."""

from __future__ import annotations

import errno
import logging
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.device.recordings.films import TENTH_NS, noise, times_s

from pantel_device.recordings import folder as module
from pantel_device.recordings.folder import RecordingFolder
from pantel_device.recordings.tape import Tape

_NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)


def _write(folder: RecordingFolder, minute: int, octets: int = 1000, callsign: str = "K1ABC") -> None:
    """Leave a recording of so many octets."""
    folder.make_room(octets)
    file = folder.begin(callsign, 0, _NOON + timedelta(minutes=minute))
    file.write(bytes(octets))
    folder.end(file)


def _minutes(path: Path) -> list[int]:
    return sorted(int(each.stem[-5:-3]) for each in path.glob("*Z.mp4"))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Return a disk whose free space can be set."""
    usage = SimpleNamespace(total=1_000_000, used=0, free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    return usage


def test_the_oldest_of_all_senders_make_room_and_nothing_else_does(tmp_path: Path) -> None:
    folder = RecordingFolder(tmp_path, 10_000)
    (tmp_path / "holiday.mp4").write_bytes(bytes(20_000))
    for minute in range(30):
        _write(folder, minute, callsign="AB1CD" if minute % 2 else "ZY9XW")
    assert _minutes(tmp_path) == list(range(20, 30))
    assert (tmp_path / "holiday.mp4").exists()


def test_a_sender_that_takes_much_pushes_out_its_own_alone(tmp_path: Path) -> None:
    folder = RecordingFolder(tmp_path, 10_000)
    for minute in range(3):
        _write(folder, minute, callsign="AB1CD")
    for minute in range(3, 40):
        _write(folder, minute, callsign="ZY9XW")
    assert _minutes(tmp_path) == [0, 1, 2, *range(33, 40)]
    for minute in range(40, 60):  # a third one gets its share, from the second one first
        _write(folder, minute, callsign="K1ABC")
    senders = [each.name.partition("-")[0] for each in tmp_path.iterdir()]
    assert sorted(map(senders.count, ("AB1CD", "ZY9XW", "K1ABC"))) == [3, 3, 4]


def test_what_is_being_written_stays(tmp_path: Path) -> None:
    folder = RecordingFolder(tmp_path, 5000)
    file = folder.begin("K1ABC", 0, _NOON)
    file.write(bytes(3000))
    for minute in range(1, 5):
        _write(folder, minute)
    assert _minutes(tmp_path) == [0, 3, 4]
    with pytest.raises(OSError, match="No space left") as raised:
        folder.make_room(2001)
    assert raised.value.errno == errno.ENOSPC
    assert _minutes(tmp_path) == [0, 3, 4]  # nothing is removed for nothing
    folder.end(file)
    folder.make_room(2001)
    assert _minutes(tmp_path) == [3, 4]


def test_of_the_disk_a_little_stays_free(tmp_path: Path, disk: SimpleNamespace) -> None:
    folder = RecordingFolder(tmp_path, 1_000_000)
    for minute in range(10):
        _write(folder, minute)
    disk.free = 51_000
    folder.make_room(1000)
    assert _minutes(tmp_path) == list(range(10))
    disk.free = 49_500  # others take more and more
    folder.make_room(1000)
    assert _minutes(tmp_path) == list(range(2, 10))
    disk.free = 10_000
    with pytest.raises(OSError, match="No space left"):
        folder.make_room(1000)
    assert _minutes(tmp_path) == list(range(2, 10))


def test_no_file_takes_the_whole_quota(tmp_path: Path, disk: SimpleNamespace) -> None:
    assert RecordingFolder(tmp_path, 80_000).file_bytes == 10_000
    assert RecordingFolder(tmp_path, 80_000_000).file_bytes == disk.total // 8


def test_an_empty_file_does_not_stay(tmp_path: Path) -> None:
    folder = RecordingFolder(tmp_path / "new" / "folder", 10_000)
    folder.end(folder.begin("K1ABC", 0, None))
    assert list((tmp_path / "new" / "folder").iterdir()) == []


def test_the_start_clears_what_a_power_cut_has_left(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    names = ["K1ABC-0-20250601T120000Z.mp4", "K1ABC-0-20250601T121000Z.mp4"]
    for name, octets in zip(names, (b"", bytes(4096)), strict=True):
        (tmp_path / name).write_bytes(octets)
    (tmp_path / "holiday.mp4").touch()
    RecordingFolder(tmp_path, 10_000)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.mp4"]
    assert len(caplog.records) == 2


def test_a_folder_that_is_missing_at_first_is_looked_for_again(
    make_tape: Callable[..., Tape], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    disk = tmp_path / "disk"
    disk.touch()  # in the way, as root may write anywhere else
    with pytest.raises(NotADirectoryError):
        RecordingFolder(disk / "ring", 10_000_000)
    folder = RecordingFolder(disk / "ring", 10_000_000, patient=True)
    folder.begin_to_use()
    tape = make_tape(folder)
    with caplog.at_level(logging.INFO):
        for tenth in range(500):
            tape.record(tenth * TENTH_NS, noise(tenth))
            if tenth == 200:
                disk.unlink()
                (disk / "ring").mkdir(parents=True)
                (disk / "ring" / "K1ABC-0-20250601T110000Z.mp4").write_bytes(bytes(4096))
    tape.finish()
    said = [record.getMessage().split("=")[0] for record in caplog.records]
    assert said == [
        "cannot write to",
        "recording removed, nothing of it reached the disk path",
        "recording path",
        "writing again to",
    ]
    (path,) = (disk / "ring").iterdir()
    assert len(times_s(path)) >= 200


def test_what_cannot_be_repaired_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "K1ABC-0-20250601T120000Z.mp4").touch()

    def refuse(_: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(module, "repair", refuse)
    folder = RecordingFolder(tmp_path, 10_000)
    assert "cannot repair a recording" in caplog.text
    _write(folder, 30)

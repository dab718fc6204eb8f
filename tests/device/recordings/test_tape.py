"""Pictures of one sender on their way into files: times, sizes, silence, full disks."""

from __future__ import annotations

import logging
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import pytest
from tests.device.recordings.films import TENTH_NS, grey, noise, shown, times_s

from pantel_device.recordings.folder import RecordingFolder
from pantel_device.recordings.repair import is_complete
from pantel_device.recordings.tape import Tape

Files = Callable[[], list[Path]]
MakeTape = Callable[..., Tape]


@contextmanager
def _disk_full_at(size_bytes: int) -> Iterator[None]:
    """Let the kernel refuse to make any file longer than this, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _film(tape: Tape, from_tenth: int, to_tenth: int) -> None:
    for tenth in range(from_tenth, to_tenth):
        tape.record(tenth * TENTH_NS, grey(tenth % 200))


def test_a_file_holds_all_pictures_at_their_times(make_tape: MakeTape, files: Files) -> None:
    tape = make_tape()
    _film(tape, 0, 123)
    tape.finish()
    (path,) = files()
    assert path.name == "DK1AB_P-3-20250601T120000Z.mp4"
    assert is_complete(path)
    read = shown(path)
    assert [time_s for time_s, _ in read] == [tenth / 10 for tenth in range(123)]
    assert all(abs(level - tenth) <= 3 for tenth, (_, level) in enumerate(read))


def test_a_stalled_receiver_shortens_no_time(make_tape: MakeTape, files: Files) -> None:
    tape = make_tape()
    tenths = [0, 1, 2, 30, 31, 99, 100]
    for tenth in tenths:
        tape.record(tenth * TENTH_NS, grey(90))
    tape.finish()
    assert times_s(files()[0]) == [tenth / 10 for tenth in tenths]


def test_a_file_that_is_being_written_plays_up_to_its_last_fragment(make_tape: MakeTape, files: Files) -> None:
    tape = make_tape()
    _film(tape, 0, 60)
    assert files() == []  # not before there is something to see
    _film(tape, 60, 115)
    (path,) = files()
    assert len(times_s(path)) == 100
    tape.finish()
    assert len(times_s(path)) == 115


def test_files_follow_each_other_without_a_gap(make_tape: MakeTape, files: Files) -> None:
    tape = make_tape(segment_s=20)
    _film(tape, 0, 450)
    tape.finish()
    assert [path.stem[-7:] for path in files()] == ["120000Z", "120020Z", "120040Z"]
    assert [len(times_s(path)) for path in files()] == [200, 200, 50]


def test_silence_ends_a_file(make_tape: MakeTape, files: Files) -> None:
    tape = make_tape()
    _film(tape, 0, 30)
    assert not tape.rest(129 * TENTH_NS)
    assert tape.rest(130 * TENTH_NS)
    assert is_complete(files()[0])
    _film(tape, 600, 630)
    _film(tape, 800, 830)  # nobody asked in between
    tape.finish()
    assert [path.stem[-7:] for path in files()] == ["120000Z", "120100Z", "120120Z"]


def test_a_new_size_begins_a_new_file_and_odd_ones_are_padded(make_tape: MakeTape, files: Files) -> None:
    tape = make_tape()
    for tenth, size_px in enumerate([(64, 48)] * 15 + [(63, 49)] * 15):
        tape.record(tenth * TENTH_NS, noise(1, size_px))
    tape.finish()
    sizes = []
    for path in files():
        with av.open(str(path)) as container:
            sizes.append((container.streams.video[0].width, container.streams.video[0].height))
    assert sizes == [(64, 48), (64, 50)]


def test_a_clock_that_goes_back_begins_a_new_file(make_tape: MakeTape, files: Files) -> None:
    tape = make_tape()
    _film(tape, 1000, 1010)
    _film(tape, 0, 10)
    tape.record(9 * TENTH_NS, grey(1))  # one that is as old as the one before is left out
    tape.finish()
    assert [path.stem.split("-")[2] for path in files()] == ["20250601T120140Z", "20250601T120140Z_001"]
    assert [len(times_s(path)) for path in files()] == [10, 10]


def test_a_full_disk_is_logged_once_and_recording_goes_on_when_there_is_room(
    make_tape: MakeTape, files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    tape = make_tape()
    with caplog.at_level(logging.INFO):
        for tenth in range(130):
            tape.record(tenth * TENTH_NS, noise(tenth))
        (first,) = files()
        with _disk_full_at(1000):
            for tenth in range(130, 500):
                tape.record(tenth * TENTH_NS, noise(tenth))
            assert files() == [first]
        for tenth in range(500, 700):
            tape.record(tenth * TENTH_NS, noise(tenth))
    tape.finish()
    said = [record.getMessage().split("=")[0] for record in caplog.records]
    assert said == ["recording path", "cannot write to", "recording path", "writing again to"]
    assert len(times_s(first)) == 100  # whole fragments
    begun = int(files()[1].stem[-3:-1])
    assert 50 <= begun <= 60
    assert 0 <= 10 * (70 - begun) - len(times_s(files()[1])) < 10


def test_a_quota_smaller_than_a_file(make_tape: MakeTape, tmp_path: Path) -> None:
    folder = RecordingFolder(tmp_path / "small", 200_000)
    tape = make_tape(folder)
    most = 0
    for tenth in range(1000):
        tape.record(tenth * TENTH_NS, noise(tenth))
        most = max(most, sum(path.stat().st_size for path in (tmp_path / "small").iterdir()))
    tape.finish()
    assert 100_000 < most <= 200_000
    assert times_s(max((tmp_path / "small").iterdir()))

"""A capture that went on in new files is read as the one run that it is, and two runs stay two."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pantel_link import HeardCodeword
from pantel_link.captures import (
    CapturedCodeword,
    CaptureEnd,
    CaptureEvent,
    CaptureHeader,
    CaptureLimits,
    CaptureWriter,
    capture_families,
    join_rotated,
    read_capture,
)

_S = 1_000_000_000
_LIMITS = CaptureLimits(max_bytes=1 << 20, max_age_ns=10 * _S, quota_bytes=1 << 30)


def write(path: Path, arrivals_s: list[int], *, offset_s: int, limits: CaptureLimits | None = _LIMITS) -> None:
    writer = CaptureWriter(path, CaptureHeader(clock_offset_ns=offset_s * _S), limits=limits)
    for arrival_s in arrivals_s:
        writer.on_codeword(HeardCodeword(bytes(48), arrival_s * _S, None, None, "x"))
    writer.close((arrivals_s[-1] + 1) * _S)


def events_of(folder: Path) -> list[CaptureEvent]:
    ((_, files),) = capture_families(folder.iterdir()).items()
    return [event for path in files for event in read_capture(path)]


def test_files_of_one_run_are_one_run(tmp_path: Path) -> None:
    for name, limits in (("rotated", _LIMITS), ("whole", None)):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "line.pcapng", list(range(5, 60, 2)), offset_s=1_700_000_000, limits=limits)
    rotated = events_of(tmp_path / "rotated")
    assert sum(isinstance(event, CaptureHeader) for event in rotated) == 6
    assert list(join_rotated(rotated)) == events_of(tmp_path / "whole")


def test_a_receiver_that_started_again_is_another_run(tmp_path: Path) -> None:
    write(tmp_path / "line.pcapng", [5, 6], offset_s=1_700_000_000)
    write(tmp_path / "line.pcapng", [8, 9], offset_s=1_700_000_000)
    write(tmp_path / "line.pcapng", [10], offset_s=1_700_000_001)  # at the very end of the run before, by another clock
    events = events_of(tmp_path)
    assert sum(isinstance(event, CaptureHeader) for event in events) == 3
    assert list(join_rotated(events)) == events


def test_only_the_end_of_the_file_before_joins() -> None:
    header, codeword = CaptureHeader(), CapturedCodeword(bytes(48), 7 * _S, "")
    cases: list[tuple[list[CaptureEvent], bool]] = [
        ([header, CaptureEnd(7 * _S), header, codeword], True),
        ([header, CaptureEnd(7 * _S), replace(header, counters={}), codeword], True),
        ([header, CaptureEnd(7 * _S - 1), header, codeword], False),
        ([header, CaptureEnd(7 * _S), replace(header, playout_delay_ns=1), codeword], False),
        ([header, header, codeword], False),
        ([header, CaptureEnd(7 * _S), header, CaptureEnd(8 * _S)], False),
        ([header, CaptureEnd(7 * _S), header], False),
        ([header, CaptureEnd(7 * _S), CaptureEnd(7 * _S), header, codeword], False),
        ([CaptureEnd(7 * _S), header, codeword], False),
        ([], False),
    ]
    for events, joined in cases:
        assert list(join_rotated(events)) == ([header, codeword] if joined else events), events


def test_families_are_told_by_their_names() -> None:
    names = ["a/line.pcapng", "a/line.000010.pcapng", "a/line.000009.pcapng", "a/line.1.pcapng", "b/line.000001.pcapng"]
    assert capture_families(map(Path, names)) == {
        Path("a/line.pcapng"): (Path("a/line.000009.pcapng"), Path("a/line.000010.pcapng"), Path("a/line.pcapng")),
        Path("a/line.1.pcapng"): (Path("a/line.1.pcapng"),),
        Path("b/line.pcapng"): (Path("b/line.000001.pcapng"),),
    }

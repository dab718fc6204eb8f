"""`pantel ring`: what is there, and a part of the time as one video."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from tests.device.recordings.films import TENTH_NS, grey, shown

from pantel_device.cli import main
from pantel_device.receiving.sink import SenderName
from pantel_device.recordings.folder import RecordingFolder
from pantel_device.recordings.tape import Tape

MakeTape = Callable[..., Tape]


def _film(tape: Tape, from_tenth: int, to_tenth: int, size_px: tuple[int, int] = (64, 48)) -> None:
    for tenth in range(from_tenth, to_tenth):
        tape.record(tenth * TENTH_NS, grey(tenth % 200, size_px))


@pytest.fixture
def recorded(make_tape: MakeTape, tmp_path: Path) -> Path:
    """Return a folder with a minute and a half of pictures that tell their time, in files of 20 s."""
    tape = make_tape(segment_s=20)
    _film(tape, 0, 450)
    _film(tape, 1000, 1450)
    tape.finish()
    return tmp_path / "recordings"


def _export(folder: Path, out: Path, *options: str) -> list[tuple[float, int]]:
    assert main(["ring", "export", str(folder), str(out), *options]) == 0
    return shown(out)


def test_the_list_tells_when_and_how_long(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ring", "list", str(recorded)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [re.split(r" {2,}", line)[:2] for line in lines] == [
        [f"2025-06-01 12:{time}", f"{seconds} s"]
        for time, seconds in [("00:00", 20), ("00:20", 20), ("00:40", 5), ("01:40", 20), ("02:00", 20), ("02:20", 5)]
    ]


def test_all_of_it_keeps_its_times(recorded: Path, tmp_path: Path) -> None:
    read = _export(recorded, tmp_path / "all.mp4")
    tenths = [*range(450), *range(1000, 1450)]
    assert [time_s for time_s, _ in read] == [tenth / 10 for tenth in tenths]
    assert all(abs(level - tenth % 200) <= 3 for tenth, (_, level) in zip(tenths, read, strict=True))


def test_a_part_begins_with_the_key_picture_before_it(recorded: Path, tmp_path: Path) -> None:
    span = ("--from=2025-06-01T12:00:17", "--to=20250601T140100.000+0200")
    read = _export(recorded, tmp_path / "part.mp4", *span)
    assert len(read) == 450 - 150
    assert abs(read[0][1] - 150) <= 3
    assert [time_s for time_s, _ in read] == [tenth / 10 for tenth in range(300)]
    inside = _export(recorded, tmp_path / "inside.mp4", "--from=2025-06-01T12:00:15", "--to=2025-06-01T12:00:15.25Z")
    assert len(inside) == 3


@pytest.mark.parametrize("tenths", [1, 5, 20])
@pytest.mark.parametrize(("options", "seconds"), [(("--to=2025-06-01T12:00:31",), 31.0), ((), 45.0)])
def test_a_video_ends_when_it_was_asked_to(
    make_tape: MakeTape,
    tmp_path: Path,
    *,
    tenths: int,
    options: tuple[str, ...],
    seconds: float,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tape = make_tape(segment_s=20)
    for tenth in range(0, 450, tenths):
        tape.record(tenth * TENTH_NS, grey(tenth % 200))
    tape.finish()
    out = tmp_path / "part.mp4"
    _export(tmp_path / "recordings", out, *options)
    at_least = seconds if options else (450 - tenths) / 10  # how long the last of a recording was shown nobody knows
    with av.open(str(out)) as container:
        assert container.duration is not None
        length_s = container.duration / av.time_base
    assert at_least <= length_s <= seconds + 0.001
    assert f"wrote {out}, {length_s:.1f} s" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--from=2025-06-02",), 1, "nothing was recorded from 2025-06-02 00:00:00+00:00 to the end; pantel ring list"),
        (("--from=noon",), 2, "'noon' is no time; write for example"),
        (("--of=K1ABC-0",), 2, "there are no recordings of K1ABC-0 in"),
    ],
)
def test_mistakes(
    options: tuple[str, ...],
    code: int,
    said: str,
    *,
    recorded: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out.mp4"
    assert main(["ring", "export", str(recorded), str(out), *options]) == code
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_where_there_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ring", "list", str(tmp_path / "nowhere")]) == 2
    assert "cannot read the folder" in capsys.readouterr().err
    assert main(["ring", "list", str(tmp_path)]) == 2
    assert "has no recordings" in capsys.readouterr().err


def test_one_sender_at_a_time(
    recorded: Path, make_tape: MakeTape, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = make_tape(RecordingFolder(recorded, 10_000_000), sender=SenderName("K1ABC", 0))
    _film(other, 0, 20)
    other.finish()
    out = tmp_path / "out.mp4"
    assert main(["ring", "export", str(recorded), str(out)]) == 2
    assert "there are recordings of DK1AB_P-3, K1ABC-0; choose one with --of" in capsys.readouterr().err
    assert len(_export(recorded, out, "--of=K1ABC-0")) == 20


def test_a_size_that_changes_and_a_file_that_is_damaged(
    make_tape: MakeTape, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tape = make_tape()
    _film(tape, 0, 20)
    _film(tape, 20, 40, (96, 64))
    tape.finish()
    folder, out = tmp_path / "recordings", tmp_path / "out.mp4"
    assert main(["ring", "export", str(folder), str(out)]) == 1
    assert "another size from DK1AB_P-3-20250601T120002Z.mp4 on; export until there" in capsys.readouterr().err
    assert len(_export(folder, out, "--to=2025-06-01T12:00:02")) == 20
    (folder / "DK1AB_P-3-20250601T120002Z.mp4").write_bytes(b"text")
    assert main(["ring", "list", str(folder)]) == 0
    assert "? s" in capsys.readouterr().out
    out.unlink()
    assert main(["ring", "export", str(folder), str(out)]) == 1
    assert "DK1AB_P-3-20250601T120002Z.mp4: Invalid data found" in capsys.readouterr().err
    assert not out.exists()

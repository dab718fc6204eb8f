"""What a power cut leaves of a recording plays up to its last whole fragment, or is removed."""

from __future__ import annotations

import fcntl
import io
import os
from fractions import Fraction
from pathlib import Path

import pytest
from tests.device.recordings.films import noise, times_s

from pantel_device.recordings.repair import is_complete, repair, whole_octets
from pantel_device.video import FragmentedVideo

_PICTURES = 5  # in a fragment


@pytest.fixture(scope="module")
def parts() -> list[bytes]:
    """Return the head of a file, its fragments, and its index behind the last."""
    video = FragmentedVideo((64, 48), Fraction(10), 100 * _PICTURES)
    octets = b"".join(video.add(noise(number), 100 * number) for number in range(4 * _PICTURES)) + video.end()
    boxes = []
    while octets:
        size = int.from_bytes(octets[:4])
        boxes.append(octets[:size])
        octets = octets[size:]
    *fragments, index = boxes
    return [video.head, *map(b"".join, zip(fragments[::2], fragments[1::2], strict=True)), index]


def _ends(parts: list[bytes]) -> list[int]:
    """Return the position behind each fragment."""
    ends = [len(parts[0])]
    for fragment in parts[1:-1]:
        ends.append(ends[-1] + len(fragment))
    return ends[1:]


def test_a_whole_file_is_left_alone(parts: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "whole.mp4"
    path.write_bytes(b"".join(parts))
    assert is_complete(path)
    path.write_bytes(b"".join(parts[:-1]))
    assert not is_complete(path)
    repair(path)
    assert path.read_bytes() == b"".join(parts[:-1])


def test_cut_anywhere_it_plays_up_to_the_last_whole_fragment(parts: list[bytes]) -> None:
    octets, ends = b"".join(parts), _ends(parts)
    for length in range(0, len(octets) - 1, 7):
        whole = max((end for end in ends if end <= length), default=0)
        assert whole_octets(io.BytesIO(octets[:length])) == whole, length


def test_zeros_where_nothing_was_written_are_no_pictures(parts: list[bytes]) -> None:
    octets, ends = b"".join(parts), _ends(parts)
    for length in range(0, ends[-1], 97):
        torn = octets[:length].ljust(len(octets), b"\0")
        whole = max((end for end in ends if end <= length), default=0)
        assert whole_octets(io.BytesIO(torn)) == whole, length


def test_a_page_that_was_not_written_ends_it(parts: list[bytes]) -> None:
    octets, ends = bytearray(b"".join(parts)), _ends(parts)
    octets[ends[1] + 2000 : ends[1] + 2512] = bytes(512)
    assert whole_octets(io.BytesIO(bytes(octets))) == ends[1]


def test_repair_says_what_it_did_in_one_line(
    parts: list[bytes], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    octets, ends = b"".join(parts), _ends(parts)
    torn, stub = tmp_path / "torn.mp4", tmp_path / "stub.mp4"
    torn.write_bytes(octets[: ends[2] - 1])
    stub.write_bytes(octets[: len(parts[0]) + 50])
    repair(torn)
    repair(stub)
    assert not stub.exists()
    assert torn.read_bytes() == octets[: ends[1]]
    assert len(times_s(torn)) == 2 * _PICTURES
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert "cut off after its last whole fragment" in caplog.messages[0]
    assert "removed, nothing of it reached the disk" in caplog.messages[1]


def test_what_somebody_writes_is_left_alone(parts: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "written.mp4"
    path.write_bytes(parts[0])
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        repair(path)
    assert path.exists()
    repair(path)
    assert not path.exists()


def test_a_link_is_not_followed_and_a_pipe_not_waited_for(parts: list[bytes], tmp_path: Path) -> None:
    path, link, pipe = tmp_path / "torn.mp4", tmp_path / "link.mp4", tmp_path / "pipe.mp4"
    path.write_bytes(b"".join(parts)[:-100])
    link.symlink_to(path)
    os.mkfifo(pipe)
    for function in (is_complete, repair):
        for each in (link, pipe):
            with pytest.raises(OSError, match=r"symbolic links|[Ss]eek"):
                function(each)
    assert path.read_bytes() == b"".join(parts)[:-100]


@pytest.mark.parametrize("octets", [b"", b"text", bytes(5000), b"\xff" * 5000, b"\0\0\0\x08ftyp\0\0\0\x08moov"])
def test_anything_else_is_nothing(octets: bytes, tmp_path: Path) -> None:
    path = tmp_path / "anything.mp4"
    path.write_bytes(octets)
    assert not is_complete(path)
    assert whole_octets(io.BytesIO(octets)) == 0

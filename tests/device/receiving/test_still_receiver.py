"""Stills on their way in: seldom decoded, never lost, and never more than the disk may hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pantel_device.receiving.still_receiver import StillReceiver
from pantel_device.receiving.stills_in import Still, StillFolder
from pantel_link import StreamContext
from pantel_link.stills import PartialStill, StillAssembler, StillBlock, StillStore
from pantel_models import load_still_codec

_S = 1_000_000_000
_CONTEXT = StreamContext(0, "DL1ABC/P", 1, bytes(3), 64, 48)


class _Sink:
    """Takes stills, or refuses to."""

    def __init__(self, *, keeps: bool = True) -> None:
        self.keeps = keeps
        self.taken: list[Still] = []

    def on_still(self, still: Still) -> bool:
        self.taken.append(still)
        return self.keeps


def _payloads(number: int, level: int = 90) -> list[bytes]:
    data = load_still_codec().encode(np.full((48, 64, 3), level, np.uint8), 60)
    block = StillBlock(number, data, 40, utc_s=1_800_000_000 + number)
    return [block.next_payload() for _ in range(block.content_symbols)]


def test_many_stills_wait_their_turn_and_complete_ones_go_first() -> None:
    sink = _Sink()
    receiver = StillReceiver(sink=sink)
    for payload in _payloads(0)[:1]:
        receiver.take(_CONTEXT, payload, 0)
    for number in range(1, 30):
        for payload in _payloads(number):
            receiver.take(_CONTEXT, payload, 0)
    for tenth in range(600):
        receiver.advance(tenth * _S // 10)
    assert [still.partial.block for still in sink.taken] == list(range(20))  # one every 3 s
    assert all(still.partial.complete for still in sink.taken)


def test_a_still_that_found_no_place_comes_again_after_a_restart(tmp_path: Path) -> None:
    def run(sink: _Sink, payloads: list[bytes]) -> list[Still]:
        receiver = StillReceiver(StillAssembler(StillStore(tmp_path)), sink)
        for payload in payloads:
            receiver.take(_CONTEXT, payload, 0)
        receiver.advance(0)
        return sink.taken

    assert len(run(_Sink(keeps=False), _payloads(3))) == 1
    (again,) = run(_Sink(), [])
    assert again.partial.complete
    assert np.abs(again.pixels.astype(int) - 90).max() < 16
    assert run(_Sink(), _payloads(3)) == []


def _still(number: int, size: int, *, sender: int = 0) -> Still:
    context = replace(_CONTEXT, sender=sender)
    partial = PartialStill(context, number, bytes(size), True, 3, 3, 1_800_000_000 + number)
    return Still(partial, np.zeros((48, 64, 3), np.uint8))


def test_the_oldest_stills_make_room_and_nothing_else_does(tmp_path: Path) -> None:
    folder = StillFolder(tmp_path / "stills", quota_bytes=10_000)
    (tmp_path / "stills" / "notes.txt").write_bytes(bytes(50_000))
    for number in range(10):
        assert folder.on_still(_still(number, 3000))
    left = sorted(path.name for path in (tmp_path / "stills").iterdir())
    assert left[-1] == "notes.txt"
    blocks = [name.rpartition("-")[2] for name in left[:-1] if name.endswith(".ptl")]
    assert blocks == ["7.ptl", "8.ptl", "9.ptl"]
    assert "DL1ABC_P" in left[0]


def test_a_sender_of_many_stills_pushes_out_its_own_alone(tmp_path: Path) -> None:
    folder = StillFolder(tmp_path, quota_bytes=10_000)
    assert folder.on_still(_still(1, 3000, sender=5))
    for number in range(10):
        assert folder.on_still(_still(number, 3000))
    assert len(list(tmp_path.glob("*-DL1ABC_P-5-1.*"))) == 2
    assert sorted(path.stem.rpartition("-")[2] for path in tmp_path.glob("*-0-*.ptl")) == ["8", "9"]


def test_a_still_that_is_dated_in_the_future_makes_room_as_any_other(tmp_path: Path) -> None:
    folder = StillFolder(tmp_path, quota_bytes=10_000)
    assert folder.on_still(_still(2_400_000_000, 3000))
    for number in range(9, 0, -1):  # set back ever more
        assert folder.on_still(_still(number, 3000))
        assert list(tmp_path.glob(f"*-{number}.ptl"))
        assert list(tmp_path.glob(f"*-{number}.png"))
    assert sorted(path.stem.rpartition("-")[2] for path in tmp_path.glob("*.ptl")) == ["1", "2", "3"]


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path: Path) -> None:
    folder = StillFolder(tmp_path / "stills")
    (tmp_path / "stills").rmdir()
    (tmp_path / "stills").write_text("in the way")
    assert not folder.on_still(_still(1, 10))


def test_a_folder_whose_disk_comes_later(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    disk = tmp_path / "disk"
    disk.touch()
    with pytest.raises(NotADirectoryError):
        StillFolder(disk / "stills")
    folder = StillFolder(disk / "stills", patient=True)
    assert not folder.on_still(_still(1, 10))
    disk.unlink()
    assert folder.on_still(_still(1, 10))
    assert len(list((disk / "stills").iterdir())) == 2
    assert sum("cannot write to=" in each for each in caplog.messages) == 1

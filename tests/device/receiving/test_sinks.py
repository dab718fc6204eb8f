"""Sinks: whole files, whole lines, and a full disk that passes."""

from __future__ import annotations

import io
import json
import logging
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_device.pictures import write_picture
from pantel_device.receiving import sinks
from pantel_device.receiving.sink import Event, Picture, SenderName
from pantel_device.receiving.sinks import EventFile, EventLog, EventStream, PictureFile

_TENTH_NS = 100_000_000


def _picture(seed: int, *, tenth: int | None = None) -> Picture:
    """Return a picture of noise, drawn at so many tenths of a second; by default each a second after the other."""
    pixels = np.random.default_rng(seed).integers(0, 256, (48, 64, 3)).astype(np.uint8)
    time_ns = (10 * seed if tenth is None else tenth) * _TENTH_NS
    return Picture(
        time_ns=time_ns,
        shown_ns=time_ns,
        capture_time_ns=time_ns,
        pixels=pixels,
        sender=SenderName("N0CALL", 0),
        cell_age_s=np.zeros((3, 4), np.float32),
    )


def _event(number: int) -> Event:
    return Event(1_500_000_000, "link_report", {"number": number, "packet_loss": None, "callsign": "DK1ÄB"})


def _lines(path: Path) -> list[dict[str, object]]:
    text = path.read_text(encoding="utf-8")
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def _shown(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), np.uint8)


@contextmanager
def _disk_full_at(size_bytes: int) -> Iterator[None]:
    """Let the kernel refuse to make any file longer than this, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("suffix", [".png", ".webp", ".bmp"])
def test_the_newest_picture_is_in_the_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"newest{suffix}"
    sink = PictureFile(path)
    for seed in (1, 2):
        sink.on_picture(_picture(seed))
        np.testing.assert_array_equal(_shown(path), _picture(seed).pixels)
    sink.close()
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_keeps_the_older_picture_and_passes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "newest.png"
    sink = PictureFile(path)
    sink.on_picture(_picture(1))
    with _disk_full_at(1000):
        sink.on_picture(_picture(2))
        sink.on_picture(_picture(3))
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    np.testing.assert_array_equal(_shown(path), _picture(1).pixels)
    with caplog.at_level(logging.INFO):
        sink.on_picture(_picture(4))
    assert caplog.messages[-1] == f"writing again to={path}"
    np.testing.assert_array_equal(_shown(path), _picture(4).pixels)
    assert list(tmp_path.iterdir()) == [path]


def test_what_the_disk_had_no_room_for_is_written_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "newest.png"
    sink = PictureFile(path)
    with _disk_full_at(1000):
        sink.on_picture(_picture(1))
    assert not path.exists()
    sink.close()
    np.testing.assert_array_equal(_shown(path), _picture(1).pixels)


class _Writes:
    """Notes when a picture file is written, and what with."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pictures: list[NDArray[np.uint8]] = []

        def write(path: Path, pixels: NDArray[np.uint8]) -> None:
            self.pictures.append(pixels)
            write_picture(path, pixels)

        monkeypatch.setattr(sinks, "write_picture", write)


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> _Writes:
    return _Writes(monkeypatch)


@pytest.mark.parametrize(("interval_tenths", "expected"), [(1, 31), (5, 7), (7, 6), (100, 2)])
def test_the_file_is_not_written_more_often_than_asked_for(
    interval_tenths: int, expected: int, tmp_path: Path, writes: _Writes
) -> None:
    path = tmp_path / "newest.png"
    sink = PictureFile(path, interval_ns=interval_tenths * _TENTH_NS)
    for tenth in range(31):
        sink.on_picture(_picture(tenth, tenth=tenth))
        if tenth % interval_tenths == 0:
            np.testing.assert_array_equal(_shown(path), _picture(tenth).pixels)
    sink.close()  # with the last picture, if that is not in the file yet
    np.testing.assert_array_equal(_shown(path), _picture(30).pixels)
    assert len(writes.pictures) == expected


def test_a_disk_that_stays_full_is_not_tried_more_often(tmp_path: Path, writes: _Writes) -> None:
    sink = PictureFile(tmp_path / "newest.png", interval_ns=5 * _TENTH_NS)
    with _disk_full_at(1000):
        for tenth in range(20):
            sink.on_picture(_picture(tenth, tenth=tenth))
    assert len(writes.pictures) == 4


def test_a_picture_like_the_one_before_is_not_written(tmp_path: Path, writes: _Writes) -> None:
    path = tmp_path / "newest.png"
    sink = PictureFile(path, interval_ns=5 * _TENTH_NS)
    for tenth in range(20):
        sink.on_picture(_picture(1, tenth=tenth))
    assert len(writes.pictures) == 1
    sink.on_picture(_picture(2, tenth=20))  # at once: the last write is long ago
    sink.close()
    assert len(writes.pictures) == 2
    np.testing.assert_array_equal(_shown(path), _picture(2).pixels)


def test_what_is_drawn_over_the_picture_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "newest.png"
    sink = PictureFile(path, draw=lambda picture: 255 - picture.pixels)
    sink.on_picture(_picture(1))
    np.testing.assert_array_equal(_shown(path), 255 - _picture(1).pixels)


def test_events_are_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    sink = EventFile(path, 10_000)
    sink.on_event(_event(1))
    sink.on_picture(_picture(1))
    sink.on_event(_event(2))
    first, second = _lines(path)
    sink.close()
    assert list(first) == ["utc", "monotonic_s", "kind", "number", "packet_loss", "callsign"]
    assert (first["monotonic_s"], first["kind"], first["number"], second["number"]) == (1.5, "link_report", 1, 2)
    assert str(first["utc"]).endswith("Z")


def test_events_in_the_log_are_words(caplog: pytest.LogCaptureFixture) -> None:
    sink = EventLog()
    said = 'hello = "you"\n<3>pantel: error: forged'
    with caplog.at_level(logging.INFO):
        sink.on_event(Event(0, "sender_heard", {"callsign": "K1ABC", "sender": 0, "model": None}))
        sink.on_event(Event(0, "sender_refused", {"callsign": "K1ABC", "message": "its key is not here"}))
        sink.on_event(Event(0, "text", {"text": said, "callsign": ""}))
        for kind in ("link_report", "sender_report"):  # every 10 s: nothing for a disk
            sink.on_event(Event(0, kind, {"packet_loss": 0.0123456789}))
        sink.on_event(Event(0, "alarm", {"number": 1}))  # logged where it comes in
    sink.close()
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("INFO", "event kind=sender_heard callsign=K1ABC sender=0"),
        ("WARNING", 'event kind=sender_refused callsign=K1ABC message="its key is not here"'),
        ("INFO", r'event kind=text text="hello = \"you\"\n<3>pantel: error: forged" callsign=""'),
    ]
    caplog.clear()
    with caplog.at_level(logging.DEBUG):
        sink.on_event(Event(0, "link_report", {"packet_loss": 0.0123456789}))
    assert caplog.messages == ["event kind=link_report packet_loss=0.0123457"]


def test_events_are_appended_on_a_line_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"kind": "cut of')
    sink = EventFile(path, 10_000)
    sink.on_event(_event(1))
    sink.close()
    unfinished, line = path.read_text().splitlines()
    assert unfinished == '{"kind": "cut of'
    assert json.loads(line)["number"] == 1


def test_events_begin_a_new_file_at_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    sink = EventFile(path, 1000)
    for number in range(30):
        sink.on_event(_event(number))
    sink.close()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["events.jsonl", "events.jsonl.1"]
    numbers = [line["number"] for line in _lines(tmp_path / "events.jsonl.1") + _lines(path)]
    assert numbers == list(range(30 - len(numbers), 30))
    assert path.stat().st_size <= 1000 + 200


def test_a_full_disk_loses_no_event(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "events.jsonl"
    sink = EventFile(path, 10_000)
    sink.on_event(_event(0))
    with _disk_full_at(path.stat().st_size + 20):
        for number in (1, 2, 3):
            sink.on_event(_event(number))
        assert [line["number"] for line in _lines(path)] == [0]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    sink.on_event(_event(4))
    sink.close()
    assert [line["number"] for line in _lines(path)] == [0, 1, 2, 3, 4]


def test_an_event_stream_survives_a_full_disk_but_not_a_reader_who_left(caplog: pytest.LogCaptureFixture) -> None:
    class Left(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    stream = io.StringIO()
    EventStream(stream).on_event(_event(7))
    assert json.loads(stream.getvalue())["number"] == 7
    with pytest.raises(BrokenPipeError):
        EventStream(Left()).on_event(_event(0))

    full = open("/dev/full", "w", encoding="utf-8")  # noqa: SIM115, PTH123 - closing it fails, too
    sink = EventStream(full)
    sink.on_event(_event(1))
    sink.on_event(_event(2))
    assert len(caplog.records) == 1
    with pytest.raises(OSError, match="No space left"):
        full.close()

"""Files as a power cut leaves them on a file system that loses or zeroes their ends: read, or discarded with one line.

What is replaced as a whole reaches the disk before it takes its place, so a power cut tears only what grows. Yet each
file is tried at every length: disks do not always keep their promises.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from fractions import Fraction
from importlib.resources import files
from pathlib import Path

import pytest
from tests.device.recordings.films import noise, times_s

from pantel_device.command import CommandError, UsageError
from pantel_device.config import ReceiverConfig, SenderConfig, load_config
from pantel_device.outbox import Outbox
from pantel_device.receiving.ground import Request
from pantel_device.receiving.sink import Event, SenderName
from pantel_device.receiving.sinks import EventFile
from pantel_device.receiving.stream_memory import StreamMemoryFile
from pantel_device.recordings import recordings_in
from pantel_device.recordings.folder import RecordingFolder
from pantel_device.recordings.tape import Tape
from pantel_device.sending.boot_epoch import begin_epochs, next_boot_epoch, next_epoch
from pantel_link import HeardCodeword, KeyFileError, new_master_key, read_key, write_key
from pantel_link.back_channel import AskStill
from pantel_link.captures import CapturedCodeword, CaptureHeader, CaptureWriter, read_capture

Log = pytest.LogCaptureFixture

_EPOCH = 5_432_109


def _torn(whole: bytes, step: int = 1) -> Iterator[bytes]:
    """Yield what may be left of a file: its beginning, and its beginning with zeros behind it."""
    for length in range(0, len(whole), step):
        yield whole[:length]
        yield whole[:length] + bytes(len(whole) - length)


def _lines(caplog: Log) -> list[str]:
    """Return what was logged, and forget it."""
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    caplog.clear()
    return lines


@pytest.mark.parametrize(("model", "name"), [(SenderConfig, "sender.toml"), (ReceiverConfig, "receiver.toml")])
def test_a_configuration(model: type[SenderConfig] | type[ReceiverConfig], name: str, tmp_path: Path) -> None:
    path, refused = tmp_path / name, 0
    whole = files("pantel_device").joinpath("examples", name).read_bytes()
    for torn in _torn(whole, 23):
        path.write_bytes(torn)
        try:
            load_config(model, path, {})
        except UsageError as error:
            refused += "\n" not in str(error)
    assert refused > len(whole) / 23  # at least whatever ends in zeros


def test_a_key(tmp_path: Path) -> None:
    path, key = tmp_path / "mast.key", new_master_key().sender_key(3, "K1ABC/P")
    write_key(path, key)
    whole = path.read_bytes()
    for torn in _torn(whole):
        path.write_bytes(torn)
        if torn == whole[:-1]:  # but for the end of the line it is there
            assert read_key(path) == key
        else:
            with pytest.raises(KeyFileError, match="holds no key"):
                read_key(path)


def test_the_epoch_of_a_key_never_comes_again(tmp_path: Path, caplog: Log) -> None:
    key = new_master_key().sender_key(3, "K1ABC")
    path = begin_epochs(tmp_path, key, _EPOCH)
    whole = path.read_bytes()
    for torn in _torn(whole):
        path.write_bytes(torn)
        with pytest.raises(CommandError, match="is damaged, so the epochs that this key has had are not known"):
            next_epoch(tmp_path, key)
        assert path.read_bytes() == torn
    path.write_bytes(whole)
    assert next_epoch(tmp_path, key) == _EPOCH + 1
    assert all("boot epoch damaged" in line for line in _lines(caplog))


def test_the_epoch_without_a_key_begins_again_at_the_clock(tmp_path: Path, caplog: Log) -> None:
    path = tmp_path / "boot_epoch"
    by_clock = next_boot_epoch(tmp_path)
    for torn in _torn(b"3000000\n"):  # less than the clock: none of these digits may be believed
        path.write_bytes(torn)
        assert next_boot_epoch(tmp_path) in {by_clock, by_clock + 1}
        assert len(_lines(caplog)) == 1


def test_what_was_heard_of_senders(tmp_path: Path) -> None:
    path = tmp_path / "senders.json"
    memory = StreamMemoryFile(path)
    memory.note(3, "K1ABC", _EPOCH, 1000)
    memory.release()
    for torn in _torn(path.read_bytes()):
        path.write_bytes(torn)
        with pytest.raises(CommandError, match=r"is damaged, .* restart all senders once, then remove it$"):
            StreamMemoryFile(path)
        assert path.read_bytes() == torn


def test_a_line_that_waits(tmp_path: Path, caplog: Log) -> None:
    path, whole = tmp_path / "00000001.txt", b"gate open"
    for torn in _torn(whole):
        path.write_bytes(torn)
        texts = [text for _, text in Outbox(tmp_path).waiting()]
        readable = bool(torn) and b"\0" not in torn
        assert texts == ([torn.decode()] if readable else [])
        assert len(_lines(caplog)) == (not readable)
        assert path.exists() == readable


def test_a_command_that_waits() -> None:
    whole = Request(AskStill(1200), 3, "K1ABC").to_text().encode()
    for torn in _torn(whole):
        with pytest.raises(ValueError, match=r"^[^\n]+$"):
            Request.from_text(torn.decode())


def _codeword(number: int) -> HeardCodeword:
    return HeardCodeword(bytes([number]) * 60, number * 1_000_000_000, None, None, "x")


def test_a_capture_goes_on_after_its_last_whole_block(tmp_path: Path, caplog: Log) -> None:
    path = tmp_path / "line.pcapng"
    first = CaptureWriter(path, CaptureHeader())
    for number in range(1, 4):
        first.on_codeword(_codeword(number))
    whole = path.read_bytes()
    for torn in _torn(whole, 7):
        path.write_bytes(torn)
        again = CaptureWriter(path, CaptureHeader())
        again.on_codeword(_codeword(9))
        again.close(9_000_000_000)
        assert len(_lines(caplog)) <= 1
        octets = [each.octets[0] for each in read_capture(path) if isinstance(each, CapturedCodeword)]
        assert octets == [*range(1, len(octets)), 9]
        assert _lines(caplog) == []
    first.close(0)


def test_events_go_on_in_a_line_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    first = EventFile(path, 100_000)
    for number in range(3):
        first.on_event(Event(0, "text", {"number": number}))
    first.close()
    for torn in _torn(path.read_bytes()):
        path.write_bytes(torn)
        again = EventFile(path, 100_000)
        again.on_event(Event(0, "text", {"number": 9}))
        again.close()
        assert json.loads(path.read_bytes().splitlines()[-1])["number"] == 9


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a recording of three fragments without an end."""
    folder = tmp_path_factory.mktemp("recording")
    tape = Tape(
        RecordingFolder(folder, 10_000_000),
        SenderName("K1ABC", 0),
        segment_ns=10**12,
        fps=Fraction(2),
        crf=40,
        utc_of=lambda _: None,
    )
    for number in range(42):
        tape.record(number * 500_000_000, noise(number % 3, (32, 32)))
    octets = next(folder.iterdir()).read_bytes()
    tape.finish()
    return octets


def test_a_recording_plays_up_to_its_last_whole_fragment(recording: bytes, tmp_path: Path, caplog: Log) -> None:
    path, lengths = tmp_path / "K1ABC-0-20250601T120000Z.mp4", set()
    for torn in _torn(recording, 61):
        path.write_bytes(torn)
        RecordingFolder(tmp_path, 10_000_000)
        said = _lines(caplog)
        if path.exists():
            lengths.add(len(times_s(path)))
            assert len(said) == (path.stat().st_size < len(torn))
            path.unlink()
        else:
            assert len(said) == 1
    assert lengths == {10, 20}
    assert recordings_in(tmp_path) == []

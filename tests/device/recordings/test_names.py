"""Names of recordings: safe, unique, and in order of time whatever clocks do."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pantel_device.recordings.names import next_name, recording_of, recordings_in
from pantel_link.callsign import MAX_CALLSIGN_CHARACTERS

_NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
_CALLSIGNS = st.text("ABZ059-/.", min_size=1, max_size=MAX_CALLSIGN_CHARACTERS)


def _begin(folder: Path, utc: datetime | None, callsign: str = "K1ABC", number: int = 0) -> str:
    name = next_name(folder, callsign, number, utc)
    (folder / name).touch(exist_ok=False)
    return name


def test_a_name_says_who_and_when(tmp_path: Path) -> None:
    name = _begin(tmp_path, _NOON, "DK1AB/P", 12)
    assert name == "DK1AB_P-12-20250601T120000Z.mp4"
    recording = recording_of(tmp_path / name)
    assert recording is not None
    assert (recording.callsign, recording.number, recording.begins_utc) == ("DK1AB_P", 12, _NOON)


@pytest.mark.parametrize(
    "name",
    [
        "K1ABC-0-20250601T120000Z.mp4.part",
        "holiday.mp4",
        "K1ABC-0-20250601.mp4",
        "k1abc-0-20250601T120000Z.mp4",
        ".mp4",
    ],
)
def test_other_files_are_not_ours(name: str) -> None:
    assert recording_of(Path(name)) is None


def test_without_a_clock_names_go_on_from_the_newest(tmp_path: Path) -> None:
    names = [
        _begin(tmp_path, utc)
        for utc in (None, None, _NOON, None, _NOON - timedelta(days=1), _NOON, _NOON + timedelta(seconds=1))
    ]
    assert names == [
        "K1ABC-0-00000000T000000Z_001.mp4",
        "K1ABC-0-00000000T000000Z_002.mp4",
        "K1ABC-0-20250601T120000Z.mp4",
        "K1ABC-0-20250601T120000Z_001.mp4",
        "K1ABC-0-20250601T120000Z_002.mp4",
        "K1ABC-0-20250601T120000Z_003.mp4",
        "K1ABC-0-20250601T120001Z.mp4",
    ]
    recordings = recordings_in(tmp_path)
    assert [each.path.name for each in recordings] == names
    known = {each.path.name: each.begins_utc for each in recordings}
    assert [known[name] for name in names] == [None, None, _NOON, None, None, None, _NOON + timedelta(seconds=1)]


def test_only_regular_files_are_recordings_and_whatever_has_a_name_takes_it(tmp_path: Path) -> None:
    name = _begin(tmp_path, _NOON)
    os.mkfifo(tmp_path / "K1ABC-0-20250601T130000Z.mp4")
    (tmp_path / "K1ABC-0-20250601T140000Z.mp4").mkdir()
    (tmp_path / "K1ABC-0-20250601T150000Z.mp4").symlink_to(tmp_path / name)
    assert [each.path.name for each in recordings_in(tmp_path)] == [name]
    assert _begin(tmp_path, _NOON + timedelta(hours=3)) == "K1ABC-0-20250601T150000Z_001.mp4"


def test_senders_do_not_disturb_each_other(tmp_path: Path) -> None:
    assert _begin(tmp_path, _NOON, "K1ABC", 0) != _begin(tmp_path, _NOON, "K1ABC", 1)
    assert _begin(tmp_path, _NOON, "K1ABC-0", 1) == "K1ABC-0-1-20250601T120000Z.mp4"
    assert [each.number for each in recordings_in(tmp_path)] == [0, 1, 1]


@given(_CALLSIGNS, st.integers(0, 63), st.datetimes(datetime(2024, 1, 1), datetime(9999, 12, 31)))
def test_any_callsign_makes_a_name_that_is_read_again(callsign: str, number: int, begins: datetime) -> None:
    name = next_name(Path(__file__).parent, callsign, number, begins.replace(tzinfo=UTC))
    recording = recording_of(Path("folder", name))
    assert recording is not None
    assert "/" not in name
    assert (recording.callsign, recording.number) == (callsign.replace("/", "_"), number)
    assert recording.begins_utc == begins.replace(microsecond=0, tzinfo=UTC)

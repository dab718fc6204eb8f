"""What tests of recordings share: a folder, and tapes whose clock shows noon at the time 0."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from tests.device.recordings.films import SECOND_NS

from pantel_device.receiving.sink import SenderName
from pantel_device.recordings.folder import RecordingFolder
from pantel_device.recordings.tape import Tape

_NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
_SENDER = SenderName("DK1AB/P", 3)


@pytest.fixture
def folder(tmp_path: Path) -> RecordingFolder:
    return RecordingFolder(tmp_path / "recordings", 10_000_000)


@pytest.fixture
def files(tmp_path: Path) -> Callable[[], list[Path]]:
    """Return a function that lists the files of `folder`, by name."""
    return lambda: sorted((tmp_path / "recordings").iterdir())


@pytest.fixture
def make_tape(folder: RecordingFolder) -> Callable[..., Tape]:
    """Return a function that makes a tape."""

    def make(place: RecordingFolder = folder, *, sender: SenderName = _SENDER, segment_s: float = 600) -> Tape:
        return Tape(
            place,
            sender,
            segment_ns=round(segment_s * SECOND_NS),
            fps=Fraction(10),
            crf=23,
            utc_of=lambda time_ns: _NOON + timedelta(microseconds=time_ns // 1000),
        )

    return make

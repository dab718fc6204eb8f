"""The receiver's recordings: which pictures are asked for, and that nothing keeps the receiver waiting."""

from __future__ import annotations

import logging
import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.device.recordings.films import SECOND_NS, TENTH_NS, grey, times_s

from pantel_device import wall_clock
from pantel_device.receiving.sink import Event, Picture, SenderName
from pantel_device.recordings import Recorder, recordings_in
from pantel_device.recordings.folder import RecordingFolder
from pantel_device.recordings.recording_thread import RecordingThread
from pantel_device.recordings.tape import Tape
from pantel_link import VirtualClock
from pantel_models import View

_NEAR, _FAR = SenderName("K1ABC", 0), SenderName("K1ABC/P", 1)


def _picture(sender: SenderName, tenth: int) -> Picture:
    time_ns = (600 + tenth) * TENTH_NS
    return Picture(
        time_ns=time_ns + 15 * TENTH_NS,
        shown_ns=time_ns,
        capture_time_ns=time_ns,
        pixels=grey(tenth % 200),
        sender=sender,
        cell_age_s=np.zeros((3, 4), np.float32),
        view=View.FAITHFUL,
    )


def _recorder(folder: Path, segment_s: float = 600) -> Recorder:
    return Recorder(
        folder,
        clock=VirtualClock(start_ns=100 * SECOND_NS),
        view=View.FAITHFUL,
        quota_bytes=1_000_000,
        segment_ns=round(segment_s * SECOND_NS),
    )


def test_every_sender_that_is_heard_is_asked_for_in_the_view_that_is_set(tmp_path: Path) -> None:
    recorder = _recorder(tmp_path)
    for heard_last in (True, False):
        assert list(recorder.views(_NEAR, heard_last=heard_last, silence_s=59)) == [View.FAITHFUL]
    assert list(recorder.views(_NEAR, heard_last=True, silence_s=61)) == []
    recorder.close()


def test_those_heard_first_keep_their_places(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = VirtualClock()
    recorder = Recorder(tmp_path, clock=clock, view=View.FAITHFUL, quota_bytes=1_000_000, segment_ns=SECOND_NS)

    def recorded(silence_s: float = 0.0) -> list[int]:
        wanted = [(each, recorder.views(each, heard_last=True, silence_s=silence_s)) for each in senders]
        return [each.number for each, views in wanted if views]

    senders = [SenderName("K1ABC", number) for number in range(3)]
    assert recorded() == [0, 1, 2]
    senders = [SenderName("K1ABC", number) for number in range(15, -1, -1)]
    for _ in range(3):
        clock.sleep(20)
        assert recorded() == [15, 2, 1, 0]
    assert sum("not recorded" in each for each in caplog.messages) == 12
    clock.sleep(61)  # a sender that is asked for no more gives its place up, too
    senders = senders[:6]
    assert recorded() == [15, 14, 13, 12]
    recorder.close()


def test_each_sender_has_files_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wall_clock, "utc_now", lambda: wall_clock._EPOCH.replace(year=2025))
    recorder = _recorder(tmp_path, segment_s=10)
    for tenth in range(150):
        while recorder._thread._queue.qsize() > 50:
            threading.Event().wait(0.001)
        recorder.on_picture(_picture(_NEAR, tenth))
        if tenth % 2:
            recorder.on_picture(_picture(_FAR, tenth))
    recorder.on_event(Event(0, "link_report", {}))
    recorder.close()
    # The first picture was shown 40 s before the clock's present time.
    assert [each.path.name for each in recordings_in(tmp_path)] == [
        "K1ABC-0-20241231T235920Z.mp4",
        "K1ABC_P-1-20241231T235920Z.mp4",
        "K1ABC-0-20241231T235930Z.mp4",
        "K1ABC_P-1-20241231T235930Z.mp4",
    ]
    assert [len(times_s(each.path)) for each in recordings_in(tmp_path)] == [100, 50, 50, 25]
    assert recorder._thread.dropped == 0


class _SlowTape(Tape):
    """A tape on a disk that hangs until it is let go on."""

    def __init__(self, folder: RecordingFolder, sender: SenderName) -> None:
        super().__init__(folder, sender, segment_ns=10**12, fps=Fraction(10), crf=23, utc_of=lambda _: None)
        self.began, self.go_on = threading.Event(), threading.Event()

    def record(self, time_ns: int, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
        self.began.set()
        assert self.go_on.wait(10)
        super().record(time_ns, pixels)


def test_a_disk_that_hangs_costs_pictures_and_no_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tape = _SlowTape(RecordingFolder(tmp_path, 1_000_000), _NEAR)
    thread = RecordingThread(lambda _: tape, 5)
    with caplog.at_level(logging.INFO):
        for tenth in range(20):
            thread.put(_NEAR, tenth * TENTH_NS, grey(tenth))
            assert tape.began.wait(10)
        assert thread.dropped == 20 - 1 - 5
        tape.go_on.set()
        thread.close()
    assert [each.levelname for each in caplog.records if "behind" in each.getMessage()] == ["WARNING"]
    (recording,) = recordings_in(tmp_path)
    assert times_s(recording.path) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]


def test_large_pictures_wait_in_smaller_numbers(tmp_path: Path) -> None:
    tape = _SlowTape(RecordingFolder(tmp_path, 1_000_000), _NEAR)
    thread = RecordingThread(lambda _: tape, 100, waiting_bytes=3 * grey(0).nbytes)
    for tenth in range(10):
        thread.put(_NEAR, tenth * TENTH_NS, grey(tenth))
        assert tape.began.wait(10)
    assert thread.dropped == 10 - 1 - 3
    tape.go_on.set()
    while not thread._queue.empty():
        threading.Event().wait(0.001)
    thread.put(_NEAR, 10 * TENTH_NS, grey(10))
    thread.put(_NEAR, 11 * TENTH_NS, grey(11))
    thread.close()
    assert thread.dropped == 10 - 1 - 3
    (recording,) = recordings_in(tmp_path)
    assert len(times_s(recording.path)) == 6


def test_it_says_when_it_keeps_up_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tape = _SlowTape(RecordingFolder(tmp_path, 1_000_000), _NEAR)
    thread = RecordingThread(lambda _: tape, 1)
    with caplog.at_level(logging.INFO):
        for tenth in range(5):
            thread.put(_NEAR, tenth * TENTH_NS, grey(tenth))
            assert tape.began.wait(10)
        tape.go_on.set()
        while not thread._queue.empty():
            threading.Event().wait(0.001)
        thread.put(_NEAR, 5 * TENTH_NS, grey(5))
        thread.close()
    assert "recording keeps up again dropped=3" in caplog.text


def test_whatever_goes_wrong_with_one_sender_leaves_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = RecordingFolder(tmp_path, 1_000_000)

    def make(sender: SenderName) -> Tape:
        if sender == _FAR:
            raise RuntimeError("no tape")
        return Tape(folder, sender, segment_ns=10**12, fps=Fraction(10), crf=23, utc_of=lambda _: None)

    thread = RecordingThread(make, 100)
    for tenth in range(20):
        thread.put((_NEAR, _FAR)[tenth % 2], tenth * TENTH_NS, grey(tenth))
    thread.close()
    assert "recording failed sender=K1ABC/P-1" in caplog.text
    (recording,) = recordings_in(tmp_path)
    assert len(times_s(recording.path)) == 10

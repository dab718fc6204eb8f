"""The sender's ring: what the camera sees, as finely as it sees it, on the sender's own disk; the oldest goes first."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from pathlib import Path

from pantel_device.frame import Frame
from pantel_device.receiving.sink import SenderName
from pantel_device.recordings.folder import RecordingFolder
from pantel_device.recordings.recording_thread import RecordingThread
from pantel_device.recordings.tape import Tape
from pantel_device.wall_clock import utc_of
from pantel_link import Clock

__all__ = ["Ring"]

_NS_PER_S = 1_000_000_000
_CRF = 26  # with 23 the noise of a sensor takes three times as much as all else
_SEGMENT_NS = 600 * _NS_PER_S
_EARLY_SHARE = 0.25  # of the time between two pictures; a camera's clock is not ours
_WAITING = 8  # pictures may be large: 30 MB at 1280x960


class Ring:
    """Records frames, some of them a second, without keeping whoever sends them waiting.

    Args:
        folder: Of the recordings; made when missing.
        clock: Of the sender.
        sender: Whose frames they are.
        quota_bytes: What all recordings may take.
        fps: Frames recorded a second, at most as many as there are.
        patient: Whether to begin without the folder, and to look for it again and again.

    Raises:
        OSError: The folder cannot be made or read, and nobody is patient.
    """

    def __init__(
        self, folder: Path, *, clock: Clock, sender: SenderName, quota_bytes: int, fps: float, patient: bool = False
    ) -> None:
        self._sender = sender
        self._interval_ns = round(_NS_PER_S / fps)
        self._due_ns = 0
        recordings = RecordingFolder(folder, quota_bytes, patient=patient)
        make_tape = partial(
            Tape,
            recordings,
            segment_ns=_SEGMENT_NS,
            fps=Fraction(fps).limit_denominator(1000),
            crf=_CRF,
            utc_of=partial(utc_of, clock),
        )
        self._thread = RecordingThread(make_tape, _WAITING, at_first=recordings.begin_to_use)

    def look(self, frame: Frame) -> None:
        """Take the newest frame, with all privacy zones painted over; record it soon if it is time for one."""
        if frame.time_ns < self._due_ns - _EARLY_SHARE * self._interval_ns:
            return
        in_step = frame.time_ns - self._due_ns < self._interval_ns
        self._due_ns = (self._due_ns if in_step else frame.time_ns) + self._interval_ns
        self._thread.put(self._sender, frame.time_ns, frame.pixels if frame.full is None else frame.full)

    def close(self) -> None:
        """Complete the file."""
        self._thread.close()

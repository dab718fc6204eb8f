"""The receiver's recordings: whatever it shows of whichever sender, as video files that browsers play."""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction
from functools import partial
from pathlib import Path

from pantel_device.receiving.sink import Event, Picture, SenderName
from pantel_device.recordings.folder import RecordingFolder
from pantel_device.recordings.recording_thread import RecordingThread
from pantel_device.recordings.tape import Tape
from pantel_device.wall_clock import utc_of
from pantel_link import Clock
from pantel_models import View

__all__ = ["Recorder"]

_LONGEST_SILENCE_S = 60.0  # then nothing but age changes in a picture
_FPS = Fraction(10)
_CRF = 23
_WAITING = 100  # 10 s of one sender: a disk may take seconds when it is told to write what it has; 23 MB at 320x240


class Recorder:
    """A watcher that asks for the pictures of all senders that are heard, and records them by the time that they show.

    Args:
        folder: Of the recordings; made when missing.
        clock: Of the receiver.
        view: Who paints the pictures.
        quota_bytes: What all recordings may take.
        segment_ns: How long a file is [ns].

    Raises:
        OSError: The folder cannot be made or read.
    """

    def __init__(self, folder: Path, *, clock: Clock, view: View, quota_bytes: int, segment_ns: int) -> None:
        self._view = view
        make_tape = partial(
            Tape,
            RecordingFolder(folder, quota_bytes),
            segment_ns=segment_ns,
            fps=_FPS,
            crf=_CRF,
            utc_of=partial(utc_of, clock),
        )
        self._thread = RecordingThread(make_tape, _WAITING)

    def views(self, sender: SenderName, *, heard_last: bool, silence_s: float) -> Collection[View]:  # noqa: ARG002
        """Return the view to record, none for a sender that has been silent for a minute."""
        return () if silence_s > _LONGEST_SILENCE_S else (self._view,)

    def on_picture(self, picture: Picture) -> None:
        """Record a picture soon."""
        self._thread.put(picture.sender, picture.shown_ns, picture.pixels)

    def on_event(self, event: Event) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Complete the files."""
        self._thread.close()

"""The receiver's recordings: whatever it shows of whichever sender, as video files that browsers play."""

from __future__ import annotations

import logging
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

log = logging.getLogger(__name__)

_NS_PER_S = 1_000_000_000
_LONGEST_SILENCE_S = 60.0  # then nothing but age changes in a picture
_SENDERS = 4  # whoever invents senders takes neither disk nor processor from those that are recorded
_FPS = Fraction(10)
_CRF = 23
_WAITING = 100  # 10 s of one sender: a disk may take seconds when it is told to write what it has; 23 MB at 320x240


class Recorder:
    """A watcher that asks for the pictures of senders that are heard, and records them by the time that they show.

    Those heard first keep their places, four at most, until they have been silent for a minute.

    Args:
        folder: Of the recordings; made when missing.
        clock: Of the receiver.
        view: Who paints the pictures.
        quota_bytes: What all recordings may take.
        segment_ns: How long a file is [ns].
        patient: Whether to begin without the folder, and to look for it again and again.

    Raises:
        OSError: The folder cannot be made or read, and nobody is patient.
    """

    def __init__(
        self, folder: Path, *, clock: Clock, view: View, quota_bytes: int, segment_ns: int, patient: bool = False
    ) -> None:
        self._view = view
        self._clock = clock
        self._recorded: dict[SenderName, int] = {}  # when they were heard [ns]
        self._refused: dict[SenderName, int] = {}
        recordings = RecordingFolder(folder, quota_bytes, patient=patient)
        make_tape = partial(
            Tape,
            recordings,
            segment_ns=segment_ns,
            fps=_FPS,
            crf=_CRF,
            utc_of=partial(utc_of, clock),
        )
        self._thread = RecordingThread(make_tape, _WAITING, at_first=recordings.begin_to_use)

    def views(self, sender: SenderName, *, heard_last: bool, silence_s: float) -> Collection[View]:  # noqa: ARG002
        """Return the view to record, none for a sender that has been silent for a minute or has no place."""
        self._forget_silent()
        if silence_s > _LONGEST_SILENCE_S:
            return ()
        heard_ns = self._clock.now_ns() - round(silence_s * _NS_PER_S)
        if sender not in self._recorded and len(self._recorded) >= _SENDERS:
            if sender not in self._refused:
                log.warning("not recorded sender=%s: %d others are recorded already", sender, _SENDERS)
            self._refused[sender] = heard_ns
            return ()
        self._refused.pop(sender, None)
        self._recorded[sender] = heard_ns
        return (self._view,)

    def on_picture(self, picture: Picture) -> None:
        """Record a picture soon."""
        self._thread.put(picture.sender, picture.shown_ns, picture.pixels)

    def on_event(self, event: Event) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Complete the files."""
        self._thread.close()

    def _forget_silent(self) -> None:
        oldest_ns = self._clock.now_ns() - round(_LONGEST_SILENCE_S * _NS_PER_S)
        for senders in (self._recorded, self._refused):
            for sender in [each for each, heard_ns in senders.items() if heard_ns < oldest_ns]:
                del senders[sender]

"""The thread that encodes and writes, so that neither a slow disk nor an encoder keeps a daemon waiting."""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pantel_device.receiving.sink import SenderName
from pantel_device.recordings.tape import SILENCE_NS, Tape

__all__ = ["RecordingThread"]

log = logging.getLogger(__name__)

_NICENESS = 10  # a picture that is shown, or sent, goes before one that is kept
_CLOSING_S = 10.0
_WAITING_BYTES = 64_000_000  # whoever sends decides how large a picture is


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """A picture that waits."""

    sender: SenderName
    time_ns: int
    pixels: NDArray[np.uint8]


class RecordingThread:
    """Takes pictures without waiting; those that the thread cannot keep up with are dropped, counted and logged.

    Args:
        make_tape: Makes what records a sender, when its first picture comes and after each long silence.
        waiting: How many pictures may wait.
        at_first: What the thread does before all else.
        waiting_bytes: What they may take together [byte]; one may always wait.

    Attributes:
        dropped: Pictures that were not recorded.
    """

    def __init__(
        self,
        make_tape: Callable[[SenderName], Tape],
        waiting: int,
        *,
        at_first: Callable[[], None] = lambda: None,
        waiting_bytes: int = _WAITING_BYTES,
    ) -> None:
        self.dropped = 0
        self._make_tape = make_tape
        self._at_first = at_first
        self._queue: queue.Queue[_Shown | None] = queue.Queue(waiting)
        self._most_bytes = waiting_bytes
        self._waiting_bytes = 0
        self._counting = threading.Lock()
        self._behind = False
        self._tapes: dict[SenderName, Tape] = {}
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
        self._thread.start()

    def put(self, sender: SenderName, time_ns: int, pixels: NDArray[np.uint8]) -> None:
        """Record a picture soon.

        Args:
            sender: Whose it is.
            time_ns: When it is shown, later than the one before [ns].
            pixels: (H, W, 3) uint8, RGB; nobody may change them any more.
        """
        try:
            self._enqueue(_Shown(sender, time_ns, pixels))
        except queue.Full:
            self.dropped += 1
            if not self._behind:
                self._behind = True
                log.warning("recording falls behind dropped=%d; is the disk slow, or the processor busy?", self.dropped)
        else:
            if self._behind and self._queue.qsize() == 1:
                self._behind = False
                log.info("recording keeps up again dropped=%d", self.dropped)

    def close(self) -> None:
        """Write what waits and complete the files; a disk that hangs is left alone after 10 s."""
        with suppress(queue.Full):
            self._queue.put(None, timeout=_CLOSING_S)
        self._thread.join(_CLOSING_S)
        if self._thread.is_alive():
            log.error("the recordings could not be completed within %.0f s", _CLOSING_S)

    def _enqueue(self, shown: _Shown) -> None:
        with self._counting:
            if self._waiting_bytes and self._waiting_bytes + shown.pixels.nbytes > self._most_bytes:
                raise queue.Full
            self._queue.put_nowait(shown)
            self._waiting_bytes += shown.pixels.nbytes

    def _run(self) -> None:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
        self._at_first()
        while (shown := self._next()) is not None:
            try:
                self._record(shown)
            except Exception:
                log.exception("recording failed sender=%s", shown.sender)
                self._tapes.pop(shown.sender, None)
        self._complete()

    def _next(self) -> _Shown | None:
        """Return the next picture, None at the end; where none comes for long, complete the files."""
        while True:
            try:
                shown = self._queue.get(timeout=SILENCE_NS / 1e9)
            except queue.Empty:
                self._complete()
                continue
            if shown is not None:
                with self._counting:
                    self._waiting_bytes -= shown.pixels.nbytes
            return shown

    def _complete(self) -> None:
        while self._tapes:
            sender, tape = self._tapes.popitem()
            try:
                tape.finish()
            except Exception:
                log.exception("recording failed sender=%s", sender)

    def _record(self, shown: _Shown) -> None:
        if shown.sender not in self._tapes:
            self._tapes[shown.sender] = self._make_tape(shown.sender)
        self._tapes[shown.sender].record(shown.time_ns, shown.pixels)
        for sender in [each for each, tape in self._tapes.items() if tape.rest(shown.time_ns)]:
            if sender != shown.sender:
                del self._tapes[sender]

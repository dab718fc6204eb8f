"""Cameras that are devices: a thread reads the device, and whoever hangs or vanishes is opened again."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pantel_device.cameras.base import Outage
from pantel_device.cameras.geometry import Geometry, stretched
from pantel_device.errors import CameraError, CameraNameError
from pantel_device.frame import Frame

__all__ = ["Device", "LiveCamera", "Shot", "shot_time_ns"]

log = logging.getLogger(__name__)

_NS_PER_S = 1_000_000_000

_OPENING_NS = 15 * _NS_PER_S  # USB cameras take some seconds, and the modes of a Pi's are tried one by one
_SILENCE_NS = 5 * _NS_PER_S  # several times what even a camera takes that exposes for a second by night
_SILENT_FRAMES = 3  # where frames are rarer than that
_CLOSING_S = 2.0
_FIRST_DELAY_NS = 1 * _NS_PER_S
_LONGEST_DELAY_NS = 30 * _NS_PER_S
# A call into a driver cannot be interrupted, so whoever hangs in one is left behind, with all that it holds. A camera
# that hangs each time it is opened must not use up the machine.
_MOST_LEFT_BEHIND = 3
_OLDEST_STAMP_NS = 2 * _NS_PER_S


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """What a device has seen.

    Attributes:
        time_ns: Monotonic time [ns].
        pixels: (H, W, 3) uint8, RGB, in whatever size the device gives.
    """

    time_ns: int
    pixels: NDArray[np.uint8]


class Device(Protocol):
    """An open camera device. All calls come from one thread, which is also the one that opened it."""

    @property
    def description(self) -> str:
        """What the device has been set to, as ``key=value`` pairs for the log."""
        ...

    def read(self) -> Shot:
        """Wait for the next picture and return it.

        Raises:
            CameraError: There will be none.
        """
        ...

    def close(self) -> None:
        """Let go of the device, whatever state it is in; raises nothing."""
        ...


class LiveCamera:
    """A camera that reads a device in a thread of its own and shows the newest frame.

    `capture` never waits. A device that fails or falls silent for 5 s is given up and opened again, after 1 s, then
    ever later up to every 30 s, each time by a new thread: the old one may hang in its driver for ever, and lets the
    device go if it ever comes back. In the meantime there is no new frame, and no error either, because a sender still
    has much to tell of what it has seen. Each outage is logged once when it begins and once when it ends.

    Args:
        open_device: Opens the device; raises a `CameraError` where that fails.
        name: Of the camera, as the user gave it.
        size_px: Width and height of the frames [px].
        fps: Frames per second wanted of the device.
        geometry: How what the device sees becomes frames.
        patient: Whether a device that cannot be used at first counts as one that has failed.

    Attributes:
        size_px: As given.
        fps: As given.
        outages: How often the camera has failed or fallen silent.
        description: What the device was set to when it was opened, as ``key=value`` pairs; empty if it had to wait.

    Raises:
        CameraNameError: There can be no such device.
        CameraError: The device cannot be opened or gives no picture, and nobody is patient.
    """

    def __init__(
        self,
        open_device: Callable[[], Device],
        *,
        name: str,
        size_px: tuple[int, int],
        fps: float,
        geometry: Geometry,
        patient: bool = False,
    ) -> None:
        self.size_px = size_px
        self.fps = fps
        self.outages = 0
        self._open_device = open_device
        self._name = name
        self._geometry = geometry
        self._silence_ns = max(_SILENCE_NS, round(_SILENT_FRAMES / fps * _NS_PER_S))
        self._reader: _Reader | None = None
        self._left_behind: list[tuple[int, _Reader]] = []  # when each was given up [ns]
        self._hangs = False
        self._deadline_ns: int | None = None
        self._gone_since_ns: int | None = None
        self._gone_because = ""
        self._back_ns = -_LONGEST_DELAY_NS
        self._retry_ns = 0
        self._delay_ns = _FIRST_DELAY_NS
        self._frames = 0
        self._last_ns = -1
        self._finished = False
        self.description = ""
        reader = self._start_reader()
        try:
            self.description = reader.first_answer(_OPENING_NS / _NS_PER_S)
        except BaseException as error:  # an impatient user's Ctrl-C, too
            if patient and isinstance(error, CameraError) and not isinstance(error, CameraNameError):
                return  # the first capture gives the device up
            self.close()
            raise
        log.info("camera open name=%s %s", name, self.description)

    @property
    def finished(self) -> bool:
        """Whether no frame will ever come again: only once the camera is closed."""
        return self._finished

    @property
    def outage(self) -> Outage | None:
        """Why no frames come, as of the last capture; None while they do."""
        if self._gone_since_ns is None:
            return None
        hanging_ns = [left_ns for left_ns, reader in self._left_behind if reader.is_alive()]
        return Outage(self._gone_since_ns, self._gone_because, min(hanging_ns, default=None))

    def capture(self, now_ns: int) -> Frame | None:
        """Return the newest frame, None if there is none since the last call; see `Camera.capture`."""
        if self._finished:
            return None
        shot = self._reader.take() if self._reader is not None else None
        if shot is not None:
            self._note_sign_of_life(now_ns)
            return self._frame(shot, now_ns)
        if self._reader is None:
            self._reopen(now_ns)
        elif (reason := self._trouble(self._reader, now_ns)) is not None:
            self._give_up(self._reader, reason, now_ns)
        return None

    def close(self) -> None:
        """Let go of the device; one that hangs is left to the end of the process."""
        self._finished = True
        if self._reader is not None:
            self._reader.leave()
            self._reader.join(_CLOSING_S)
            self._reader = None

    def _start_reader(self) -> _Reader:
        self._reader = _Reader(self._open_device, self._name)
        self._reader.start()
        return self._reader

    def _frame(self, shot: Shot, now_ns: int) -> Frame:
        # Frames come in order, and none from the future, whatever a driver says.
        time_ns = shot.time_ns if self._last_ns < shot.time_ns <= now_ns else now_ns
        self._last_ns = time_ns
        self._frames += 1
        cut = self._geometry.cut(shot.pixels, self.size_px)
        finer = self._geometry.full_width_px and cut.shape[1] > self.size_px[0]
        return Frame(self._frames - 1, time_ns, stretched(cut, self.size_px), cut if finer else None)

    def _note_sign_of_life(self, now_ns: int) -> None:
        self._deadline_ns = now_ns + self._silence_ns
        if self._gone_since_ns is not None:
            log.info("camera back name=%s outage_s=%.1f", self._name, (now_ns - self._gone_since_ns) / _NS_PER_S)
            self._gone_since_ns = None
            self._back_ns = now_ns
            self._hangs = False

    def _trouble(self, reader: _Reader, now_ns: int) -> str | None:
        """Return why no frame can be hoped for; None while it can."""
        if reader.failure is not None:
            return str(reader.failure)
        if self._deadline_ns is None:
            self._deadline_ns = now_ns + self._silence_ns
        return "no picture comes" if now_ns >= self._deadline_ns else None

    def _give_up(self, reader: _Reader, reason: str, now_ns: int) -> None:
        reader.leave()
        self._left_behind.append((now_ns, reader))
        self._reader = None
        self._gone_because = reason
        if self._gone_since_ns is None:
            self._gone_since_ns = now_ns
            self.outages += 1
            if now_ns - self._back_ns >= _LONGEST_DELAY_NS:
                self._delay_ns = _FIRST_DELAY_NS  # a camera that comes and goes all the time is opened ever more rarely
            log.warning("camera gone name=%s outages=%d reason=%s", self._name, self.outages, reason)
        else:
            log.debug("camera still gone name=%s reason=%s", self._name, reason)
        self._retry_ns = now_ns + self._delay_ns
        self._delay_ns = min(2 * self._delay_ns, _LONGEST_DELAY_NS)

    def _reopen(self, now_ns: int) -> None:
        """Try again if it is time."""
        if now_ns < self._retry_ns:
            return
        self._left_behind = [(left_ns, reader) for left_ns, reader in self._left_behind if reader.is_alive()]
        if len(self._left_behind) >= _MOST_LEFT_BEHIND:
            self._retry_ns = now_ns + _LONGEST_DELAY_NS
            if not self._hangs:
                self._hangs = True
                log.error("camera hangs in its driver name=%s; if it stays so, start the sender again", self._name)
            return
        self._start_reader()
        self._deadline_ns = now_ns + _OPENING_NS


class _Reader(threading.Thread):
    """A thread that opens a device, reads it until it is told to leave or the device fails, and closes it.

    Attributes:
        failure: Why it has ended by itself; None otherwise.
    """

    def __init__(self, open_device: Callable[[], Device], name: str) -> None:
        super().__init__(name=f"camera {name}", daemon=True)
        self.failure: CameraError | None = None
        self._open_device = open_device
        self._camera = name
        self._description = ""
        self._newest: deque[Shot] = deque(maxlen=1)
        self._answered = threading.Event()
        self._leaving = threading.Event()

    def first_answer(self, patience_s: float) -> str:
        """Wait for the first picture and return the device's description.

        Raises:
            CameraError: There is none.
        """
        answered = self._answered.wait(patience_s)
        if self.failure is not None:
            raise self.failure
        if not answered:
            raise CameraError(
                f"camera {self._camera} gives no picture within {patience_s:.0f} s; check its cable, or pull its plug "
                "and put it in again"
            )
        return self._description

    def take(self) -> Shot | None:
        """Return the newest picture, once."""
        try:
            return self._newest.pop()
        except IndexError:
            return None

    def leave(self) -> None:
        """Close the device as soon as it answers."""
        self._leaving.set()

    def run(self) -> None:
        """Read until there is a reason not to."""
        try:
            self._read()
        except CameraError as error:
            self.failure = error
        except Exception as error:
            log.exception("camera driver failed name=%s", self._camera)
            self.failure = CameraError(f"the driver of camera {self._camera} failed: {error}")
        finally:
            self._answered.set()

    def _read(self) -> None:
        device = self._open_device()
        try:
            while not self._leaving.is_set():
                self._newest.append(device.read())
                if not self._answered.is_set():
                    self._description = device.description
                    self._answered.set()
        finally:
            device.close()


def shot_time_ns(stamp_ns: int | None, now_ns: int) -> int:
    """Return when a picture was taken, by the driver's time stamp where that can be right.

    Args:
        stamp_ns: Of the driver, on the monotonic clock if it is as it should be [ns]; None if it has none.
        now_ns: Monotonic time at which the picture has arrived [ns].
    """
    if stamp_ns is not None and 0 <= now_ns - stamp_ns <= _OLDEST_STAMP_NS:
        return stamp_ns
    return now_ns

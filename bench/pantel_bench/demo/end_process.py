"""A process that holds one end of the demo's line, or both at a loopback port, and runs on the real clock."""

from __future__ import annotations

from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import cv2

from pantel_bench.rig.ends import ReceiverEnd, ReceiverFigures, SenderEnd, SenderFigures
from pantel_bench.rig.settings import RigSettings
from pantel_codec import CodecError
from pantel_device.daemon import run, stop_on_signals
from pantel_device.errors import DeviceError
from pantel_device.receiving.sink import Event, Picture
from pantel_device.wall_clock import utc_s
from pantel_link import Clock, LinkError, MonotonicClock, open_port
from pantel_link.context import EPOCH_BITS
from pantel_models import ModelError

__all__ = ["EndFailure", "EndFigures", "EndTask", "picture_time_ns", "run_end"]

_FAILURES = (CodecError, DeviceError, LinkError, ModelError, OSError)
_FAST_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 1)


@dataclass(frozen=True, slots=True)
class EndTask:
    """What the process shall do.

    Attributes:
        settings: Of the demo.
        url: Port to open.
        sends: Whether it is the sender.
        receives: Whether it is the receiver.
        folder: Where the receiver leaves its pictures.
    """

    settings: RigSettings
    url: str
    sends: bool
    receives: bool
    folder: Path


@dataclass(frozen=True, slots=True, eq=False)
class EndFigures:
    """What the process reports after the run; None for an end that it does not hold."""

    sender: SenderFigures | None
    receiver: ReceiverFigures | None


@dataclass(frozen=True, slots=True)
class EndFailure:
    """Why the process gave up, in one line."""

    message: str


def run_end(task: EndTask, connection: Connection) -> None:
    """Be the sender, the receiver or both: say "ready", await the start time, run, and report.

    Args:
        task: What to do.
        connection: Sends "ready" or an `EndFailure`; takes the monotonic start time [ns], which all processes of a
            machine share; sends `EndFigures` or an `EndFailure`.
    """
    with stop_on_signals() as request:
        try:
            with ExitStack() as stack:
                clock = MonotonicClock()
                ends = _Ends(task, clock, stack)
                connection.send("ready")
                start_ns = connection.recv()
                clock.sleep((start_ns - clock.now_ns()) / 1e9)
                end_ns = start_ns + round(task.settings.seconds * 1e9)
                run(ends, clock, lambda now_ns: now_ns >= end_ns or request.reason is not None)
                connection.send(ends.figures())
        except (EOFError, ConnectionError):
            return  # the demo was given up, so nobody wants to know
        except _FAILURES as error:
            with suppress(ConnectionError):
                connection.send(EndFailure(str(error)))


def picture_time_ns(path: Path) -> int:
    """Return when the picture in a file was on show, on the machine's monotonic clock."""
    return int(path.stem)


class _Ends:
    """The ends of this process as one core for the daemon loop."""

    def __init__(self, task: EndTask, clock: Clock, stack: ExitStack) -> None:
        port = stack.enter_context(open_port(task.url))
        self._receiver: ReceiverEnd | None = None
        self._sender: SenderEnd | None = None
        if task.receives:
            files = _PictureFiles(task.folder, clock)
            self._receiver = stack.enter_context(closing(ReceiverEnd(task.settings, port, clock, [files])))
        if task.sends:
            # An epoch of its own for every run, in case that a receiver of somebody else hears it.
            epoch = utc_s() % (1 << EPOCH_BITS)
            self._sender = stack.enter_context(closing(SenderEnd(task.settings, port, clock, epoch=epoch)))

    def advance(self, now_ns: int) -> int:
        """Advance whichever ends there are."""
        return min(end.advance(now_ns) for end in (self._sender, self._receiver) if end is not None)

    def figures(self) -> EndFigures:
        """Return what they have measured."""
        return EndFigures(
            self._sender.figures() if self._sender else None,
            self._receiver.figures(own_process=self._sender is None) if self._receiver else None,
        )


class _PictureFiles:
    """A sink that keeps every picture as a file named by the time at which it was on show."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock

    def on_picture(self, picture: Picture) -> None:
        path = self._folder / f"{self._clock.now_ns()}.png"
        path.write_bytes(cv2.imencode(".png", picture.pixels[..., ::-1], _FAST_PNG)[1].tobytes())

    def on_event(self, event: Event) -> None:
        """Ignore events: the link's counters are read at the end."""

    def close(self) -> None:
        """Hold nothing."""

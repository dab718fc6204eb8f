"""A demo on the real clock: the product's daemon loop in processes of their own, scored afterwards."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_bench.demo.end_process import EndFailure, EndFigures, EndTask, picture_time_ns, run_end
from pantel_bench.errors import DemoError
from pantel_bench.rig.run import Findings, Showing, channel_settings
from pantel_bench.rig.settings import DISPLAY_INTERVAL_NS, RigSettings
from pantel_device.progress import progress
from pantel_link import MonotonicClock, PtyNullModem

__all__ = ["RealTimeRun"]

_START_TIMEOUT_S = 60.0  # a small loaded machine takes long to import everything
_END_TIMEOUT_S = 15.0
_LEAD_NS = 200_000_000  # from the order to start until the start


class RealTimeRun:
    """Sender and receiver as two processes at the ends of a pseudo-terminal line, or as one on a loopback port.

    A port that returns its output to its input can be opened only once, so one process then holds both ends. The
    run is over when the constructor returns; pictures are kept as files until they are scored, because scoring at
    the same time would take computing time away.

    Args:
        settings: Of the demo.

    Raises:
        DemoError: A process failed; its message says why.
        PortError: No pseudo-terminal can be had.
    """

    def __init__(self, settings: RigSettings) -> None:
        self._instants = settings.instants
        self._folder = tempfile.TemporaryDirectory(prefix="pantel-demo-")
        try:
            self._findings = _play(settings, Path(self._folder.name))
        except BaseException:
            self.close()
            raise

    def showings(self) -> Iterator[Showing]:
        """Yield what was on show at each display instant."""
        paths = sorted(Path(self._folder.name).iterdir(), key=picture_time_ns)
        shown: NDArray[np.uint8] | None = None
        begun = 0  # pictures whose time has come
        for k in range(self._instants):
            time_ns = k * DISPLAY_INTERVAL_NS
            before = begun
            while begun < len(paths) and picture_time_ns(paths[begun]) <= self._findings.sender.start_ns + time_ns:
                begun += 1
            if begun > before:
                shown = np.asarray(cv2.imread(str(paths[begun - 1]), cv2.IMREAD_COLOR_RGB), np.uint8)
            yield Showing(time_ns, shown)

    def findings(self) -> Findings:
        """Return what both ends have measured."""
        return self._findings

    def close(self) -> None:
        """Remove the pictures."""
        self._folder.cleanup()


@dataclass(frozen=True, slots=True, eq=False)
class _Process:
    """A process that holds an end, and our end of the pipe to it."""

    name: str
    connection: Connection

    def receive(self, timeout_s: float) -> object:
        """Return its next message.

        Raises:
            DemoError: It failed, died or says nothing.
        """
        try:
            message = self.connection.recv() if self.connection.poll(timeout_s) else EndFailure("it does not answer")
        except EOFError:
            message = EndFailure("it ended without a word")
        if isinstance(message, EndFailure):
            raise DemoError(f"the demo's {self.name} failed: {message.message}")
        return message


def _play(settings: RigSettings, folder: Path) -> Findings:
    """Let the processes run for the demo's time; the receiver's pictures are in the folder afterwards."""
    with ExitStack() as stack:
        if settings.port is not None:
            tasks = {"loopback": EndTask(settings, settings.port, sends=True, receives=True, folder=folder)}
        else:
            modem = stack.enter_context(PtyNullModem(channel_settings(settings)))
            near, far = str(modem.near_path), str(modem.far_path)
            tasks = {
                "receiver": EndTask(settings, far, sends=False, receives=True, folder=folder),
                "sender": EndTask(settings, near, sends=True, receives=False, folder=folder),
            }
        processes = [stack.enter_context(_process(name, task)) for name, task in tasks.items()]
        for process in processes:
            process.receive(_START_TIMEOUT_S)
        start_ns = MonotonicClock().now_ns() + _LEAD_NS
        for process in processes:
            process.connection.send(start_ns)
        _wait(settings.seconds, start_ns, processes)
        return _join([process.receive(_END_TIMEOUT_S) for process in processes])


@contextmanager
def _process(name: str, task: EndTask) -> Iterator[_Process]:
    """Start a process; it is gone when the context is left."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=run_end, name=f"pantel demo {name}", args=(task, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        yield _Process(name, ours)
    finally:
        ours.close()
        process.terminate()
        process.join(_END_TIMEOUT_S)
        if process.is_alive():
            process.kill()
            process.join()


def _wait(seconds: float, start_ns: int, processes: Sequence[_Process]) -> None:
    """Let the run take its time, or less if a process has something to say: before the end that is bad news."""
    clock = MonotonicClock()
    steps = max(1, int(seconds))
    with progress(steps, "line", every_s=5) as done:
        shown = 0
        while (elapsed_s := (clock.now_ns() - start_ns) / 1e9) < seconds:
            if any(process.connection.poll(0) for process in processes):
                return
            clock.sleep(min(seconds - elapsed_s, 0.25))
            while shown < min(steps, int((clock.now_ns() - start_ns) / 1e9)):
                shown += 1
                done(f"{shown} s")


def _join(messages: Sequence[object]) -> Findings:
    """Return the figures of both ends, whichever process they come from."""
    figures = [message for message in messages if isinstance(message, EndFigures)]
    return Findings(
        next(each.sender for each in figures if each.sender is not None),
        next(each.receiver for each in figures if each.receiver is not None),
    )

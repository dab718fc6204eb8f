"""A process that has loaded all that the daemons need, and forks one whenever it is told to.

Starting `pantel` takes seconds on a slow machine, nearly all of it for loading libraries. A child of this process runs
the same command line from its first line on, in a tenth of the time, and is killed as any process is. ``record
FOLDER`` in place of a command records without a line, fast.

Told by lines of JSON on standard input: ``{"argv": [...], "log": FILE}`` is answered with a process's number,
``{"wait": NUMBER}`` with how it has ended, as `subprocess` has it.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
import warnings
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import av
import cv2
import numpy as np
import onnxruntime

from pantel_device.cameras import file, synthetic
from pantel_device.cli import main
from pantel_device.commands import receive, send
from pantel_device.receiving.sink import SenderName
from pantel_device.recordings import tape
from pantel_device.recordings.folder import RecordingFolder
from pantel_device.recordings.recording_thread import RecordingThread

__all__ = ["serve"]

_LOADED = (av, cv2, onnxruntime, file, synthetic, receive, send)


def serve() -> None:
    """Do what standard input says until it ends."""
    # So that a daemon that lives for a second has written some.
    tape.FRAGMENT_NS = 200_000_000
    tape._SYNC_NS = 500_000_000
    for line in sys.stdin:
        order = json.loads(line)
        answer = os.waitstatus_to_exitcode(os.waitpid(order["wait"], 0)[1]) if "wait" in order else _fork(order)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


def _fork(order: dict[str, Any]) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of Python 3.12, if a library has a thread that sleeps
        number = os.fork()
    if number == 0:
        _become(order["argv"], Path(order["log"]))
    return number


def _record(folder: Path) -> int:
    """Record noise as fast as the processor allows, ten pictures for each second of the film."""
    noise = np.random.default_rng(1).integers(0, 256, (16, 48, 64, 3)).astype(np.uint8)
    make_tape = partial(
        tape.Tape,
        RecordingFolder(folder, 3_000_000),
        segment_ns=10_000_000_000,
        fps=Fraction(10),
        crf=23,
        utc_of=lambda _: None,
    )
    thread = RecordingThread(make_tape, 50)
    for number in itertools.count():
        while thread._queue.full():
            time.sleep(0.001)
        thread.put(SenderName("K1ABC", 0), number * 100_000_000, noise[number % len(noise)])
    return 0


def _become(argv: list[str], log: Path) -> NoReturn:
    with log.open("ab") as file, open(os.devnull, "rb") as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), 0)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    code = 70
    try:
        code = _record(Path(argv[1])) if argv[0] == "record" else main(argv)
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()

"""How long a step of the receiver's loop takes while so many watch: `python -m tests.device.web.load --viewers 8`.

A real sender shows the test scene over a null modem of 960 bit/s; viewers are another process.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from websockets.sync.client import connect

from pantel_device.config import ReceiverConfig
from pantel_device.daemon import run
from pantel_device.receiving.receiver import Receiver
from pantel_device.receiving.watched_receiver import WatchedReceiver
from pantel_device.web.page import open_page
from pantel_link import ChannelSettings, LinkReceiver, MonotonicClock, PtyNullModem, open_port
from pantel_link.ports import reconnecting
from pantel_models import View

_WARM_UP_S = 20.0


class _Timed:
    """Advances a core and notes how long that takes."""

    def __init__(self, advance: Callable[[int], int]) -> None:
        self._advance = advance
        self.steps_s: list[tuple[float, float, float]] = []  # when, how long, and how long the processor has worked

    def advance(self, now_ns: int) -> int:
        began_s, worked_s = time.perf_counter(), time.thread_time()
        due_ns = self._advance(now_ns)
        self.steps_s.append((now_ns / 1e9, time.perf_counter() - began_s, time.thread_time() - worked_s))
        return due_ns


def _watch(netloc: str, seconds: float) -> int:
    """Watch and return how many pictures came, without those of the time in which the scene begins."""
    pictures = 0
    with connect(f"ws://{netloc}/api/live", compression=None) as viewer:
        from_s = time.monotonic() + _WARM_UP_S
        while time.monotonic() < from_s + seconds:
            pictures += isinstance(viewer.recv(10), bytes) and time.monotonic() >= from_s
    return pictures


def _measure(viewers: int, seconds: float) -> None:
    folder = Path(tempfile.mkdtemp())
    clock = MonotonicClock()
    pantel = str(Path(sys.executable).with_name("pantel"))
    with ExitStack() as stack:
        modem = stack.enter_context(PtyNullModem(ChannelSettings()))
        far = str(modem.far_path)
        port = stack.enter_context(reconnecting(open_port(far), lambda: open_port(far), clock))
        config = ReceiverConfig.model_validate({"web": "127.0.0.1:0", "state_dir": folder})
        page = open_page(config, clock=clock, stack=stack)
        assert page is not None
        receiver = Receiver(port=port, link=LinkReceiver(), sinks=[], view=View.PERCEPTUAL, watchers=(page.hub,))
        core = _Timed(WatchedReceiver(receiver, [page.hub]).advance)
        options = ("--camera=test", "--detector=none", "--log-level=warning", f"--state-dir={folder}")
        sender = subprocess.Popen([pantel, "send", f"--port={modem.near_path}", *options])
        stack.callback(sender.wait)
        stack.callback(sender.terminate)
        asked = (f"--watch={page.host}:{page.port}", f"--viewers={viewers}", f"--seconds={seconds}")
        watching = subprocess.Popen([sys.executable, "-m", "tests.device.web.load", *asked])
        stack.callback(watching.wait)
        until_ns = clock.now_ns() + round((_WARM_UP_S + seconds) * 1e9)
        from_s = clock.now_ns() / 1e9 + _WARM_UP_S
        run(core, clock, lambda now_ns: now_ns >= until_ns)
    steps_ms = 1e3 * np.array([step[1:] for step in core.steps_s if step[0] >= from_s])
    middle, late, last = np.percentile(steps_ms[:, 0], (50, 99, 100))
    busy, worked = steps_ms.sum(axis=0) / 1e3 / seconds
    sys.stdout.write(
        f"{viewers} viewers, {len(steps_ms)} steps: median {middle:.2f} ms, 99 % {late:.1f} ms, longest {last:.1f} ms; "
        f"in them {busy:.1%} of the time, {worked:.1%} of a processor\n"
    )


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--watch", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.watch is None:
        _measure(arguments.viewers, arguments.seconds)
    elif arguments.viewers:
        with ThreadPoolExecutor(arguments.viewers) as pool:
            seen = list(pool.map(lambda _: _watch(arguments.watch, arguments.seconds), range(arguments.viewers)))
        rates = ", ".join(f"{pictures / arguments.seconds:.1f}" for pictures in seen)
        sys.stdout.write(f"pictures a second of each viewer: {rates}\n")


if __name__ == "__main__":
    main()

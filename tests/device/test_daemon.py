"""The daemons' loop and the boot epoch, and both daemons over a real pseudo-terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import cv2
import pytest

from pantel_device.command import CommandError
from pantel_device.daemon import run, run_daemon, stop_on_signals
from pantel_device.sending.boot_epoch import next_boot_epoch
from pantel_link import ChannelSettings, MonotonicClock, PtyNullModem, VirtualClock

_PANTEL = Path(sys.executable).with_name("pantel")
_MS = 1_000_000


class _Core:
    """Is due again after a constant time, and notes when it was asked."""

    def __init__(self, interval_ns: int) -> None:
        self.asked_ns: list[int] = []
        self._interval_ns = interval_ns

    def advance(self, now_ns: int) -> int:
        self.asked_ns.append(now_ns)
        return now_ns + self._interval_ns


@pytest.mark.parametrize(
    ("interval_ns", "step_ns"),
    [(0, 1 * _MS), (5 * _MS, 5 * _MS), (10_000 * _MS, 20 * _MS)],
    ids=["never spins", "on time", "looks at the port"],
)
def test_the_loop_sleeps_as_long_as_it_may(interval_ns: int, step_ns: int) -> None:
    core = _Core(interval_ns)
    run(core, VirtualClock(), lambda now_ns: now_ns >= 100 * _MS)
    assert core.asked_ns == list(range(0, 100 * _MS, step_ns))


def test_a_daemon_ends_after_its_time() -> None:
    core = _Core(_MS)
    clock = VirtualClock(start_ns=7 * _MS)
    run_daemon(core, clock, seconds=0.05)
    assert clock.now_ns() == 57 * _MS


def test_a_daemon_ends_when_its_core_has_finished() -> None:
    core = _Core(_MS)
    run_daemon(core, VirtualClock(), finished=lambda: len(core.asked_ns) == 3)
    assert len(core.asked_ns) == 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_daemon_in_order(number: signal.Signals) -> None:
    before = signal.getsignal(number)

    class Signalled(_Core):
        def advance(self, now_ns: int) -> int:
            if len(self.asked_ns) == 2:
                os.kill(os.getpid(), number)
            return super().advance(now_ns)

    core = Signalled(_MS)
    run_daemon(core, MonotonicClock(), seconds=10)
    assert len(core.asked_ns) == 3
    assert signal.getsignal(number) is before


def test_handlers_are_put_back_after_an_error() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(RuntimeError), stop_on_signals():
        raise RuntimeError
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_boot_epoch_is_new_every_time(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "pantel"
    first = next_boot_epoch(folder)
    assert abs(first - (time.time_ns() // 10**9 - 1_577_836_800) // 60) < 2
    assert [next_boot_epoch(folder) for _ in range(3)] == [first + 1, first + 2, first + 3]
    assert (folder / "boot_epoch").read_text() == f"{first + 3}\n"


def test_the_boot_epoch_never_falls_back(tmp_path: Path) -> None:
    (tmp_path / "boot_epoch").write_text(f"{2**24 - 1}\n")
    with pytest.raises(CommandError, match="has reached its end"):
        next_boot_epoch(tmp_path)
    assert (tmp_path / "boot_epoch").read_text() == f"{2**24 - 1}\n"


def test_senders_that_start_together_get_different_epochs(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        epochs = list(pool.map(next_boot_epoch, [tmp_path] * 24))
    assert len(set(epochs)) == 24


@pytest.mark.parametrize("damaged", ["", "yesterday", "9" * 40 + "\n", "\0\0\0\0", "345", "345\0\0\0\0\0", "-1\n"])
def test_a_damaged_boot_epoch_begins_again(damaged: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "boot_epoch").write_text(damaged)
    assert abs(next_boot_epoch(tmp_path) - (time.time_ns() // 10**9 - 1_577_836_800) // 60) < 2
    assert "boot epoch damaged" in caplog.text


def test_a_boot_epoch_that_cannot_be_kept(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match="set state_dir to a folder that is yours"):
        next_boot_epoch(tmp_path / "file")


@contextmanager
def _daemon(*argv: str, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "XDG_STATE_HOME": str(cwd / "state")}
    with subprocess.Popen(
        [_PANTEL, *argv], cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def test_a_picture_crosses_a_pseudo_terminal(tmp_path: Path) -> None:
    events, picture = tmp_path / "events.jsonl", tmp_path / "newest.png"
    with (
        PtyNullModem(ChannelSettings()) as modem,
        _daemon(
            "receive", f"--port={modem.far_path}", f"--events={events}", f"--picture={picture}", "--web=",
            "--playout-delay-s=0", cwd=tmp_path,
        ) as receiver,
    ):  # fmt: skip
        assert receiver.stderr is not None
        assert "receiving port=" in receiver.stderr.readline()  # or it would miss the first IDENT
        with _daemon("send", f"--port={modem.near_path}", "--camera=test:7", "--size-px=96x64", cwd=tmp_path) as sender:
            deadline_s = time.monotonic() + 20
            while not picture.exists() and time.monotonic() < deadline_s:
                assert receiver.poll() is None, receiver.communicate()
                assert sender.poll() is None, sender.communicate()
                time.sleep(0.05)
            for process in (sender, receiver):
                process.send_signal(signal.SIGTERM)
                out, err = process.communicate(timeout=10)
                assert (process.returncode, out) == (0, "")
                assert "stopped reason=SIGTERM" in err
    shown = cv2.imread(str(picture))
    assert shown is not None
    assert shown.shape == (64, 96, 3)
    heard = json.loads(events.read_text().splitlines()[0])
    assert (heard["kind"], heard["callsign"], heard["width_px"]) == ("sender_heard", "N0CALL", 96)
    assert heard["epoch"] == int((tmp_path / "state" / "pantel" / "boot_epoch").read_text())

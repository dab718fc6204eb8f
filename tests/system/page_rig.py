"""A real receiver with its page, and a real sender of the bundled scene: two programs and a pseudo-terminal."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["PageRig", "end", "free_port", "live_rig"]

_COMMAND = [sys.executable, "-c", "from pantel_device.cli import main; raise SystemExit(main())"]
_STARTS_S = 60.0
_ZONE = '[{"name": "gate", "kind": "alarm", "polygon": [[0, 0], [1, 0], [1, 1], [0, 1]]}]'


def free_port() -> int:
    """Return a TCP port of this machine that nobody uses."""
    with socket.socket() as candidate:
        candidate.bind(("127.0.0.1", 0))
        port: int = candidate.getsockname()[1]
        return port


def _pantel(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a command; what it logs is appended to `COMMAND.log`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PANTEL_")}
    with (folder / f"{arguments[0]}.log").open("ab") as log:
        return subprocess.Popen(
            [*_COMMAND, *arguments],
            cwd=folder,
            env=environment | {"OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=log,
        )


class PageRig:
    """A receiver that can be stopped and started again, at one address.

    Args:
        folder: For files of both ends.
        line: Port of the receiver.
        options: More options of `pantel receive`.

    Attributes:
        url: Of the page.
        sender: That is heard, if there is one.
    """

    sender: subprocess.Popen[bytes] | None = None

    def __init__(self, folder: Path, line: str, *options: str) -> None:
        self._folder = folder
        web = f"127.0.0.1:{free_port()}"
        self.url = f"http://{web}"
        self._arguments = (
            "receive", f"--port={line}", "--picture=", "--events=", f"--web={web}",
            f"--state-dir={folder / 'receiver'}", *options,
        )  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the receiver and wait until its page answers."""
        self._process = _pantel(self._folder, *self._arguments)
        deadline_s = time.monotonic() + _STARTS_S
        while not self._answers():
            assert self._process.poll() is None, (self._folder / "receive.log").read_text()
            assert time.monotonic() < deadline_s, "the page does not answer"
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop the receiver as systemd does."""
        if self._process is not None:
            end(self._process)
            self._process = None

    def _answers(self) -> bool:
        with suppress(OSError), urllib.request.urlopen(f"{self.url}/health", timeout=5) as response:  # noqa: S310
            return bool(response.status == 200)
        return False


@contextmanager
def _sending(folder: Path, line: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a sender, which sends the bundled scene from a pseudo-terminal until the context is left.

    It goes by motion alone: a small machine has three programs and a browser to run.
    """
    sender = _pantel(
        folder, "send", f"--port=pty:{line}", "--camera=test", "--callsign=K1ABC", f"--zones={_ZONE}",
        f"--state-dir={folder / 'sender'}", "--detector=none", *options,
    )  # fmt: skip
    try:
        deadline_s = time.monotonic() + _STARTS_S
        while not line.exists():
            assert sender.poll() is None, (folder / "send.log").read_text()
            assert time.monotonic() < deadline_s, "the sender does not start"
            time.sleep(0.1)
        yield sender
    finally:
        end(sender)


@contextmanager
def live_rig(folder: Path, *, sending: Sequence[str] = (), receiving: Sequence[str] = ()) -> Iterator[PageRig]:
    """Yield a receiver that hears a sender, with keys and a back-channel.

    Args:
        folder: For files of both ends.
        sending: More options of `pantel send`.
        receiving: More options of `pantel receive`.
    """
    for arguments in (
        ("new", "master.key"),
        ("derive", "master.key", "mast.key", "--callsign=K1ABC"),
        ("begin", "mast.key", f"--state-dir={folder / 'sender'}"),
    ):
        subprocess.run([*_COMMAND, "key", *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    line = folder / "line"
    options = ("--key-file=mast.key", "--back-channel=true", "--telemetry-interval-s=20", *sending)
    with _sending(folder, line, *options) as sender:
        options = ("--key-file=master.key", "--back-channel=true", f"--stills={folder / 'stills'}", *receiving)
        rig = PageRig(folder, str(line), *options)
        rig.sender = sender
        rig.start()
        try:
            yield rig
        finally:
            rig.stop()


def end(process: subprocess.Popen[bytes]) -> None:
    """End a program in order, and if it does not, at once."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

"""Modem programs as processes, joined by audio: for each a line with a port at either end, opened as a user would."""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import socket
import struct
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pantel_bench.errors import ModemError
from pantel_bench.modem.audio import SAMPLES_HZ, AudioCable
from pantel_link import MonotonicClock, Port, PortError, open_port
from pantel_link.ports.pty import PtyPort

__all__ = ["MODEMS", "ModemLine", "direwolf_line", "minimodem_line", "need"]

_AIR_BAUD = 1200
_KISS = "kiss+tcp://127.0.0.1:{}?txdelay_ms=100&txtail_ms=50&persistence=255&slot_ms=10"
_CALLSIGN = "N0CALL-7"  # never leaves the machine
# Declared once, from runs of 20 s (docs/benchmarks.md).
_MINIMODEM_DELAY_NS = 200_000_000  # what both programs and the pipes between them hold of the audio
_DIREWOLF_DELAY_NS = 0  # some tens of milliseconds, and TXTAIL, which counts and is over later, as many less
_CONNECT_TRIES = 400
_RETRY_S = 0.05
_AHEAD_OCTETS = 4096  # of audio that a program may be ahead of the line: 43 ms, one page, the least that a pipe has


@dataclass(frozen=True, slots=True)
class ModemLine:
    """A line from one port to another through modems.

    Attributes:
        near: Where to write.
        far: Where it arrives.
        delay_ns: How much later than on a line that is as fast as the sender thinks. A receiver cannot measure it.
    """

    near: Port
    far: Port
    delay_ns: int


@contextmanager
def minimodem_line(folder: Path, snr_db: float | None, seed: int) -> Iterator[ModemLine]:
    """Join two minimodems, 1200 baud Bell 202, by audio: octets may be lost or wrong.

    Args:
        folder: Empty, for the programs' files.
        snr_db: Of the audio, see `AudioCable`; None for no noise.
        seed: Of the noise.

    Raises:
        ModemError: The program is missing or does not start.
    """
    need("minimodem")
    air, ears = folder / "air.fifo", folder / "ears.wav"
    source, sink = _pipe(air), _pipe(ears)
    with ExitStack() as stack:
        stack.callback(os.close, source)
        stack.callback(os.close, sink)
        os.write(sink, _wav_header())
        near, far = stack.enter_context(PtyPort()), stack.enter_context(PtyPort())  # as the URL pty: opens them
        sound = _alsa(folder, "default", air)
        mouth = stack.enter_context(near.path.open("rb", buffering=0))
        transmit = ["--tx", "--alsa", "--tx-carrier", "--volume", "0.25", str(_AIR_BAUD)]
        stack.enter_context(_program(folder, "minimodem", transmit, sound, stdin=mouth.fileno()))
        heard = stack.enter_context(far.path.open("wb", buffering=0))
        receive = ["--rx", "--quiet", "--file", str(ears), str(_AIR_BAUD)]
        stack.enter_context(_program(folder, "minimodem", receive, sound, stdout=heard.fileno()))
        stack.enter_context(AudioCable(source, sink, carrier=True, snr_db=snr_db, seed=seed))
        yield ModemLine(near, far, _MINIMODEM_DELAY_NS)


@contextmanager
def direwolf_line(folder: Path, snr_db: float | None, seed: int) -> Iterator[ModemLine]:
    """Join two direwolfs, AX.25 at 1200 bit/s, by audio, with ports that speak KISS by TCP: packets arrive whole.

    Args:
        folder: Empty, for the programs' files.
        snr_db: Of the audio, see `AudioCable`; None for no noise.
        seed: Of the noise.

    Raises:
        ModemError: The program is missing or does not start.
    """
    need("direwolf")
    air = folder / "air.fifo"
    source = _pipe(air)
    ears, sink = os.pipe()
    with ExitStack() as stack:
        for descriptor in (source, sink, ears):
            stack.callback(os.close, descriptor)
        sound = _alsa(folder, "tofile", air)
        silence = _free_port(socket.SOCK_DGRAM)  # direwolf wants to hear something, even one that only speaks
        urls = []
        for name, audio, stdin in (("receiver", "stdin null", ears), ("transmitter", f"udp:{silence} tofile", None)):
            number = _free_port(socket.SOCK_STREAM)
            configuration = folder / f"{name}.conf"
            configuration.write_text(
                f"ADEVICE {audio}\nARATE {SAMPLES_HZ}\nCHANNEL 0\nMYCALL N0CALL\nMODEM {_AIR_BAUD}\nAGWPORT 0\n"
                f"KISSPORT {number}\n"
            )
            options = ["-c", str(configuration), "-t", "0", "-q", "hd"]
            stack.enter_context(_program(folder, "direwolf", options, sound, stdin=stdin))
            urls.append(_KISS.format(number))
        stack.enter_context(AudioCable(source, sink, carrier=False, snr_db=snr_db, seed=seed))
        far, near = (stack.enter_context(_connect(url)) for url in urls)
        yield ModemLine(near, far, _DIREWOLF_DELAY_NS)


MODEMS: Mapping[str, Callable[[Path, float | None, int], AbstractContextManager[ModemLine]]] = {
    "minimodem": minimodem_line,
    "direwolf": direwolf_line,
}


def need(program: str) -> None:
    """Refuse to go on without a program.

    Raises:
        ModemError: It is not installed; the message says how to get it.
    """
    if shutil.which(program) is None:
        raise ModemError(f"{program} is not installed: sudo apt-get install {program}")


@contextmanager
def _program(
    folder: Path,
    program: str,
    options: list[str],
    environment: Mapping[str, str],
    *,
    stdin: int | None = None,
    stdout: int | None = None,
) -> Iterator[None]:
    """Run a program; it is gone when the context is left. What it says goes to a file in the folder.

    Raises:
        ModemError: It ended by itself; the message is its last words.
    """
    words = folder / f"{program}.log"
    with words.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - a modem that we name
            [program, *options],
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=log if stdout is None else stdout,
            stderr=log,
            cwd=folder,
            env=os.environ | environment,
        )
    try:
        yield
        if process.poll() is not None:
            said = words.read_text(errors="replace").strip() or "nothing"
            raise ModemError(f"{program} ended with code {process.returncode} and said {said.splitlines()[-1]}")
    finally:
        process.kill()
        process.wait()


def _pipe(path: Path) -> int:
    """Make a named pipe for audio and return a descriptor that keeps both its ends open."""
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDWR)
    fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _AHEAD_OCTETS)
    return descriptor


def _alsa(folder: Path, name: str, air: Path) -> Mapping[str, str]:
    """Return the environment in which a sound card of a name writes its samples to a pipe."""
    file = folder / "asound.conf"
    file.write_text(
        f'pcm.null {{ type null }}\npcm.{name} {{ type file slave.pcm "null" file "{air}" format "raw" }}\n'
    )
    return {"ALSA_CONFIG_PATH": str(file)}


def _wav_header() -> bytes:
    """Return the beginning of a WAV file of unknown length."""
    octets = 2 * SAMPLES_HZ
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, SAMPLES_HZ, octets, 2, 16)
    return struct.pack("<4sI4s", b"RIFF", 0x7FFF_FFFF, b"WAVE") + form + struct.pack("<4sI", b"data", 0x7FFF_FF00)


def _free_port(kind: socket.SocketKind) -> int:
    """Return a free port number that direwolf accepts: above 49151, where the kernel takes them from, it does not."""
    for number in random.sample(range(20_000, 32_000), 100):
        with socket.socket(socket.AF_INET, kind) as candidate, suppress(OSError):
            candidate.bind(("127.0.0.1", number))
            return number
    raise ModemError("a hundred port numbers are taken")


def _connect(url: str) -> Port:
    """Open a port of a program that may only be starting.

    Raises:
        ModemError: It does not answer.
    """
    clock = MonotonicClock()
    for _ in range(_CONNECT_TRIES):
        try:
            return open_port(url, callsign=_CALLSIGN)
        except PortError:
            clock.sleep(_RETRY_S)
    raise ModemError(f"direwolf does not serve {url}")

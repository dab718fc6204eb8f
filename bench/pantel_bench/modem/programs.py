"""Modem programs as processes, joined by audio: for each a line with a port at either end, opened as a user would."""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import socket
import struct
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from pantel_bench.errors import ModemError
from pantel_bench.modem.audio import SAMPLES_HZ, AudioCable
from pantel_link import MonotonicClock, Port, PortError, open_port
from pantel_link.ports.pty import PtyPort

__all__ = ["MODEMS", "ModemLine", "direwolf_line", "minimodem_line", "need"]

_AIR_BAUD = 1200
_KISS = "kiss+tcp://127.0.0.1:{}?txdelay_ms=100&txtail_ms=50&persistence=255&slot_ms=10"
_CALLSIGN = "N0CALL-7"  # never leaves the machine
# Declared once, from runs of 20 s (docs/benchmarks.md).
_MINIMODEM_DELAY_NS = 220_000_000  # of the audio that both programs and the pipes between them hold
_DIREWOLF_DELAY_NS = 0  # some tens of milliseconds, and TXTAIL, which counts and is over later, as many less
_CONNECT_TRIES = 400
_RETRY_S = 0.05
_AHEAD_OCTETS = 4096  # of audio that a program may be ahead of the line: 43 ms, one page, the least that a pipe has


class _Program:
    """A program that runs while the context is entered.

    Args:
        words: File for what it says.
        command: Its name and options.
        environment: What it finds besides ours.
        stdin: Descriptor; None for nothing.
        stdout: Descriptor; None for the file.
    """

    def __init__(
        self,
        words: Path,
        command: Sequence[str],
        environment: Mapping[str, str] = MappingProxyType({}),
        *,
        stdin: int | None = None,
        stdout: int | None = None,
    ) -> None:
        self._words = words
        self._name = command[0]
        with words.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - a modem that we name
                command,
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=log if stdout is None else stdout,
                stderr=log,
                cwd=words.parent,
                env=os.environ | environment,
            )

    def check(self) -> None:
        """Go on only while it runs.

        Raises:
            ModemError: It has ended; the message is its last words.
        """
        if self._process.poll() is not None:
            said = self._words.read_text(errors="replace").strip() or "nothing"
            raise ModemError(f"{self._name} ended with code {self._process.returncode}: {said.splitlines()[-1]}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()


@dataclass(frozen=True, slots=True)
class ModemLine:
    """A line from one port to another through modems.

    Attributes:
        near: Where to write.
        far: Where it arrives.
        cable: Between the modems; it tells what time it is on the line.
        programs: The modems.
        delay_ns: How much later all arrives than on a line that is as fast as its port says. A receiver cannot
            measure it.
    """

    near: Port
    far: Port
    cable: AudioCable
    programs: tuple[_Program, ...]
    delay_ns: int

    def check(self) -> None:
        """Go on only while all programs run.

        Raises:
            ModemError: One has ended; the message is its last words.
        """
        for program in self.programs:
            program.check()


@contextmanager
def minimodem_line(folder: Path, snr_db: float | None, seed: int) -> Iterator[ModemLine]:
    """Join two minimodems, 1200 baud Bell 202, by audio: octets may be lost or wrong.

    Args:
        folder: Empty, for the programs' files.
        snr_db: Of the audio, see `AudioCable`; None for no noise.
        seed: Of the noise.

    Raises:
        ModemError: The program is missing.
    """
    need("minimodem")
    with ExitStack() as stack:
        air, ears = folder / "air.fifo", folder / "ears.wav"
        source, sink = (_pipe(path, stack) for path in (air, ears))
        os.write(sink, _wav_header())
        near, far = stack.enter_context(PtyPort()), stack.enter_context(PtyPort())  # as the URL pty: opens them
        mouth = stack.enter_context(near.path.open("rb", buffering=0))
        heard = stack.enter_context(far.path.open("wb", buffering=0))
        sound = _alsa(folder, "default", air)
        transmit = ["minimodem", "--tx", "--alsa", "--tx-carrier", "--volume", "0.25", str(_AIR_BAUD)]
        receive = ["minimodem", "--rx", "--quiet", "--file", str(ears), str(_AIR_BAUD)]
        programs = (
            stack.enter_context(_Program(folder / "receiver.log", receive, stdout=heard.fileno())),
            stack.enter_context(_Program(folder / "transmitter.log", transmit, sound, stdin=mouth.fileno())),
        )
        cable = AudioCable(source, sink, carrier=True, snr_db=snr_db, seed=seed)
        yield ModemLine(near, far, cable, programs, _MINIMODEM_DELAY_NS)


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
    with ExitStack() as stack:
        air, ears = folder / "air.fifo", folder / "ears.fifo"
        source, sink = (_pipe(path, stack) for path in (air, ears))
        stdin = os.open(ears, os.O_RDONLY)  # a description of its own, which stays blocking
        stack.callback(os.close, stdin)
        sound = _alsa(folder, "tofile", air)
        silence = _free_port(socket.SOCK_DGRAM)  # direwolf wants to hear something, even one that only speaks
        programs, ports = [], []
        for name, audio, ear in (("receiver", "stdin null", stdin), ("transmitter", f"udp:{silence} tofile", None)):
            number = _free_port(socket.SOCK_STREAM)
            configuration = folder / f"{name}.conf"
            configuration.write_text(
                f"ADEVICE {audio}\nARATE {SAMPLES_HZ}\nCHANNEL 0\nMYCALL N0CALL\nMODEM {_AIR_BAUD}\nAGWPORT 0\n"
                f"KISSPORT {number}\n"
            )
            command = ["direwolf", "-c", str(configuration), "-t", "0", "-q", "hd"]
            program = stack.enter_context(_Program(folder / f"{name}.log", command, sound, stdin=ear))
            programs.append(program)
            ports.append(stack.enter_context(_connect(_KISS.format(number), program)))
        far, near = ports
        cable = AudioCable(source, sink, carrier=False, snr_db=snr_db, seed=seed)
        yield ModemLine(near, far, cable, tuple(programs), _DIREWOLF_DELAY_NS)


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


def _pipe(path: Path, stack: ExitStack) -> int:
    """Make a named pipe for audio and return a descriptor that keeps both its ends open until the stack is left."""
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDWR)
    stack.callback(os.close, descriptor)
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


def _connect(url: str, program: _Program) -> Port:
    """Open a port of a program that may only be starting.

    Raises:
        ModemError: It ends or does not answer.
    """
    clock = MonotonicClock()
    for _ in range(_CONNECT_TRIES):
        try:
            return open_port(url, callsign=_CALLSIGN)
        except PortError:
            program.check()
            clock.sleep(_RETRY_S)
    raise ModemError(f"direwolf does not serve {url}")

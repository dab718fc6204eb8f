"""Packets through two direwolf modems: one speaks Bell 202 into a FIFO, the other hears it, with noise if we add some.

The signal-to-noise ratio is that of the root mean squares of signal and noise over the whole band of 24 kHz,
as everywhere in this project: white Gaussian noise at -2 dB is 1.26 times as strong as the tones.
"""

from __future__ import annotations

import math
import os
import random
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
from tests.real_parts import needs_program

from pantel_link import MonotonicClock, PortError, open_port
from pantel_link.ports import PacketPort

pytestmark = [
    pytest.mark.real,
    needs_program("direwolf"),
]

PACKETS = [bytes([index]) + np.random.default_rng(index).bytes(47) for index in range(40)]
SAMPLES_HZ = 48_000
CLOCK = MonotonicClock()


class NoisyAir(threading.Thread):
    """Carries samples from the transmitting modem to the hearing one, and adds noise.

    Args:
        source: Where samples come from; they end when nobody holds the FIFO open for writing any more.
        sink: Where they go.
        snr_db: Root mean square of the signal to that of the noise; None adds no noise.
    """

    def __init__(self, source: int, sink: int, snr_db: float | None) -> None:
        super().__init__(daemon=True)
        self._source, self._sink, self._snr_db = source, sink, snr_db
        self._random = np.random.default_rng(1)
        self._noise_rms = 0.0

    def run(self) -> None:
        rest = b""
        while octets := os.read(self._source, 1 << 15):
            octets = rest + octets
            whole = len(octets) // 2 * 2
            rest = octets[whole:]
            try:
                self._carry(np.frombuffer(octets[:whole], np.int16).astype(np.float64))
            except BrokenPipeError:
                return

    def _carry(self, samples: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
        if self._snr_db is not None:
            rms = math.sqrt(float(np.mean(samples**2)))  # the tones are as strong everywhere
            self._noise_rms = max(self._noise_rms, rms * 10 ** (-self._snr_db / 20))
            samples = (samples + self._random.normal(0.0, self._noise_rms, samples.size)) / 4  # so nothing is clipped
        sent = samples.clip(-32768, 32767).astype(np.int16).tobytes()
        while sent:
            sent = sent[os.write(self._sink, sent) :]


def free_port(kind: socket.SocketKind) -> int:
    """Return a free port number that direwolf accepts: above 49151, where the kernel takes them from, it does not."""
    for number in random.sample(range(20_000, 32_000), 100):
        with socket.socket(socket.AF_INET, kind) as candidate, suppress(OSError):
            candidate.bind(("127.0.0.1", number))
            return number
    raise AssertionError("a hundred port numbers are taken")


@contextmanager
def modem(folder: Path, name: str, audio: str, port: int, *options: str, ears: int | None) -> Iterator[None]:
    """Run a direwolf; `ears` is the descriptor that it reads samples from."""
    configuration = folder / f"{name}.conf"
    configuration.write_text(
        f"ADEVICE {audio}\nARATE {SAMPLES_HZ}\nCHANNEL 0\nMYCALL N0CALL\nMODEM 1200\nAGWPORT 0\nKISSPORT {port}\n"
    )
    with (
        (folder / f"{name}.log").open("wb") as log,
        subprocess.Popen(
            ["direwolf", "-c", str(configuration), "-t", "0", "-q", "hd", *options],
            stdin=subprocess.DEVNULL if ears is None else ears,
            stdout=log,
            stderr=log,
            cwd=folder,
            env=os.environ | {"ALSA_CONFIG_PATH": str(folder / "asound.conf")},
        ) as process,
    ):
        try:
            yield
        finally:
            process.kill()


def connect(url: str) -> PacketPort:
    for _ in range(200):
        try:
            port = open_port(url, callsign="N0CALL-7")
        except PortError:
            CLOCK.sleep(0.05)
            continue
        assert isinstance(port, PacketPort)
        return port
    raise AssertionError(f"direwolf does not serve {url}")


@contextmanager
def two_modems(folder: Path, snr_db: float | None, *options: str) -> Iterator[tuple[PacketPort, PacketPort]]:
    """Yield the port that transmits and the one that hears."""
    fifo = folder / "air.fifo"
    os.mkfifo(fifo)
    (folder / "asound.conf").write_text(
        f'pcm.null {{ type null }}\npcm.tofile {{ type file slave.pcm "null" file "{fifo}" format "raw" }}\n'
    )
    transmitter, receiver = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_STREAM)
    silence = free_port(socket.SOCK_DGRAM)  # direwolf wants to hear something, even one that only speaks
    hold = os.open(fifo, os.O_RDWR)  # so that opening waits for nobody
    source = os.open(fifo, os.O_RDONLY)
    ears, sink = os.pipe()
    air = NoisyAir(source, sink, snr_db)
    with ExitStack() as stack:
        stack.callback(os.close, sink)
        stack.callback(os.close, source)
        stack.callback(air.join)
        stack.callback(os.close, ears)
        stack.callback(os.close, hold)
        air.start()
        stack.enter_context(modem(folder, "receiver", "stdin null", receiver, ears=ears))
        stack.enter_context(modem(folder, "transmitter", f"udp:{silence} tofile", transmitter, *options, ears=None))
        url = "kiss+tcp://127.0.0.1:{}?txdelay_ms=100&txtail_ms=50&persistence=255&slot_ms=10"
        yield (
            stack.enter_context(connect(url.format(transmitter))),
            stack.enter_context(connect(url.format(receiver))),
        )


def heard(transmitter: PacketPort, receiver: PacketPort) -> list[bytes]:
    """Send all packets, and return those that are heard until ten seconds are silent."""
    for packet in PACKETS:
        assert transmitter.write(packet) == len(packet)
    packets: list[bytes] = []
    silent_s = 0.0
    while len(packets) < len(PACKETS) and silent_s < 10.0:
        transmitter.read(256)
        if packet := receiver.read(256):
            packets.append(packet)
            silent_s = 0.0
        else:
            CLOCK.sleep(0.02)
            silent_s += 0.02
    return packets


def test_every_packet_crosses_a_clean_channel(tmp_path: Path) -> None:
    with two_modems(tmp_path, None) as ports:
        assert heard(*ports) == PACKETS


def test_error_correction_crosses_a_noisy_channel(tmp_path: Path) -> None:
    with two_modems(tmp_path, -2.0, "-X", "32") as ports:
        packets = heard(*ports)
    assert [packet for packet in PACKETS if packet in packets] == packets  # in order, whole, none twice
    assert len(packets) >= 38

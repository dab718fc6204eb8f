"""Packets through minimodem, a Bell-202 modem of 1200 baud for any radio's microphone and loudspeaker, with noise.

The signal-to-noise ratio is that of the root mean squares of signal and noise over the whole band of 24 kHz, as
everywhere in this project: at 0 dB white Gaussian noise is as strong as the tones.
"""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.real_parts import needs_program

from pantel_link import LengthClass, LinkReceiver, Packet, PacketKind, Preset, StreamContext, make_seal, wire_format
from pantel_link.framing import frame_packet

pytestmark = [
    pytest.mark.real,
    needs_program("minimodem"),
]

PACKETS = 100
SAMPLES_HZ = 48_000


def packets(preset: Preset) -> list[Packet]:
    """Return packets that fill live codewords."""
    payload_octets = wire_format(preset, LengthClass.LIVE).payload_octets
    contents = [np.random.default_rng(number).bytes(payload_octets) for number in range(PACKETS)]
    return [Packet(PacketKind.SCENE, 5, number, number * 16 % 1024, each) for number, each in enumerate(contents)]


def delivered(context: StreamContext, folder: Path, preset: Preset, snr_db: float | None, seed: int = 1) -> int:
    """Return how many packets arrive, one behind the other, at a signal-to-noise ratio; None adds no noise."""
    sent, seal = packets(preset), make_seal(context)
    line = b"".join(frame_packet(packet, seal, wire_format(preset, LengthClass.LIVE)) for packet in sent)
    path = folder / "air.wav"
    subprocess.run(
        ["minimodem", "--tx", "1200", "--volume", "0.25", "-f", str(path)], input=line, check=True, timeout=60
    )
    if snr_db is not None:
        add_noise(path, snr_db, seed)
    heard = subprocess.run(
        ["minimodem", "--rx", "1200", "-q", "-f", str(path)], stdout=subprocess.PIPE, check=True, timeout=60
    ).stdout
    received = [each.packet for each in LinkReceiver(contexts=[context]).receive(heard, 0)]
    assert [packet for packet in sent if packet in received] == received  # in order, whole, none twice
    return len(received)


def add_noise(path: Path, snr_db: float, seed: int) -> None:
    with wave.open(str(path), "rb") as file:
        shape = file.getframerate(), file.getnchannels(), file.getsampwidth()
        tones: NDArray[np.float64] = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float64)
    assert shape == (SAMPLES_HZ, 1, 2)
    speaking = tones[np.flatnonzero(tones)[0] : np.flatnonzero(tones)[-1]]
    rms = float(np.sqrt(np.mean(speaking**2)))
    noise = np.random.default_rng(seed).normal(0.0, rms * 10 ** (-snr_db / 20), tones.size)
    heard = (tones + noise).clip(-32768, 32767)  # the tones have a quarter of full scale, so hardly anything is clipped
    with wave.open(str(path), "wb") as file:
        file.setframerate(SAMPLES_HZ)
        file.setnchannels(1)
        file.setsampwidth(2)
        file.writeframes(heard.astype(np.int16).tobytes())


@pytest.mark.parametrize("preset", Preset)
def test_every_packet_crosses_a_clean_line(context: StreamContext, tmp_path: Path, preset: Preset) -> None:
    assert delivered(context, tmp_path, preset, None) == PACKETS


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_noise_as_strong_as_the_tones_costs_two_packets_of_a_hundred(
    context: StreamContext, tmp_path: Path, seed: int
) -> None:
    assert delivered(context, tmp_path, Preset.STANDARD, 0.0, seed) >= 98

"""The parts of the modem benchmark that need no modem: tapes, audio, mistakes."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_bench.commands.modem import MODEM
from pantel_bench.errors import ModemError
from pantel_bench.modem.audio import SAMPLES_HZ, AudioCable
from pantel_bench.modem.measure import ModemCase, measure_modems
from pantel_bench.modem.tape import Taped, TapingPacketPort, TapingPort, playing_port
from pantel_bench.rig.meter import LinkMeter, MeteredPort
from pantel_bench.rig.settings import RigSettings
from pantel_device.cli import main
from pantel_link import MonotonicClock, VirtualClock
from pantel_link.ports import PacketPort, packet_pair
from pantel_link.ports.kiss_port import KissPort, KissSettings
from pantel_link.ports.memory import memory_pair

KISS = KissPort("kiss", memory_pair()[0], KissSettings())
NS = 1_000_000_000


def test_octets_are_taped_and_played_at_their_times() -> None:
    clock = VirtualClock()
    port = TapingPort(clock)
    for time_ns, octets in ((0, b"ab"), (NS, b"cd")):
        clock.advance_to(time_ns)
        assert port.write(octets) == 2
        assert port.read(9) == b""
    assert port.tape == [Taped(0, b"ab"), Taped(NS, b"cd")]
    clock = VirtualClock()
    playing = playing_port(clock, port.tape, port)
    assert playing.read(1) == b"a"
    assert playing.read(9) == b"b"
    clock.advance_to(NS - 1)
    assert playing.read(9) == b""
    clock.advance_to(NS)
    assert playing.read(9) == b"cd"


def test_packets_stay_whole_and_cost_what_their_port_says() -> None:
    clock = VirtualClock()
    port = TapingPacketPort(clock, KISS)
    assert port.write(b"packet") == 6
    assert port.wire_octets(b"packet") == KISS.wire_octets(b"packet") > 6
    with pytest.raises(ValueError, match="takes 1 to 256"):
        port.write(bytes(257))
    playing = playing_port(clock, [*port.tape, Taped(0, b"longer packet"), Taped(0, b"next")], KISS)
    assert isinstance(playing, PacketPort)
    assert playing.wire_octets(b"packet") == KISS.wire_octets(b"packet")
    assert [playing.read(6) for _ in range(3)] == [b"packet", b"next", b""]
    assert playing.dropped == 1


def test_the_meter_counts_all_that_is_around_a_packet() -> None:
    clock, meter = VirtualClock(), LinkMeter()
    MeteredPort(TapingPacketPort(clock, KISS), clock, meter).write(b"packet")
    assert meter.octets == KISS.wire_octets(b"packet")
    MeteredPort(packet_pair()[0], clock, meter).write(b"abc")
    assert meter.octets == KISS.wire_octets(b"packet") + 3


def _through(samples: NDArray[np.int16], snr_db: float | None, seed: int = 0) -> NDArray[np.int16]:
    """Send samples through a cable, and return what comes out."""
    source, mouth = os.pipe()
    ears, sink = os.pipe()
    heard = bytearray()

    def listen() -> None:
        while len(heard) < samples.nbytes and (octets := os.read(ears, 1 << 16)):
            heard.extend(octets)

    listener = threading.Thread(target=listen)
    listener.start()
    with AudioCable(source, sink, carrier=False, snr_db=snr_db, seed=seed):
        sent = samples.tobytes()
        while sent:
            sent = sent[os.write(mouth, sent) :]
        listener.join(30.0)
    for descriptor in (source, mouth, ears, sink):
        os.close(descriptor)
    return np.frombuffer(bytes(heard), np.int16)


def _tone(seconds: float) -> NDArray[np.int16]:
    times = np.arange(round(seconds * SAMPLES_HZ)) / SAMPLES_HZ
    return (8000 * np.sin(2 * np.pi * 1200 * times)).astype(np.int16)


def test_audio_takes_its_time_and_is_unchanged() -> None:
    clock = MonotonicClock()
    began_ns = clock.now_ns()
    tone = _tone(0.5)
    assert np.array_equal(_through(tone, None), tone)
    assert clock.now_ns() - began_ns >= 0.45 * NS


def test_noise_is_as_strong_as_it_shall_be() -> None:
    tone = _tone(0.5)
    noise = _through(tone, 6.0).astype(np.float64) - tone
    ratio_db = 20 * np.log10(np.std(tone) / np.std(noise[SAMPLES_HZ // 10 :]))
    assert ratio_db == pytest.approx(6.0, abs=0.5)


@pytest.mark.parametrize("program", ["minimodem", "direwolf"])
def test_a_missing_program_is_named_with_its_package(
    program: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ModemError, match=f"{program} is not installed: sudo apt-get install {program}"):
        measure_modems(RigSettings(), [ModemCase(program)])
    assert main(["bench", "modem", "--modem", program]) == 1
    err = capsys.readouterr().err
    assert f"{program} is not installed" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [["--modem", "ardop"], ["--snr-db", "loud"], ["--snr-db", "nan"], ["--seconds", "0"], ["--seed", "-1"]],
)
def test_mistakes(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", MODEM.name, *arguments]) == 2
    assert arguments[1] in capsys.readouterr().err

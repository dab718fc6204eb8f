"""The parts of the modem benchmark that need no modem: tapes, audio, mistakes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_bench.commands.modem import MODEM
from pantel_bench.errors import ModemError
from pantel_bench.modem.audio import SAMPLES_HZ, AudioCable
from pantel_bench.modem.carry import carry
from pantel_bench.modem.measure import ModemCase, measure_modems
from pantel_bench.modem.programs import minimodem_line
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


@pytest.fixture
def pipes() -> Iterator[tuple[int, int, int, int]]:
    """Return where a modem speaks, where the cable hears it, where the cable speaks, and where a modem hears that."""
    source, mouth = os.pipe()
    ears, sink = os.pipe()
    yield mouth, source, sink, ears
    for descriptor in (mouth, source, sink, ears):
        os.close(descriptor)


def _tone(seconds: float) -> NDArray[np.int16]:
    times = np.arange(round(seconds * SAMPLES_HZ)) / SAMPLES_HZ
    return (8000 * np.sin(2 * np.pi * 1200 * times)).astype(np.int16)


def _heard(ears: int) -> NDArray[np.int16]:
    return np.frombuffer(os.read(ears, 1 << 20), np.int16)


def test_audio_is_unchanged_and_tells_the_time(pipes: tuple[int, int, int, int]) -> None:
    mouth, source, sink, ears = pipes
    tone = _tone(0.1)
    cable = AudioCable(source, sink, carrier=True)
    os.write(mouth, tone.tobytes()[:-1])
    cable.pass_time(0.05)
    assert cable.time_ns == NS // 20
    cable.pass_time(0.2)
    os.write(mouth, tone.tobytes()[-1:])  # half a sample waits for the other
    assert cable.time_ns < NS // 10
    cable.pass_time(0.2)
    assert cable.time_ns == NS // 10
    assert np.array_equal(_heard(ears), tone)


def test_time_stands_still_while_a_carrier_is_missing_or_nobody_reads(pipes: tuple[int, int, int, int]) -> None:
    mouth, source, sink, ears = pipes
    cable = AudioCable(source, sink, carrier=True)
    cable.pass_time(1.0)
    assert cable.time_ns == 0
    os.set_blocking(mouth, False)
    sent = 0
    for _ in range(100):  # a pipe holds less than that
        sent += os.write(mouth, _tone(0.1).tobytes())
        cable.pass_time(0.1)
        if cable.time_ns < sent * NS // (2 * SAMPLES_HZ):
            break
    stuck_ns = cable.time_ns
    cable.pass_time(0.1)
    assert cable.time_ns == stuck_ns
    _heard(ears)
    cable.pass_time(0.1)
    assert cable.time_ns > stuck_ns


def test_one_who_stops_is_silent_after_a_while(pipes: tuple[int, int, int, int]) -> None:
    mouth, source, sink, ears = pipes
    cable = AudioCable(source, sink, carrier=False)
    cable.pass_time(0.1)
    assert cable.time_ns == NS // 10  # nobody has spoken yet
    os.write(mouth, _tone(0.1).tobytes())
    cable.pass_time(0.1)
    MonotonicClock().sleep(0.15)
    cable.pass_time(0.1)
    assert cable.time_ns == 3 * NS // 10
    silence = np.zeros(SAMPLES_HZ // 10, np.int16)
    assert np.array_equal(_heard(ears), np.concatenate([silence, _tone(0.1), silence]))


def test_noise_is_as_strong_as_it_shall_be(pipes: tuple[int, int, int, int]) -> None:
    mouth, source, sink, ears = pipes
    cable = AudioCable(source, sink, carrier=True, snr_db=6.0, seed=1)
    os.write(mouth, _tone(0.5).tobytes())
    cable.pass_time(0.5)
    noise = _heard(ears).astype(np.float64) - _tone(0.5)
    assert 20 * np.log10(np.std(_tone(0.5)) / np.std(noise)) == pytest.approx(6.0, abs=0.3)


def test_a_program_that_ends_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "minimodem"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho warming up >&2\necho no sound today >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    with (
        minimodem_line(tmp_path, None, 0) as line,
        pytest.raises(ModemError, match="minimodem ended with code 3: no sound today"),
    ):
        carry([(line, [])], 1.0)


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

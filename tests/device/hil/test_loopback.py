"""The loopback test on the virtual clock: which cases good and bad lines pass."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.device.hil import lines
from tests.device.hil.rig import LIMITS, SECONDS, Cases, Rig, null_modem

from pantel_device.hil import Ends, Limits, Outcome
from pantel_link import ChannelSettings, NullModem, VirtualClock, memory_pair

ALL = (
    "line",
    "packet_loss",
    "bit_errors",
    "undetected_errors",
    "duplicates",
    "throughput",
    "latency",
    "still",
    "recovery",
)


def outcomes(cases: Cases, outcome: Outcome) -> set[str]:
    return {name for name, case in cases.items() if case.outcome is outcome}


def test_a_perfect_line_passes_all(rig: Rig) -> None:
    cases = rig.judge(null_modem())
    assert tuple(cases) == ALL
    assert outcomes(cases, Outcome.PASSED) == set(ALL)
    assert not any(case.advice for case in cases.values())


def test_the_figures_of_a_perfect_line(rig: Rig) -> None:
    measured = rig.measure(null_modem())
    line = measured.line
    assert line.packets_sent == line.packets_received == round(SECONDS * 960 / 8 / 48) + 1
    assert line.octets_sent == line.octets_received == 48 * line.packets_sent
    assert line.packet_loss == line.bit_error_rate == 0.0
    assert line.wire_bps == pytest.approx(960, rel=0.01)
    assert line.payload_bps == pytest.approx(
        960 * 33 / 48 * (line.packets_sent - 3) / (line.packets_sent - 1), rel=0.01
    )
    assert line.latency_min_s == pytest.approx(0.4, abs=0.011)
    assert line.latency_p95_s == pytest.approx(0.4, abs=0.011)
    assert line.bits_compared >= 8 * 48 * line.packets_sent
    assert measured.still is not None
    assert measured.still.symbols == measured.still.symbols_received == 6
    assert measured.still.symbols_sent in {6, 7}
    assert measured.recovery is not None
    assert measured.recovery.method == "reopen"
    assert measured.recovery.break_s == pytest.approx(1.2, abs=0.01)
    assert measured.recovery.recovery_s is not None
    assert 0.4 < measured.recovery.recovery_s < 1.7
    assert len(measured.series.t_s) == len(measured.series.latency_s) == line.packets_sent
    assert rig.steps[-2:] == ["still", "break"]


def test_a_test_can_be_repeated(rig: Rig) -> None:
    settings = ChannelSettings(bit_error_rate=1e-3, seed=3)
    assert rig.measure(null_modem(settings)) == Rig(rig.context).measure(null_modem(settings))


def test_bit_errors_are_measured_before_correction(rig: Rig) -> None:
    cases = rig.judge(null_modem(ChannelSettings(bit_error_rate=1e-3, seed=2)))
    assert outcomes(cases, Outcome.FAILED) == {"bit_errors"}
    assert "ground" in cases["bit_errors"].advice
    assert "at most 1.0e-04 is allowed" in cases["bit_errors"].text


@pytest.mark.parametrize("rate", [1e-3, 1e-2])
def test_bit_errors_that_were_too_many_to_be_corrected_count_too(rig: Rig, rate: float) -> None:
    modems = []

    def open_ends(clock: VirtualClock) -> Ends:
        modems.append(NullModem(clock, ChannelSettings(bit_error_rate=rate, seed=1)))
        return Ends(modems[-1].near, modems[-1].far)

    line = rig.measure(open_ends, seconds=60.0).line
    true = modems[0].near_to_far.statistics
    assert line.bits_compared == pytest.approx(8 * true.octets_sent, rel=0.03)
    assert line.bit_error_rate == pytest.approx(true.bits_inverted / 8 / true.octets_sent, rel=0.05)
    assert line.packet_loss is not None
    assert (line.packet_loss > 0.5) == (rate > 5e-3)


def test_limits_are_the_users(rig: Rig) -> None:
    rig.limits = Limits(max_latency_s=0.3, max_ber=1e-2, min_throughput_share=0.95)
    cases = rig.judge(null_modem(ChannelSettings(bitrate_bps=900, bit_error_rate=1e-3, seed=2)))
    assert outcomes(cases, Outcome.FAILED) == {"latency", "throughput"}
    assert "at most 0.300 s is allowed" in cases["latency"].text
    assert cases["latency"].limit == 0.3


def test_a_lossy_line(rig: Rig) -> None:
    cases = rig.judge(null_modem(ChannelSettings(loss=0.2, seed=2)), seconds=30.0)
    assert {"packet_loss", "throughput"} <= outcomes(cases, Outcome.FAILED)
    assert "whole octets are missing" in cases["packet_loss"].advice
    assert "see the case packet_loss" in cases["throughput"].advice


def test_a_line_that_loses_everything(rig: Rig) -> None:
    cases = rig.judge(lines.deaf)
    assert outcomes(cases, Outcome.FAILED) == {"line", "packet_loss"}
    assert outcomes(cases, Outcome.SKIPPED) == set(ALL) - {"line", "packet_loss"}
    assert "TX leads to RX" in cases["line"].advice
    assert cases["packet_loss"].measured == 1.0
    assert rig.steps[-2:] == ["no still", "no break"]


def test_a_port_that_takes_nothing(rig: Rig) -> None:
    cases = rig.judge(lines.full)
    assert outcomes(cases, Outcome.FAILED) == {"line"}
    assert "flow control" in cases["line"].advice
    assert cases["packet_loss"].text == "no packet left the port"


@pytest.mark.parametrize("ratio", [0.5, 2.0, 4.0, 9600 / 1200])
def test_another_baud_rate(rig: Rig, ratio: float) -> None:
    cases = rig.judge(lines.at_another_baud_rate(ratio))
    assert outcomes(cases, Outcome.FAILED) == {"packet_loss"}
    assert "one baud rate" in cases["packet_loss"].advice
    assert cases["undetected_errors"].outcome is Outcome.SKIPPED


def test_the_simulated_uart_is_one() -> None:
    octets = bytes(range(256))
    assert lines.resample(octets, 1.0) == lines.resample(octets, 1.02) == octets
    assert lines.resample(octets, 2.0) != octets


def test_a_line_slower_than_the_bit_rate(rig: Rig) -> None:
    cases = rig.judge(null_modem(ChannelSettings(bitrate_bps=480)))
    assert {"throughput", "latency"} <= outcomes(cases, Outcome.FAILED)
    rig.limits = Limits(max_latency_s=30.0)
    cases = rig.judge(null_modem(ChannelSettings(bitrate_bps=480)))
    assert outcomes(cases, Outcome.FAILED) == {"throughput"}
    assert "10 Bd for 8 bit/s" in cases["throughput"].advice


@pytest.mark.parametrize("forge", [lines.changed, lines.renumbered])
def test_a_forger_is_found(rig: Rig, forge: lines.Forge) -> None:
    cases = rig.judge(lines.forged(rig.context, forge))
    assert cases["undetected_errors"].outcome is Outcome.FAILED
    assert cases["undetected_errors"].measured == 1.0
    assert "report it" in cases["undetected_errors"].advice


def test_an_echo_is_found(rig: Rig) -> None:
    rig.limits = replace(rig.limits, max_latency_s=1.2)  # the forger holds a packet until it is complete
    cases = rig.judge(lines.forged(rig.context, lines.repeated))
    assert outcomes(cases, Outcome.FAILED) == {"duplicates"}
    assert cases["duplicates"].measured == 1.0


def test_a_line_with_a_key(rig: Rig) -> None:
    rig.authenticate()
    assert outcomes(rig.judge(null_modem()), Outcome.PASSED) == set(ALL)


def test_packets_that_travel_whole(rig: Rig) -> None:
    cases = rig.judge(lines.packets())
    assert outcomes(cases, Outcome.PASSED) == set(ALL) - {"bit_errors"}
    assert "travel whole" in cases["bit_errors"].text
    assert rig.measure(lines.packets()).line.octets_sent > 0


def test_a_repeated_packet_is_a_duplicate(rig: Rig) -> None:
    cases = rig.judge(lines.packets(repeating=True))
    assert outcomes(cases, Outcome.FAILED) == {"duplicates"}


def test_no_packet_at_all_where_packets_travel_whole(rig: Rig) -> None:
    cases = rig.judge(lines.packets(joined=False))
    assert outcomes(cases, Outcome.FAILED) == {"line", "packet_loss"}
    assert "squelch" in cases["line"].advice


def test_what_waited_in_the_port_is_thrown_away(rig: Rig) -> None:
    def open_ends(_: VirtualClock) -> Ends:
        near, far = memory_pair()
        near.write(b"from another test" * 100)
        return Ends(near, far)

    line = rig.measure(open_ends).line
    assert line.octets_received == line.octets_sent


def test_others_on_the_channel_are_counted_apart(rig: Rig) -> None:
    rig.limits = replace(rig.limits, max_latency_s=1.2)
    cases = rig.judge(lines.forged(rig.context, lines.introduced))
    assert outcomes(cases, Outcome.PASSED) == set(ALL)
    assert "heard of other senders: 1" in cases["undetected_errors"].text


def test_one_port_that_is_its_own_peer(rig: Rig) -> None:
    def open_ends(clock: VirtualClock) -> Ends:
        port = lines.LoopedPort(clock)
        return Ends(port, port)

    assert outcomes(rig.judge(open_ends), Outcome.PASSED) == set(ALL)


def test_the_limit_of_losses_says_how_much_repair_a_still_gets(rig: Rig) -> None:
    rig.limits = Limits(max_latency_s=LIMITS.max_latency_s, max_loss=0.4, max_ber=0.1)
    cases = rig.judge(null_modem(ChannelSettings(loss=0.2, seed=2)), seconds=20.0)
    assert cases["still"].outcome is Outcome.PASSED

"""The test cases: what was measured against its limit, in one line each, with what to check on the rig."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from pantel_device.hil.measurements import LineFigures, Measurements

__all__ = ["Case", "Limits", "Outcome", "judge"]

_NOTHING_ARRIVED = "no packet arrived"


class Outcome(StrEnum):
    """How a case ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a good line keeps to.

    Attributes:
        max_latency_s: Of 95 % of the packets, from the first octet to the delivery [s].
        max_loss: Share of packets. A cable loses none; so one packet of a minute may be an accident, and two of 30 s
            are not.
        max_ber: Bit error rate before correction. A cable has none; three wrong bits in 30 s at 960 bit/s are let pass.
        min_throughput_share: Share of the bit rate that arrives. What is missing beyond a tenth waits somewhere.
        max_recovery_s: From the mend until the first packet [s]. A port is looked for at most 4 s apart, and a device
            takes some seconds to appear again.
    """

    max_latency_s: float
    max_loss: float = 0.02
    max_ber: float = 1e-4
    min_throughput_share: float = 0.9
    max_recovery_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    Attributes:
        name: Short, in snake_case.
        outcome: How it ended.
        text: What was measured, or why nothing was; one line.
        advice: What to check on the rig, if it failed; one line.
        measured: The figure that counts; None if there is none.
        limit: What it was compared with; None if any difference fails.
        seconds: Time of the phase that it is the first case of [s].
    """

    name: str
    outcome: Outcome
    text: str
    advice: str = ""
    measured: float | None = None
    limit: float | None = None
    seconds: float = 0.0


def judge(measured: Measurements, limits: Limits) -> tuple[Case, ...]:
    """Return the cases, always the same ones in the same order."""
    return tuple(case(measured, limits) for case in _CASES)


def _line(measured: Measurements, _: Limits) -> Case:
    line = measured.line
    text = f"{line.octets_received} octets arrived of {line.octets_sent} sent"
    if not line.octets_sent:
        advice = "the port takes no octets: check its flow control, and whether another device holds CTS or the channel"
    elif measured.whole:
        advice = "check frequency, audio level and squelch of both radios, and that the modems are set alike"
    else:
        advice = (
            "check that TX leads to RX at both ends, that ground is joined, and that the names are those of this cable"
        )
    outcome = Outcome.PASSED if line.octets_received else Outcome.FAILED
    return Case("line", outcome, text, _if_failed(outcome, advice), float(line.octets_received), None, line.seconds)


def _packet_loss(measured: Measurements, limits: Limits) -> Case:
    line = measured.line
    if line.packet_loss is None:
        return _skipped("packet_loss", "no packet left the port")
    lost = line.packets_sent - line.packets_received
    text = f"{lost} of {line.packets_sent} packets lost ({_percent(line.packet_loss)})"
    return _at_most("packet_loss", line.packet_loss, limits.max_loss, text, _loss_advice(measured), write=_percent)


def _loss_advice(measured: Measurements) -> str:
    line = measured.line
    if not line.octets_received:
        return "nothing arrives: see the case line"
    if measured.whole:
        return "check audio level, TXDELAY, and whether others use the channel"
    if not line.packets_received and not line.bits_compared:
        return (
            "octets arrive, but none of ours: check that both ends have one baud rate and 8N1, that the level is "
            "the same (3.3 V, or RS-232, which is inverted), and ground"
        )
    if line.octets_received < 0.98 * line.octets_sent:
        return "whole octets are missing: check for a loose contact, a baud rate that is off, overruns and flow control"
    return "bits are wrong: check ground, level, length and shield of the cable, and a baud rate that is slightly off"


def _bit_errors(measured: Measurements, limits: Limits) -> Case:
    line = measured.line
    if measured.whole:
        return _skipped("bit_errors", "packets travel whole on this port, so no bits are seen")
    if line.bit_error_rate is None:
        return _skipped("bit_errors", "nothing that arrived could be recognised")
    return _at_most(
        "bit_errors",
        line.bit_error_rate,
        limits.max_ber,
        f"{line.bits_wrong} of {line.bits_compared} bits wrong before correction ({_scientific(line.bit_error_rate)})",
        "check ground, level, length and shield of the cable, and whether the baud rates differ by more than 2 %",
        write=_scientific,
    )


def _undetected_errors(measured: Measurements, _: Limits) -> Case:
    line = measured.line
    if not _anything_delivered(line):
        return _skipped("undetected_errors", _NOTHING_ARRIVED)
    foreign = f"; heard of other senders: {line.foreign_packets}" if line.foreign_packets else ""
    return _none(
        "undetected_errors",
        line.undetected_errors,
        f"{line.undetected_errors} packets passed every check and were never sent so{foreign}",
        "something makes packets anew: look for a bridge, a repeater or another sender on the line, test the memory of "
        "this machine, and otherwise report it",
    )


def _duplicates(measured: Measurements, _: Limits) -> Case:
    line = measured.line
    if not _anything_delivered(line):
        return _skipped("duplicates", _NOTHING_ARRIVED)
    return _none(
        "duplicates",
        line.packets_duplicate,
        f"{line.packets_duplicate} packets arrived more than once",
        "the line echoes: look for a second way from TX to RX, an RS-485 adapter that hears itself, or a digipeater",
    )


def _throughput(measured: Measurements, limits: Limits) -> Case:
    line = measured.line
    if line.wire_bps is None or line.wire_share is None or line.payload_bps is None:
        return _skipped("throughput", "fewer than two packets arrived")
    enough = line.wire_share >= limits.min_throughput_share
    outcome = Outcome.PASSED if enough else Outcome.FAILED
    if line.packet_loss is not None and line.packet_loss > limits.max_loss:
        advice = "packets are lost: see the case packet_loss"
    else:
        advice = (
            "the line is slower than --bitrate-bps: check the baud rate (10 Bd for 8 bit/s), flow control and TXDELAY"
        )
    text = (
        f"{line.wire_bps:.0f} bit/s on the wire ({_percent(line.wire_share)} of the bit rate), "
        f"{line.payload_bps:.0f} bit/s of payload"
    )
    limit = f"; at least {_percent(limits.min_throughput_share)} are asked for"
    return Case(
        "throughput",
        outcome,
        text if enough else text + limit,
        _if_failed(outcome, advice),
        line.wire_share,
        limits.min_throughput_share,
    )


def _latency(measured: Measurements, limits: Limits) -> Case:
    line = measured.line
    if line.latency_p95_s is None:
        return _skipped("latency", _NOTHING_ARRIVED)
    return _at_most(
        "latency",
        line.latency_p95_s,
        limits.max_latency_s,
        f"{line.latency_min_s:.3f} s at least, {line.latency_median_s:.3f} s median, "
        f"{line.latency_p95_s:.3f} s for 95 %",
        "octets wait somewhere: check the baud rate, the adapter's latency timer, buffers, TXDELAY and the load here",
        write=lambda seconds: f"{seconds:.3f} s",
    )


def _still(measured: Measurements, _: Limits) -> Case:
    still = measured.still
    if still is None:
        return _skipped("still", _NOTHING_ARRIVED)
    arrived = f"{still.symbols_received} packets of {still.symbols_sent} arrived, {still.symbols} are needed"
    if still.complete and still.exact:
        outcome, text, advice = Outcome.PASSED, f"{still.bytes} bytes, all as they were sent", ""
    elif still.complete:
        outcome, text, advice = Outcome.FAILED, f"{still.bytes} bytes, not as they were sent", "see undetected_errors"
    else:
        outcome, text, advice = Outcome.FAILED, f"incomplete: {arrived}", "as for packet_loss; long packets suffer more"
    return Case("still", outcome, text, advice, float(still.symbols_received), float(still.symbols), still.seconds)


def _recovery(measured: Measurements, limits: Limits) -> Case:
    recovery = measured.recovery
    if recovery is None:
        return _skipped("recovery", _NOTHING_ARRIVED)
    outcome, advice = Outcome.FAILED, ""
    if recovery.error:
        text, advice = recovery.error, "run the command by hand, as the user who runs the test"
    elif recovery.recovery_s is None:
        text = f"no packet within {limits.max_recovery_s:g} s after the line was mended"
        advice = "check that the device comes back by the same name (/dev/serial/by-id), and that --mend switches it on"
    elif not recovery.effective:
        text = "packets came through while the line was said to be broken"
        advice = "check that --break cuts this line, and for long enough to cost a packet"
    else:
        text = f"{recovery.recovery_s:.2f} s until the first packet, after a break of {recovery.break_s:.1f} s"
        outcome = Outcome.PASSED
    return Case("recovery", outcome, text, advice, recovery.recovery_s, limits.max_recovery_s, recovery.seconds)


_CASES: tuple[Callable[[Measurements, Limits], Case], ...] = (
    _line,
    _packet_loss,
    _bit_errors,
    _undetected_errors,
    _duplicates,
    _throughput,
    _latency,
    _still,
    _recovery,
)


def _at_most(name: str, value: float, limit: float, text: str, advice: str, *, write: Callable[[float], str]) -> Case:
    outcome = Outcome.PASSED if value <= limit else Outcome.FAILED
    if outcome is Outcome.FAILED:
        text += f"; at most {write(limit)} is allowed"
    return Case(name, outcome, text, _if_failed(outcome, advice), value, limit)


def _none(name: str, count: int, text: str, advice: str) -> Case:
    outcome = Outcome.FAILED if count else Outcome.PASSED
    return Case(name, outcome, text, _if_failed(outcome, advice), float(count), 0.0)


def _skipped(name: str, reason: str) -> Case:
    return Case(name, Outcome.SKIPPED, reason)


def _anything_delivered(line: LineFigures) -> bool:
    return bool(line.packets_received or line.undetected_errors or line.packets_duplicate)


def _if_failed(outcome: Outcome, advice: str) -> str:
    return advice if outcome is Outcome.FAILED else ""


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _scientific(value: float) -> str:
    return f"{value:.1e}" if value else "0"

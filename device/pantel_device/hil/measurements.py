"""What a loopback test has measured; docs/reports.md says what each figure is and how it is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from statistics import median

__all__ = ["LineFigures", "Measurements", "RecoveryFigures", "Series", "StillFigures", "latency_figures"]


@dataclass(frozen=True, slots=True)
class Series:
    """Latency of each packet of the payload phase; both lists are of equal length.

    Attributes:
        t_s: When its first octet left, since the start of the phase [s].
        latency_s: From its first octet to its delivery [s]; None if it never arrived.
    """

    t_s: Sequence[float] = ()
    latency_s: Sequence[float | None] = ()


@dataclass(frozen=True, slots=True)
class LineFigures:
    """Packets in the payload phase, but for those figures that say otherwise.

    Attributes:
        seconds: Length of the phase [s].
        octets_sent: That the port accepted; where packets travel whole, what they cost on their way.
        octets_received: The same, received; whatever they were.
        packets_sent: Packets that left completely, IDENT included.
        packets_received: Those of them that arrived intact.
        packet_loss: Share of them that did not; None if none was sent.
        wire_bps: Wire octets of the packets that arrived, from the first arrival to the last [bit/s]; None below two.
        wire_share: The same over the bit rate of the link.
        payload_bps: Their payload octets over that time [bit/s].
        bits_compared: Bits of the codewords that were recognised, before the break.
        bits_wrong: Wrong bits among them, before error correction.
        bit_error_rate: Their share; None where there are none, or packets travel whole.
        latency_min_s: Least time from a packet's first octet to its delivery [s].
        latency_median_s: Median of it [s].
        latency_p95_s: The time that 95 % of the packets keep to [s].
        packets_duplicate: Packets that came more than once, in all of the test.
        undetected_errors: Packets that passed every check and were never sent so, in all of the test.
        foreign_packets: Packets of other streams, in all of the test.
    """

    seconds: float
    octets_sent: int
    octets_received: int
    packets_sent: int
    packets_received: int
    packet_loss: float | None
    wire_bps: float | None
    wire_share: float | None
    payload_bps: float | None
    bits_compared: int
    bits_wrong: int
    bit_error_rate: float | None
    latency_min_s: float | None
    latency_median_s: float | None
    latency_p95_s: float | None
    packets_duplicate: int
    undetected_errors: int
    foreign_packets: int


@dataclass(frozen=True, slots=True)
class StillFigures:
    """The known still.

    Attributes:
        seconds: From its first packet until it was there, or given up [s].
        bytes: Size of the file.
        symbols: Packets that are needed for it.
        symbols_sent: Packets that were sent.
        symbols_received: Packets that arrived intact.
        complete: All of it arrived.
        exact: It is what was sent, byte by byte.
    """

    seconds: float
    bytes: int
    symbols: int
    symbols_sent: int
    symbols_received: int
    complete: bool
    exact: bool


@dataclass(frozen=True, slots=True)
class RecoveryFigures:
    """The break.

    Attributes:
        seconds: Length of the phase [s].
        method: `"command"`, or `"reopen"` where the test closed and opened its own ports.
        effective: Whether the line was really broken; None if the test did not get that far.
        break_s: From the break to the mend [s]; None if there was no mend.
        recovery_s: From the mend until a packet that was begun after it had arrived [s]; None if none did in time.
        outages: How often a port disappeared, in all of the test.
        error: Why it could not be broken or mended; empty if it could.
    """

    seconds: float
    method: str
    effective: bool | None
    break_s: float | None
    recovery_s: float | None
    outages: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class Measurements:
    """All of a test.

    Attributes:
        whole: Packets travel whole (KISS, UDP), rather than as octets.
        line: The payload phase.
        still: None if no packet had arrived before.
        recovery: None if no packet had arrived before.
        wall_s: How long everything took [s].
        series: Latency over time.
    """

    whole: bool
    line: LineFigures
    still: StillFigures | None
    recovery: RecoveryFigures | None
    wall_s: float
    series: Series = field(default_factory=Series)


def latency_figures(latencies_s: Sequence[float]) -> tuple[float | None, float | None, float | None]:
    """Return minimum, median and the 95th percentile; None where there is nothing."""
    if not latencies_s:
        return None, None, None
    ordered = sorted(latencies_s)
    return ordered[0], median(ordered), ordered[ceil(0.95 * len(ordered)) - 1]
